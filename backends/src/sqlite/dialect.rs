//! SQLite's SQL.
//!
//! Keys can only be declared when a table is created, so [`create_table`](Dialect::create_table) says them all. Foreign
//! keys are declared but not enforced during the load; [`Phase::Validate`] checks them, as a statement that
//! [`Session::execute`](crate::bulk::Session::execute) fails on if a row refers to nothing.

use trimaran_core::model::conversation::analytics::TimeBucket;
use trimaran_core::{Engine, LogicalType, Value, decimal, temporal};

use super::storage;
use crate::Dialect;
use crate::catalog::{DefaultValue, ForeignKey, Index, Key, ReferentialAction, Sequence, TableName};
use crate::dialect::{ColumnDefinition, Phase, Statement, TableDefinition};

/// SQLite's dialect.
pub struct SqliteDialect;

/// The dialect, as a value.
pub static DIALECT: SqliteDialect = SqliteDialect;

/// A random UUID of version 4 (RFC 9562, section 5.4), which SQLite has no function for.
const NEW_UUID: &str = "(lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) \
     || '-' || substr('89ab', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))))";

impl Dialect for SqliteDialect {
    fn engine(&self) -> Engine {
        Engine::Sqlite
    }

    /// SQLite sets no limit to a name.
    fn max_name_bytes(&self) -> usize {
        usize::MAX
    }

    fn default_schema(&self) -> &'static str {
        "main"
    }

    fn default_sql(&self, default: &DefaultValue, logical: &LogicalType) -> Option<String> {
        use LogicalType as L;
        let fixed = |sql: &str| Some(sql.to_owned());
        match (default, logical) {
            (DefaultValue::Null, _) => fixed("NULL"),
            (DefaultValue::Bool(v), L::Bool | L::Int16 | L::Int32 | L::Int64) => {
                Some(i32::from(*v).to_string())
            }
            (DefaultValue::Bool(v), L::Json) => Some(literal(if *v { "true" } else { "false" })),
            (DefaultValue::Number(number), _) => number_sql(number, logical),
            (DefaultValue::Text(text), _) => text_sql(text, logical),
            // CURRENT_TIMESTAMP and its like are in UTC, in the forms that `storage` lists.
            (DefaultValue::CurrentTimestamp, L::Timestamp) => fixed("CURRENT_TIMESTAMP"),
            (DefaultValue::CurrentTimestamp, L::TimestampTz) => {
                fixed("(strftime('%Y-%m-%d %H:%M:%SZ', 'now'))")
            }
            (DefaultValue::CurrentTimestamp | DefaultValue::CurrentDate, L::Date) => fixed("CURRENT_DATE"),
            (DefaultValue::CurrentDate, L::Timestamp) => fixed("(CURRENT_DATE || ' 00:00:00')"),
            (DefaultValue::CurrentTime, L::Time) => fixed("CURRENT_TIME"),
            (DefaultValue::CurrentTime, L::TimeTz) => fixed("(CURRENT_TIME || '+00:00')"),
            (DefaultValue::NewUuid, L::Uuid | L::Text) => fixed(NEW_UUID),
            _ => None,
        }
    }

    fn create_schema(&self, _schema: &str) -> Option<String> {
        None
    }

    fn create_sequence(&self, _sequence: &Sequence) -> Option<Statement> {
        None
    }

    fn create_table(&self, table: &TableDefinition) -> Statement {
        let counted = counted(table);
        let mut parts: Vec<String> =
            table.columns.iter().map(|column| self.column(column, counted == Some(&column.name))).collect();
        if let Some(key) = table.primary_key.as_ref().filter(|_| counted.is_none()) {
            parts.push(self.key("PRIMARY KEY", key));
        }
        parts.extend(table.unique.iter().map(|key| self.key("UNIQUE", key)));
        parts.extend(table.foreign_keys.iter().map(|key| self.foreign_key(key)));
        Statement::new(
            format!("create table {}", table.name),
            format!("CREATE TABLE {} ({})", self.qualify(&table.name), parts.join(", ")),
        )
    }

    fn complete(&self, table: &TableDefinition, phase: Phase) -> Vec<Statement> {
        match phase {
            Phase::Keys | Phase::ForeignKeys => Vec::new(),
            Phase::Indexes => table.indexes.iter().map(|index| self.index(&table.name, index)).collect(),
            Phase::Validate if table.foreign_keys.is_empty() => Vec::new(),
            Phase::Validate => vec![Statement::new(
                format!("check the foreign keys of {}", table.name),
                format!("PRAGMA foreign_key_check({})", self.quote(&table.name.name)),
            )],
            Phase::Counters => self.counters(table),
        }
    }

    /// All spellings of a moment are in UTC and have 19 characters before the fraction.
    fn bucket_start(&self, column: &str, bucket: TimeBucket) -> String {
        let second = format!("substr({column}, 1, 19)");
        let start = match bucket {
            TimeBucket::Hour => format!("strftime('%Y-%m-%d %H:00:00', {second})"),
            TimeBucket::Day => format!("date({second})"),
            // On to Sunday, unless it is one, and back to Monday.
            TimeBucket::Week => format!("date({second}, 'weekday 0', '-6 days')"),
            TimeBucket::Month => format!("date({second}, 'start of month')"),
        };
        format!("unixepoch({start}) * 1000000")
    }

    /// `length` ends at U+0000. As JSON the text has none: there the escapes are taken off, `\\` and `\"` (one character too many), `\n` and
    /// its like (one), and `\u0000` and its like (five).
    fn characters(&self, column: &str) -> String {
        let rest = format!(r#"replace(replace(json_quote({column}), '\\', '-'), '\"', '-')"#);
        let escapes = format!(r"(length({rest}) - length(replace({rest}, '\', '')))");
        let long = format!(r"(length({rest}) - length(replace({rest}, '\u', ''))) * 2");
        format!(
            "CASE WHEN instr(CAST({column} AS BLOB), x'00') = 0 THEN length({column}) \
             ELSE length({rest}) - 2 - {escapes} - {long} END"
        )
    }

    /// Bytes: a character has four at most.
    fn beginning(&self, column: &str, characters: usize) -> String {
        format!("substr(CAST({column} AS BLOB), 1, {})", 4 * characters)
    }
}

