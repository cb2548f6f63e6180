//! The conformance suite's fixture over a connection of any engine.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sea_orm::ConnectionTrait as _;
use trimaran_core::access::{ActingStore, Actor, Aggregate, RolePolicy, Verb};
use trimaran_core::clock::ManualClock;
use trimaran_core::config::{Area, CacheSettings};
use trimaran_core::conformance::Fixture;
use trimaran_core::id::{SequentialIds, UserId};
use trimaran_core::model::Permission;
use trimaran_core::secret::{Keyring, PasswordHasher, PasswordParameters, SecretKey};
use trimaran_core::{IdSource, Result, Store, TenantId};
use uuid::Uuid;

use crate::cache::{ResultCache, watched};
use crate::db_error::Doing as _;
use crate::schema::{Book, Runner, row_security};
use crate::{Connection, SqlStore};

/// The areas that the suite is about, all in one database: tenants' rows, too, stand side by side in the same tables, so
/// that a repository which forgets to say whose rows it wants is found out on every engine.
const AREAS: &[Area] = &Area::SQL;

/// Two of them, who must not see one another.
const TENANTS: [TenantId; 2] = [TenantId(Uuid::from_u128(1)), TenantId(Uuid::from_u128(2))];

/// A store over a connection, with a clock that stands still, ids that repeat, and cheap passwords.
pub struct StoreFixture {
    store: Arc<dyn Store>,
    connection: Connection,
    /// The first tenant's.
    of_tenant: Connection,
    tenants: Vec<Arc<dyn Store>>,
    /// The tenants' stores before anything was put around them.
    undecorated: Vec<SqlStore>,
    clock: ManualClock,
    settle: Option<Box<dyn Fn() + Send + Sync>>,
    _kept: Box<dyn Any + Send + Sync>,
}

impl StoreFixture {
    /// A store in the database of `connection`; makes the schema if it isn't there. What the database lives in, such as a
    /// temporary folder, is `kept` as long as the fixture.
    ///
    /// # Errors
    /// The engine's, if it can't make the schema.
    pub async fn plain(connection: Connection, kept: impl Any + Send + Sync) -> Result<Self> {
        Self::make_schema(&connection).await?;
        let tenants = TENANTS.map(|tenant| (tenant, connection.clone()));
        Self::over(connection, tenants, kept)
    }

    /// A store on Postgres as a careful installation has it: somebody else has [made the schema](Self::secure), and
    /// `application` is a role that owns nothing.
    ///
    /// # Errors
    /// None is known.
    pub fn secured(
        application: crate::postgres::PostgresConnection,
        kept: impl Any + Send + Sync,
    ) -> Result<Self> {
        let tenants = TENANTS.map(|tenant| (tenant, Connection::new(application.scoped(tenant))));
        Self::over(Connection::new(application), tenants, kept)
    }

    /// Makes the schema in an empty database.
    ///
    /// # Errors
    /// The engine's.
    pub async fn make_schema(connection: &Connection) -> Result<()> {
        Runner::new(connection, &Book::new(), AREAS, &ManualClock::default()).up().await?;
        Ok(())
    }

    /// Makes the schema on Postgres, puts row-level security in force, and gives `role`, the application's, its rights.
    ///
    /// # Errors
    /// The engine's.
    pub async fn secure(owner: &Connection, role: &str) -> Result<()> {
        Self::make_schema(owner).await?;
        let setting = crate::tenant::signing::TenantSetting::Plain;
        row_security::secure(owner, &Book::new(), AREAS, Some(role), setting).await
    }

