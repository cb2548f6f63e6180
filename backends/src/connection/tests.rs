//! What [`Connection`](super::Connection) and [`Transaction`](crate::Transaction) promise, held against every engine.
//!
//! A case is an `async fn(Fixture)`; [`cases!`] makes a test of it on each engine. Another engine is one line there and
//! one function in `fixture`.

mod appends;
mod cancellation;
pub(crate) mod entity;
mod errors;
pub(crate) mod fixture;
mod reads;
mod statements;
mod transactions;

/// Makes a test of each case on each engine.
macro_rules! cases {
    ($($case:ident)*) => {
        $crate::connection::tests::cases! { @engine postgres [all(feature = "postgres", feature = "testing")] $($case)* }
        $crate::connection::tests::cases! { @engine sqlite [feature = "sqlite"] $($case)* }
        $crate::connection::tests::cases! { @engine duckdb [feature = "duckdb"] $($case)* }
    };
    (@engine $engine:ident [$($when:tt)*] $($case:ident)*) => {
        #[cfg($($when)*)]
        mod $engine {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let fixture = $crate::connection::tests::fixture::$engine().await;
                    super::$case(fixture).await;
                }
            )*
        }
    };
}
pub(crate) use cases;
