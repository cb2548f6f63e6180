//! From a URL to a proven connection.

use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use trimaran_core::{Error, ErrorKind, LogicalType, Result, Value};

use super::session::PostgresSession;
use super::snapshot::{self, Snapshot};
use super::{catalog, copy_encode, dialect};
use crate::bulk::{Access, Database, Identity, Interrupter, OpenOptions, Session};
use crate::{Catalog, Dialect, Location};

/// The oldest server that is supported: 14 brought reading by ranges of blocks and infinite numerics.
pub const MIN_VERSION: i64 = 140_000;

/// How long a connection may take to be made unless the URL says `connect_timeout=SECONDS`.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// What a URL may say after `?`. sqlx would pass over anything else in silence, and a mistyped `sslmode` must not mean
/// an unprotected connection.
const URL_PARAMETERS: [&str; 19] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
    TIMEOUT_PARAMETER,
    CACHE_PARAMETER,
];

/// Those of them that name a file (or hold the file's contents).
const FILE_PARAMETERS: [&str; 7] =
    ["sslrootcert", "ssl-root-cert", "ssl-ca", "sslcert", "ssl-cert", "sslkey", "ssl-key"];

const TIMEOUT_PARAMETER: &str = "connect_timeout";

/// How many prepared statements each session keeps: see [`PostgresConnection`](super::PostgresConnection).
const CACHE_PARAMETER: &str = "statement-cache-capacity";

/// What a URL says.
pub(super) struct Reach {
    /// What the driver needs to connect.
    pub(super) options: PgConnectOptions,
    /// Within which time.
    pub(super) timeout: Option<Duration>,
    /// How many prepared statements each session keeps.
    pub(super) statements: Option<usize>,
}

/// A Postgres database that was reached and found fit.
///
/// Opened as a source, it holds one connection that keeps its snapshot alive for as long as this value lives, and with
/// it every dead row that the snapshot can still see: a source is not kept open for longer than needed.
pub struct PostgresDatabase {
    location: Location,
    options: PgConnectOptions,
    timeout: Duration,
    version: String,
    snapshot: Option<Snapshot>,
    /// What ends the reading of the catalogue that is under way: it waits while somebody alters a table.
    asking: Arc<Mutex<Option<Interrupter>>>,
}

impl PostgresDatabase {
    /// Connects once, and checks version, encoding and whether the server takes writes where they are wanted.
    ///
    /// What the URL leaves out is taken from the `PG…` variables and then as libpq does. The password is the one of
    /// `location`, else `PGPASSWORD`, else that of `~/.pgpass` (or `PGPASSFILE`). `options.memory` bounds nothing here:
    /// the caches are the server's.
    ///
    /// # Errors
    /// `Configuration` for a URL that can't be understood, `Unavailable` or `Timeout` if the server can't be reached,
    /// `Forbidden` if it does not let the user in, `NotFound` without such a database, `Unsupported` for a server older
    /// than 14 or a database that is not in UTF8.
    pub fn open(location: &Location, options: OpenOptions) -> Result<Self> {
        let Reach { options: connect, timeout, .. } = connect_options(location)?;
        let timeout = timeout.unwrap_or(CONNECT_TIMEOUT);
        let mut session = PostgresSession::connect(&connect, timeout, location.to_string())?;
        let version = check_server(&mut session, location, options.access)?;
        let snapshot = match options.access {
            Access::Source => Some(Snapshot::export(session)?),
            Access::Target => None,
        };
        let asking = Arc::default();
        Ok(Self { location: location.clone(), options: connect, timeout, version, snapshot, asking })
    }

    /// As [`Database::session`], of the concrete type.
    ///
    /// # Errors
    /// As [`PostgresDatabase::open`].
    pub(super) fn connect(&self) -> Result<PostgresSession> {
        let mut session = PostgresSession::connect(&self.options, self.timeout, self.location.to_string())?;
        if let Some(snapshot) = &self.snapshot {
            session.enter_snapshot(snapshot.id().to_owned())?;
        }
        Ok(session)
    }
}

