//! DuckDB's SQL.
//!
//! Keys are declared when a table is created. Foreign keys forbid an UPDATE of a row that is referred to even where no key
//! changes, and can't be added later: nothing of Trimaran's own has any. Where a table is to have them all the same, as one
//! that goes back to where it came from, it is filled without, and moves into one with them once the tables that it refers to
//! are complete. A counted column is a sequence and a
//! default, because DuckDB has no identity columns.

use trimaran_core::model::conversation::analytics::TimeBucket;
use trimaran_core::{Engine, LogicalType};

use crate::Dialect;
use crate::catalog::{DefaultValue, Index, Key, Sequence, TableName};
use crate::dialect::{ColumnDefinition, Phase, Statement, TableDefinition};

/// DuckDB's dialect.
#[derive(Debug)]
pub struct DuckdbDialect;

/// The dialect, as a value.
pub static DIALECT: DuckdbDialect = DuckdbDialect;

impl Dialect for DuckdbDialect {
    fn engine(&self) -> Engine {
        Engine::Duckdb
    }

    /// DuckDB sets no limit to a name.
    fn max_name_bytes(&self) -> usize {
        usize::MAX
    }

    fn default_schema(&self) -> &'static str {
        "main"
    }

    fn default_sql(&self, default: &DefaultValue, logical: &LogicalType) -> Option<String> {
        use LogicalType as L;
        // Without ICU, `current_date` does not exist and a timestamp with time zone casts to UTC.
        let now = "CAST(now() AS TIMESTAMP)";
        let numeric = matches!(
            logical,
            L::Int16 | L::Int32 | L::Int64 | L::Float32 | L::Float64 | L::Decimal { .. } | L::Numeric
        );
        match (default, logical) {
            (DefaultValue::Null, _) => Some("NULL".to_owned()),
            (DefaultValue::Bool(v), L::Bool) => Some(v.to_string()),
            (DefaultValue::Bool(v), L::Int16 | L::Int32 | L::Int64) => Some(i32::from(*v).to_string()),
            (DefaultValue::Number(number), L::Text) => Some(format!("'{number}'")),
            (DefaultValue::Number(number), L::Bool) => match number.as_str() {
                "0" => Some("false".to_owned()),
                "1" => Some("true".to_owned()),
                _ => None,
            },
            (DefaultValue::Number(number), _) if numeric => Some(number.clone()),
            // A list's or a byte string's literal reads differently on each engine; a statement can't hold U+0000.
            (DefaultValue::Text(_), L::Bytes | L::List(_)) => None,
            (DefaultValue::Text(text), _) if text.contains('\0') => None,
            (DefaultValue::Text(text), _) => Some(format!("'{}'", text.replace('\'', "''"))),
            (DefaultValue::CurrentTimestamp, L::TimestampTz) => Some("now()".to_owned()),
            (DefaultValue::CurrentTimestamp, L::Timestamp) => Some(now.to_owned()),
            (DefaultValue::CurrentTimestamp | DefaultValue::CurrentDate, L::Date) => {
                Some(format!("CAST({now} AS DATE)"))
            }
            (DefaultValue::CurrentDate, L::Timestamp) => Some(format!("date_trunc('day', {now})")),
            (DefaultValue::CurrentTime, L::Time) => Some(format!("CAST({now} AS TIME)")),
            (DefaultValue::NewUuid, L::Uuid | L::Text) => Some("gen_random_uuid()".to_owned()),
            (DefaultValue::NextValue(sequence), _) if numeric => {
                Some(format!("nextval({})", self.sequence(sequence)))
            }
            _ => None,
        }
    }

    fn create_schema(&self, schema: &str) -> Option<String> {
        Some(format!("CREATE SCHEMA IF NOT EXISTS {}", self.quote(schema)))
    }

    fn create_sequence(&self, sequence: &Sequence) -> Option<Statement> {
        let Sequence { name, increment, min, max, next, .. } = sequence;
        let cycle = if sequence.cycle { "CYCLE" } else { "NO CYCLE" };
        Some(Statement::new(
            format!("create sequence {name}"),
            format!(
                "CREATE SEQUENCE {} INCREMENT BY {increment} MINVALUE {min} MAXVALUE {max} START WITH {} {cycle}",
                self.qualify(name),
                // A sequence at its end has no next value within its bounds.
                next.clamp(min, max)
            ),
        ))
    }

    fn create_table(&self, table: &TableDefinition) -> Statement {
        let mut statements: Vec<_> = counters(table)
            .map(|(column, next)| {
                let sequence = counter(&table.name, &column.name);
                format!(
                    "CREATE SEQUENCE {} MINVALUE {} START WITH {next}",
                    self.qualify(&sequence),
                    next.min(1)
                )
            })
            .collect();
        let mut parts: Vec<_> = table.columns.iter().map(|column| self.column(&table.name, column)).collect();
        parts.extend(table.primary_key.iter().map(|key| self.key("PRIMARY KEY", key)));
        parts.extend(table.unique.iter().map(|key| self.key("UNIQUE", key)));
        statements.push(format!("CREATE TABLE {} ({})", self.qualify(&table.name), parts.join(", ")));
        Statement::new(format!("create table {}", table.name), statements.join("; "))
    }

    fn drop_table(&self, table: &TableDefinition) -> Vec<String> {
        let mut statements = vec![format!("DROP TABLE IF EXISTS {}", self.qualify(&table.name))];
        statements.extend(counters(table).map(|(column, _)| {
            format!("DROP SEQUENCE IF EXISTS {}", self.qualify(&counter(&table.name, &column.name)))
        }));
        statements
    }

    fn complete(&self, table: &TableDefinition, phase: Phase) -> Vec<Statement> {
        match phase {
            Phase::Keys if !table.foreign_keys.is_empty() => vec![self.with_foreign_keys(table)],
            Phase::Keys | Phase::ForeignKeys | Phase::Validate => Vec::new(),
            Phase::Indexes => table.indexes.iter().map(|index| self.index(&table.name, index)).collect(),
            Phase::Counters => {
                counters(table).map(|(column, next)| self.counter(&table.name, column, next)).collect()
            }
        }
    }

    /// By way of microseconds: without ICU nothing truncates a moment, and with it that would go by the session's time zone.
    fn bucket_start(&self, column: &str, bucket: TimeBucket) -> String {
        format!(
            "epoch_us(CAST(date_trunc('{}', make_timestamp(epoch_us({column}))) AS TIMESTAMP))",
            bucket.name()
        )
    }

    fn characters(&self, column: &str) -> String {
        format!("length({column})")
    }

    fn beginning(&self, column: &str, characters: usize) -> String {
        format!("left({column}, {characters})")
    }
}

