//! How each engine keeps each logical type, and what it can't hold: one table, which the documentation's page is made
//! from (`docs/types.md`) and which the engines' tests hold to the truth.

use super::LogicalType as L;
use crate::Engine;

/// What becomes of the values of a type on an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exactness {
    /// Each value that is taken is read back the same, and the catalogue knows the type again.
    Exact,
    /// Each value that is taken says the same when it is read back, but something of the type is lost.
    Lossy {
        /// What the engine's catalogue takes the column for.
        becomes: L,
        /// What is lost.
        what: &'static str,
    },
    /// There can be no such column.
    Impossible,
}

/// How an engine keeps a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keeping {
    /// What becomes of its values.
    pub exactness: Exactness,
    /// Values that are refused, for the engine could not give them back; empty where there are none.
    pub refused: &'static str,
}

/// A row of the table: a type, and how Postgres, SQLite and DuckDB keep it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The type. A DECIMAL and a list stand for all of their kind.
    pub logical: L,
    /// How Postgres keeps it.
    pub postgres: Keeping,
    /// How SQLite keeps it.
    pub sqlite: Keeping,
    /// How DuckDB keeps it.
    pub duckdb: Keeping,
}

impl Row {
    /// How `engine` keeps the type.
    pub fn on(&self, engine: Engine) -> &Keeping {
        match engine {
            Engine::Postgres => &self.postgres,
            Engine::Sqlite => &self.sqlite,
            Engine::Duckdb => &self.duckdb,
        }
    }
}

const fn exact() -> Keeping {
    but("")
}

const fn but(refused: &'static str) -> Keeping {
    Keeping { exactness: Exactness::Exact, refused }
}

fn lossy(becomes: L, what: &'static str) -> Keeping {
    Keeping { exactness: Exactness::Lossy { becomes, what }, refused: "" }
}

const NOT_UTF8: &str = "what is no UTF-8";
const DIGITS: &str = "that it is a number: it is the text of its digits";
const WIDTH: &str = "its width: it is read as bigint";
const POSTGRES_DAYS: &str = "before 4714-11-24 BC, after 5874897-12-31";
const POSTGRES_MOMENTS: &str = "before 4714-11-24 BC";
const DUCKDB_MOMENTS: &str = "before 290309-12-22 BC";
const OFFSETS: &str = "offsets of 16 hours and more";

/// The table.
pub fn table() -> Vec<Row> {
    let row = |logical, postgres, sqlite, duckdb| Row { logical, postgres, sqlite, duckdb };
    let list = |element| L::List(Box::new(element));
    vec![
        row(L::Bool, exact(), exact(), exact()),
        row(L::Int16, exact(), lossy(L::Int64, WIDTH), exact()),
        row(L::Int32, exact(), lossy(L::Int64, WIDTH), exact()),
        row(L::Int64, exact(), exact(), exact()),
        row(
            L::Float32,
            exact(),
            Keeping {
                refused: "NaN, −0.0",
                ..lossy(L::Float64, "its width: it is read as double precision")
            },
            exact(),
        ),
        row(L::Float64, exact(), but("NaN, −0.0"), exact()),
        row(
            L::Decimal { precision: 38, scale: 10 },
            but("the infinities"),
            exact(),
            but("NaN, the infinities"),
        ),
        row(L::Decimal { precision: 39, scale: 0 }, but("the infinities"), exact(), lossy(L::Text, DIGITS)),
        row(
            L::Decimal { precision: 1001, scale: 0 },
            Keeping { exactness: Exactness::Impossible, refused: "" },
            exact(),
            lossy(L::Text, DIGITS),
        ),
        row(
            L::Numeric,
            but("more than 131,072 digits before the point, more than 16,383 behind it"),
            exact(),
            lossy(L::Text, DIGITS),
        ),
        row(L::Text, but("U+0000, what is no UTF-8"), exact(), but(NOT_UTF8)),
        row(L::Bytes, exact(), exact(), exact()),
        row(L::Json, but("U+0000, what is no UTF-8"), exact(), but(NOT_UTF8)),
        row(L::Uuid, exact(), exact(), exact()),
        row(L::Date, but(POSTGRES_DAYS), exact(), but("5877642-06-24 BC")),
        row(L::Time, exact(), exact(), exact()),
        row(L::TimeTz, but(OFFSETS), but(OFFSETS), but(OFFSETS)),
        row(L::Timestamp, but(POSTGRES_MOMENTS), exact(), but(DUCKDB_MOMENTS)),
        row(L::TimestampTz, but(POSTGRES_MOMENTS), exact(), but(DUCKDB_MOMENTS)),
        row(L::Interval, exact(), exact(), exact()),
        row(L::Bits, exact(), exact(), but("a string of no bits")),
        row(list(L::Int32), exact(), exact(), exact()),
        row(list(L::Float64), exact(), exact(), exact()),
        row(list(L::Text), but("U+0000, what is no UTF-8"), but(NOT_UTF8), but(NOT_UTF8)),
        row(
            list(list(L::Int32)),
            Keeping {
                refused: "lists of different lengths, an empty or NULL list in a list",
                ..lossy(list(L::Int32), "how deep the declaration is: it says integer[]")
            },
            exact(),
            exact(),
        ),
    ]
}