impl Database for PostgresDatabase {
    fn dialect(&self) -> &'static dyn Dialect {
        &dialect::DIALECT
    }

    fn location(&self) -> &Location {
        &self.location
    }

    fn session(&self) -> Result<Box<dyn Session>> {
        Ok(Box::new(self.connect()?))
    }

    fn identity(&self) -> Result<Identity> {
        match &self.snapshot {
            Some(snapshot) => Ok(snapshot.identity().clone()),
            None => snapshot::identity(&mut self.connect()?),
        }
    }

    fn catalog(&self, schema: Option<&str>) -> Result<Catalog> {
        let mut session = self.connect()?;
        *asking(&self.asking) = Some(session.interrupter()?);
        let catalog = catalog::load(&mut session, self.version.clone(), schema);
        *asking(&self.asking) = None;
        catalog
    }

    fn encode_row(&self, types: &[LogicalType], row: &[Value<'_>], out: &mut Vec<u8>) -> Result<()> {
        copy_encode::encode_row(types, row, out)
    }

    fn interrupter(&self) -> Interrupter {
        let current = Arc::clone(&self.asking);
        Arc::new(move || {
            let interrupter = asking(&current).clone();
            interrupter.map_or(Ok(()), |interrupter| interrupter())
        })
    }
}

fn asking(current: &Mutex<Option<Interrupter>>) -> MutexGuard<'_, Option<Interrupter>> {
    current.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads a URL, the `PG…` variables and the password file.
///
/// # Errors
/// `Configuration`, naming what is wrong.
pub(super) fn connect_options(location: &Location) -> Result<Reach> {
    let wrong = |why: String| {
        Error::new(ErrorKind::Configuration, format!("read the URL {location}"))
            .context(why)
            .hint("write postgres://user@host:5432/database?sslmode=verify-full")
    };
    let (url, password) = location.server().ok_or_else(|| wrong("it names no server".to_owned()))?;
    let mut url = url.clone();
    let (mut timeout, mut statements, mut kept) = (None, None, Vec::new());
    for (key, value) in url.query_pairs() {
        if key == TIMEOUT_PARAMETER {
            let seconds = u64::from_str(&value)
                .map_err(|_| wrong(format!("{TIMEOUT_PARAMETER} is no number of seconds")))?;
            // 0 means no limit, as with libpq.
            timeout = Some(if seconds == 0 { Duration::MAX } else { Duration::from_secs(seconds) });
        } else if key == CACHE_PARAMETER {
            let number = usize::from_str(&value)
                .map_err(|_| wrong(format!("{CACHE_PARAMETER} is no number of statements")))?;
            statements = Some(number);
        } else if FILE_PARAMETERS.contains(&key.as_ref())
            && !value.contains("-----BEGIN")
            && let Err(error) = std::fs::metadata(value.as_ref())
        {
            return Err(wrong(format!("{key} names {value}: {error}")));
        } else if URL_PARAMETERS.contains(&key.as_ref()) || key.starts_with("options[") {
            kept.push((key.into_owned(), value.into_owned()));
        } else {
            return Err(wrong(format!("{key:?} is no parameter; there are {}", URL_PARAMETERS.join(", "))));
        }
    }
    if let Some(url::Host::Ipv6(address)) = url.host() {
        // sqlx would look up the address with its brackets. Put first, a `host` of the URL still wins.
        kept.insert(0, ("host".to_owned(), address.to_string()));
    }
    url.set_query(None);
    if !kept.is_empty() {
        url.query_pairs_mut().extend_pairs(kept);
    }
    let mut options = PgConnectOptions::from_url(&url)
        .map_err(|e| wrong(e.to_string()))?
        .extra_float_digits(None)
        .disable_statement_logging();
    if let Some(password) = password {
        options = options.password(password.expose_secret());
    }
    if options.get_application_name().is_none() {
        options = options.application_name("trimaran");
    }
    if let Some(statements) = statements {
        options = options.statement_cache_capacity(statements);
    }
    Ok(Reach { options, timeout, statements })
}

