//! Test databases, each on a Postgres server found or started for the purpose (see [the module](super) for how).
//!
//! ```no_run
//! let database = trimaran_backends::testing::postgres::database();
//! database.execute("CREATE TABLE t (a int)");
//! assert_eq!(database.value("SELECT count(*) FROM t").as_deref(), Some("0"));
//! // … open database.location() …; dropped, the database is gone.
//! ```

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use trimaran_core::Result;

use super::admin;
pub use super::server::TestServer;
use super::server::give_up;
use crate::Location;

/// A new, empty database on the server of this test run.
///
/// # Panics
/// If no server can be had; the message names the ways to provide one.
pub fn database() -> TestDatabase {
    server().database()
}

/// The server of this test run: found or started at the first call, ended with this process.
///
/// # Panics
/// If no server can be had; the message names the ways to provide one.
pub fn server() -> &'static TestServer {
    static SERVER: OnceLock<TestServer> = OnceLock::new();
    SERVER.get_or_init(|| TestServer::shared().unwrap_or_else(give_up))
}

/// A name that no other test, process or earlier run uses.
fn unique_name() -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    format!("test_{}_{now}_{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed))
}

/// A database of a test's own. Dropped, it is gone, whoever is still connected to it.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    url: String,
    location: Location,
    server: String,
}

impl TestDatabase {
    /// Creates one, in `tablespace` if one is said.
    pub(super) fn create(server: &TestServer, tablespace: Option<&str>) -> Result<Self> {
        let name = unique_name();
        let within = tablespace.map(|name| format!(" TABLESPACE {name}")).unwrap_or_default();
        // template0, for a connection to template1 would stand in the way.
        server.run(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'{within}"))?;
        let url = server.url_of(&name);
        Ok(Self { location: Location::parse(&url)?, name, url, server: server.url().to_owned() })
    }

    /// Another database that holds what this one does, to which nobody may be connected meanwhile.
    ///
    /// # Panics
    /// If it can't be made.
    #[must_use]
    pub fn copy(&self) -> Self {
        let name = unique_name();
        let copy = || {
            admin::value(&self.server, &format!("CREATE DATABASE {name} TEMPLATE {}", self.name))?;
            let mut url = url::Url::parse(&self.url).map_err(|e| {
                trimaran_core::Error::new(trimaran_core::ErrorKind::Invalid, "copy a test database").source(e)
            })?;
            url.set_path(&name);
            let url = url.to_string();
            Ok(Self {
                location: Location::parse(&url)?,
                name: name.clone(),
                url,
                server: self.server.clone(),
            })
        };
        copy().unwrap_or_else(give_up)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its URL, password included.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its location, password included.
    pub fn location(&self) -> Location {
        self.location.clone()
    }

    /// Runs statements in it.
    ///
    /// # Panics
    /// If they fail.
    pub fn execute(&self, sql: &str) {
        admin::value(&self.url, sql).map(drop).unwrap_or_else(give_up);
    }

    /// The first value of the first row of a query, in Postgres' text form; `None` for NULL and for no row.
    ///
    /// # Panics
    /// If it fails.
    pub fn value(&self, sql: &str) -> Option<String> {
        admin::value(&self.url, sql).unwrap_or_else(give_up)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // Best effort: the server may be down, as the test wished, and it goes away as a whole.
        let _dropped =
            admin::value(&self.server, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}
