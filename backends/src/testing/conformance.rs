//! The conformance suite's fixture over a connection of any engine.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use sea_orm::ConnectionTrait as _;
use trimaran_core::access::{ActingStore, Actor, Aggregate, RolePolicy, Verb};
use trimaran_core::clock::ManualClock;
use trimaran_core::config::Area;
use trimaran_core::conformance::Fixture;
use trimaran_core::id::{SequentialIds, UserId};
use trimaran_core::model::Permission;
use trimaran_core::secret::{PasswordHasher, PasswordParameters};
use trimaran_core::{Result, Store};
use uuid::Uuid;

use crate::db_error::Doing as _;
use crate::schema::{Book, Runner};
use crate::{Connection, SqlStore};

/// The areas that the suite is about.
const AREAS: &[Area] = &[Area::Identity, Area::Application];

/// A store over a connection, with a clock that stands still, ids that repeat, and cheap passwords.
pub struct StoreFixture {
    store: Arc<dyn Store>,
    connection: Connection,
    clock: ManualClock,
    _kept: Box<dyn Any + Send + Sync>,
}

impl StoreFixture {
    /// A store in the empty database of `connection`; makes the schema. What the database lives in, such as a temporary
    /// folder, is `kept` as long as the fixture.
    ///
    /// # Errors
    /// The engine's, if it can't make the schema.
    pub async fn plain(connection: Connection, kept: impl Any + Send + Sync) -> Result<Self> {
        let clock = ManualClock::default();
        Runner::new(&connection, &Book::new(), AREAS, &clock).up().await?;
        let store = SqlStore::new(
            connection.clone(),
            AREAS,
            Arc::new(clock.clone()),
            Arc::new(SequentialIds::new(Arc::new(clock.clone()))),
            PasswordHasher::new(PasswordParameters::LEAST)?,
        );
        Ok(Self { store: Arc::new(store), connection, clock, _kept: Box::new(kept) })
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
        let store = Arc::new(ActingStore::new(self.store, actor, Arc::new(RolePolicy)));
        Ok(Self { store, ..self })
    }
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

    fn clock(&self) -> &ManualClock {
        &self.clock
    }

    async fn run_sql(&self, statements: &[&str]) -> Result<()> {
        let transaction = self.connection.transaction().await?;
        for statement in statements {
            transaction.execute_unprepared(statement).await.doing("run a case's own SQL")?;
        }
        transaction.commit().await
    }
}