/// Checks that the server is one that Trimaran can work with: its version.
fn check_server(session: &mut PostgresSession, location: &Location, access: Access) -> Result<String> {
    let rows = session.query(
        "SELECT current_setting('server_version_num')::int8, current_setting('server_version'), \
         current_setting('server_encoding'), pg_catalog.pg_is_in_recovery()",
        &[],
    )?;
    let operation = format!("open {location}");
    let [Value::Int(number), Value::Text(version), Value::Text(encoding), Value::Bool(standby)] =
        rows.first().map(Vec::as_slice).unwrap_or_default()
    else {
        return Err(Error::new(ErrorKind::Corrupt, operation).context("the server does not say its version"));
    };
    let (version, encoding) = (String::from_utf8_lossy(version), String::from_utf8_lossy(encoding));
    check_version(*number, &version, &encoding, &operation)?;
    if *standby && access == Access::Target {
        return Err(Error::new(ErrorKind::Forbidden, operation)
            .context("the server is a standby, which takes no writes")
            .hint("name the primary"));
    }
    Ok(version.into_owned())
}

/// Whether a server and a database are such as Trimaran can work with.
///
/// # Errors
/// `Unsupported`, naming the next step.
pub(super) fn check_version(number: i64, version: &str, encoding: &str, operation: &str) -> Result<()> {
    if number < MIN_VERSION {
        return Err(Error::new(ErrorKind::Unsupported, operation)
            .context(format!("the server is Postgres {version}, older than 14"))
            .hint("upgrade the server"));
    }
    if encoding != "UTF8" {
        return Err(Error::new(ErrorKind::Unsupported, operation)
            .context(format!("the database is in {encoding}, not UTF8"))
            .hint("create one with `createdb --template=template0 --encoding=UTF8 NAME`"));
    }
    Ok(())
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    fn options(url: &str) -> Result<(PgConnectOptions, Option<Duration>)> {
        connect_options(&Location::parse(url).unwrap()).map(|reach| (reach.options, reach.timeout))
    }

    #[test]
    fn a_url_is_read_as_libpq_reads_it() {
        let (options, timeout) =
            options("postgres://me:pw@db.example:5433/my%20db?sslmode=verify-full&connect_timeout=3")
                .unwrap();
        assert_eq!(options.get_host(), "db.example");
        assert_eq!(options.get_port(), 5433);
        assert_eq!(options.get_username(), "me");
        assert_eq!(options.get_database(), Some("my db"));
        assert_eq!(options.get_application_name(), Some("trimaran"));
        assert!(matches!(options.get_ssl_mode(), sqlx::postgres::PgSslMode::VerifyFull));
        assert_eq!(timeout, Some(Duration::from_secs(3)));
    }

    #[test]
    fn a_socket_may_be_named_in_either_place() {
        for url in ["postgres:///db?host=/run/postgresql", "postgres://me@%2Frun%2Fpostgresql/db"] {
            let (options, _) = options(url).unwrap();
            assert_eq!(options.get_socket().map(|p| p.as_path()), Some("/run/postgresql".as_ref()), "{url}");
        }
    }

    #[test]
    fn an_ipv6_address_loses_its_brackets() {
        assert_eq!(options("postgres://me@[::1]:5433/db").unwrap().0.get_host(), "::1");
        assert_eq!(options("postgres://me@[::1]/db?host=h").unwrap().0.get_host(), "h");
    }

    #[test]
    fn a_mistyped_parameter_is_refused_and_no_password_shown() {
        for url in [
            "postgres://me:s3cret@h/db?ssl_mode=verify-full",
            "postgres://me:s3cret@h/db?sslmode=verify",
            "postgres://me:s3cret@h/db?connect_timeout=soon",
            "postgres://me:s3cret@h/db?statement-cache-capacity=many",
            "postgres://me:s3cret@h/db?sslrootcert=/no/such/file",
        ] {
            let error = options(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{url}");
            assert!(!error.report().contains("s3cret"));
        }
    }
}
