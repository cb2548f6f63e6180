//! The store of a folder: what `object_store`'s own one is not made for.
//!
//! Its `LocalFileSystem` follows symbolic links out of its root, gives files the umask's permissions and knows no conditional
//! replacement. Here every step is taken from an open directory and refuses links ([`mod@directory`]); files have 0600 and
//! directories 0700; a file is written under another name, synced, renamed, and its directory synced; replacements of
//! one key are made one at a time, by a lock that holds among processes ([`locks`]).
//!
//! Only what the content area calls is there: no copying, no renaming.

mod directory;
mod drafts;
mod locks;
mod object;
mod upload;

use std::fmt;
use std::io;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error as StoreError, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result as StoreResult,
};
use trimaran_core::{Error, ErrorKind, Result};

use directory::Directory;
pub(crate) use directory::Intruder;
use drafts::{Draft, Drafts};
use locks::Locks;

/// The name of this store in errors.
const NAME: &str = "folder";

/// What the store keeps for itself, beside the objects' folders.
const DRAFTS: &str = "drafts";
const LOCKS: &str = "locks";

/// A folder as a store of objects. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct FolderStore(Arc<Folder>);

#[derive(Debug)]
struct Folder {
    path: PathBuf,
    root: Directory,
    drafts: Drafts,
    locks: Locks,
}

impl fmt::Display for FolderStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.path.display())
    }
}

impl FolderStore {
    /// Opens the folder at `path`, makes it if there is none, and removes the drafts of processes that are no more.
    ///
    /// # Errors
    /// `Forbidden` or `Configuration` for a folder that can't be made or used; `Corrupt` for a symbolic link in it.
    pub(crate) fn open(path: &FilePath) -> Result<Self> {
        let opened = || -> io::Result<Folder> {
            let root = Directory::make_root(path)?;
            let locks = Locks::new(root.make(LOCKS)?);
            let drafts = Drafts::new(root.make(DRAFTS)?);
            drafts.remove_abandoned(&locks)?;
            Ok(Folder { path: path.to_owned(), root, drafts, locks })
        };
        opened().map(|folder| Self(Arc::new(folder))).map_err(|error| {
            let kind = match error.kind() {
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ErrorKind::Forbidden,
                io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => ErrorKind::Configuration,
                _ if directory::is_intruder(&error) => ErrorKind::Corrupt,
                _ => ErrorKind::Unavailable,
            };
            Error::new(kind, format!("keep content in {}", path.display()))
                .source(error)
                .hint("name a folder in stores.content.url that this program may make or write to")
        })
    }

    /// Does blocking work where it keeps nobody waiting.
    async fn blocking<T: Send + 'static>(
        &self,
        location: &Path,
        work: impl FnOnce(&Folder) -> io::Result<T> + Send + 'static,
    ) -> StoreResult<T> {
        let folder = Arc::clone(&self.0);
        let outcome = match tokio::runtime::Handle::try_current() {
            Ok(runtime) => runtime.spawn_blocking(move || work(&folder)).await?,
            Err(_) => work(&folder),
        };
        outcome.map_err(|error| refused(location, error))
    }
}

/// What a failure of the file system is in `object_store`'s terms.
fn refused(location: &Path, error: io::Error) -> StoreError {
    let path = location.to_string();
    match error.kind() {
        io::ErrorKind::NotFound => StoreError::NotFound { path, source: error.into() },
        io::ErrorKind::AlreadyExists => StoreError::AlreadyExists { path, source: error.into() },
        io::ErrorKind::PermissionDenied => StoreError::PermissionDenied { path, source: error.into() },
        _ => match error.downcast::<Intruder>() {
            Ok(intruder) => StoreError::Generic { store: NAME, source: intruder.into() },
            Err(error) => match error.downcast::<Changed>() {
                Ok(changed) => StoreError::Precondition { path, source: changed.into() },
                Err(error) => StoreError::Generic { store: NAME, source: error.into() },
            },
        },
    }
}

/// What was to be replaced is not what it was.
#[derive(Debug)]
struct Changed;

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it was changed or removed meanwhile")
    }
}

impl std::error::Error for Changed {}

fn changed() -> io::Error {
    io::Error::other(Changed)
}

