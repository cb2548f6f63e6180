//! From the list of cases to tests.

/// Makes each case of the [list](crate::conformance::list) a test, in a module, over a function that gives a
/// [`Fixture`](crate::conformance::Fixture). One line per configuration:
///
/// ```ignore
/// conformance_suite!(#[tokio::test(flavor = "multi_thread")] mod sqlite = fixtures::sqlite);
/// conformance_suite! {
///     #[tokio::test(flavor = "multi_thread")] mod duckdb = fixtures::duckdb;
///     ignore {
///         a_savepoint_can_be_rolled_back_to: "DuckDB has no savepoints",
///     }
/// }
/// ```
///
/// The attribute is the caller's, so that any runtime will do; store and case share it. What is ignored is named with its
/// reason; a name that no case has fails a test of its own.
#[macro_export]
macro_rules! conformance_suite {
    (#$test:tt mod $module:ident = $($fixture:ident)::+ $(; ignore { $($case:ident: $reason:literal,)* })?) => {
        mod $module {
            use super::*;

            #[test]
            fn every_gap_is_a_case() {
                let gaps: &[&str] = &[$($(stringify!($case),)*)?];
                for gap in gaps {
                    assert!($crate::conformance::list::names().any(|(_, name)| name == *gap), "{gap} is no case");
                }
            }

            $crate::__conformance_gaps! { ($) $($($case: $reason,)*)? }
            $crate::__conformance_list! { [$crate::__conformance_tests] (#$test $($fixture)::+) }
        }
    };
}

/// Declares `with_gaps!`, which puts `#[ignore]` before the tests that the caller named.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_gaps {
    (($d:tt) $($case:ident: $reason:literal,)*) => {
        macro_rules! with_gaps {
            $(($case $d($d test:tt)*) => { #[ignore = $reason] $d($d test)* };)*
            ($d other:ident $d($d test:tt)*) => { $d($d test)* };
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    ($args:tt $($area:ident::$aggregate:ident [$($case:ident)*])*) => {
        $(mod $aggregate {
            #[allow(unused_imports, reason = "the fixture's path may need it")]
            use super::*;
            $crate::__conformance_module! { $args $area $aggregate $($case)* }
        })*
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_module {
    ($args:tt $area:ident $aggregate:ident $($case:ident)*) => {
        $($crate::__conformance_test! { $args $area $aggregate $case })*
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_test {
    (($(#$test:tt)+ $($fixture:ident)::+) $area:ident $aggregate:ident $case:ident) => {
        with_gaps! { $case
            $(#$test)+
            async fn $case() {
                let fixture = $($fixture)::+().await;
                $crate::conformance::$area::$aggregate::$case(&fixture).await;
            }
        }
    };
}
