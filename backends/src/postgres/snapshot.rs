//! One state of the data for all sessions of a source, and what proves that state unchanged.

use std::sync::Mutex;

use trimaran_core::{Error, ErrorKind, Result, Value};

use super::session::PostgresSession;
use crate::bulk::{Identity, Session};

/// An exported snapshot. It lives as long as this value: every session that enters it sees exactly the data of the
/// moment at which it was made, whatever is written meanwhile.
pub(super) struct Snapshot {
    id: String,
    identity: Identity,
    /// The session whose transaction keeps the snapshot. Nothing more is asked of it; the mutex only makes it `Sync`.
    _holder: Mutex<PostgresSession>,
}

impl Snapshot {
    /// Begins the transaction that all sessions share the view of.
    pub(super) fn export(mut session: PostgresSession) -> Result<Self> {
        session.statement("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
        let rows = session.query("SELECT pg_catalog.pg_export_snapshot()", &[])?;
        let Some(Value::Text(id)) = rows.first().and_then(|row| row.first()) else {
            return Err(Error::new(ErrorKind::Corrupt, "export a snapshot").context("the server names none"));
        };
        let id = String::from_utf8_lossy(id).into_owned();
        let identity = identity(&mut session)?;
        Ok(Self { id, identity, _holder: Mutex::new(session) })
    }

    /// What `SET TRANSACTION SNAPSHOT` takes.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// What tells this state from any other.
    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }
}

/// The facts that prove two states equal: which cluster, on which timeline, which database, and which transactions are
/// visible (`pg_current_snapshot()`: all below `xmin`, and those below `xmax` that are not listed).
///
/// Whatever changes a row or a table takes a transaction id of its own, so equal snapshots of one timeline see equal
/// data. The reverse is not promised: any transaction that writes, in any database of the cluster, changes the snapshot,
/// even one that wrote nothing of interest (`ANALYZE`). To be resumable, a source has to be left alone: stop its writers,
/// and don't move between two databases of one cluster. Sequences stand outside transactions, and so outside of this.
///
/// A role that may not execute `pg_control_system()` gets an identity without `system` and `timeline`; then nothing
/// notices if the whole cluster is replaced by one that has come to the same transaction ids.
pub(super) fn identity(session: &mut PostgresSession) -> Result<Identity> {
    let mut identity = Identity::default();
    let mut add = |session: &mut PostgresSession, names: &[&str], sql: &str| -> Result<()> {
        let rows = session.query(sql, &[])?;
        for (name, value) in names.iter().zip(rows.into_iter().next().unwrap_or_default()) {
            if let Value::Text(text) = value {
                identity.0.insert((*name).to_owned(), String::from_utf8_lossy(&text).into_owned());
            }
        }
        Ok(())
    };
    add(
        session,
        &["database", "snapshot"],
        "SELECT current_database() || ' (' || oid || ')', pg_catalog.pg_current_snapshot()::text \
         FROM pg_catalog.pg_database WHERE datname = current_database()",
    )?;
    // The right is asked for first: calling the function without it would fail, and end the transaction.
    let may = session.query(
        "SELECT has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') \
         AND has_function_privilege('pg_catalog.pg_control_checkpoint()', 'EXECUTE')",
        &[],
    )?;
    if may.first().and_then(|row| row.first()) == Some(&Value::Bool(true)) {
        add(
            session,
            &["system", "timeline"],
            "SELECT (SELECT system_identifier::text FROM pg_catalog.pg_control_system()), \
             (SELECT timeline_id::text FROM pg_catalog.pg_control_checkpoint())",
        )?;
    }
    Ok(identity)
}