/// The types of DuckDB and SQLite, as declared there, what they mean, and what a move loses; nothing where that is empty.
pub const SOURCES: [(Engine, &str, &str, &str); 52] = {
    const LABELS: &str = "nothing with `--enums check` or `type`; the list of labels with `--enums text`";
    const OBJECT: &str = "the types of its members; DECIMAL and JSON in it are JSON strings of their text";
    const FINER: &str = "nothing; finer than microseconds is the hazard `inexact`";
    const UNITS: &str = "nothing; the unit is found from the values";
    const D: Engine = Engine::Duckdb;
    const S: Engine = Engine::Sqlite;
    [
        (D, "BOOLEAN", "boolean", ""),
        (D, "TINYINT", "smallint", "the narrower range"),
        (D, "SMALLINT", "smallint", ""),
        (D, "INTEGER", "integer", ""),
        (D, "BIGINT", "bigint", ""),
        (D, "HUGEINT", "numeric(39,0)", "the narrower range"),
        (D, "UTINYINT", "smallint", "the narrower range"),
        (D, "USMALLINT", "integer", "the narrower range"),
        (D, "UINTEGER", "bigint", "the narrower range"),
        (D, "UBIGINT", "numeric(20,0)", "the narrower range"),
        (D, "UHUGEINT", "numeric(39,0)", "the narrower range"),
        (D, "BIGNUM", "numeric", ""),
        (D, "FLOAT", "real", ""),
        (D, "DOUBLE", "double precision", ""),
        (D, "DECIMAL(38,10)", "numeric(38,10)", ""),
        (D, "VARCHAR", "text", ""),
        (D, "BLOB", "bytea", ""),
        (D, "BIT", "bit varying", ""),
        (D, "UUID", "uuid", ""),
        (D, "JSON", "json", ""),
        (D, "DATE", "date", ""),
        (D, "TIME", "time", ""),
        (D, "TIME WITH TIME ZONE", "time with time zone", ""),
        (D, "TIMESTAMP", "timestamp", ""),
        (D, "TIMESTAMP_S", "timestamp", "the coarser unit"),
        (D, "TIMESTAMP_MS", "timestamp", "the coarser unit"),
        (D, "TIMESTAMP_NS", "timestamp", FINER),
        (D, "TIMESTAMP WITH TIME ZONE", "timestamp with time zone", ""),
        (D, "INTERVAL", "interval", ""),
        (D, "ENUM('low', 'high')", "text", LABELS),
        (D, "INTEGER[]", "integer[]", ""),
        (D, "INTEGER[3]", "integer[]", "the length"),
        (
            D,
            "INTEGER[][]",
            "integer[][]",
            "nothing, for it is `json`; arrays with `--nested arrays`, if they are regular",
        ),
        (D, "STRUCT(a INTEGER)", "json", OBJECT),
        (D, "MAP(VARCHAR, INTEGER)", "json", OBJECT),
        (D, "UNION(i INTEGER, s VARCHAR)", "json", OBJECT),
        (S, "INTEGER", "bigint", ""),
        (S, "REAL", "double precision", ""),
        (S, "TEXT", "text", ""),
        (S, "BLOB", "bytea", ""),
        (S, "VARCHAR(10)", "text", "the length, which SQLite does not hold to"),
        (S, "NUMERIC", "numeric", ""),
        (S, "DECIMAL(10,2)", "numeric", "the digits, which SQLite does not hold to"),
        (S, "BOOLEAN", "boolean", ""),
        (S, "DATE", "date", ""),
        (S, "TIME", "time", ""),
        (S, "DATETIME", "timestamp", UNITS),
        (S, "TIMESTAMPTZ", "timestamp with time zone", ""),
        (S, "JSON", "json", ""),
        (S, "UUID", "uuid", "in which of its three forms it was kept"),
        (S, "BINARY(16)", "uuid", "that it was bytes"),
        (S, "CHAR(36)", "uuid", "upper and lower case"),
    ]
};