/// The columns to be counted up, each with the least of its next values.
fn counters(table: &TableDefinition) -> impl Iterator<Item = (&ColumnDefinition, i64)> {
    table.columns.iter().filter_map(|column| column.identity.map(|next| (column, next)))
}

/// The sequence that counts a column up, named as Postgres names such.
fn counter(table: &TableName, column: &str) -> TableName {
    TableName::new(&table.schema, format!("{}_{column}_seq", table.name))
}

impl DuckdbDialect {
    fn column(&self, table: &TableName, column: &ColumnDefinition) -> String {
        let mut sql = format!("{} {}", self.quote(&column.name), column.type_on(Engine::Duckdb));
        if !column.nullable {
            sql.push_str(" NOT NULL");
        }
        let counted =
            column.identity.map(|_| format!("nextval({})", self.sequence(&counter(table, &column.name))));
        if let Some(default) = counted.as_ref().or(column.default.as_ref()) {
            sql.push_str(" DEFAULT ");
            sql.push_str(default);
        }
        if let Some(labels) = &column.labels {
            sql.push_str(&format!(" {}", labels.check(&self.quote(&column.name))));
        }
        sql
    }

    /// A sequence's name as functions take it: a text that is read as a quoted name.
    fn sequence(&self, name: &TableName) -> String {
        format!("'{}'", self.qualify(name).replace('\'', "''"))
    }

    fn list<'a>(&self, columns: impl Iterator<Item = &'a String>) -> String {
        columns.map(|column| self.quote(column)).collect::<Vec<_>>().join(", ")
    }

    fn key(&self, kind: &str, key: &Key) -> String {
        format!("{kind} ({})", self.list(key.columns.iter()))
    }

    /// The statements that move a loaded table's rows into one of its name that has foreign keys.
    fn with_foreign_keys(&self, table: &TableDefinition) -> Statement {
        let loaded = TableName::new(&table.name.schema, format!("{} (loaded)", table.name.name));
        let columns = table.columns.iter().map(|column| self.column(&table.name, column));
        let keys = table.primary_key.iter().map(|key| self.key("PRIMARY KEY", key));
        let unique = table.unique.iter().map(|key| self.key("UNIQUE", key));
        let foreign = table.foreign_keys.iter().map(|key| {
            format!(
                "FOREIGN KEY ({}) REFERENCES {} ({})",
                self.list(key.columns.iter()),
                self.qualify(&key.referenced),
                self.list(key.referenced_columns.iter())
            )
        });
        let parts: Vec<String> = columns.chain(keys).chain(unique).chain(foreign).collect();
        let (name, loaded_name) = (self.qualify(&table.name), self.qualify(&loaded));
        Statement::new(
            format!("foreign keys of {}", table.name),
            format!(
                "ALTER TABLE {name} RENAME TO {}; CREATE TABLE {name} ({}); INSERT INTO {name} SELECT * FROM {loaded_name}; \
                 DROP TABLE {loaded_name}",
                self.quote(&loaded.name),
                parts.join(", ")
            ),
        )
    }

    /// DuckDB's indexes have no direction.
    fn index(&self, table: &TableName, index: &Index) -> Statement {
        Statement::new(
            format!("index {} of {table}", index.name),
            format!(
                "CREATE {}INDEX {} ON {} ({})",
                if index.unique { "UNIQUE " } else { "" },
                self.quote(&index.name),
                self.qualify(table),
                self.list(index.columns.iter().map(|column| &column.name))
            ),
        )
    }

    /// `setval` works where the sequence can't be replaced because the table's default depends on it. With `false`
    /// the value is the next one to be given out.
    fn counter(&self, table: &TableName, column: &ColumnDefinition, next: i64) -> Statement {
        Statement::new(
            format!("counter of {table}.{}", column.name),
            format!(
                "SELECT setval({}, greatest({next}, (SELECT coalesce(max({}), 0) + 1 FROM {})), false)",
                self.sequence(&counter(table, &column.name)),
                self.quote(&column.name),
                self.qualify(table)
            ),
        )
    }
}
