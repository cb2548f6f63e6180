//! How Postgres spells data definition.

use trimaran_core::model::conversation::analytics::TimeBucket;
use trimaran_core::{Engine, LogicalType};

use super::constraint_names::{self, MAX_NAME_BYTES, fits, shortened};
use super::default_sql::{self, literal};
use crate::Dialect;
use crate::catalog::{DefaultValue, Key, Sequence, TableName};
use crate::dialect::{ColumnDefinition, Phase, Statement, TableDefinition};

/// Postgres's SQL. Tables are created without any key; a loaded one is completed phase by phase.
#[derive(Debug, Clone, Copy)]
pub struct PostgresDialect;

/// The one value of [`PostgresDialect`].
pub static DIALECT: PostgresDialect = PostgresDialect;

impl Dialect for PostgresDialect {
    fn engine(&self) -> Engine {
        Engine::Postgres
    }

    fn max_name_bytes(&self) -> usize {
        MAX_NAME_BYTES
    }

    fn default_schema(&self) -> &'static str {
        "public"
    }

    fn default_sql(&self, default: &DefaultValue, logical: &LogicalType) -> Option<String> {
        default_sql::default_sql(default, logical, |sequence| self.qualify(sequence))
    }

    fn bears_side_by_side(&self) -> bool {
        true
    }

    /// Autovacuum would come by within a minute or two; until then a large table is planned for as if it were nearly empty.
    fn take_statistics(&self, table: &TableName) -> Option<String> {
        Some(format!("ANALYZE {}", self.qualify(table)))
    }

    fn create_schema(&self, schema: &str) -> Option<String> {
        Some(format!("CREATE SCHEMA IF NOT EXISTS {}", self.quote(schema)))
    }

    /// Two statements in one string: the sequence, and its next value.
    fn create_sequence(&self, sequence: &Sequence) -> Option<Statement> {
        let Sequence { name, start, increment, min, max, cycle, next } = sequence;
        let qualified = self.qualify(name);
        // A sequence that is used up has its last value as the one given out before.
        let (value, given_out) = match next {
            next if next > max => (max, true),
            next if next < min => (min, true),
            next => (next, false),
        };
        let cycle = if *cycle { "CYCLE" } else { "NO CYCLE" };
        Some(Statement::new(
            format!("create sequence {}", shown(name)),
            format!(
                "CREATE SEQUENCE {qualified} INCREMENT BY {increment} MINVALUE {min} MAXVALUE {max} \
                 START WITH {start} {cycle}; SELECT pg_catalog.setval({}, {value}, {given_out})",
                literal(&qualified)
            ),
        ))
    }

    fn create_enum(&self, name: &TableName, labels: &[String]) -> Option<Statement> {
        let labels: Vec<_> = labels.iter().map(|label| literal(label)).collect();
        let sql = format!("CREATE TYPE {} AS ENUM ({})", self.qualify(name), labels.join(", "));
        Some(Statement::new(format!("create type {}", shown(name)), sql))
    }

    fn create_table(&self, table: &TableDefinition) -> Statement {
        let columns: Vec<_> = table.columns.iter().map(|column| self.column(column)).collect();
        Statement::new(
            format!("create table {}", shown(&table.name)),
            format!("CREATE TABLE {} ({})", self.qualify(&table.name), columns.join(", ")),
        )
    }

    fn complete(&self, table: &TableDefinition, phase: Phase) -> Vec<Statement> {
        match phase {
            Phase::Keys => self.keys(table),
            Phase::Indexes => self.indexes(table),
            Phase::ForeignKeys => self.foreign_keys(table),
            Phase::Validate => self.validate(table),
            Phase::Counters => self.counters(table),
        }
    }

    fn bucket_start(&self, column: &str, bucket: TimeBucket) -> String {
        format!(
            "CAST(extract(epoch FROM date_trunc('{}', {column} AT TIME ZONE 'UTC')) AS bigint) * 1000000",
            bucket.name()
        )
    }

    /// The codec writes two characters for one, the first of which is U+001A, and no other text has that.
    fn characters(&self, column: &str) -> String {
        format!("CAST(char_length(replace({column}, chr(26), '')) AS bigint)")
    }

    fn beginning(&self, column: &str, characters: usize) -> String {
        format!("left({column}, {})", 2 * characters)
    }
}

