//! Names, types and data definition in each engine's SQL, and the few expressions of queries that engines spell differently.

use trimaran_core::model::conversation::analytics::TimeBucket;
use trimaran_core::{Engine, Error, ErrorKind, LogicalType, Result};

use crate::catalog::{DefaultValue, ForeignKey, Index, Key, Sequence, TableName};

/// How an engine spells SQL. Implementations hold no state.
pub trait Dialect: Send + Sync {
    /// The engine.
    fn engine(&self) -> Engine;

    /// A name in quotes, exactly as given.
    fn quote(&self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    /// A table's name, with its schema, in quotes.
    fn qualify(&self, table: &TableName) -> String {
        format!("{}.{}", self.quote(&table.schema), self.quote(&table.name))
    }

    /// The longest name in bytes that the engine keeps whole.
    fn max_name_bytes(&self) -> usize;

    /// The schema that tables go to where none is said.
    fn default_schema(&self) -> &'static str;

    /// A default's SQL for a column of type `logical`; `None` if this engine can't say it.
    fn default_sql(&self, default: &DefaultValue, logical: &LogicalType) -> Option<String>;

    /// Whether tables can be completed ([`complete`](Self::complete)) and read while rows are written to others, each by a session of
    /// its own, and none waits long for another.
    fn bears_side_by_side(&self) -> bool {
        false
    }

    /// The statement that lets the planner know a table which was just filled, where nothing else does so soon.
    fn take_statistics(&self, table: &TableName) -> Option<String> {
        let _ = table;
        None
    }

    /// The statement that makes a schema exist, where the engine has schemas.
    fn create_schema(&self, schema: &str) -> Option<String>;

    /// The statements that must run before the tables exist (sequences that defaults draw from).
    fn create_sequence(&self, sequence: &Sequence) -> Option<Statement>;

    /// The statement that makes an enum type, where the engine has such. Columns have it by [`Labels::enum_type`].
    fn create_enum(&self, _name: &TableName, _labels: &[String]) -> Option<Statement> {
        None
    }

    /// The statement that creates a table, with whatever keys this engine can only declare at creation.
    fn create_table(&self, table: &TableDefinition) -> Statement;

    /// The statements that remove a table that [`create_table`](Self::create_table) made, and whatever it made with it.
    fn drop_table(&self, table: &TableDefinition) -> Vec<String> {
        vec![format!("DROP TABLE IF EXISTS {}", self.qualify(&table.name))]
    }

    /// What completes a loaded table in `phase`: each statement is a step of its own.
    fn complete(&self, table: &TableDefinition, phase: Phase) -> Vec<Statement>;

    /// When the stretch of time began, in UTC, that a moment in `column` is in: as microseconds since 1970, a 64-bit integer. The column
    /// is as repositories keep it.
    fn bucket_start(&self, column: &str, bucket: TimeBucket) -> String;

    /// How many characters (Unicode scalar values) the text in `column` has, which is kept by the text codec: a 64-bit integer.
    fn characters(&self, column: &str) -> String;

    /// The beginning of the text in `column`, as it is kept: so much that it has `characters` characters when it is decoded, or more, the
    /// last of which may be cut apart. Text, or, where the engine's functions on text end at U+0000, bytes.
    fn beginning(&self, column: &str, characters: usize) -> String;
}

/// The dialect of an engine.
///
/// # Errors
/// [`ErrorKind::Unsupported`] if this build lacks the engine.
pub fn of(engine: Engine) -> Result<&'static dyn Dialect> {
    match engine {
        #[cfg(feature = "postgres")]
        Engine::Postgres => Ok(&crate::postgres::dialect::DIALECT),
        #[cfg(feature = "sqlite")]
        Engine::Sqlite => Ok(&crate::sqlite::dialect::DIALECT),
        #[cfg(feature = "duckdb")]
        Engine::Duckdb => Ok(&crate::duckdb::dialect::DIALECT),
        #[allow(unreachable_patterns, reason = "of an engine that is not in this build")]
        other => Err(Error::new(ErrorKind::Unsupported, format!("write SQL for {other}"))
            .context("this build of the program lacks it")
            .hint("build it with the engine's feature")),
    }
}

/// A statement and what it does, for journals and progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// A stable name, unique within a migration: `create table X`, `primary key of X`.
    pub step: String,
    /// The SQL.
    pub sql: String,
    /// SQL with the same outcome, for where the engine refuses the first as it stands: a name that it gives is taken, or a table is of a
    /// kind that it does not go for.
    pub otherwise: Option<String>,
}

impl Statement {
    /// A statement.
    pub fn new(step: impl Into<String>, sql: impl Into<String>) -> Self {
        Self { step: step.into(), sql: sql.into(), otherwise: None }
    }

    /// The statement, with another way to the same outcome.
    pub fn or(self, sql: impl Into<String>) -> Self {
        Self { otherwise: Some(sql.into()), ..self }
    }
}

/// The order in which loaded tables are completed: each phase is done for all tables before the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Primary keys and unique constraints.
    Keys,
    /// Indexes.
    Indexes,
    /// Foreign keys, not yet checked where the engine can put that off.
    ForeignKeys,
    /// Foreign keys checked against the rows.
    Validate,
    /// Counters set to their next value.
    Counters,
}

impl Phase {
    /// All phases in order.
    pub const ALL: [Phase; 5] =
        [Phase::Keys, Phase::Indexes, Phase::ForeignKeys, Phase::Validate, Phase::Counters];
}

/// A table to be created on a target.
#[derive(Debug, Clone)]
pub struct TableDefinition {
    /// Its name.
    pub name: TableName,
    /// Its columns in order.
    pub columns: Vec<ColumnDefinition>,
    /// Its primary key.
    pub primary_key: Option<Key>,
    /// Its unique constraints.
    pub unique: Vec<Key>,
    /// Its foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
    /// Its indexes.
    pub indexes: Vec<Index>,
}

/// A column to be created on a target.
#[derive(Debug, Clone)]
pub struct ColumnDefinition {
    /// Its name.
    pub name: String,
    /// Its type.
    pub logical: LogicalType,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// Its default, in this engine's SQL already (see [`Dialect::default_sql`]).
    pub default: Option<String>,
    /// Whether the engine shall count it up. The next value is one more than the greatest, and at least `next`.
    pub identity: Option<i64>,
    /// The expression that the engine shall compute it by, in its SQL already.
    pub generated: Option<String>,
    /// The texts that it may hold, where those are listed.
    pub labels: Option<Labels>,
    /// The type in this engine's own words, where it is another than the one for `logical`.
    pub declared: Option<String>,
}

impl ColumnDefinition {
    /// The type as `engine` is told it.
    pub fn type_on(&self, engine: Engine) -> String {
        self.declared.clone().unwrap_or_else(|| self.logical.stored_as(engine))
    }
}

/// The texts that a column may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// They, in order.
    pub values: Vec<String>,
    /// The enum type that the column is to have; without one it is text under a check.
    pub enum_type: Option<TableName>,
}

impl Labels {
    /// The check that holds a column, already in quotes, to them: SQL that all engines read.
    pub fn check(&self, column: &str) -> String {
        let literal = |label: &String| format!("'{}'", label.replace('\'', "''"));
        format!("CHECK ({column} IN ({}))", self.values.iter().map(literal).collect::<Vec<_>>().join(", "))
    }
}
