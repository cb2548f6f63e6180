//! What a run has to take back when it goes on with a source whose chunks can't be found again.

use trimaran_backends::catalog::TableName;
use trimaran_backends::{Identity, Session};
use trimaran_core::{Result, Value};

use super::{CHUNKS, Journal, QUARANTINE, RUNS, STEPS, corrupt};

impl Journal {
    /// Records what the source is now that a run goes on with it.
    ///
    /// # Errors
    /// The target's, classified.
    pub fn set_identity(&self, session: &mut dyn Session, run: &str, identity: &Identity) -> Result<()> {
        let identity = serde_json::to_string(identity).map_err(|e| corrupt("an identity").source(e))?;
        let sql = format!("UPDATE {} SET identity = $1 WHERE run = $2", self.name(RUNS));
        session.query(&sql, &[Value::text(&identity), Value::text(run)]).map(drop)
    }

    /// Forgets the chunks and the quarantined rows of one table, and `steps`, in the transaction that removes its rows.
    ///
    /// # Errors
    /// The target's, classified.
    pub fn forget_table(
        &self,
        session: &mut dyn Session,
        run: &str,
        table: &TableName,
        steps: &[String],
    ) -> Result<()> {
        for records in [QUARANTINE, CHUNKS] {
            let sql = format!(
                "DELETE FROM {} WHERE run = $1 AND source_schema = $2 AND source_table = $3",
                self.name(records)
            );
            session.query(&sql, &[Value::text(run), Value::text(&table.schema), Value::text(&table.name)])?;
        }
        let sql = format!("DELETE FROM {} WHERE run = $1 AND step = $2", self.name(STEPS));
        for step in steps {
            session.query(&sql, &[Value::text(run), Value::text(step)])?;
        }
        Ok(())
    }
}