impl PostgresDialect {
    fn column(&self, column: &ColumnDefinition) -> String {
        let (name, labels) = (self.quote(&column.name), column.labels.as_ref());
        let declared = match labels.and_then(|labels| labels.enum_type.as_ref()) {
            Some(enum_type) => self.qualify(enum_type),
            None => column.type_on(Engine::Postgres),
        };
        let mut sql = format!("{name} {declared}");
        if let Some(expression) = &column.generated {
            sql.push_str(&format!(" GENERATED ALWAYS AS ({expression}) STORED"));
        }
        if let Some(labels) = labels.filter(|labels| labels.enum_type.is_none()) {
            sql.push_str(&format!(" {}", labels.check(&name)));
        }
        if !column.nullable {
            sql.push_str(" NOT NULL");
        }
        if counts(column) {
            sql.push_str(" GENERATED BY DEFAULT AS IDENTITY");
        } else if let Some(default) = &column.default {
            sql.push_str(" DEFAULT ");
            sql.push_str(default);
        }
        sql
    }

    fn names<'a>(&self, columns: impl IntoIterator<Item = &'a String>) -> String {
        columns.into_iter().map(|name| self.quote(name)).collect::<Vec<_>>().join(", ")
    }

    fn keys(&self, table: &TableDefinition) -> Vec<Statement> {
        let shown = shown(&table.name);
        let primary = table.primary_key.iter().map(|key| {
            let name = constraint_names::primary_key(table, key);
            self.key(format!("primary key of {shown}"), table, key, "PRIMARY KEY", Some(&name))
        });
        let unique = table.unique.iter().enumerate().map(|(n, key)| {
            let step = format!("unique constraint {} of {shown} ({})", n + 1, key.columns.join(", "));
            self.key(step, table, key, "UNIQUE", key.name.as_deref().filter(|name| fits(name)))
        });
        primary.chain(unique).collect()
    }

    /// Adds a key. Its index is made first where it has a name, for that keeps nobody from reading the table meanwhile, while ADD PRIMARY
    /// KEY by itself does: <https://www.postgresql.org/docs/current/sql-altertable.html>. A name that something else in the
    /// schema has is left to Postgres, which finds another.
    fn key(
        &self,
        step: String,
        table: &TableDefinition,
        key: &Key,
        kind: &str,
        name: Option<&str>,
    ) -> Statement {
        let (qualified, columns) = (self.qualify(&table.name), self.names(&key.columns));
        let own = key.name.as_deref().filter(|name| fits(name));
        let constraint = own.map(|own| format!("CONSTRAINT {} ", self.quote(own))).unwrap_or_default();
        let at_once = format!("ALTER TABLE {qualified} ADD {constraint}{kind} ({columns})");
        match name.map(|name| self.quote(name)) {
            None => Statement::new(step, at_once),
            Some(name) => {
                let sql = format!(
                    "CREATE UNIQUE INDEX {name} ON {qualified} ({columns}); \
                     ALTER TABLE {qualified} ADD CONSTRAINT {name} {kind} USING INDEX {name}"
                );
                Statement::new(step, sql).or(at_once)
            }
        }
    }

    fn indexes(&self, table: &TableDefinition) -> Vec<Statement> {
        let qualified = self.qualify(&table.name);
        let statement = |index: &crate::catalog::Index| {
            let columns: Vec<_> = index
                .columns
                .iter()
                .map(|c| format!("{}{}", self.quote(&c.name), if c.descending { " DESC" } else { "" }))
                .collect();
            Statement::new(
                format!("index {} of {}", index.name, shown(&table.name)),
                format!(
                    "CREATE {}INDEX {} ON {qualified} ({})",
                    if index.unique { "UNIQUE " } else { "" },
                    self.quote(&shortened(&index.name)),
                    columns.join(", ")
                ),
            )
        };
        table.indexes.iter().map(statement).collect()
    }

    fn foreign_keys(&self, table: &TableDefinition) -> Vec<Statement> {
        let qualified = self.qualify(&table.name);
        let names = constraint_names::foreign_keys(table);
        let statement = |(key, name): (&crate::catalog::ForeignKey, &String)| {
            Statement::new(
                format!("foreign key {name} of {}", shown(&table.name)),
                format!(
                    "ALTER TABLE {qualified} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({}) \
                     ON DELETE {} ON UPDATE {}{} NOT VALID",
                    self.quote(name),
                    self.names(&key.columns),
                    self.qualify(&key.referenced),
                    self.names(&key.referenced_columns),
                    key.on_delete.sql(),
                    key.on_update.sql(),
                    if key.deferred { " DEFERRABLE INITIALLY DEFERRED" } else { "" }
                ),
            )
        };
        table.foreign_keys.iter().zip(&names).map(statement).collect()
    }

    fn validate(&self, table: &TableDefinition) -> Vec<Statement> {
        let qualified = self.qualify(&table.name);
        let statement = |name: String| {
            Statement::new(
                format!("validate {name} of {}", shown(&table.name)),
                format!("ALTER TABLE {qualified} VALIDATE CONSTRAINT {}", self.quote(&name)),
            )
        };
        constraint_names::foreign_keys(table).into_iter().map(statement).collect()
    }

    /// The value given out last is set rather than the next, so that nothing overflows at the type's greatest value: a
    /// counter that has reached it is used up, as it should be.
    fn counters(&self, table: &TableDefinition) -> Vec<Statement> {
        let qualified = self.qualify(&table.name);
        let statement = |column: &ColumnDefinition| {
            let next = column.identity.filter(|_| counts(column))?;
            let greatest = match column.logical {
                LogicalType::Int16 => i64::from(i16::MAX),
                LogicalType::Int32 => i64::from(i32::MAX),
                _ => i64::MAX,
            };
            let last = next.saturating_sub(1).clamp(0, greatest);
            Some(Statement::new(
                format!("counter {} of {}", column.name, shown(&table.name)),
                format!(
                    "SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence({}, {}), greatest(last, 1), last > 0) \
                     FROM (SELECT greatest(coalesce(max({}), 0), {last})::bigint AS last FROM {qualified}) AS counted",
                    literal(&qualified),
                    literal(&column.name),
                    self.quote(&column.name)
                ),
            ))
        };
        table.columns.iter().filter_map(statement).collect()
    }
}

