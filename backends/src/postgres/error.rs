//! From sqlx's errors and SQLSTATEs to Trimaran's kinds, each foreseeable one with its next step.
//!
//! Postgres writes values of rows into the DETAIL of integrity and data errors and, in quotes, into the messages of data
//! errors. Neither is taken over, and the driver's error is not kept as a cause, for its `Debug` shows all of it.

use std::sync::Arc;

use sqlx::postgres::{PgDatabaseError, PgSeverity};
use trimaran_core::{Error, ErrorKind};

use crate::db_error::DriverError;

/// SQLSTATEs or their classes (two characters), the kind each becomes, and the next step; the first match counts.
/// See <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
const STATES: [(&str, ErrorKind, Option<&str>); 49] = [
    ("0A", ErrorKind::Unsupported, None),
    ("08", ErrorKind::Unavailable, Some("check the server and the network, then try again")),
    ("21", ErrorKind::Invalid, None),
    ("22", ErrorKind::Invalid, None),
    ("23502", ErrorKind::Invalid, None),
    ("23514", ErrorKind::Invalid, None),
    ("23", ErrorKind::Conflict, None),
    (
        "25006",
        ErrorKind::Forbidden,
        Some("the server or role is read-only: name the primary, or a role that may write"),
    ),
    ("25P02", ErrorKind::Aborted, None),
    ("25P03", ErrorKind::Timeout, Some(IDLE)),
    (
        "25P04",
        ErrorKind::Timeout,
        Some("do less in one transaction, or raise transaction_timeout on the server"),
    ),
    ("25", ErrorKind::Invalid, None),
    ("26000", ErrorKind::Configuration, Some(POOLER)),
    ("28", ErrorKind::Forbidden, Some(PASSWORD)),
    ("3D000", ErrorKind::NotFound, Some("create it with `createdb`, or name another database in the URL")),
    ("3F000", ErrorKind::NotFound, None),
    ("40002", ErrorKind::Conflict, None),
    ("40", ErrorKind::Aborted, Some("try again")),
    ("42501", ErrorKind::Forbidden, Some("GRANT the right to the role in the URL, or connect as the owner")),
    ("42602", ErrorKind::Invalid, None),
    ("42622", ErrorKind::Invalid, None),
    ("42701", ErrorKind::Conflict, None),
    ("42710", ErrorKind::Conflict, None),
    ("42712", ErrorKind::Conflict, None),
    ("42723", ErrorKind::Conflict, None),
    ("42P03", ErrorKind::Conflict, None),
    ("42P04", ErrorKind::Conflict, None),
    ("42P05", ErrorKind::Configuration, Some(POOLER)),
    ("42P06", ErrorKind::Conflict, None),
    ("42P07", ErrorKind::Conflict, None),
    ("42703", ErrorKind::NotFound, None),
    ("42704", ErrorKind::NotFound, None),
    ("42883", ErrorKind::NotFound, None),
    ("42P01", ErrorKind::NotFound, None),
    ("42P02", ErrorKind::NotFound, None),
    ("42", ErrorKind::Invalid, None),
    ("53100", ErrorKind::Unavailable, Some("free space on the server's disk, then try again")),
    (
        "53300",
        ErrorKind::Unavailable,
        Some(
            "lower the number of connections (max_connections of the store, or --jobs), or raise max_connections on the server",
        ),
    ),
    ("53", ErrorKind::Unavailable, Some("give the server more resources, then try again")),
    ("54", ErrorKind::Unsupported, None),
    (UNSIGNED, ErrorKind::Forbidden, Some(UNSIGNED_HINT)),
    (EXPIRED, ErrorKind::Forbidden, Some(EXPIRED_HINT)),
    ("55P03", ErrorKind::Locked, Some("end the transaction that holds the table, then try again")),
    ("55006", ErrorKind::Locked, Some("end the sessions that use it, then try again")),
    ("55", ErrorKind::Invalid, None),
    ("57014", ErrorKind::Interrupted, None),
    ("57", ErrorKind::Unavailable, Some("when the server is up again, try again")),
    ("58", ErrorKind::Unavailable, Some("look into the server's log, then try again")),
    ("XX", ErrorKind::Corrupt, Some("look into the server's log; a damaged database has to be restored")),
];

/// The states that Trimaran's own function fails with: the tenant setting is not signed by a key of the server's, or no longer holds. States
/// from I on are nobody's in the standard.
pub(crate) const UNSIGNED: &str = "TR001";
pub(crate) const EXPIRED: &str = "TR002";

