//! The schema on real engines: each case on every one of them.

#[cfg(all(feature = "postgres", feature = "testing"))]
mod apart;
mod fixture;
mod parity;
#[cfg(all(feature = "postgres", feature = "testing"))]
mod row_security;
mod runner;
#[cfg(all(feature = "postgres", feature = "testing"))]
mod signed;
mod standing;

/// Makes a test of each case on each engine.
macro_rules! cases {
    ($($case:ident)*) => {
        $crate::schema::tests::cases! { @engine postgres [all(feature = "postgres", feature = "testing")] $($case)* }
        $crate::schema::tests::cases! { @engine sqlite [feature = "sqlite"] $($case)* }
        $crate::schema::tests::cases! { @engine duckdb [feature = "duckdb"] $($case)* }
    };
    (@engine $engine:ident [$($when:tt)*] $($case:ident)*) => {
        #[cfg($($when)*)]
        mod $engine {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::$case($crate::schema::tests::fixture::$engine().await).await;
                }
            )*
        }
    };
}
use cases;
