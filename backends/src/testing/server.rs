//! A Postgres server for tests: a given one, or one started here.

use std::net::TcpListener;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use trimaran_core::{Error, ErrorKind, Result};
use url::Url;

use super::admin;
use super::container::{self, ContainerServer, IMAGE_VARIABLE, Image};
use super::local::{Binaries, LocalServer};
use super::password;
use super::postgres::TestDatabase;

/// Names the server to use instead of one of our own.
const URL_VARIABLE: &str = "TRIMARAN_TEST_POSTGRES_URL";
/// The superuser of every server started here.
pub(super) const USER: &str = "postgres";
/// Its password: asked for over TCP, so that tests of passwords mean something; no secret.
pub(super) const PASSWORD: &str = "trimaran";
/// A server whose data nobody will miss: as fast as it gets, and room for many tests at a time.
const THROW_AWAY: [(&str, &str); 4] = [
    ("fsync", "off"),
    ("synchronous_commit", "off"),
    ("full_page_writes", "off"),
    ("max_connections", "300"),
];
/// The tablespace on a small disk.
const SMALL: &str = "small";

/// What a server's data is kept on.
#[derive(Clone, Copy)]
pub(super) enum Storage {
    /// The disk.
    Disk,
    /// The disk, and the tables on one of so many bytes.
    SmallDisk(u64),
    /// Memory, where there is enough of it. A run makes and drops a thousand databases of three hundred files each, and
    /// ext4 looks past every inode that was freed in the last seconds: CREATE DATABASE took half a second in the end,
    /// and a third of the run. A container's data is gone with its first stop.
    Memory,
}

/// How a public function of this module fails.
pub(super) fn give_up<T>(error: Error) -> T {
    panic!("{}", error.report())
}

/// A port of this machine that nothing listens on now.
pub(super) fn free_port() -> Result<u16> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|e| Error::new(ErrorKind::Unavailable, "find a free port").source(e))
}

/// A Postgres server. Dropping one that was started here ends it and removes its data.
pub struct TestServer {
    place: Mutex<Place>,
    url: Url,
    small_disk: bool,
}

enum Place {
    Given,
    Container(Box<ContainerServer>, String),
    Local(Box<LocalServer>, String),
}

impl TestServer {
    /// A server of its own for one test, to stop, kill and restart, with these settings on top of Postgres' defaults
    /// (so commits are durable): a container where a Docker engine answers, else from local binaries.
    ///
    /// # Panics
    /// If none can be had.
    pub fn dedicated(settings: &[(&str, &str)]) -> Self {
        Self::own(settings, Storage::Disk).unwrap_or_else(give_up)
    }

    /// The same, with the tables of its databases on a disk of `bytes` bytes (16 MiB at the least: an empty database
    /// takes 8). When it is full, statements fail with SQLSTATE 53100; see [`occupy_disk`](Self::occupy_disk). A
    /// container loses the disk when it ends, so such a server is not to be restarted.
    ///
    /// # Panics
    /// If none can be had.
    pub fn with_disk(bytes: u64, settings: &[(&str, &str)]) -> Self {
        Self::own(settings, Storage::SmallDisk(bytes)).unwrap_or_else(give_up)
    }

    /// The server of a test run: the one given, else one started with nothing spent on keeping its data.
    pub(super) fn shared() -> Result<Self> {
        match std::env::var(URL_VARIABLE) {
            Ok(url) => Self::given(&url),
            Err(_) => Self::own(&THROW_AWAY, Storage::Memory),
        }
    }

    fn given(url: &str) -> Result<Self> {
        let hint =
            format!("let {URL_VARIABLE} name a running server, postgres://user:password@host:port/database");
        let url = Url::parse(url).map_err(|e| {
            Error::new(ErrorKind::Configuration, format!("read {URL_VARIABLE}")).source(e).hint(&*hint)
        })?;
        admin::value(url.as_str(), "SELECT 1").map_err(|e| e.hint(hint))?;
        Ok(Self { place: Mutex::new(Place::Given), url, small_disk: false })
    }

    fn own(settings: &[(&str, &str)], storage: Storage) -> Result<Self> {
        let (place, (host, port)) = match container::find_image() {
            Ok(image) => Self::in_container(&image, settings, storage)?,
            // An image that was asked for by name is not silently replaced by something else.
            Err(error) if std::env::var_os(IMAGE_VARIABLE).is_some() => {
                return Err(error.hint(format!("unset {IMAGE_VARIABLE}, or make that image available")));
            }
            Err(no_container) => match Binaries::find() {
                Ok(binaries) => Self::from_binaries(binaries, settings, storage)?,
                Err(no_binaries) => {
                    return Err(Error::new(ErrorKind::Unavailable, "provide a Postgres for tests")
                        .context(format!("{}; {}", first_cause(&no_container), first_cause(&no_binaries)))
                        .hint(format!(
                            "one of: set {URL_VARIABLE} to a server's URL; start a Docker engine that can pull \
                             postgres (or name an image in {IMAGE_VARIABLE}, or build one with \
                             scripts/postgres-image.sh); install your distribution's postgresql package"
                        )));
                }
            },
        };
        let url = format!("postgres://{USER}:{PASSWORD}@{host}:{port}/postgres");
        let url = Url::parse(&url).map_err(|e| {
            Error::new(ErrorKind::Invalid, format!("reach the test server at {host}")).source(e)
        })?;
        let server =
            Self { place: Mutex::new(place), url, small_disk: matches!(storage, Storage::SmallDisk(_)) };
        server.await_ready()?;
        server.run(&format!("ALTER ROLE {USER} PASSWORD '{}'", password::verifier(PASSWORD)))?;
        if let Some(path) = server.place().disk_path() {
            server.run(&format!("CREATE TABLESPACE {SMALL} LOCATION '{path}'"))?;
        }
        Ok(server)
    }

