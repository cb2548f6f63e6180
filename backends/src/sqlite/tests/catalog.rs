//! What a file holds, with everything that SQLite can say.

use trimaran_core::LogicalType;

use super::*;
use crate::catalog::{DefaultValue, Identity, IndexColumn, Key, ReferentialAction, Table, TableName};

const SCHEMA: &str = r#"
    CREATE TABLE "Select" (
        "Order" INTEGER PRIMARY KEY AUTOINCREMENT,
        "It's ""x""" VARCHAR(10) NOT NULL DEFAULT 'it''s',
        state TEXT DEFAULT "ready",
        made DATETIME DEFAULT CURRENT_TIMESTAMP,
        amount DECIMAL(10,2) CHECK (amount > 0) CHECK ('CHECK (' <> ''),
        untyped,
        total INTEGER GENERATED ALWAYS AS (amount * 2) STORED,
        CONSTRAINT both UNIQUE (state, made),
        UNIQUE (untyped)
    );
    INSERT INTO "Select" ("Order", "It's ""x""") VALUES (41, 'a');
    DELETE FROM "Select";

    CREATE TABLE node (
        a UUID, b CHAR(36), up_a UUID, up_b CHAR(36), sel INTEGER REFERENCES "sELECT" ON DELETE SET NULL,
        PRIMARY KEY (b, a),
        CONSTRAINT upward FOREIGN KEY (up_b, up_a) REFERENCES Node (B, A) ON UPDATE CASCADE ON DELETE RESTRICT,
        FOREIGN KEY (up_b, up_a) REFERENCES node DEFERRABLE INITIALLY DEFERRED,
        FOREIGN KEY (a) REFERENCES nowhere (id),
        FOREIGN KEY (a) REFERENCES node (missing),
        FOREIGN KEY (a) REFERENCES node
    );
    CREATE TABLE bare (k INTEGER, v TEXT, PRIMARY KEY (k, v)) WITHOUT ROWID;
    CREATE TABLE tight (k TEXT PRIMARY KEY, n INT NOT NULL, x ANY) STRICT;
    CREATE TABLE odd (k INTEGER PRIMARY KEY DESC, s TEXT COLLATE NOCASE UNIQUE ON CONFLICT REPLACE);
    CREATE TABLE plain (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE _trimaran_runs (id);
    CREATE INDEX "By Name" ON plain (name DESC, id);
    CREATE UNIQUE INDEX one_name ON plain (name);
    CREATE UNIQUE INDEX loose ON plain (name COLLATE NOCASE);
    CREATE INDEX some ON plain (name) WHERE id > 5;
    CREATE INDEX computed ON plain (lower(name));
    CREATE VIEW names AS SELECT name FROM plain;
    CREATE TRIGGER touch AFTER INSERT ON plain BEGIN SELECT 1; END;
    CREATE VIRTUAL TABLE search USING fts5(body);
"#;

fn table<'c>(catalog: &'c Catalog, name: &str) -> &'c Table {
    catalog.tables.iter().find(|table| table.name.name == name).unwrap()
}

fn key(name: Option<&str>, columns: &[&str]) -> Key {
    Key { name: name.map(str::to_owned), columns: columns.iter().map(|c| (*c).to_owned()).collect() }
}

#[test]
fn tables_are_read_with_their_columns() {
    let (_folder, _source, catalog) = source_of(SCHEMA);
    let names: Vec<_> = catalog.tables.iter().map(|table| table.name.name.as_str()).collect();
    assert_eq!(names, ["Select", "bare", "node", "odd", "plain", "tight"]);
    assert!(catalog.version.starts_with("3."));
    let select = table(&catalog, "Select");
    let shown: Vec<_> =
        select.columns.iter().map(|c| (c.name.as_str(), c.declared.as_str(), c.nullable)).collect();
    assert_eq!(
        shown,
        [
            ("Order", "INTEGER", false),
            ("It's \"x\"", "VARCHAR(10)", false),
            ("state", "TEXT", true),
            ("made", "DATETIME", true),
            ("amount", "DECIMAL(10,2)", true),
            ("untyped", "", true),
            ("total", "INTEGER", true),
        ]
    );
    let column = |name: &str| select.column(name).unwrap();
    assert_eq!(column("Order").identity, Some(Identity { next: Some(42) }));
    assert_eq!(column("It's \"x\"").default, Some(DefaultValue::Text("it's".into())));
    assert_eq!(column("state").default, Some(DefaultValue::Text("ready".into())));
    assert_eq!(column("made").default, Some(DefaultValue::CurrentTimestamp));
    assert_eq!(column("amount").logical, Some(LogicalType::Numeric));
    assert_eq!(column("untyped").logical, None);
    assert_eq!(column("total").generated.as_deref(), Some("amount * 2"));
    assert_eq!(select.primary_key, Some(key(None, &["Order"])));
    assert_eq!(select.unique, [key(Some("both"), &["state", "made"]), key(None, &["untyped"])]);
}