impl Folder {
    /// The directory that holds the object at `location`, and the name of its file.
    fn place<'l>(&self, location: &'l Path) -> io::Result<(Directory, &'l str)> {
        let (parent, name) = split(location)?;
        Ok((self.root.descend(parent)?, name))
    }

    /// Makes a written draft the object at `location`, if `mode` allows it: the moment at which it takes effect.
    fn commit(&self, draft: Draft, location: &Path, mode: &PutMode) -> io::Result<()> {
        let (parent, name) = split(location)?;
        let directory = self.root.descend_making(parent)?;
        let _held = self.locks.hold(location)?;
        match mode {
            PutMode::Overwrite => {}
            PutMode::Create => {
                if directory.stat(name)?.is_some() {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
            }
            PutMode::Update(expected) => {
                let now = match directory.open_file(name) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(changed()),
                    other => object::tag_of(&other?)?,
                };
                if now.is_none() || now != expected.e_tag {
                    return Err(changed());
                }
            }
        }
        draft.publish(&directory, name)
    }

    fn remove(&self, location: &Path) -> io::Result<()> {
        let (directory, name) = self.place(location)?;
        let _held = self.locks.hold(location)?;
        directory.remove_file(name)?;
        directory.sync()
    }
}

/// A key's folders and the name of its file.
fn split(location: &Path) -> io::Result<(&str, &str)> {
    location.as_ref().rsplit_once('/').ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))
}

#[async_trait]
impl ObjectStore for FolderStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> StoreResult<PutResult> {
        let key = location.clone();
        self.blocking(location, move |folder| {
            let mut draft = folder.drafts.begin(&folder.locks)?;
            for chunk in &payload {
                draft.append(chunk)?;
            }
            draft.sync()?;
            folder.commit(draft, &key, &options.mode)
        })
        .await?;
        Ok(PutResult { e_tag: None, version: None, extensions: Default::default() })
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        _options: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        let draft = self.blocking(location, |folder| folder.drafts.begin(&folder.locks)).await?;
        Ok(Box::new(upload::FolderUpload::new(self.clone(), location.clone(), draft)))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> StoreResult<GetResult> {
        let key = location.clone();
        let file = self
            .blocking(location, move |folder| {
                let (directory, name) = folder.place(&key)?;
                directory.open_file(name)
            })
            .await?;
        object::get(self, location, file, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, StoreResult<Path>>,
    ) -> BoxStream<'static, StoreResult<Path>> {
        let store = self.clone();
        locations
            .and_then(move |location| {
                let store = store.clone();
                async move {
                    let key = location.clone();
                    store.blocking(&location, move |folder| folder.remove(&key)).await?;
                    Ok(location)
                }
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.list_from(prefix.cloned().unwrap_or_default(), None)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.list_from(prefix.cloned().unwrap_or_default(), Some(offset.clone()))
    }

    async fn list_with_delimiter(&self, _prefix: Option<&Path>) -> StoreResult<ListResult> {
        Err(self.has_no("list_with_delimiter"))
    }

    async fn copy_opts(&self, _from: &Path, _to: &Path, _options: CopyOptions) -> StoreResult<()> {
        Err(self.has_no("copy_opts"))
    }
}

impl FolderStore {
    fn has_no(&self, operation: &str) -> StoreError {
        StoreError::NotImplemented { operation: operation.to_owned(), implementer: self.to_string() }
    }

    /// All objects under `prefix` after `offset`, in the order of their keys. Names are read at once, what is known of
    /// each as it is asked for: a page doesn't cost the whole.
    fn list_from(&self, prefix: Path, offset: Option<Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        let store = self.clone();
        stream::once(async move {
            let from = prefix.clone();
            let keys = store
                .blocking(&prefix, move |folder| {
                    let mut keys = Vec::new();
                    match folder.root.descend(from.as_ref()) {
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                        directory => object::keys_under(&directory?, &from, &mut keys)?,
                    }
                    keys.retain(|key| offset.as_ref().is_none_or(|offset| key > offset));
                    keys.sort_unstable();
                    Ok(keys)
                })
                .await?;
            let known = stream::iter(keys.into_iter().map(StoreResult::Ok)).try_filter_map(move |key| {
                let store = store.clone();
                async move {
                    let at = key.clone();
                    let known = store.blocking(&key, move |folder| object::known(folder, &at)).await;
                    match known {
                        // Deleted since the names were read.
                        Err(StoreError::NotFound { .. }) => Ok(None),
                        known => known.map(Some),
                    }
                }
            });
            Ok::<_, StoreError>(known)
        })
        .try_flatten()
        .boxed()
    }
}