/// Whether the column is an identity column here: Postgres counts up integers only.
fn counts(column: &ColumnDefinition) -> bool {
    column.identity.is_some()
        && matches!(column.logical, LogicalType::Int16 | LogicalType::Int32 | LogicalType::Int64)
}

/// A table's name in steps: as people see it, but never the same for two tables.
fn shown(name: &TableName) -> String {
    if name.schema == DIALECT.default_schema() {
        name.name.clone()
    } else {
        format!("{}.{}", name.schema, name.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_literals_are_quoted() {
        let sequence = Sequence {
            name: TableName::new("my \"schema\"", "it's"),
            start: 1,
            increment: 2,
            min: 1,
            max: 9,
            cycle: false,
            next: 11,
        };
        let statement = DIALECT.create_sequence(&sequence).unwrap();
        assert_eq!(
            statement.sql,
            "CREATE SEQUENCE \"my \"\"schema\"\"\".\"it's\" INCREMENT BY 2 MINVALUE 1 MAXVALUE 9 START WITH 1 NO CYCLE; \
             SELECT pg_catalog.setval('\"my \"\"schema\"\"\".\"it''s\"', 9, true)"
        );
    }

    #[test]
    fn an_identity_column_has_no_other_default() {
        let column = ColumnDefinition {
            name: "Id".into(),
            logical: LogicalType::Int64,
            nullable: false,
            default: Some("1".into()),
            identity: Some(1),
            generated: None,
            labels: None,
            declared: None,
        };
        assert_eq!(DIALECT.column(&column), "\"Id\" bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY");
    }
}
