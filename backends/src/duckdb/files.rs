//! Many DuckDB files, of which a limited number is open at a time: tenants have one each.
//!
//! A file stays open after its last use until its place is wanted; then the one that has been idle longest is closed. A file
//! is in use while a connection to it, a transaction or a stream is held. Files in use are never closed: whoever wants
//! another one waits.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, Weak};

use lru::LruCache;
use tokio::sync::{Notify, OnceCell};
use tokio::time::{Instant, timeout_at};
use trimaran_core::config::PoolSettings;
use trimaran_core::{Error, ErrorKind, Result};

use super::DuckdbConnection;
use super::registry::lock;
use crate::{Connection, EngineConnection as _, Location};

/// How files are opened.
#[derive(Debug, Clone)]
pub struct FileSettings {
    /// The sessions of each file; its `acquire_timeout` is also how long a caller waits for a file's place.
    pub pool: PoolSettings,
    /// What DuckDB may take for each file, in bytes.
    pub memory: u64,
}

/// Open DuckDB files, at most so many.
#[derive(Debug)]
pub struct DuckdbFiles {
    limit: NonZeroUsize,
    settings: FileSettings,
    places: Mutex<LruCache<PathBuf, Arc<Place>>>,
    /// Told whenever a file goes out of use.
    freed: Arc<Notify>,
}

/// A file's place: taken before it is opened.
#[derive(Debug, Default)]
struct Place {
    file: OnceCell<DuckdbConnection>,
    used: Mutex<Weak<Use>>,
}

/// Held by every connection to a file, and by the sessions it lends.
#[derive(Debug)]
pub(super) struct Use(Arc<Notify>);

impl Drop for Use {
    fn drop(&mut self) {
        self.0.notify_waiters();
    }
}

impl Place {
    /// Whether only the list of places knows of it.
    fn is_idle(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) == 1 && lock(&self.used).strong_count() == 0
    }

    fn take(&self, freed: &Arc<Notify>) -> Arc<Use> {
        let mut used = lock(&self.used);
        used.upgrade().unwrap_or_else(|| {
            let taken = Arc::new(Use(Arc::clone(freed)));
            *used = Arc::downgrade(&taken);
            taken
        })
    }
}

/// What to do to get a place.
enum Step {
    Take(Arc<Place>),
    /// Take it after this file has been closed.
    Close(Arc<Place>, Arc<Place>),
    Wait,
}

impl DuckdbFiles {
    /// At most `limit` files open at a time, at least one.
    pub fn new(limit: usize, settings: FileSettings) -> Self {
        Self {
            limit: NonZeroUsize::new(limit).unwrap_or(NonZeroUsize::MIN),
            settings,
            places: Mutex::new(LruCache::unbounded()),
            freed: Arc::default(),
        }
    }

    /// The file at `location`, which is opened unless it is open. Two callers that want it at once open it once.
    ///
    /// # Errors
    /// `Timeout` if all files are in use and none goes out of use in time; else as for [`DuckdbConnection::open`].
    pub async fn get(&self, location: &Location) -> Result<Connection> {
        self.get_with(location, |_| async { Ok(()) }).await
    }

    /// The same; whenever the file is opened, `prepare` sees it before any caller does. If it refuses the file, that is
    /// closed.
    ///
    /// # Errors
    /// As for [`Self::get`], and what `prepare` returns.
    pub async fn get_with<P, F>(&self, location: &Location, prepare: P) -> Result<Connection>
    where
        P: Fn(Connection) -> F + Send + Sync,
        F: Future<Output = Result<()>> + Send,
    {
        let path = location.path().ok_or_else(|| {
            Error::new(ErrorKind::Configuration, format!("open {location}"))
                .context("it names no file")
                .hint("write duckdb:///path/to/file")
        })?;
        loop {
            let place = self.place(location, path.to_owned()).await?;
            let opened = place
                .file
                .get_or_try_init(|| async {
                    let FileSettings { pool, memory } = &self.settings;
                    let file = DuckdbConnection::open(location, pool, *memory).await?;
                    match prepare(Connection::new(file.clone())).await {
                        Ok(()) => Ok(file),
                        Err(error) => {
                            file.close().await;
                            Err(error)
                        }
                    }
                })
                .await
                .cloned();
            match opened {
                Ok(file) if file.is_closed() => self.forget(&path.to_owned(), &place),
                Ok(file) => return Ok(Connection::new(file.held(place.take(&self.freed)))),
                Err(error) => {
                    self.give_up(&path.to_owned(), place);
                    return Err(error);
                }
            }
        }
    }

