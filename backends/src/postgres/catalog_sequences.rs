//! The sequences of a catalogue, and which of them only count up a column.

use trimaran_core::{Result, Value};

use super::catalog::{Fields, WANTED};
use super::dialect::DIALECT;
use super::session::PostgresSession;
use crate::Dialect as _;
use crate::bulk::Session as _;
use crate::catalog::{Sequence, TableName, Unmovable};

/// A sequence and the column that it belongs to.
pub(super) struct Owned {
    /// The sequence.
    pub(super) sequence: Sequence,
    /// Whether this role may read its value; if not, `sequence.next` is its start.
    pub(super) readable: bool,
    /// The OID of the table and the column that own it.
    owner: Option<(i64, String)>,
}

/// Reads all sequences.
pub(super) fn load(
    session: &mut PostgresSession,
    schema: &[Value<'_>],
    unmovable: &mut Vec<Unmovable>,
) -> Result<Vec<Owned>> {
    let rows = session.query(
        &format!(
            "SELECT n.nspname, c.relname, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcycle, \
             has_schema_privilege(n.oid, 'USAGE') AND has_sequence_privilege(c.oid, 'SELECT'), d.refobjid, a.attname \
             FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
             LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid \
             AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i') \
             LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid \
             WHERE {WANTED} ORDER BY n.nspname, c.relname"
        ),
        schema,
    )?;
    let mut sequences = Vec::with_capacity(rows.len());
    for row in rows {
        let mut row = Fields::new(row);
        let name = TableName::new(row.text()?, row.text()?);
        let (start, increment, min, max, cycle) =
            (row.int()?, row.int()?, row.int()?, row.int()?, row.flag()?);
        let readable = row.flag()?;
        let owner = row.optional_int()?.zip(row.optional_text()?);
        let sequence = Sequence { name, start, increment, min, max, cycle, next: start };
        sequences.push(Owned { sequence, readable, owner });
    }
    values(session, &mut sequences)?;
    for hidden in sequences.iter().filter(|s| !s.readable) {
        unmovable.push(Unmovable::new(
            "sequence value",
            hidden.sequence.name.to_string(),
            "this role may not read it: GRANT SELECT on the sequence, or it starts anew",
        ));
    }
    Ok(sequences)
}

/// How many sequences one statement asks for. What Postgres takes to plan such a statement grows with the square of it: five thousand took
/// minutes and more than 4 GB, a hundred take milliseconds.
const AT_ONCE: usize = 100;

/// Fills in the next values. They stand in the sequences themselves: the view `pg_sequences` does not show what
/// `setval(…, false)` has set.
fn values(session: &mut PostgresSession, sequences: &mut [Owned]) -> Result<()> {
    let selects: Vec<_> = sequences
        .iter()
        .enumerate()
        .filter(|(_, owned)| owned.readable)
        .map(|(index, owned)| {
            format!(
                "SELECT {index}::int8, last_value, is_called FROM {}",
                DIALECT.qualify(&owned.sequence.name)
            )
        })
        .collect();
    let mut rows = Vec::with_capacity(selects.len());
    for some in selects.chunks(AT_ONCE) {
        rows.extend(session.query(&some.join(" UNION ALL "), &[])?);
    }
    for row in rows {
        let mut row = Fields::new(row);
        let (index, last, called) = (row.int()?, row.int()?, row.flag()?);
        if let Some(owned) = usize::try_from(index).ok().and_then(|index| sequences.get_mut(index)) {
            let sequence = &mut owned.sequence;
            sequence.next = if called { last.saturating_add(sequence.increment) } else { last };
            let past_the_end = sequence.next > sequence.max || sequence.next < sequence.min;
            if past_the_end && sequence.cycle {
                sequence.next = if sequence.increment > 0 { sequence.min } else { sequence.max };
            }
        }
    }
    Ok(())
}

/// Takes out the sequence that counts up a column: the one of an identity column, or the one that a serial column both
/// owns and draws its default from.
pub(super) fn take(
    sequences: &mut Vec<Owned>,
    relation: i64,
    column: &str,
    is_identity: bool,
    drawn_from: Option<&TableName>,
) -> Option<Owned> {
    let place = sequences.iter().position(|owned| {
        owned.owner.as_ref().is_some_and(|(table, name)| *table == relation && name == column)
            && (is_identity || drawn_from == Some(&owned.sequence.name))
    })?;
    Some(sequences.remove(place))
}
