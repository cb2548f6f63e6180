//! From settings to a store.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::memory::InMemory;
use object_store::path::Path;
use trimaran_core::config::{ContentPlace, ContentSettings};
use trimaran_core::repository::Content;
use trimaran_core::{Clock, IdSource, Result, TenantId};

use super::content::ObjectContent;
use super::entries::Entries;
use super::key::Scope;

/// The content area: the installation's objects, and each tenant's. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ContentStore {
    store: Arc<dyn ObjectStore>,
    /// What all keys begin with.
    root: Path,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    keep_versions: usize,
}

impl ContentStore {
    /// Opens what the settings name. A folder is made if there is none, for its owner alone; of S3 nothing is asked yet.
    ///
    /// # Errors
    /// `Forbidden` or `Configuration` for a folder that can't be made or used; `Unsupported` for S3 if this build lacks it.
    pub fn open(settings: &ContentSettings, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> Result<Self> {
        let (store, root): (Arc<dyn ObjectStore>, Path) = match &settings.place {
            ContentPlace::Folder(folder) => (open_folder(folder)?, Path::default()),
            ContentPlace::Memory => (Arc::new(InMemory::new()), Path::default()),
            #[cfg(feature = "s3")]
            ContentPlace::S3(s3) => (super::s3::open(s3)?, Path::from(s3.prefix.as_str())),
            #[cfg(not(feature = "s3"))]
            ContentPlace::S3(_) => {
                return Err(trimaran_core::Error::new(
                    trimaran_core::ErrorKind::Unsupported,
                    format!("open {}", settings.place),
                )
                .context("this build has no S3 support")
                .hint("build with the cargo feature `s3`"));
            }
        };
        Ok(Self::over(store, root, settings.keep_versions, clock, ids))
    }

    /// Over any store that knows conditional writes, under `root`.
    pub(super) fn over(
        store: Arc<dyn ObjectStore>,
        root: Path,
        keep_versions: u32,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Self {
        let keep_versions = usize::try_from(keep_versions).unwrap_or(usize::MAX);
        Self { store, root, clock, ids, keep_versions }
    }

    /// The objects that are no tenant's.
    pub fn installation(&self) -> Arc<dyn Content> {
        self.of(Scope::installation(&self.root))
    }

    /// A tenant's objects, and nobody else's.
    pub fn tenant(&self, tenant: TenantId) -> Arc<dyn Content> {
        self.of(Scope::tenant(&self.root, tenant))
    }

    fn of(&self, scope: Scope) -> Arc<dyn Content> {
        Arc::new(ObjectContent {
            entries: Entries { store: Arc::clone(&self.store), owner: scope.owner().into() },
            store: Arc::clone(&self.store),
            scope,
            clock: Arc::clone(&self.clock),
            ids: Arc::clone(&self.ids),
            keep_versions: self.keep_versions,
        })
    }
}

#[cfg(unix)]
fn open_folder(folder: &std::path::Path) -> Result<Arc<dyn ObjectStore>> {
    Ok(Arc::new(super::folder::FolderStore::open(folder)?))
}

#[cfg(not(unix))]
fn open_folder(folder: &std::path::Path) -> Result<Arc<dyn ObjectStore>> {
    Err(trimaran_core::Error::new(
        trimaran_core::ErrorKind::Unsupported,
        format!("keep content in {}", folder.display()),
    )
    .context("a folder is kept safe on Unix only")
    .hint("set stores.content.url to s3://bucket/prefix"))
}