const UNSIGNED_HINT: &str = "the server knows another key: name the one in force in tenants.signing_key_file, or run `trimaran schema up` with the \
                             new one; if the program uses the right key, something else has changed the setting trimaran.tenant";

const EXPIRED_HINT: &str = "set the clocks of this machine and of the server: they differ by minutes; if they don't, somebody has used an old setting again";

/// What to do when a prepared statement is not there, or another one is.
const POOLER: &str = "a pooler that shares sessions (PgBouncer in transaction mode) stands before the server: add \
                      statement-cache-capacity=0 to the URL; or the application has run DISCARD or DEALLOCATE: don't";

/// What to do when the server has ended a transaction that did nothing for too long.
const IDLE: &str = "keep transactions short, or raise idle_in_transaction_session_timeout on the server";

/// What to do about a refused login.
const PASSWORD: &str = "check user and password: the password is the one given with the URL (by the configuration or \
                        --to-password-file), else PGPASSWORD, else that of ~/.pgpass (which must have mode 0600); pg_hba.conf on the server decides who may log in";

/// What to do about a failed TLS handshake.
const TLS: &str = "sslmode=verify-full needs the certificate of the server's authority: name it with \
                   sslrootcert=FILE; sslmode=require encrypts without checking it; sslmode=disable does not encrypt";

/// What to do about a server that shows an authority's certificate, as `openssl req -x509` makes one; libpq lets it pass.
const AUTHORITY: &str = "give the server a certificate of its own (basicConstraints=CA:FALSE), \
                         signed by the authority that sslrootcert names";

/// What to do when the server can't be reached.
const REACH: &str =
    "check that the server runs and that host and port in the URL (or PGHOST and PGPORT) are right";

/// The class of data exceptions, whose messages quote values.
const DATA_EXCEPTION: &str = "22";

/// The class of integrity constraint violations, whose details quote values.
const INTEGRITY: &str = "23";

/// The same for an error that others may hold too. The driver's error is kept as the cause, which shows no values.
pub(crate) fn shared(operation: String, error: Arc<sqlx::Error>) -> Error {
    match error.as_database_error().and_then(|e| e.try_downcast_ref::<PgDatabaseError>()) {
        Some(server) => from_server(server, operation).source(DriverError(error)),
        None => match Arc::try_unwrap(error) {
            Ok(error) => classify(error, operation),
            Err(error) => Error::new(ErrorKind::Unavailable, operation).context(error.to_string()),
        },
    }
}

/// The error of the driver in Trimaran's terms; `operation` is a verb phrase.
pub(super) fn classify(error: sqlx::Error, operation: impl Into<String>) -> Error {
    let operation = operation.into();
    match error {
        sqlx::Error::Database(database) => match database.try_downcast::<PgDatabaseError>() {
            Ok(error) => from_server(&error, operation),
            Err(other) => Error::new(ErrorKind::Unavailable, operation).context(other.message().to_owned()),
        },
        sqlx::Error::Io(error) => from_io(error, operation),
        sqlx::Error::Tls(cause) => {
            Error::new(ErrorKind::Unavailable, operation).context(format!("no TLS: {cause}")).hint(TLS)
        }
        sqlx::Error::Configuration(cause) => Error::new(ErrorKind::Configuration, operation)
            .context(cause.to_string())
            .hint("write postgres://user@host:5432/database?sslmode=verify-full"),
        sqlx::Error::Protocol(message) => Error::new(ErrorKind::Unavailable, operation)
            .context(format!("the server's answer makes no sense: {}", without_place(&message)))
            .hint("check that host and port are those of a Postgres server, then try again"),
        other => Error::new(ErrorKind::Invalid, operation).context(other.to_string()),
    }
}

fn from_io(error: std::io::Error, operation: String) -> Error {
    // rustls reports a certificate it does not trust as invalid data.
    let (context, hint) = match error.kind() {
        std::io::ErrorKind::InvalidData if error.to_string().contains("CaUsedAsEndEntity") => {
            ("no TLS: the server's certificate is one of an authority (CA:TRUE)".to_owned(), AUTHORITY)
        }
        std::io::ErrorKind::InvalidData => (format!("no TLS: {error}"), TLS),
        std::io::ErrorKind::UnexpectedEof
        | std::io::ErrorKind::ConnectionReset
        | std::io::ErrorKind::BrokenPipe => {
            ("the server closed the connection".to_owned(), "when the server is up again, try again")
        }
        _ => (error.to_string(), REACH),
    };
    Error::new(ErrorKind::Unavailable, operation).context(context).hint(hint).source(error)
}

