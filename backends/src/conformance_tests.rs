//! The conformance suite on the three engines, plain and through the access decorator.

use trimaran_core::conformance_suite;

mod fixtures {
    use trimaran_core::Engine;
    use trimaran_core::config::PoolSettings;

    use crate::testing::{StoreFixture, postgres};
    use crate::{Connection, Location};

    fn pool() -> PoolSettings {
        PoolSettings { max_connections: 4, ..PoolSettings::default() }
    }

    pub(super) async fn postgres() -> StoreFixture {
        // Starting a server blocks.
        let database = tokio::task::spawn_blocking(postgres::database).await.unwrap();
        let engine = crate::postgres::PostgresConnection::open(&database.location(), &pool()).await.unwrap();
        StoreFixture::plain(Connection::new(engine), database).await.unwrap()
    }

    pub(super) async fn postgres_decorated() -> StoreFixture {
        postgres().await.decorated().unwrap()
    }

    pub(super) async fn sqlite() -> StoreFixture {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::file(Engine::Sqlite, folder.path().join("store.sqlite"));
        let engine = crate::sqlite::SqliteConnection::open(&location, &pool()).await.unwrap();
        StoreFixture::plain(Connection::new(engine), folder).await.unwrap()
    }

    pub(super) async fn sqlite_decorated() -> StoreFixture {
        sqlite().await.decorated().unwrap()
    }
}

conformance_suite! { #[tokio::test(flavor = "multi_thread")] mod postgres = fixtures::postgres }
conformance_suite! { #[tokio::test(flavor = "multi_thread")] mod postgres_decorated = fixtures::postgres_decorated }
conformance_suite! { #[tokio::test(flavor = "multi_thread")] mod sqlite = fixtures::sqlite }
conformance_suite! { #[tokio::test(flavor = "multi_thread")] mod sqlite_decorated = fixtures::sqlite_decorated }