/// The documentation's page.
pub fn page() -> String {
    let mut page = "# Types\n\nMade from the program's own table by the test suite, which holds the three engines to it: \
        don't edit it.\n\n## How each engine keeps each type\n\n*exact*: each value is read back the same. *lossy*: the values are, and \
        something of the type is lost. *not*: what is refused, for the engine could not give it back; a move reports it as a hazard \
        before anything is written.\n\n| type | Postgres | SQLite | DuckDB |\n|---|---|---|---|\n"
        .to_owned();
    for row in table() {
        page.push_str(&format!("| {} |", row.logical));
        for engine in Engine::ALL {
            page.push_str(&format!(" {} |", cell(&row, engine)));
        }
        page.push('\n');
    }
    page.push_str(
        "\n`numeric(38,10)` stands for up to 38 digits, `numeric(39,0)` for up to 1,000, `numeric(1001,0)` for more; `integer[]` for \
         lists of any scalar type.\n\n## What a type of a source becomes\n\nOn Postgres; on the other two whatever the table above says of \
         that type. Of a SQLite column the values have a say: see [Migrate](migrate.md).\n\n| source | declared | becomes | what is lost |\n\
         |---|---|---|---|\n",
    );
    for (engine, declared, becomes, lost) in SOURCES {
        let lost = if lost.is_empty() { "nothing" } else { lost };
        page.push_str(&format!("| {engine} | {} | {becomes} | {lost} |\n", declared.replace('|', "\\|")));
    }
    page.push_str("\nVARIANT, GEOMETRY and TIME_NS of DuckDB do not move, nor does a nested type that holds one, and are reported.\n");
    page
}

fn cell(row: &Row, engine: Engine) -> String {
    let keeping = row.on(engine);
    let stored = row.logical.stored_as(engine);
    let mut text = match &keeping.exactness {
        Exactness::Exact => format!("{stored}: exact"),
        Exactness::Lossy { what, .. } => format!("{stored}: lossy, {what}"),
        Exactness::Impossible => return "impossible".to_owned(),
    };
    if !keeping.refused.is_empty() {
        text.push_str(&format!("; not {}", keeping.refused));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::SPELLINGS;

    #[test]
    fn every_logical_type_is_in_the_table_once() {
        let table = table();
        for (logical, ..) in SPELLINGS {
            assert_eq!(table.iter().filter(|row| row.logical == logical).count(), 1, "{logical:?}");
        }
        for (_, declared, becomes, _) in SOURCES {
            assert!(L::parse(becomes).is_some(), "{declared}");
        }
    }

    /// The documentation's page is the program's: `TRIMARAN_UPDATE_DOCS=1 cargo test -p trimaran-core types` writes it anew.
    #[test]
    fn the_page_of_types_in_the_documentation_is_up_to_date() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/types.md");
        if std::env::var_os("TRIMARAN_UPDATE_DOCS").is_some() {
            std::fs::write(&path, page()).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == page(),
            "docs/types.md is stale: run this test with TRIMARAN_UPDATE_DOCS=1, commit the file"
        );
    }
}
