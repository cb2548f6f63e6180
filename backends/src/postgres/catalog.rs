//! What a Postgres database holds.
//!
//! Tables, their columns, keys and indexes, and sequences; everything else that belongs to a table or looks like one is
//! reported as unmovable, and so are functions. Not part of the catalogue are types as such, rights, owners, comments and
//! storage settings, whatever an extension brought, and Trimaran's own journal (`_trimaran_…`).

use std::collections::HashMap;

use trimaran_core::{Engine, Error, ErrorKind, LogicalType, Result, Value};

use super::catalog_sequences::{self, Owned};
use super::session::PostgresSession;
use super::{catalog_keys, catalog_unmovable, default_sql_reader, types};
use crate::bulk::Session as _;
use crate::catalog::{Catalog, Column, DefaultValue, Identity, Table, TableName, Unmovable};

/// Which schemas (`n`) and relations (`c`) are looked at; `$1` is the one schema, or NULL.
pub(super) const WANTED: &str = "c.relpersistence <> 't' AND left(c.relname, 10) <> '_trimaran_' \
    AND (n.nspname = $1 OR $1::text IS NULL AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema') \
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid \
                    AND e.deptype = 'e')";

/// Which of those are tables: partitions are parts of theirs.
pub(super) const TABLES: &str = "c.relkind IN ('r', 'p') AND NOT c.relispartition";

/// What a domain is in the end: domains may be made of domains, of which the last has the type's length.
const BASE: &str = "WITH RECURSIVE d AS (SELECT y.typbasetype AS oid, y.typtypmod AS length FROM pg_type y \
    WHERE y.oid = a.atttypid AND y.typtype = 'd' UNION ALL SELECT y.typbasetype, y.typtypmod FROM d \
    JOIN pg_type y ON y.oid = d.oid WHERE y.typtype = 'd') \
    SELECT d.oid, format_type(d.oid, d.length) AS declared FROM d JOIN pg_type y ON y.oid = d.oid WHERE y.typtype <> 'd'";

/// The OID of `jsonb`, which is cast to `json` on the way.
const JSONB: u32 = 3802;

/// Reads the catalogue. See [`crate::Database::catalog`].
pub(super) fn load(session: &mut PostgresSession, version: String, schema: Option<&str>) -> Result<Catalog> {
    session.begin()?;
    // With nothing in the path but pg_catalog, the server shows every name with its schema.
    session.execute("SET LOCAL search_path = ''")?;
    let schema = [schema.map_or(Value::Null, Value::text)];
    let mut unmovable = Vec::new();
    let mut tables = relations(session, &schema, &mut unmovable)?;
    let mut sequences = catalog_sequences::load(session, &schema, &mut unmovable)?;
    columns(session, &schema, &mut tables, &mut sequences, &mut unmovable)?;
    catalog_keys::constraints(session, &schema, &mut tables, &mut unmovable)?;
    catalog_keys::indexes(session, &schema, &mut tables, &mut unmovable)?;
    catalog_unmovable::load(session, &schema, &mut unmovable)?;
    session.rollback()?;

    let mut tables: Vec<_> = tables.into_values().collect();
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    let mut sequences: Vec<_> = sequences.into_iter().map(|owned| owned.sequence).collect();
    sequences.sort_by(|a, b| a.name.cmp(&b.name));
    unmovable.sort_by(|a, b| (&a.kind, &a.name).cmp(&(&b.kind, &b.name)));
    Ok(Catalog { engine: Engine::Postgres, version, tables, sequences, unmovable })
}

