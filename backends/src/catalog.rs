//! What a database holds, in one vocabulary for all engines.
//!
//! An engine's `catalog` file fills a [`Catalog`] with everything it finds. What has no place in this vocabulary goes
//! into [`Catalog::unmovable`] by name, so that nothing is ever dropped silently.

use std::fmt;

use serde::{Deserialize, Serialize};
use trimaran_core::{Engine, LogicalType};

/// A schema and a name in it. SQLite's schema is `main`, DuckDB's default is `main`, Postgres' is `public`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TableName {
    /// The schema, exactly as the engine keeps it.
    pub schema: String,
    /// The name, exactly as the engine keeps it.
    pub name: String,
}

impl TableName {
    /// A name in a schema.
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self { schema: schema.into(), name: name.into() }
    }
}

impl fmt::Display for TableName {
    /// For people: the schema is left out where it is an engine's default.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.schema.as_str() {
            "main" | "public" => f.write_str(&self.name),
            schema => write!(f, "{schema}.{}", self.name),
        }
    }
}

/// All that one database (or one schema of it) holds.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// The engine.
    pub engine: Engine,
    /// The engine's version, as it reports it.
    pub version: String,
    /// Ordinary tables, sorted by name.
    pub tables: Vec<Table>,
    /// Sequences that are objects of their own.
    pub sequences: Vec<Sequence>,
    /// Everything else, by name.
    pub unmovable: Vec<Unmovable>,
}

/// A table.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name.
    pub name: TableName,
    /// Its columns in order, generated ones included.
    pub columns: Vec<Column>,
    /// Its primary key.
    pub primary_key: Option<Key>,
    /// Its unique constraints (a unique index is an [`Index`]).
    pub unique: Vec<Key>,
    /// Its foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
    /// Its indexes, those behind constraints left out.
    pub indexes: Vec<Index>,
    /// The number of rows where the engine knows it for nothing; an estimate.
    pub estimated_rows: Option<u64>,
}

impl Table {
    /// The column called `name`.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }
}

/// A column.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type in the engine's own words (`VARCHAR(36)`, `FLOAT[]`, empty in SQLite where none was declared).
    pub declared: String,
    /// What its values mean going by the declaration; `None` where Trimaran has no such type.
    pub logical: Option<LogicalType>,
    /// Whether NULL is allowed. A primary-key column of SQLite allows NULL unless declared NOT NULL or an alias of
    /// the rowid.
    pub nullable: bool,
    /// Its default.
    pub default: Option<DefaultValue>,
    /// Whether the engine gives out its values by counting (identity, serial, INTEGER PRIMARY KEY). Holds the next
    /// value where the engine remembers it (`None`: one more than the greatest).
    pub identity: Option<Identity>,
    /// The expression of a generated column.
    pub generated: Option<String>,
}

/// How an engine counts up a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The next value to be given out, where the engine remembers it.
    pub next: Option<i64>,
}

/// The default of a column, parsed so that another engine's dialect can spell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefaultValue {
    /// NULL, which is the same as none.
    Null,
    /// A number, exactly as written (`0`, `-1.5`).
    Number(String),
    /// A text literal, unquoted.
    Text(String),
    /// TRUE or FALSE.
    Bool(bool),
    /// The current date and time, in UTC.
    CurrentTimestamp,
    /// The current date.
    CurrentDate,
    /// The current time.
    CurrentTime,
    /// A new random UUID.
    NewUuid,
    /// The next value of a sequence.
    NextValue(TableName),
    /// An expression that no other engine can be trusted to read the same way, as written.
    Expression(String),
}

/// A primary key or a unique constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its name, where it was given one.
    pub name: Option<String>,
    /// Its columns in order.
    pub columns: Vec<String>,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// Its name, where it was given one.
    pub name: Option<String>,
    /// The columns that refer.
    pub columns: Vec<String>,
    /// The table referred to.
    pub referenced: TableName,
    /// The columns referred to, in the same order; always filled in (a missing list means the primary key).
    pub referenced_columns: Vec<String>,
    /// What happens on delete.
    pub on_delete: ReferentialAction,
    /// What happens on update.
    pub on_update: ReferentialAction,
    /// Whether it is checked at commit and not before (`DEFERRABLE INITIALLY DEFERRED`).
    pub deferred: bool,
}

