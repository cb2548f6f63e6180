//! Fresh stores.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::memory::InMemory;
use object_store::path::Path;
use trimaran_core::TenantId;
use trimaran_core::access::{Actor, PermitAll};
use trimaran_core::clock::SystemClock;
use trimaran_core::conformance::content::{ContentFixture, KEEP_VERSIONS};
use trimaran_core::id::RandomIds;
use trimaran_core::repository::Content;
use uuid::Uuid;

use crate::files::ContentStore;

pub(super) struct Fixture {
    store: ContentStore,
    is_decorated: bool,
    /// What has to last as long.
    _kept: Box<dyn Any + Send + Sync>,
}

impl fmt::Debug for Fixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.fmt(f)
    }
}

impl Fixture {
    fn new(store: ContentStore, kept: impl Any + Send + Sync) -> Self {
        Self { store, is_decorated: false, _kept: Box::new(kept) }
    }

    fn given(&self, content: Arc<dyn Content>) -> Arc<dyn Content> {
        if self.is_decorated { content.acting_as(Actor::System, Arc::new(PermitAll)) } else { content }
    }
}

impl ContentFixture for Fixture {
    fn installation(&self) -> Arc<dyn Content> {
        self.given(self.store.installation())
    }

    fn tenant(&self) -> Arc<dyn Content> {
        self.given(self.store.tenant(TenantId(Uuid::from_u128(1))))
    }

    fn other_tenant(&self) -> Arc<dyn Content> {
        self.given(self.store.tenant(self.other_id()))
    }

    fn other_id(&self) -> TenantId {
        TenantId(Uuid::from_u128(2))
    }
}

/// The content area over a store that is put together by hand.
pub(super) fn over(store: Arc<dyn ObjectStore>, root: Path) -> ContentStore {
    ContentStore::over(store, root, KEEP_VERSIONS, Arc::new(SystemClock), Arc::new(RandomIds))
}

pub(super) async fn memory() -> Fixture {
    Fixture::new(over(Arc::new(InMemory::new()), Path::default()), ())
}

pub(super) async fn memory_decorated() -> Fixture {
    Fixture { is_decorated: true, ..memory().await }
}

#[cfg(unix)]
pub(super) async fn folder() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let store = crate::files::folder::FolderStore::open(&folder.path().join("content")).unwrap();
    Fixture::new(over(Arc::new(store), Path::default()), folder)
}

/// The bucket at `TRIMARAN_TEST_S3_URL`, such as `http://localhost:5000/bucket`, under a prefix of its own. Who asks is told by Amazon's
/// own variables, or is a made-up key.
#[cfg(feature = "s3")]
pub(super) async fn s3() -> Fixture {
    use trimaran_core::config::{ContentPlace, ContentSettings, S3Credentials, S3Settings};

    let url = std::env::var("TRIMARAN_TEST_S3_URL").unwrap();
    let (endpoint, bucket) = url.rsplit_once('/').unwrap();
    let made_up = || S3Credentials {
        access_key_id: "test".to_owned(),
        secret_access_key: "test".into(),
        session_token: None,
    };
    let settings = S3Settings {
        bucket: bucket.to_owned(),
        prefix: format!("tests/{}", Uuid::now_v7()),
        endpoint: Some(endpoint.to_owned()),
        region: Some("us-east-1".to_owned()),
        credentials: std::env::var_os("AWS_ACCESS_KEY_ID").is_none().then(made_up),
    };
    let settings =
        ContentSettings { place: ContentPlace::S3(Box::new(settings)), keep_versions: KEEP_VERSIONS };
    Fixture::new(ContentStore::open(&settings, Arc::new(SystemClock), Arc::new(RandomIds)).unwrap(), ())
}