/// The tables by OID, yet without columns.
fn relations(
    session: &mut PostgresSession,
    schema: &[Value<'_>],
    unmovable: &mut Vec<Unmovable>,
) -> Result<HashMap<i64, Table>> {
    let rows = session.query(
        &format!(
            "SELECT c.oid, n.nspname, c.relname, c.relkind::text, c.relispartition, c.reltuples::float8, \
             pn.nspname, pc.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhseqno = 1 \
             LEFT JOIN pg_class pc ON pc.oid = i.inhparent LEFT JOIN pg_namespace pn ON pn.oid = pc.relnamespace \
             WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND {WANTED}"
        ),
        schema,
    )?;
    let mut tables = HashMap::new();
    for row in rows {
        let mut row = Fields::new(row);
        let (oid, name) = (row.int()?, TableName::new(row.text()?, row.text()?));
        let (kind, partition, estimate) = (row.text()?, row.flag()?, row.float()?);
        let parent = match (row.optional_text()?, row.optional_text()?) {
            (Some(schema), Some(name)) => Some(TableName::new(schema, name)),
            _ => None,
        };
        let mut report =
            |kind: &str, reason: String| unmovable.push(Unmovable::new(kind, name.to_string(), reason));
        match (kind.as_str(), partition, parent) {
            ("v", ..) => report("view", "create it on the target by hand".to_owned()),
            ("m", ..) => report("materialized view", "create it on the target by hand".to_owned()),
            ("f", ..) => report(
                "foreign table",
                "its rows are kept by another server; move them from there".to_owned(),
            ),
            (_, true, parent) => {
                let parent = parent.map_or_else(|| "its table".to_owned(), |p| p.to_string());
                report("partition", format!("its rows move as rows of {parent}, which becomes one table"));
                continue;
            }
            (_, false, parent) => {
                if let Some(parent) = parent {
                    report(
                        "inheritance",
                        format!("it moves as a table of its own, not as a child of {parent}"),
                    );
                }
                let estimated_rows = (estimate >= 0.0).then_some(estimate as u64);
                let table = Table {
                    name,
                    columns: Vec::new(),
                    primary_key: None,
                    unique: Vec::new(),
                    foreign_keys: Vec::new(),
                    indexes: Vec::new(),
                    estimated_rows,
                };
                tables.insert(oid, table);
            }
        }
    }
    Ok(tables)
}

/// Fills in the columns; sequences that turn out to be the counter of one are taken out of `sequences`.
fn columns(
    session: &mut PostgresSession,
    schema: &[Value<'_>],
    tables: &mut HashMap<i64, Table>,
    sequences: &mut Vec<Owned>,
    unmovable: &mut Vec<Unmovable>,
) -> Result<()> {
    let rows = session.query(
        &format!(
            "SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, \
             a.attidentity <> '', a.attgenerated <> '', pg_get_expr(d.adbin, d.adrelid), \
             t.oid, t.typtype::text, t.typcategory::text, e.oid, e.typtype::text, e.typcategory::text, \
             a.attcollation <> t.typcollation, d0.declared, a.atttypid <> t.oid \
             FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
             LEFT JOIN LATERAL ({BASE}) d0 ON true \
             JOIN pg_type t ON t.oid = coalesce(d0.oid, a.atttypid) \
             LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A' \
             LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
             WHERE a.attnum > 0 AND NOT a.attisdropped AND {TABLES} AND {WANTED} ORDER BY a.attrelid, a.attnum"
        ),
        schema,
    )?;
    for row in rows {
        let mut row = Fields::new(row);
        let (relation, name, declared) = (row.int()?, row.text()?, row.text()?);
        let (not_null, is_identity, is_generated) = (row.flag()?, row.flag()?, row.flag()?);
        let expression = row.optional_text()?;
        let scalar = TypeFacts::read(&mut row)?;
        let element = TypeFacts::read(&mut row)?;
        let (collated, base, is_domain) = (row.flag()?, row.optional_text()?, row.flag()?);
        // A table created between the two queries is not part of this catalogue.
        let Some(table) = tables.get_mut(&relation) else { continue };

        let known = types::of_declared(&declared).or_else(|| base.as_deref().and_then(types::of_declared));
        let logical = known.clone().or_else(|| match &element {
            Some(element) => Some(LogicalType::List(Box::new(element.logical()))),
            None => scalar.as_ref().map(TypeFacts::logical),
        });
        let mut report = |kind: &str, reason: &str| {
            unmovable.push(Unmovable::new(kind, format!("{}.{name}", table.name), reason));
        };
        if is_domain {
            let base = base.as_deref().unwrap_or("its base type");
            report("domain", &format!("it moves as {base}; its checks and its default do not"));
        }
        match element.as_ref().or(scalar.as_ref()).filter(|_| known.is_none()) {
            Some(facts) if facts.kind == "e" => {
                report("enum type", "its labels move as text; the list of them does not");
            }
            Some(facts) if facts.is_foreign() => {
                report(
                    "type",
                    &format!("values of {declared} move as the text that Postgres writes for them"),
                );
            }
            _ => {}
        }
        if collated {
            report("collation", "the column gets the target's default collation");
        }

        let (default, generated) = if is_generated { (None, expression) } else { (expression, None) };
        let mut default = default.map(|sql| default_sql_reader::read(&sql, logical.as_ref()));
        let counter = match &default {
            Some(DefaultValue::NextValue(sequence)) => Some(sequence.clone()),
            _ => None,
        };
        let owned = catalog_sequences::take(sequences, relation, &name, is_identity, counter.as_ref());
        let mut identity = is_identity.then_some(Identity { next: None });
        if let Some(owned) = owned {
            if owned.sequence.increment != 1 {
                report("identity option", "it counts in steps other than one; the target counts by ones");
            }
            identity = Some(Identity { next: owned.readable.then_some(owned.sequence.next) });
            default = None;
        }
        table.columns.push(Column {
            name,
            declared,
            logical,
            nullable: !not_null,
            default,
            identity,
            generated,
        });
    }
    Ok(())
}

/// What the catalogue says about a type that is not one of ours.
struct TypeFacts {
    oid: i64,
    kind: String,
    category: String,
}

impl TypeFacts {
    fn read(row: &mut Fields) -> Result<Option<Self>> {
        let (oid, kind, category) = (row.optional_int()?, row.optional_text()?, row.optional_text()?);
        Ok(oid.zip(kind).zip(category).map(|((oid, kind), category)| Self { oid, kind, category }))
    }

    /// The type that its values can be cast to without loss: in the end the text that Postgres writes for each.
    fn logical(&self) -> LogicalType {
        match u32::try_from(self.oid) {
            Ok(JSONB) => LogicalType::Json,
            Ok(types::OID) => LogicalType::Int64,
            _ => LogicalType::Text,
        }
    }

    /// Whether its values are something else than the text that they move as: `inet`, a range, a composite type.
    fn is_foreign(&self) -> bool {
        let own = [JSONB, types::OID, types::CHAR].into_iter().any(|oid| i64::from(oid) == self.oid);
        !own && self.kind != "e" && !(self.kind == "b" && self.category == "S")
    }
}

/// The fields of a catalogue row, taken in order.
pub(super) struct Fields(std::vec::IntoIter<Value<'static>>);

impl Fields {
    pub(super) fn new(row: Vec<Value<'static>>) -> Self {
        Self(row.into_iter())
    }

    fn next(&mut self) -> Value<'static> {
        self.0.next().unwrap_or(Value::Null)
    }

    pub(super) fn optional_text(&mut self) -> Result<Option<String>> {
        match self.next() {
            Value::Null => Ok(None),
            value => text(value).map(Some),
        }
    }

    pub(super) fn text(&mut self) -> Result<String> {
        text(self.next())
    }

    pub(super) fn optional_int(&mut self) -> Result<Option<i64>> {
        match self.next() {
            Value::Null => Ok(None),
            Value::Int(v) => Ok(Some(v)),
            other => Err(senseless(&other)),
        }
    }

    pub(super) fn int(&mut self) -> Result<i64> {
        self.optional_int()?.ok_or_else(|| senseless(&Value::Null))
    }

    /// NULL counts as false.
    pub(super) fn flag(&mut self) -> Result<bool> {
        match self.next() {
            Value::Null => Ok(false),
            Value::Bool(v) => Ok(v),
            other => Err(senseless(&other)),
        }
    }

    fn float(&mut self) -> Result<f64> {
        match self.next() {
            Value::Float64(v) => Ok(v),
            other => Err(senseless(&other)),
        }
    }

    pub(super) fn texts(&mut self) -> Result<Vec<String>> {
        match self.next() {
            Value::List(values) => values.into_iter().map(text).collect(),
            other => Err(senseless(&other)),
        }
    }
}

fn text(value: Value<'static>) -> Result<String> {
    match value {
        Value::Text(bytes) => String::from_utf8(bytes.into_owned())
            .map_err(|e| Error::new(ErrorKind::Corrupt, "read the catalogue").source(e)),
        other => Err(senseless(&other)),
    }
}

fn senseless(value: &Value<'_>) -> Error {
    Error::new(ErrorKind::Corrupt, "read the catalogue").context(format!("unexpected {}", value.kind()))
}
