//! An installation of a test's own, whose tenants are on one engine.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use trimaran_core::config::{Area, Builder, Config};
use trimaran_core::id::ConversationId;
use trimaran_core::model::{ChatRole, Namespace, NewMessage, NewObject, PieceFilter};
use trimaran_core::repository::ContentExt as _;
use trimaran_core::secret::PasswordParameters;
use trimaran_core::{Engine, Error, ErrorKind, PageRequest, Result, TenantId, digest};

use crate::stores::{Opener, Stores};
use crate::tenant::{Observer, Step, TenantRecord};

/// A key that no test of another kind has, and nobody should use.
pub(super) fn key_text(seed: &str) -> String {
    digest::hex(&digest::sha256(format!("a naming key for tests: {seed}").as_bytes()))
}

/// Where tenants' data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    Sqlite,
    Duckdb,
    #[cfg(feature = "testing")]
    Postgres,
}

impl On {
    pub(super) const ALL: &[Self] = &[
        Self::Sqlite,
        Self::Duckdb,
        #[cfg(feature = "testing")]
        Self::Postgres,
    ];

    pub(super) const FILES: [Self; 2] = [Self::Sqlite, Self::Duckdb];

    pub(super) fn engine(self) -> Engine {
        match self {
            Self::Sqlite => Engine::Sqlite,
            Self::Duckdb => Engine::Duckdb,
            #[cfg(feature = "testing")]
            Self::Postgres => Engine::Postgres,
        }
    }
}

/// Dropped, it is gone.
pub(super) struct Installation {
    pub(super) on: On,
    folder: tempfile::TempDir,
    pub(super) url: String,
    #[cfg(feature = "testing")]
    _database: Option<crate::testing::TestDatabase>,
}

impl Installation {
    pub(super) async fn new(on: On) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = |scheme: &str| format!("{scheme}://{}", folder.path().join("tenants").display());
        #[cfg(feature = "testing")]
        if on == On::Postgres {
            let database = tokio::task::spawn_blocking(crate::testing::postgres::database).await.unwrap();
            let url = database.url().to_owned();
            return Self { on, folder, url, _database: Some(database) };
        }
        let url = files(on.engine().name());
        Self {
            on,
            folder,
            url,
            #[cfg(feature = "testing")]
            _database: None,
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The tenants' folder.
    pub(super) fn tenants(&self) -> PathBuf {
        self.folder.path().join("tenants")
    }

    /// Where the tenant's file is, or would be.
    pub(super) fn file(&self, tenant: &TenantRecord) -> PathBuf {
        self.tenants().join(format!("{}.{}", tenant.place, self.on.engine().name()))
    }

    /// The catalogue is on the same engine.
    fn application(&self) -> String {
        if On::FILES.contains(&self.on) {
            let name = self.on.engine().name();
            return format!("{name}://{}", self.folder.path().join("application").display());
        }
        self.url.clone()
    }

    pub(super) fn builder(&self, key: &str) -> Builder {
        Config::builder()
            .environment([])
            .set("data_directory", self.folder.path().join("data").to_str().unwrap())
            .set("stores.application.url", self.application())
            .set("stores.application.acquire_timeout", "300ms")
            .set("stores.configuration.url", self.url.as_str())
            .set("stores.conversation.url", self.url.as_str())
            .set("stores.conversation.acquire_timeout", "300ms")
            .set("stores.configuration.acquire_timeout", "300ms")
            .set("tenants.key", key_text(key))
            .set("secrets.key", key_text("secrets"))
    }

    pub(super) async fn open(&self, key: &str) -> Stores {
        opened(&self.builder(key).load().unwrap()).await.unwrap()
    }

    /// As the program opens it.
    pub(super) async fn administer(&self, key: &str) -> Stores {
        let config = self.builder(key).load().unwrap();
        Opener::new(&config).passwords(PasswordParameters::LEAST).administering().open().await.unwrap()
    }
}

pub(super) async fn opened(config: &Config) -> Result<Stores> {
    Opener::new(config).passwords(PasswordParameters::LEAST).open().await
}

/// Gives the tenant a conversation and an object that say whose they are.
pub(super) async fn fill(stores: &Stores, tenant: TenantId, text: &str) {
    let tenant = stores.tenant(tenant).await.unwrap();
    let conversation = tenant.conversation().await.unwrap();
    let talk = ConversationId(stores.new_id());
    conversation.pieces.append(NewMessage::text(talk, ChatRole::User, text)).await.unwrap();
    tenant.configuration().await.unwrap();
    tenant.content().put(Namespace::Reports, "a", NewObject::new(text.to_owned())).await.unwrap();
}

/// What the tenant's conversations and objects say.
pub(super) async fn told(stores: &Stores, tenant: TenantId) -> Vec<String> {
    let tenant = stores.tenant(tenant).await.unwrap();
    let conversation = tenant.conversation().await.unwrap();
    let request = PageRequest::first(10).unwrap();
    let page = conversation.pieces.list(&PieceFilter::default(), &request).await.unwrap();
    let mut told: Vec<String> = page.items.iter().map(|piece| piece.original.value.clone()).collect();
    if let Some((_, bytes)) = tenant.content().read(Namespace::Reports, "a").await.unwrap() {
        told.push(String::from_utf8(bytes.to_vec()).unwrap());
    }
    told
}

/// Stops an operation at its n-th step, as a crash would.
#[derive(Debug)]
pub(super) struct StopAt(AtomicUsize);

impl StopAt {
    pub(super) fn step(n: usize) -> Arc<Self> {
        Arc::new(Self(AtomicUsize::new(n)))
    }
}

impl Observer for StopAt {
    fn reached(&self, _: &TenantRecord, _: Step) -> Result<()> {
        match self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::new(ErrorKind::Interrupted, "go on").context("the test stops here")),
        }
    }
}

/// The rows of all tables of the tenants' areas, on Postgres, of this tenant.
#[cfg(feature = "testing")]
pub(super) async fn rows_on_server(tenant: TenantId, at: &Installation) -> Option<i64> {
    use sea_orm::{ConnectionTrait as _, Statement};
    if at.on != On::Postgres {
        return None;
    }
    // The test's own role is a superuser: it sees what any role could.
    let pool = trimaran_core::config::PoolSettings::default();
    let location = crate::Location::parse(&at.url).unwrap();
    let db =
        crate::Connection::new(crate::postgres::PostgresConnection::open(&location, &pool).await.unwrap());
    let book = crate::schema::Book::new();
    let areas = [Area::Configuration, Area::Conversation];
    let mut rows = 0;
    for table in book.of(&areas).flat_map(|migration| migration.tables) {
        let sql = format!("SELECT count(*) AS n FROM \"{table}\" WHERE tenant_id = '{tenant}'");
        let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
        rows += row.unwrap().try_get::<i64>("", "n").unwrap();
    }
    db.close().await;
    Some(rows)
}