    fn over(
        connection: Connection,
        tenants: [(TenantId, Connection); 2],
        kept: impl Any + Send + Sync,
    ) -> Result<Self> {
        let clock = ManualClock::default();
        let ids: Arc<dyn IdSource> = Arc::new(SequentialIds::new(Arc::new(clock.clone())));
        let passwords = PasswordHasher::new(PasswordParameters::LEAST)?;
        let store = |connection: Connection, areas: &[Area]| {
            SqlStore::new(connection, areas, Arc::new(clock.clone()), Arc::clone(&ids), passwords.clone())
        };
        let tenants = tenants.map(|(tenant, connection)| (tenant, watched(connection, tenant)));
        let first = tenants[0].1.clone();
        let keyring = keyring()?;
        let of_tenant = |(tenant, connection)| {
            let store = store(connection, &[Area::Configuration, Area::Conversation]);
            store.of_tenant(tenant, Arc::clone(&keyring))
        };
        let undecorated: Vec<_> = tenants.into_iter().map(of_tenant).collect();
        Ok(Self {
            store: Arc::new(store(connection.clone(), &[Area::Identity, Area::Application])),
            tenants: undecorated.iter().map(|store| Arc::new(store.clone()) as Arc<dyn Store>).collect(),
            undecorated,
            connection,
            of_tenant: first,
            clock,
            settle: None,
            _kept: Box::new(kept),
        })
    }

    /// The same store, where `settle` lets the engine [get to know](Fixture::settle) what was written.
    #[must_use]
    pub fn settling(self, settle: impl Fn() + Send + Sync + 'static) -> Self {
        Self { settle: Some(Box::new(settle)), ..self }
    }

    /// The same store, where results that were computed are kept.
    ///
    /// # Errors
    /// None is known.
    pub fn keeping_results(self) -> Result<Self> {
        let settings = CacheSettings {
            memory: 1 << 20,
            tenant_memory: 1 << 20,
            time_to_live: Duration::from_secs(60 * 60),
            redis: None,
        };
        let cache = ResultCache::new(&settings, keyring()?)?;
        let mut tenants: Vec<Arc<dyn Store>> = Vec::new();
        for store in &self.undecorated {
            tenants.push(Arc::new(store.clone().keeping_results(&cache)?));
        }
        Ok(Self { tenants, ..self })
    }

    /// The same store through the access decorator, as a user who has every permission.
    ///
    /// # Errors
    /// None is known: every permission's name is one.
    pub fn decorated(self) -> Result<Self> {
        let mut all = std::collections::BTreeSet::new();
        for aggregate in Aggregate::ALL {
            for verb in Verb::ALL {
                let area = aggregate.area().name();
                all.insert(Permission::new(format!("{area}.{}:{}", aggregate.name(), verb.name()))?);
            }
        }
        let actor = Actor::user(UserId(Uuid::nil()), all);
        let acting = |store| -> Arc<dyn Store> {
            Arc::new(ActingStore::new(store, actor.clone(), Arc::new(RolePolicy)))
        };
        let tenants = self.tenants.into_iter().map(acting).collect();
        Ok(Self { store: acting(self.store), tenants, ..self })
    }
}

fn keyring() -> Result<Arc<Keyring>> {
    Ok(Arc::new(Keyring::new(SecretKey::from_bytes(&[7; 32])?, [])))
}

impl fmt::Debug for StoreFixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreFixture").field("store", &self.store).finish_non_exhaustive()
    }
}

#[async_trait]
impl Fixture for StoreFixture {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    fn tenant(&self) -> Arc<dyn Store> {
        Arc::clone(&self.tenants[0])
    }

    fn other_tenant(&self) -> Arc<dyn Store> {
        Arc::clone(&self.tenants[1])
    }

    fn clock(&self) -> &ManualClock {
        &self.clock
    }

    async fn run_sql(&self, statements: &[&str]) -> Result<()> {
        run(&self.connection, statements).await
    }

    async fn run_tenant_sql(&self, statements: &[&str]) -> Result<()> {
        run(&self.of_tenant, statements).await
    }

    async fn settle(&self) {
        self.settle.iter().for_each(|settle| settle());
    }
}

async fn run(connection: &Connection, statements: &[&str]) -> Result<()> {
    let transaction = connection.transaction().await?;
    for statement in statements {
        transaction.execute_unprepared(statement).await.doing("run a case's own SQL")?;
    }
    transaction.commit().await
}