/// The column that SQLite itself counts up: an integer that is the whole primary key.
fn counted(table: &TableDefinition) -> Option<&String> {
    let [name] = table.primary_key.as_ref()?.columns.as_slice() else { return None };
    let column = table.columns.iter().find(|column| column.name == *name)?;
    let integer = matches!(column.logical, LogicalType::Int16 | LogicalType::Int32 | LogicalType::Int64);
    (integer && column.identity.is_some()).then_some(name)
}

impl SqliteDialect {
    fn column(&self, column: &ColumnDefinition, counted: bool) -> String {
        let name = self.quote(&column.name);
        if counted {
            // Exactly INTEGER: another spelling would not be an alias of the rowid. AUTOINCREMENT never gives out a
            // number again, as sequences don't.
            return format!("{name} INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL");
        }
        let mut sql = format!("{name} {}", column.type_on(Engine::Sqlite));
        if !column.nullable {
            sql.push_str(" NOT NULL");
        }
        if let Some(default) = &column.default {
            sql.push_str(" DEFAULT ");
            sql.push_str(default);
        }
        if let Some(expression) = &column.generated {
            sql.push_str(&format!(" GENERATED ALWAYS AS ({expression}) STORED"));
        }
        if let Some(labels) = &column.labels {
            sql.push_str(&format!(" {}", labels.check(&name)));
        }
        sql
    }

    fn list(&self, columns: &[String]) -> String {
        columns.iter().map(|column| self.quote(column)).collect::<Vec<_>>().join(", ")
    }

    fn named(&self, name: Option<&String>) -> String {
        name.map_or_else(String::new, |name| format!("CONSTRAINT {} ", self.quote(name)))
    }

    fn key(&self, kind: &str, key: &Key) -> String {
        format!("{}{kind} ({})", self.named(key.name.as_ref()), self.list(&key.columns))
    }

