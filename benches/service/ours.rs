//! Trimaran's stores over one database that holds all areas.

use std::sync::Arc;

use trimaran::backends::SqlStore;
use trimaran::backends::postgres::PostgresConnection;
use trimaran::config::PoolSettings;
use trimaran::core::clock::ManualClock;
use trimaran::core::id::RandomIds;
use trimaran::secret::{Keyring, PasswordHasher, PasswordParameters, SecretKey};
use trimaran::{Application, Area, Connection, Conversation, Identity, Location, Store as _, TenantId};

use crate::Result;
use crate::replay::Target;
use crate::schema::{Place, TENANT};

/// What the database holds.
pub(crate) const AREAS: [Area; 3] = [Area::Identity, Area::Application, Area::Conversation];

/// As much memory as the raw driver may take.
const MEMORY: u64 = 4 << 30;

/// The repositories.
#[derive(Debug, Clone)]
pub(crate) struct Ours {
    pub(crate) connection: Connection,
    pub(crate) identity: Identity,
    pub(crate) application: Application,
}

/// The time at which everything happens: a key that was used at it needs no record of another use.
pub(crate) fn clock() -> Result<Arc<ManualClock>> {
    Ok(Arc::new(ManualClock::at("2026-01-01T00:00:00Z".parse()?)))
}

pub(crate) fn keyring() -> Result<Arc<Keyring>> {
    Ok(Arc::new(Keyring::new(SecretKey::from_bytes(&[7; 32])?, [])))
}

fn store(connection: Connection) -> Result<SqlStore> {
    let passwords = PasswordHasher::new(PasswordParameters::LEAST)?;
    Ok(SqlStore::new(connection, &AREAS, clock()?, Arc::new(RandomIds), passwords))
}

/// The tenant's store.
pub(crate) fn of_tenant(connection: Connection) -> Result<SqlStore> {
    Ok(store(connection)?.of_tenant(TENANT, keyring()?))
}

/// The tenant's conversations.
pub(crate) fn conversation(connection: Connection) -> Result<Conversation> {
    conversation_of(TENANT, connection)
}

/// Any tenant's conversations.
pub(crate) fn conversation_of(tenant: TenantId, connection: Connection) -> Result<Conversation> {
    Ok(store(connection)?.of_tenant(tenant, keyring()?).conversation()?)
}

impl Ours {
    pub(crate) fn over(connection: Connection) -> Result<Self> {
        let store = store(connection.clone())?;
        Ok(Self { connection, identity: store.identity()?, application: store.application()? })
    }
}

/// A connection as an application has it with so many sessions: on Postgres the tenant's, or nobody's.
pub(crate) async fn connect(place: &Place, sessions: usize, tenant: bool) -> Result<Connection> {
    let sessions = u32::try_from(sessions)?;
    let pool =
        PoolSettings { max_connections: sessions, min_connections: sessions, ..PoolSettings::default() };
    Ok(match place {
        Place::File(engine, path) => {
            trimaran::connect(&Location::file(*engine, path.clone()), &pool, MEMORY).await?
        }
        Place::Postgres { application, .. } => {
            let open = PostgresConnection::open(&Location::parse(application)?, &pool).await?;
            Connection::new(if tenant { open.scoped(TENANT) } else { open })
        }
    })
}

/// The same place for the raw driver.
pub(crate) fn target(place: &Place, tenant: bool) -> Target {
    match place {
        Place::File(trimaran::Engine::Sqlite, path) => Target::Sqlite(vec![path.clone()]),
        Place::File(_, path) => Target::Duckdb(path.clone()),
        Place::Postgres { application, .. } => Target::Postgres { url: application.clone(), tenant },
    }
}