    fn in_container(
        image: &Image,
        settings: &[(&str, &str)],
        storage: Storage,
    ) -> Result<(Place, (String, u16))> {
        let server = image.start(settings, storage)?;
        let address = server.address()?;
        Ok((Place::Container(Box::new(server), format!("a container of {}", image.name())), address))
    }

    fn from_binaries(
        at: Binaries,
        settings: &[(&str, &str)],
        storage: Storage,
    ) -> Result<(Place, (String, u16))> {
        let description = format!("the binaries in {}", at.directory().display());
        let server = at.start(settings, storage)?;
        let address = server.address();
        Ok((Place::Local(Box::new(server), description), address))
    }

    /// Where it comes from, for people: `a container of postgres:17-alpine`.
    pub fn describe(&self) -> String {
        match &*self.place() {
            Place::Given => format!("the server that {URL_VARIABLE} names"),
            Place::Container(_, description) | Place::Local(_, description) => description.clone(),
        }
    }

    /// The URL of a database on it, password included.
    pub fn url_of(&self, database: &str) -> String {
        let mut url = self.url.clone();
        url.set_path(database);
        url.into()
    }

    /// The URL of the database that it is administered from.
    pub(super) fn url(&self) -> &str {
        self.url.as_str()
    }

    /// A new, empty database on it.
    ///
    /// # Panics
    /// If the server refuses.
    pub fn database(&self) -> TestDatabase {
        TestDatabase::create(self, self.small_disk.then_some(SMALL)).unwrap_or_else(give_up)
    }

    /// Runs statements in its database `postgres`, as a superuser (on a given server: as its role).
    ///
    /// # Panics
    /// If they fail.
    pub fn execute(&self, sql: &str) {
        self.run(sql).unwrap_or_else(give_up);
    }

    pub(super) fn run(&self, sql: &str) -> Result<()> {
        admin::value(self.url.as_str(), sql).map(drop)
    }

    /// Shuts the server down as an administrator would: clients are cut off, commits are kept.
    ///
    /// # Panics
    /// If it can't, or if the server was given.
    pub fn stop(&self) {
        match &mut *self.place() {
            Place::Given => Err(Self::not_ours()),
            Place::Container(server, _) => server.stop(),
            Place::Local(server, _) => server.stop(),
        }
        .unwrap_or_else(give_up);
    }

    /// Ends all its processes at once, by SIGKILL: nothing is flushed, no client is told, and the next start recovers
    /// from the log.
    ///
    /// # Panics
    /// If it can't, or if the server was given.
    pub fn kill(&self) {
        match &mut *self.place() {
            Place::Given => Err(Self::not_ours()),
            Place::Container(server, _) => server.kill(),
            Place::Local(server, _) => server.kill(),
        }
        .unwrap_or_else(give_up);
    }

    /// Starts it again at the same address, after [`stop`](Self::stop) or [`kill`](Self::kill), and waits until it
    /// answers.
    ///
    /// # Panics
    /// If it can't, or if the server was given.
    pub fn restart(&self) {
        let started = match &mut *self.place() {
            Place::Given => Err(Self::not_ours()),
            Place::Container(server, _) => server.start(),
            Place::Local(server, _) => server.start(),
        };
        started.and_then(|()| self.await_ready()).unwrap_or_else(give_up);
    }

    /// Takes up `bytes` of the disk of [`with_disk`](Self::with_disk).
    ///
    /// # Panics
    /// If it can't, or if there is no such disk.
    pub fn occupy_disk(&self, bytes: u64) {
        match &*self.place() {
            Place::Container(server, _) if self.small_disk => server.occupy_disk(bytes),
            Place::Local(server, _) => {
                server.disk().map_or_else(|| Err(Self::no_disk()), |d| d.occupy(bytes))
            }
            _ => Err(Self::no_disk()),
        }
        .unwrap_or_else(give_up);
    }

    /// Gives back what [`occupy_disk`](Self::occupy_disk) took.
    ///
    /// # Panics
    /// If it can't, or if there is no such disk.
    pub fn free_disk(&self) {
        match &*self.place() {
            Place::Container(server, _) if self.small_disk => server.free_disk(),
            Place::Local(server, _) => server.disk().map_or_else(|| Err(Self::no_disk()), |d| d.free()),
            _ => Err(Self::no_disk()),
        }
        .unwrap_or_else(give_up);
    }

    fn await_ready(&self) -> Result<()> {
        admin::await_ready(self.url.as_str(), Duration::from_secs(60), || match &mut *self.place() {
            Place::Given => Ok(()),
            Place::Container(server, _) => server.check_alive(),
            Place::Local(server, _) => server.check_alive(),
        })
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        // A test that panicked in the middle leaves the server no worse than before.
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn not_ours() -> Error {
        Error::new(ErrorKind::Unsupported, "control the test server")
            .context("it was given, not started here")
    }

    fn no_disk() -> Error {
        Error::new(ErrorKind::Unsupported, "fill the test server's disk").context("it has no disk of its own")
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        let place = std::mem::replace(&mut *self.place(), Place::Given);
        // A container's end blocks, which a thread that drives a runtime must not do.
        std::thread::scope(|scope| drop(scope.spawn(move || drop(place))));
    }
}

impl Place {
    fn disk_path(&self) -> Option<String> {
        match self {
            Place::Given => None,
            Place::Container(server, _) => server.small_disk_path(),
            Place::Local(server, _) => server.disk().map(|disk| disk.tables().to_string_lossy().into_owned()),
        }
    }
}

/// What an error says in one line, with the deepest cause.
fn first_cause(error: &Error) -> String {
    error.report().replace("\n  because:", ":").lines().next().unwrap_or_default().to_owned()
}