/// What a foreign key does when the row referred to is deleted or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReferentialAction {
    /// Refuse, at the end of the statement.
    #[default]
    NoAction,
    /// Refuse at once.
    Restrict,
    /// Delete or change with it.
    Cascade,
    /// Set the columns to NULL.
    SetNull,
    /// Set the columns to their defaults.
    SetDefault,
}

impl ReferentialAction {
    /// The action of an SQL name, in any case.
    pub fn parse(sql: &str) -> Option<Self> {
        Some(match sql.to_ascii_uppercase().as_str() {
            "NO ACTION" | "" => Self::NoAction,
            "RESTRICT" => Self::Restrict,
            "CASCADE" => Self::Cascade,
            "SET NULL" => Self::SetNull,
            "SET DEFAULT" => Self::SetDefault,
            _ => return None,
        })
    }

    /// Its SQL name.
    pub const fn sql(self) -> &'static str {
        match self {
            Self::NoAction => "NO ACTION",
            Self::Restrict => "RESTRICT",
            Self::Cascade => "CASCADE",
            Self::SetNull => "SET NULL",
            Self::SetDefault => "SET DEFAULT",
        }
    }
}

/// An index on plain columns. Anything else (an expression, a predicate, a collation) is unmovable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Whether it is unique.
    pub unique: bool,
    /// Its columns in order.
    pub columns: Vec<IndexColumn>,
}

/// A column of an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexColumn {
    /// The column.
    pub name: String,
    /// Whether it is sorted downward.
    pub descending: bool,
}

/// A sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// Its name.
    pub name: TableName,
    /// The first value.
    pub start: i64,
    /// The step.
    pub increment: i64,
    /// The least value.
    pub min: i64,
    /// The greatest value.
    pub max: i64,
    /// Whether it starts again at its end.
    pub cycle: bool,
    /// The next value it gives out; `start` for one never used.
    pub next: i64,
}

/// Something that does not move, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmovable {
    /// What it is: `view`, `trigger`, `generated column`, `index`, `check constraint`, `virtual table`, …
    pub kind: String,
    /// Its name; a part of a table is written `table.part`.
    pub name: String,
    /// Why it does not move, and what to do about it.
    pub reason: String,
    /// The statement that made it, in the engine's own SQL, where a plan can do something with that. Not part of a report.
    #[serde(skip)]
    pub sql: Option<String>,
}

impl Unmovable {
    /// Something that does not move.
    pub fn new(kind: impl Into<String>, name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { kind: kind.into(), name: name.into(), reason: reason.into(), sql: None }
    }

    /// The same, with the statement that made it.
    pub fn with_sql(self, sql: impl Into<String>) -> Self {
        Self { sql: Some(sql.into()), ..self }
    }
}

