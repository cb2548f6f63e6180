//! Primary, unique and foreign keys, checks, and indexes.

use std::collections::HashMap;

use trimaran_core::{Error, ErrorKind, Result, Value};

use super::catalog::{Fields, TABLES, WANTED};
use super::session::PostgresSession;
use crate::bulk::Session as _;
use crate::catalog::{ForeignKey, Index, IndexColumn, Key, ReferentialAction, Table, TableName, Unmovable};

/// Reads the constraints into their tables.
pub(super) fn constraints(
    session: &mut PostgresSession,
    schema: &[Value<'_>],
    tables: &mut HashMap<i64, Table>,
    unmovable: &mut Vec<Unmovable>,
) -> Result<()> {
    // A column that only newer versions have (`indnullsnotdistinct`, 15) is asked for by way of JSON.
    let rows = session.query(
        &format!(
            "SELECT k.conrelid, k.conname, k.contype::text, pg_get_constraintdef(k.oid), k.condeferrable, \
             i.indnkeyatts < i.indnatts OR to_jsonb(i) ->> 'indnullsnotdistinct' = 'true', {}, \
             fn.nspname, fc.relname, {}, k.confdeltype::text, k.confupdtype::text, k.confmatchtype::text \
             FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
             LEFT JOIN pg_class fc ON fc.oid = k.confrelid LEFT JOIN pg_namespace fn ON fn.oid = fc.relnamespace \
             LEFT JOIN pg_index i ON i.indexrelid = k.conindid AND k.contype IN ('p', 'u') \
             WHERE k.contype IN ('p', 'u', 'f', 'c', 'x') AND k.conparentid = 0 AND {TABLES} AND {WANTED} \
             ORDER BY k.conrelid, k.conname",
            column_names("k.conkey", "k.conrelid"),
            column_names("k.confkey", "k.confrelid"),
        ),
        schema,
    )?;
    for row in rows {
        let mut row = Fields::new(row);
        let (relation, name, kind, definition) = (row.int()?, row.text()?, row.text()?, row.text()?);
        let (deferrable, special, columns) = (row.flag()?, row.flag()?, row.texts()?);
        let Some(table) = tables.get_mut(&relation) else { continue };
        let mut report = |kind: &str, reason: String| {
            unmovable.push(Unmovable::new(kind, format!("{}.{name}", table.name), reason));
        };
        let special = special || definition.contains(" WITHOUT OVERLAPS") || definition.contains(" PERIOD ");
        match kind.as_str() {
            "c" => report("check constraint", format!("add it on the target by hand: {definition}")),
            "x" => report("exclusion constraint", format!("add it on the target by hand: {definition}")),
            "p" | "u" if special => {
                let what = if kind == "p" { "primary key" } else { "unique constraint" };
                report(what, format!("it is of a form only Postgres has: {definition}"));
            }
            "p" => table.primary_key = Some(Key { name: Some(name.clone()), columns }),
            "u" => table.unique.push(Key { name: Some(name.clone()), columns }),
            _ => {
                let referenced = TableName::new(row.text()?, row.text()?);
                let referenced_columns = row.texts()?;
                let (on_delete, on_update) = (action(&row.text()?)?, action(&row.text()?)?);
                let full = row.text()? == "f";
                if special
                    || full
                    || definition.contains("SET NULL (")
                    || definition.contains("SET DEFAULT (")
                {
                    report("foreign key", format!("it is of a form only Postgres has: {definition}"));
                    continue;
                }
                table.foreign_keys.push(ForeignKey {
                    name: Some(name.clone()),
                    columns,
                    referenced,
                    referenced_columns,
                    on_delete,
                    on_update,
                    deferred: definition.contains(" INITIALLY DEFERRED"),
                });
            }
        }
        let kept = kind == "f" && definition.contains(" INITIALLY DEFERRED");
        if deferrable && !kept && matches!(kind.as_str(), "p" | "u" | "f") {
            let reason = "the key moves, but is checked at the end of each statement".to_owned();
            unmovable.push(Unmovable::new("deferrable constraint", format!("{}.{name}", table.name), reason));
        }
    }
    Ok(())
}

/// Reads the indexes that no constraint owns into their tables.
pub(super) fn indexes(
    session: &mut PostgresSession,
    schema: &[Value<'_>],
    tables: &mut HashMap<i64, Table>,
    unmovable: &mut Vec<Unmovable>,
) -> Result<()> {
    let rows = session.query(
        &format!(
            "SELECT i.indrelid, x.relname, i.indisunique, pg_get_indexdef(i.indexrelid), CASE \
             WHEN i.indexprs IS NOT NULL THEN 'it is on an expression' \
             WHEN i.indpred IS NOT NULL THEN 'it covers only some of the rows' \
             WHEN m.amname <> 'btree' THEN 'its kind is ' || m.amname \
             WHEN i.indnkeyatts < i.indnatts THEN 'it includes further columns' \
             WHEN to_jsonb(i) ->> 'indnullsnotdistinct' = 'true' THEN 'it takes NULLs for equal' \
             WHEN NOT i.indisvalid THEN 'it is invalid: its creation has failed' \
             WHEN EXISTS (SELECT FROM unnest(i.indkey::int2[], i.indcollation::oid[]) AS p(attnum, coll) \
                          JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = p.attnum \
                          WHERE a.attcollation <> p.coll) THEN 'it has a collation of its own' \
             WHEN EXISTS (SELECT FROM unnest(i.indclass::oid[]) AS p(opclass) JOIN pg_opclass o ON o.oid = p.opclass \
                          WHERE NOT o.opcdefault) THEN 'it has an operator class of its own' \
             WHEN EXISTS (SELECT FROM unnest(i.indoption::int2[]) AS p(opt) WHERE p.opt NOT IN (0, 3)) \
                          THEN 'it sorts NULLs against the rule' END, \
             {}, ARRAY(SELECT p.opt::text FROM unnest(i.indoption::int2[]) AS p(opt)) \
             FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam \
             JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid \
                               AND k.contype IN ('p', 'u', 'x')) \
             AND {TABLES} AND {WANTED} ORDER BY i.indrelid, x.relname",
            column_names("i.indkey::int2[]", "i.indrelid"),
        ),
        schema,
    )?;
    for row in rows {
        let mut row = Fields::new(row);
        let (relation, name, unique, definition) = (row.int()?, row.text()?, row.flag()?, row.text()?);
        let (obstacle, columns, options) = (row.optional_text()?, row.texts()?, row.texts()?);
        let Some(table) = tables.get_mut(&relation) else { continue };
        match obstacle {
            Some(obstacle) => unmovable.push(Unmovable::new(
                "index",
                format!("{}.{name}", table.name),
                format!("{obstacle}; create it on the target by hand: {definition}"),
            )),
            None => {
                let column =
                    |(name, option): (String, String)| IndexColumn { name, descending: option != "0" };
                let columns = columns.into_iter().zip(options).map(column).collect();
                table.indexes.push(Index { name, unique, columns });
            }
        }
    }
    Ok(())
}

/// The names of the columns whose numbers an array holds, in its order.
fn column_names(numbers: &str, relation: &str) -> String {
    format!(
        "ARRAY(SELECT a.attname::text FROM unnest({numbers}) WITH ORDINALITY AS p(attnum, place) \
         JOIN pg_attribute a ON a.attrelid = {relation} AND a.attnum = p.attnum ORDER BY p.place)"
    )
}

/// The action of a letter in `pg_constraint`.
fn action(letter: &str) -> Result<ReferentialAction> {
    Ok(match letter {
        "a" => ReferentialAction::NoAction,
        "r" => ReferentialAction::Restrict,
        "c" => ReferentialAction::Cascade,
        "n" => ReferentialAction::SetNull,
        "d" => ReferentialAction::SetDefault,
        other => {
            return Err(Error::new(ErrorKind::Corrupt, "read the catalogue")
                .context(format!("a foreign key with the unknown action {other:?}")));
        }
    })
}