    /// How many files are open or being opened.
    pub fn open_files(&self) -> usize {
        lock(&self.places).len()
    }

    /// Whether the file at `path` is open or being opened.
    pub fn is_open(&self, path: &std::path::Path) -> bool {
        lock(&self.places).contains(path)
    }

    /// Closes the file at `path`, if it is open, once it is out of use.
    ///
    /// # Errors
    /// `Locked` if it is used for longer than a caller waits for a file's place; those who use it are not disturbed.
    pub async fn let_go(&self, path: &std::path::Path) -> Result<()> {
        let deadline = Instant::now() + self.settings.pool.acquire_timeout;
        let place = loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            {
                let mut places = lock(&self.places);
                match places.peek(path).map(Place::is_idle) {
                    None => return Ok(()),
                    Some(true) => break places.pop(path),
                    Some(false) => {}
                }
            }
            timeout_at(deadline, freed).await.map_err(|_| {
                Error::new(ErrorKind::Locked, format!("close {}", path.display()))
                    .context(format!(
                        "this program has been using it for {:?}",
                        self.settings.pool.acquire_timeout
                    ))
                    .hint("let go of what uses the file: repositories, transactions, streams")
            })?;
        };
        if let Some(file) = place.as_ref().and_then(|place| place.file.get()) {
            file.close().await;
        }
        self.freed.notify_waiters();
        Ok(())
    }

    /// Closes all files, once they are out of use.
    pub async fn close(&self) {
        let places: Vec<_> = {
            let mut places = lock(&self.places);
            std::iter::from_fn(|| places.pop_lru()).map(|(_, place)| place).collect()
        };
        for file in places.iter().filter_map(|place| place.file.get()) {
            file.close().await;
        }
        self.freed.notify_waiters();
    }

    /// Waits for a place, and for the file that had it to be closed, which writes a checkpoint and has no limit in time.
    async fn place(&self, location: &Location, path: PathBuf) -> Result<Arc<Place>> {
        let deadline = Instant::now() + self.settings.pool.acquire_timeout;
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            // From here on no news is missed.
            freed.as_mut().enable();
            match self.step(&path) {
                Step::Take(place) => return Ok(place),
                Step::Close(place, old) => {
                    if let Some(file) = old.file.get() {
                        file.close().await;
                    }
                    return Ok(place);
                }
                Step::Wait => timeout_at(deadline, freed).await.map_err(|_| self.exhausted(location))?,
            }
        }
    }

    fn step(&self, path: &PathBuf) -> Step {
        let mut places = lock(&self.places);
        if let Some(place) = places.get(path) {
            return Step::Take(Arc::clone(place));
        }
        let mut old = None;
        if places.len() >= self.limit.get() {
            let idle = places.iter().rev().find(|(_, place)| place.is_idle()).map(|(path, _)| path.clone());
            let Some(idle) = idle else { return Step::Wait };
            old = places.pop(&idle);
        }
        let place = Arc::new(Place::default());
        places.put(path.clone(), Arc::clone(&place));
        match old {
            Some(old) => Step::Close(place, old),
            None => Step::Take(place),
        }
    }

    /// Lets go of the place of a file that somebody has closed.
    fn forget(&self, path: &PathBuf, place: &Arc<Place>) {
        let mut places = lock(&self.places);
        if places.peek(path).is_some_and(|known| Arc::ptr_eq(known, place)) {
            places.pop(path);
        }
        drop(places);
        self.freed.notify_waiters();
    }

    /// Lets go of the place of a file that could not be opened, unless somebody else is trying.
    fn give_up(&self, path: &PathBuf, place: Arc<Place>) {
        let alone = {
            let _places = lock(&self.places);
            // Ours and the list's; others are handed out under this lock.
            Arc::strong_count(&place) <= 2
        };
        if alone {
            self.forget(path, &place);
        }
    }

    fn exhausted(&self, location: &Location) -> Error {
        Error::new(ErrorKind::Timeout, format!("open {location}"))
            .context(format!(
                "all {} open files were in use for {:?}",
                self.limit, self.settings.pool.acquire_timeout
            ))
            .hint("raise the limit of open files, or let go of connections that are not needed")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sea_orm::ConnectionTrait as _;
    use tempfile::TempDir;
    use trimaran_core::Engine;

    use super::*;

    fn files(limit: usize) -> (TempDir, DuckdbFiles) {
        let pool = PoolSettings { acquire_timeout: Duration::from_millis(50), ..PoolSettings::default() };
        (tempfile::tempdir().unwrap(), DuckdbFiles::new(limit, FileSettings { pool, memory: 64 << 20 }))
    }

    fn at(folder: &TempDir, name: &str) -> Location {
        Location::file(Engine::Duckdb, folder.path().join(name))
    }

    fn pool_of(connection: &Connection) -> &DuckdbConnection {
        connection.driver().as_any().downcast_ref().unwrap()
    }

    #[tokio::test]
    async fn a_file_is_opened_once_however_many_want_it() {
        let (folder, files) = files(2);
        let place = at(&folder, "a");
        let (one, two) = tokio::join!(files.get(&place), files.get(&place));
        assert!(pool_of(&one.unwrap()).shares_sessions_with(pool_of(&two.unwrap())));
        assert_eq!(files.open_files(), 1);
    }

    #[tokio::test]
    async fn the_file_idle_longest_is_closed_for_another() {
        let (folder, files) = files(2);
        let (a, b, c) = (at(&folder, "a"), at(&folder, "b"), at(&folder, "c"));
        let first = pool_of(&files.get(&a).await.unwrap()).clone();
        let first = first.without_use();
        let second = pool_of(&files.get(&b).await.unwrap()).clone().without_use();
        drop(files.get(&a).await.unwrap());
        drop(files.get(&c).await.unwrap());
        assert!(second.is_closed());
        assert!(!first.is_closed());
        assert_eq!(files.open_files(), 2);
        files.get(&b).await.unwrap().execute_unprepared("SELECT 1").await.unwrap();
    }

    #[tokio::test]
    async fn a_file_in_use_is_not_closed_and_its_place_is_waited_for() {
        let (folder, files) = files(1);
        let (a, b) = (at(&folder, "a"), at(&folder, "b"));
        let connection = files.get(&a).await.unwrap();
        let transaction = connection.transaction().await.unwrap();
        drop(connection);
        assert_eq!(files.get(&b).await.unwrap_err().kind(), ErrorKind::Timeout);
        transaction.execute_unprepared("SELECT 1").await.unwrap();
        let (freed, other) = tokio::join!(
            async {
                tokio::task::yield_now().await;
                transaction.rollback().await
            },
            files.get(&b)
        );
        freed.unwrap();
        other.unwrap().execute_unprepared("SELECT 1").await.unwrap();
    }

    #[tokio::test]
    async fn a_file_that_can_t_be_opened_takes_no_place() {
        let (folder, files) = files(1);
        let missing = at(&folder, "no folder/a");
        assert_eq!(files.get(&missing).await.unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(files.open_files(), 0);
        let good = at(&folder, "a");
        let connection = files.get(&good).await.unwrap();
        connection.close().await;
        drop(connection);
        files.get(&good).await.unwrap().execute_unprepared("SELECT 1").await.unwrap();
        files.close().await;
        assert_eq!(files.open_files(), 0);
    }
}