    fn foreign_key(&self, key: &ForeignKey) -> String {
        let mut sql = format!(
            "{}FOREIGN KEY ({}) REFERENCES {} ({})",
            self.named(key.name.as_ref()),
            self.list(&key.columns),
            self.quote(&key.referenced.name),
            self.list(&key.referenced_columns)
        );
        for (event, action) in [("DELETE", key.on_delete), ("UPDATE", key.on_update)] {
            if action != ReferentialAction::NoAction {
                sql.push_str(&format!(" ON {event} {}", action.sql()));
            }
        }
        if key.deferred {
            sql.push_str(" DEFERRABLE INITIALLY DEFERRED");
        }
        sql
    }

    fn index(&self, table: &TableName, index: &Index) -> Statement {
        let columns = index.columns.iter().map(|column| {
            format!("{}{}", self.quote(&column.name), if column.descending { " DESC" } else { "" })
        });
        Statement::new(
            format!("index {} of {table}", index.name),
            format!(
                "CREATE {}INDEX {} ON {} ({})",
                if index.unique { "UNIQUE " } else { "" },
                self.qualify(&TableName::new(&table.schema, &index.name)),
                self.quote(&table.name),
                columns.collect::<Vec<_>>().join(", ")
            ),
        )
    }

    /// `sqlite_sequence` has the last number given out, in a row that exists once a row was inserted. It has no key, so
    /// that an upsert takes two statements; both may be run again.
    fn counters(&self, table: &TableDefinition) -> Vec<Statement> {
        let counted = counted(table);
        let next = table.columns.iter().find(|column| Some(&column.name) == counted).and_then(|c| c.identity);
        let Some(next) = next else { return Vec::new() };
        let name = literal(&table.name.name);
        let last = next.saturating_sub(1);
        vec![
            Statement::new(
                format!("counter row of {}", table.name),
                format!(
                    "INSERT INTO sqlite_sequence (name, seq) SELECT {name}, {last} \
                     WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = {name})"
                ),
            ),
            Statement::new(
                format!("counter of {}", table.name),
                format!("UPDATE sqlite_sequence SET seq = max(seq, {last}) WHERE name = {name}"),
            ),
        ]
    }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A number as the default of a column, in the form that its type is kept in.
fn number_sql(number: &str, logical: &LogicalType) -> Option<String> {
    use LogicalType as L;
    let exact = decimal::canonical(number)?;
    match logical {
        L::Bool => matches!(&*exact, "0" | "1").then(|| exact.into_owned()),
        L::Int16 | L::Int32 | L::Int64 => exact.parse::<i64>().ok().map(|number| number.to_string()),
        L::Float32 | L::Float64 => decimal::digits(&exact).map(|_| number.trim().to_owned()),
        L::Decimal { .. } | L::Numeric => Some(literal(&exact)),
        L::Text | L::Json => Some(literal(number)),
        _ => None,
    }
}

/// A text as the default of a column, in the form that its type is kept in; `None` if it is no value of the type.
fn text_sql(text: &str, logical: &LogicalType) -> Option<String> {
    use LogicalType as L;
    // SQL text ends at U+0000.
    if text.contains('\0') {
        return None;
    }
    let value = match logical {
        L::Text => return Some(literal(text)),
        L::Json => return trimaran_core::json::check(text.as_bytes()).ok().map(|()| literal(text)),
        L::Bool | L::Int16 | L::Int32 | L::Int64 | L::Float32 | L::Float64 => {
            return number_sql(text, logical);
        }
        L::Decimal { .. } | L::Numeric => Value::Decimal(decimal::canonical(text)?),
        L::Uuid => Value::Uuid(temporal::parse_uuid(text.as_bytes())?),
        L::Date => Value::Date(temporal::parse_date(text)?),
        L::Time => Value::Time(temporal::parse_time(text)?),
        L::Timestamp => match temporal::parse_timestamp(text)? {
            moment if moment.offset.is_none() => Value::Timestamp(moment.local),
            _ => return None,
        },
        L::TimestampTz => match temporal::parse_timestamp(text)? {
            moment if moment.offset.is_some() => Value::TimestampTz(moment.utc()),
            _ => return None,
        },
        _ => return None,
    };
    match storage::to_stored(logical, &value) {
        Ok(Value::Text(stored)) => std::str::from_utf8(&stored).ok().map(literal),
        _ => None,
    }
}