#[test]
fn a_key_is_null_or_counts_only_where_sqlite_says_so() {
    let (_folder, _source, catalog) = source_of(SCHEMA);
    let column = |name: &str, column: &str| {
        let column = table(&catalog, name).column(column).unwrap();
        (column.nullable, column.identity.clone())
    };
    assert_eq!(column("plain", "id"), (false, Some(Identity { next: None })));
    // INTEGER PRIMARY KEY DESC is no alias of the rowid, and may be NULL.
    assert_eq!(column("odd", "k"), (true, None));
    assert_eq!(column("node", "a"), (true, None));
    assert_eq!(column("bare", "k"), (false, None));
    assert_eq!(column("tight", "k"), (false, None));
    assert_eq!(column("tight", "n"), (false, None));
    assert_eq!(table(&catalog, "node").primary_key, Some(key(None, &["b", "a"])));
}

#[test]
fn foreign_keys_are_resolved_to_real_names() {
    let (_folder, _source, catalog) = source_of(SCHEMA);
    let keys: Vec<_> = table(&catalog, "node")
        .foreign_keys
        .iter()
        .map(|k| {
            (
                k.name.as_deref(),
                k.columns.join(","),
                k.referenced.clone(),
                k.referenced_columns.join(","),
                k.on_delete,
                k.on_update,
            )
        })
        .collect();
    use ReferentialAction as A;
    let node = || TableName::new("main", "node");
    assert_eq!(
        keys,
        [
            (None, "sel".into(), TableName::new("main", "Select"), "Order".into(), A::SetNull, A::NoAction),
            (Some("upward"), "up_b,up_a".into(), node(), "b,a".into(), A::Restrict, A::Cascade),
            (Some("upward"), "up_b,up_a".into(), node(), "b,a".into(), A::NoAction, A::NoAction),
        ]
    );
    let deferred: Vec<_> = table(&catalog, "node").foreign_keys.iter().map(|k| k.deferred).collect();
    assert_eq!(deferred, [false, false, true]);
}

#[test]
fn what_does_not_move_is_named_with_its_reason() {
    let (_folder, _source, catalog) = source_of(SCHEMA);
    let found: Vec<_> = catalog.unmovable.iter().map(|u| (u.kind.as_str(), u.name.as_str())).collect();
    for expected in [
        ("view", "names"),
        ("trigger", "plain.touch"),
        ("virtual table", "search"),
        ("shadow table", "search_content"),
        ("shadow table", "search_data"),
        ("check constraint", "Select"),
        ("conflict clause", "odd"),
        ("collation", "odd.(s)"),
        ("index", "loose"),
        ("index", "some"),
        ("index", "computed"),
        ("foreign key", "node.(a)"),
    ] {
        assert!(found.contains(&expected), "{expected:?} in {found:?}");
    }
    assert_eq!(found.iter().filter(|(kind, _)| *kind == "foreign key").count(), 3);
    let reason = |kind: &str, name: &str| {
        catalog.unmovable.iter().find(|u| u.kind == kind && u.name == name).unwrap().reason.as_str()
    };
    assert_eq!(found.iter().filter(|named| **named == ("check constraint", "Select")).count(), 2);
    assert!(reason("shadow table", "search_data").contains("shadow table of search"));
    let loose = reason("index", "loose");
    assert!(
        loose.contains("weaker") && loose.contains("NOCASE") && loose.contains("CREATE UNIQUE INDEX loose"),
        "{loose}"
    );
    assert!(reason("index", "some").contains("partial"));
    assert!(
        !found.iter().any(|(_, name)| name.contains("trimaran") || name.contains("sqlite_")),
        "{found:?}"
    );
}

#[test]
fn plain_indexes_are_kept_with_their_order() {
    let (_folder, _source, catalog) = source_of(SCHEMA);
    let indexes = &table(&catalog, "plain").indexes;
    let names: Vec<_> = indexes.iter().map(|index| (index.name.as_str(), index.unique)).collect();
    assert_eq!(names, [("By Name", false), ("one_name", true)]);
    let by = |name: &str, descending| IndexColumn { name: name.into(), descending };
    assert_eq!(indexes[0].columns, [by("name", true), by("id", false)]);
    // A unique constraint with a collation moves, and is named as weaker.
    assert_eq!(table(&catalog, "odd").unique, [key(None, &["s"])]);
}

#[test]
fn rows_are_estimated_where_analyze_has_counted_them() {
    let (_folder, _source, catalog) = source_of(
        "CREATE TABLE t (v UNIQUE); INSERT INTO t VALUES (1), (2), (3); CREATE TABLE u (v); ANALYZE t;",
    );
    assert_eq!(table(&catalog, "t").estimated_rows, Some(3));
    assert_eq!(table(&catalog, "u").estimated_rows, None);
}
