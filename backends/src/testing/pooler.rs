//! PgBouncer before a test database, from this machine's binary.

use std::fs;
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use trimaran_core::{Error, ErrorKind, Result};
use url::Url;

use super::local::server_account;
use super::postgres::TestDatabase;
use super::server::{free_port, give_up};
use super::tether::Tether;

/// Where Debian and others put it, beside `PATH`.
const PLACES: [&str; 2] = ["/usr/sbin/pgbouncer", "/usr/local/sbin/pgbouncer"];

/// PgBouncer in transaction mode, before one database. Dropped, it ends.
#[derive(Debug)]
pub struct TestPooler {
    process: Child,
    url: Url,
    _tether: Tether,
    _directory: TempDir,
}

impl TestPooler {
    /// Starts one that has `sessions` sessions with the server for each role. Besides the database's own role it lets in
    /// `roles` (name and password).
    ///
    /// # Panics
    /// If there is no binary, or if it doesn't start.
    pub fn before(database: &TestDatabase, sessions: u32, roles: &[(&str, &str)]) -> Self {
        Self::start(database, sessions, roles).unwrap_or_else(give_up)
    }

    /// The URL of the database through it, password included.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    fn start(database: &TestDatabase, sessions: u32, roles: &[(&str, &str)]) -> Result<Self> {
        let failed = |e: &dyn std::fmt::Display| {
            Error::new(ErrorKind::Unavailable, "start PgBouncer").context(e.to_string())
        };
        let wrong = || Error::new(ErrorKind::Invalid, "read the test database's URL");
        let mut url = Url::parse(database.url()).map_err(|e| wrong().source(e))?;
        let host = url.host_str().ok_or_else(wrong)?;
        let port = url.port().unwrap_or(5432);
        let directory =
            tempfile::Builder::new().prefix("trimaran-pgbouncer").tempdir().map_err(|e| failed(&e))?;
        let file = |name: &str| directory.path().join(name);
        let listen = free_port()?;
        let quoted = |text: &str| text.replace('"', "\"\"");
        let mut users =
            format!("\"{}\" \"{}\"\n", quoted(url.username()), quoted(url.password().unwrap_or_default()));
        for (name, password) in roles {
            users.push_str(&format!("\"{}\" \"{}\"\n", quoted(name), quoted(password)));
        }
        fs::write(file("users"), users).map_err(|e| failed(&e))?;
        // No setting but these: the rest is as Debian has it, and as an operator finds it.
        let settings = format!(
            "[databases]\n{} = host={host} port={port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {listen}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = transaction\n\
             default_pool_size = {sessions}\nlogfile = {}\n",
            database.name(),
            file("users").display(),
            file("log").display(),
        );
        fs::write(file("pgbouncer.ini"), settings).map_err(|e| failed(&e))?;
        let mut command = Command::new(binary()?);
        command.arg(file("pgbouncer.ini")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some((user, group)) = server_account()? {
            for path in [directory.path().to_owned(), file("users"), file("pgbouncer.ini")] {
                std::os::unix::fs::chown(path, Some(user), Some(group)).map_err(|e| failed(&e))?;
            }
            command.uid(user).gid(group);
        }
        let process = command.spawn().map_err(|e| failed(&e))?;
        let tether = Tether::tie("kill -9 \"$1\"", &[&process.id().to_string()])?;
        for result in [url.set_host(Some("127.0.0.1")).map_err(drop), url.set_port(Some(listen))] {
            result.map_err(|()| wrong())?;
        }
        let mut pooler = Self { process, url, _tether: tether, _directory: directory };
        pooler.await_ready(listen).map_err(|error| {
            let log = fs::read_to_string(pooler._directory.path().join("log")).unwrap_or_default();
            error.context(log.lines().last().unwrap_or("it left no word").to_owned())
        })?;
        Ok(pooler)
    }

    fn await_ready(&mut self, port: u16) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = self.process.try_wait().is_ok_and(|status| status.is_some());
            if ended || Instant::now() > deadline {
                return Err(Error::new(ErrorKind::Unavailable, "start PgBouncer"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for TestPooler {
    fn drop(&mut self) {
        // Best effort: it may have ended by itself.
        let _killed = self.process.kill();
        let _ended = self.process.wait();
    }
}

fn binary() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|directory| directory.join("pgbouncer"))
        .chain(PLACES.map(PathBuf::from))
        .find(|path| path.is_file())
        .ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "find PgBouncer")
                .context("there is no pgbouncer in PATH or /usr/sbin")
                .hint("apt-get install pgbouncer, or scripts/setup.sh test")
        })
}