fn from_server(error: &PgDatabaseError, operation: String) -> Error {
    let state = error.code();
    let (mut kind, mut hint) = STATES
        .iter()
        .find(|(prefix, ..)| state.starts_with(prefix))
        .map_or((ErrorKind::Invalid, None), |(_, kind, hint)| (*kind, *hint));
    if is_stale_plan(error.message()) {
        (kind, hint) = (ErrorKind::Aborted, Some("the table was altered meanwhile: try again"));
    }
    let quotes_values = state.starts_with(DATA_EXCEPTION);
    let message = if quotes_values { without_values(error.message()) } else { error.message().to_owned() };
    let mut out = Error::new(kind, operation).code(state.to_owned()).context(message);
    if !quotes_values
        && !state.starts_with(INTEGRITY)
        && let Some(detail) = error.detail()
    {
        out = out.context(detail.to_owned());
    }
    // Where Postgres names the object, its message mostly does too.
    for (what, name) in
        [("table", error.table()), ("column", error.column()), ("constraint", error.constraint())]
    {
        if let Some(name) = name
            && !error.message().contains(&format!("\"{name}\""))
        {
            out = out.context(format!("{what} \"{name}\""));
        }
    }
    match hint.map(str::to_owned).or_else(|| error.hint().map(str::to_owned)) {
        Some(hint) => out.hint(hint),
        None => out,
    }
}

/// The driver's message without the place in its own source that it ends with.
fn without_place(message: &str) -> &str {
    message.rsplit_once(" (sqlx").map_or(message, |(text, _)| text)
}

/// A message of the data exception class with whatever it quotes left out.
fn without_values(message: &str) -> String {
    match (message.find('"'), message.rfind('"')) {
        (Some(first), Some(last)) if first < last => {
            format!("{}\"…\"{}", &message[..first], &message[last + 1..])
        }
        _ => message.to_owned(),
    }
}

/// Whether the connection is of no use after this error.
pub(super) fn ends_connection(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(database) => database
            .try_downcast_ref::<PgDatabaseError>()
            .is_none_or(|e| matches!(e.severity(), PgSeverity::Fatal | PgSeverity::Panic)),
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        _ => false,
    }
}

/// Whether a pooled session must not be used again after this error: when the connection is broken, when it is unknown
/// how far the answer was read, and when the session's prepared statements are not what the driver takes them for.
pub(super) fn ends_pooled_session(error: &sqlx::Error) -> bool {
    !matches!(error, sqlx::Error::Database(_))
        || ends_connection(error)
        || error.as_database_error().is_some_and(|e| {
            is_stale_plan(e.message()) || matches!(e.code().as_deref(), Some("26000" | "42P05"))
        })
}

/// Whether a statement was prepared before its table was altered.
fn is_stale_plan(message: &str) -> bool {
    // SQLSTATE 0A000, which stands for much else. Servers may speak other languages: then it stays `Unsupported`.
    message == "cached plan must not change result type"
}

/// Which of `columns` a failed COPY was reading, from the context line `COPY t, line 3, column c`.
pub(super) fn copied_column<'a>(
    error: &sqlx::Error,
    mut columns: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let sqlx::Error::Database(database) = error else { return None };
    let context = database.try_downcast_ref::<PgDatabaseError>()?.r#where()?;
    let place = context.lines().find(|line| line.starts_with("COPY "))?;
    columns.find(|name| {
        let end = format!(", column {name}");
        place.ends_with(&end) || place.contains(&format!("{end}: "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_state_hides_behind_its_class() {
        for (index, (state, ..)) in STATES.iter().enumerate() {
            let first = STATES.iter().position(|(prefix, ..)| state.starts_with(prefix));
            assert_eq!(first, Some(index), "{state} comes after its class");
        }
    }

    #[test]
    fn quoted_values_are_left_out() {
        let cases = [
            ("invalid input syntax for type uuid: \"se\"cret\"", "invalid input syntax for type uuid: \"…\""),
            (
                "value \"70000\" is out of range for type smallint",
                "value \"…\" is out of range for type smallint",
            ),
            ("division by zero", "division by zero"),
        ];
        for (message, expected) in cases {
            assert_eq!(without_values(message), expected);
        }
    }

    #[test]
    fn what_keeps_the_server_from_being_reached_has_a_next_step() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let error = classify(sqlx::Error::Io(refused), "connect");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(error.next_step(), Some(REACH));
        let error = classify(sqlx::Error::Tls("server does not support TLS".into()), "connect");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.next_step().unwrap().contains("sslmode"));
    }
}