/// Parses a default's SQL where it is a literal or a well-known function, in the words that SQLite, DuckDB and Postgres
/// share: a trailing `::type`, an enclosing `CAST(… AS type)` and enclosing parentheses are looked through.
pub fn parse_default(sql: &str) -> DefaultValue {
    let text = strip(sql.trim());
    let upper = text.to_ascii_uppercase();
    match upper.as_str() {
        "NULL" => return DefaultValue::Null,
        "TRUE" => return DefaultValue::Bool(true),
        "FALSE" => return DefaultValue::Bool(false),
        "CURRENT_TIMESTAMP"
        | "NOW()"
        | "GET_CURRENT_TIMESTAMP()"
        | "LOCALTIMESTAMP"
        | "CURRENT_TIMESTAMP()"
        | "CURRENT_LOCALTIMESTAMP()" => return DefaultValue::CurrentTimestamp,
        "CURRENT_DATE" | "CURRENT_DATE()" | "TODAY()" => return DefaultValue::CurrentDate,
        "CURRENT_TIME" | "LOCALTIME" | "CURRENT_TIME()" | "GET_CURRENT_TIME()" => {
            return DefaultValue::CurrentTime;
        }
        "UUID()" | "GEN_RANDOM_UUID()" => return DefaultValue::NewUuid,
        _ => {}
    }
    if let Some(literal) = text_literal(text) {
        return match literal.to_ascii_lowercase().as_str() {
            // DuckDB keeps the defaults true and false as CAST('t' AS BOOLEAN).
            "t" | "true" if upper_type(sql) == Some("BOOLEAN") => DefaultValue::Bool(true),
            "f" | "false" if upper_type(sql) == Some("BOOLEAN") => DefaultValue::Bool(false),
            _ => DefaultValue::Text(literal),
        };
    }
    if text.parse::<f64>().is_ok() && text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
        return DefaultValue::Number(text.to_owned());
    }
    DefaultValue::Expression(sql.to_owned())
}

/// The contents of a text literal that is the whole of `sql`.
pub fn text_literal(sql: &str) -> Option<String> {
    let inner = sql.strip_prefix('\'')?.strip_suffix('\'')?;
    let unescaped = inner.replace("''", "\u{0}");
    (!unescaped.contains('\'')).then(|| unescaped.replace('\u{0}', "'"))
}

/// Looks through parentheses, `CAST(x AS type)` and `x::type`.
fn strip(sql: &str) -> &str {
    let upper = sql.to_ascii_uppercase();
    if let Some(inner) = sql.strip_prefix('(').and_then(|s| s.strip_suffix(')'))
        && balanced(inner)
    {
        return strip(inner.trim());
    }
    if upper.starts_with("CAST(")
        && sql.ends_with(')')
        && let Some(at) = upper.rfind(" AS ")
        && balanced(&sql[5..at])
    {
        return strip(sql[5..at].trim());
    }
    if let Some(at) = sql.rfind("::")
        && !sql[at..].contains('\'')
        && balanced(&sql[..at])
    {
        return strip(sql[..at].trim());
    }
    sql
}

/// The type that an outermost cast names.
fn upper_type(sql: &str) -> Option<&'static str> {
    let upper = sql.to_ascii_uppercase();
    (upper.trim_end_matches(')').ends_with("BOOLEAN") || upper.ends_with("::BOOL")).then_some("BOOLEAN")
}

fn balanced(sql: &str) -> bool {
    let (mut depth, mut quoted) = (0i32, false);
    for byte in sql.bytes() {
        match byte {
            b'\'' => quoted = !quoted,
            b'(' if !quoted => depth += 1,
            b')' if !quoted => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0 && !quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_read_in_every_engines_words() {
        let cases = [
            ("'ready'", DefaultValue::Text("ready".into())),
            ("CAST('ready' AS VARCHAR)", DefaultValue::Text("ready".into())),
            ("'it''s'::character varying", DefaultValue::Text("it's".into())),
            ("CAST('t' AS BOOLEAN)", DefaultValue::Bool(true)),
            ("0", DefaultValue::Number("0".into())),
            ("(-1.5)", DefaultValue::Number("-1.5".into())),
            ("CURRENT_TIMESTAMP", DefaultValue::CurrentTimestamp),
            ("get_current_timestamp()", DefaultValue::CurrentTimestamp),
            ("CAST(now() AS TIMESTAMP)", DefaultValue::CurrentTimestamp),
            ("gen_random_uuid()", DefaultValue::NewUuid),
            ("NULL", DefaultValue::Null),
            ("1 + 1", DefaultValue::Expression("1 + 1".into())),
            ("'a' || 'b'", DefaultValue::Expression("'a' || 'b'".into())),
            ("nan", DefaultValue::Expression("nan".into())),
            ("(a)(b)", DefaultValue::Expression("(a)(b)".into())),
        ];
        for (sql, expected) in cases {
            assert_eq!(parse_default(sql), expected, "{sql}");
        }
    }
}
