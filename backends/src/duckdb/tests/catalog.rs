//! The catalogue, and what the dialect makes of one.

use super::*;
use crate::Dialect as _;
use crate::catalog::{DefaultValue, ForeignKey, Index, IndexColumn, Key, ReferentialAction, Sequence};
use crate::dialect::{ColumnDefinition, Phase, TableDefinition};
use crate::duckdb::dialect::DIALECT;

const SCHEMA: &str = r#"
CREATE SCHEMA "s x";
CREATE SEQUENCE "s x"."q 1" START 5 INCREMENT 2;
CREATE SEQUENCE unused START 7;
CREATE SEQUENCE around START 3 INCREMENT -1 MINVALUE 2 MAXVALUE 3 CYCLE;
SELECT nextval('"s x"."q 1"'), nextval('around');
SELECT nextval('around');
CREATE TYPE mood AS ENUM ('a', 'b''c');
CREATE TABLE "s x".parent(
    id BIGINT DEFAULT nextval('"s x"."q 1"') PRIMARY KEY, "b,c" VARCHAR UNIQUE, UNIQUE(id, "b,c"));
CREATE TABLE "s x"."we""ird"(
    a STRUCT(x INTEGER, "y z" VARCHAR[]), d mood, e DECIMAL(38,10)[], r INTEGER DEFAULT 7,
    g INTEGER GENERATED ALWAYS AS (r + 1), s VARCHAR DEFAULT 'it''s', t BOOLEAN DEFAULT true,
    u TIMESTAMP DEFAULT current_timestamp, v UUID DEFAULT gen_random_uuid(), x INTEGER CHECK (x > 0),
    y BIGINT REFERENCES "s x".parent(id), z VARCHAR COLLATE nocase, e2 VARCHAR DEFAULT 'a' || 'b', n INTEGER NOT NULL);
CREATE INDEX "ix 1" ON "s x"."we""ird"(r, s);
CREATE UNIQUE INDEX ix2 ON "s x"."we""ird"(n);
CREATE INDEX ix3 ON "s x"."we""ird"(lower(s), r);
CREATE VIEW a_view AS SELECT 1 AS one;
CREATE MACRO a_macro(a) AS a + 1;
CREATE TABLE _trimaran_journal(i INTEGER CHECK (i > 0));
CREATE TABLE counted(id INTEGER DEFAULT nextval('unused'));
COMMENT ON TABLE counted IS 'for counting';
"#;

#[test]
fn everything_in_a_file_is_found() {
    let fixture = Fixture::new(SCHEMA);
    let catalog = fixture.source().catalog(None).unwrap();
    assert_eq!(catalog.engine, Engine::Duckdb);
    assert!(catalog.version.starts_with(|c: char| c.is_ascii_digit()), "{}", catalog.version);
    let names: Vec<_> = catalog.tables.iter().map(|t| t.name.to_string()).collect();
    assert_eq!(names, ["counted", "s x.parent", "s x.we\"ird"]);

    let parent = &catalog.tables[1];
    assert_eq!(parent.primary_key, Some(Key { name: None, columns: vec![owned("id")] }));
    assert_eq!(parent.unique.len(), 2);
    assert_eq!(parent.unique[1].columns, ["id", "b,c"]);
    let counter = DefaultValue::NextValue(TableName::new("s x", "q 1"));
    assert_eq!(parent.columns[0].default, Some(counter));
    assert!(!parent.columns[0].nullable && parent.columns[1].nullable);

    let weird = &catalog.tables[2];
    let default = |name: &str| weird.column(name).and_then(|c| c.default.clone());
    assert_eq!(default("r"), Some(DefaultValue::Number(owned("7"))));
    assert_eq!(default("s"), Some(DefaultValue::Text(owned("it's"))));
    assert_eq!(default("t"), Some(DefaultValue::Bool(true)));
    assert_eq!(default("u"), Some(DefaultValue::CurrentTimestamp));
    assert_eq!(default("v"), Some(DefaultValue::NewUuid));
    assert!(matches!(default("e2"), Some(DefaultValue::Expression(_))));
    assert_eq!(weird.column("a").unwrap().logical, Some(LogicalType::Json));
    assert_eq!(weird.column("d").unwrap().logical, Some(LogicalType::Text));
    assert_eq!(weird.column("e").unwrap().declared, "DECIMAL(38,10)[]");
    assert!(weird.column("g").unwrap().generated.as_ref().unwrap().contains("r + 1"));
    assert_eq!(default("g"), None);
    let key = ForeignKey {
        name: None,
        columns: vec![owned("y")],
        referenced: TableName::new("s x", "parent"),
        referenced_columns: vec![owned("id")],
        on_delete: ReferentialAction::NoAction,
        on_update: ReferentialAction::NoAction,
        deferred: false,
    };
    assert_eq!(weird.foreign_keys, [key]);
    let column = |name: &str| IndexColumn { name: owned(name), descending: false };
    assert_eq!(
        weird.indexes,
        [
            Index { name: owned("ix 1"), unique: false, columns: vec![column("r"), column("s")] },
            Index { name: owned("ix2"), unique: true, columns: vec![column("n")] },
        ]
    );

    let next: Vec<_> = catalog.sequences.iter().map(|s| (s.name.name.as_str(), s.next)).collect();
    assert_eq!(next, [("around", 3), ("unused", 7), ("q 1", 7)]);

    let mut unmovable: Vec<_> =
        catalog.unmovable.iter().map(|u| (u.kind.as_str(), u.name.as_str())).collect();
    unmovable.sort_unstable();
    assert_eq!(
        unmovable,
        [
            ("check constraint", "s x.we\"ird.we\"ird_x_check"),
            ("collation", "s x.we\"ird.z"),
            ("comment", "counted"),
            ("index", "s x.we\"ird.ix3"),
            ("macro", "a_macro"),
            ("type", "mood"),
            ("view", "a_view"),
        ]
    );
    assert_eq!(fixture.source().catalog(Some("s x")).unwrap().tables.len(), 2);
}

fn definition() -> TableDefinition {
    let column = |name: &str, logical, identity: Option<i64>| ColumnDefinition {
        name: owned(name),
        logical,
        nullable: identity.is_none(),
        default: None,
        identity,
        generated: None,
        labels: None,
        declared: None,
    };
    let mut columns = vec![
        column("id", LogicalType::Int64, Some(10)),
        column("It's \"quoted\"", LogicalType::Text, None),
        column("when", LogicalType::Timestamp, None),
    ];
    columns[1].default = DIALECT.default_sql(&DefaultValue::Text(owned("it's")), &LogicalType::Text);
    columns[2].default = DIALECT.default_sql(&DefaultValue::CurrentTimestamp, &LogicalType::Timestamp);
    let by_id = Key { name: None, columns: vec![owned("id")] };
    TableDefinition {
        name: TableName::new("a schema", "it's"),
        columns,
        primary_key: Some(by_id.clone()),
        unique: vec![Key { name: None, columns: vec![owned("It's \"quoted\"")] }],
        foreign_keys: vec![ForeignKey {
            name: None,
            columns: by_id.columns.clone(),
            referenced: TableName::new("a schema", "parent"),
            referenced_columns: by_id.columns,
            on_delete: ReferentialAction::NoAction,
            on_update: ReferentialAction::NoAction,
            deferred: false,
        }],
        indexes: vec![Index {
            name: owned("by \"when\""),
            unique: false,
            columns: vec![IndexColumn { name: owned("when"), descending: true }],
        }],
    }
}

#[test]
fn a_defined_table_comes_back_from_the_catalogue() {
    let fixture = Fixture::empty();
    let target = fixture.target();
    let definition = definition();
    let mut session = target.session().unwrap();
    session.begin().unwrap();
    session.execute(&DIALECT.create_schema("a schema").unwrap()).unwrap();
    session.execute(&DIALECT.create_table(&definition).sql).unwrap();
    session
        .execute(r#"CREATE TABLE "a schema".parent (id BIGINT PRIMARY KEY); INSERT INTO "a schema".parent VALUES (40), (41)"#)
        .unwrap();
    let insert = r#"INSERT INTO "a schema"."it's" VALUES (40, 'x', NULL)"#;
    session.execute(insert).unwrap();
    for phase in Phase::ALL {
        for statement in DIALECT.complete(&definition, phase) {
            session.execute(&statement.sql).unwrap();
        }
    }
    session.commit().unwrap();
    session.execute(r#"INSERT INTO "a schema"."it's" ("It's ""quoted""") VALUES ('y')"#).unwrap();
    let rows =
        session.query(r#"SELECT id, "when" IS NOT NULL FROM "a schema"."it's" ORDER BY id"#, &[]).unwrap();
    assert_eq!(rows[1], [Value::Int(41), Value::Bool(true)]);

    let table = table(&target, "it's");
    assert_eq!(table.primary_key, definition.primary_key);
    assert_eq!(table.unique, definition.unique);
    assert_eq!(table.indexes[0].name, "by \"when\"");
    assert_eq!(table.foreign_keys, definition.foreign_keys);
    assert_eq!(table.columns[1].default, Some(DefaultValue::Text(owned("it's"))));
    assert_eq!(table.columns[2].default, Some(DefaultValue::CurrentTimestamp));
}

#[test]
fn an_empty_tables_counter_starts_at_its_next_value() {
    let fixture = Fixture::empty();
    let target = fixture.target();
    let mut session = target.session().unwrap();
    let definition = TableDefinition { name: TableName::new("main", "t"), ..definition() };
    session.execute(&DIALECT.create_table(&definition).sql).unwrap();
    for statement in DIALECT.complete(&definition, Phase::Counters) {
        session.execute(&statement.sql).unwrap();
    }
    let id = session.query(r#"INSERT INTO t ("It's ""quoted""") VALUES ('y') RETURNING id"#, &[]).unwrap();
    assert_eq!(id, [[Value::Int(10)]]);
}

#[test]
fn a_sequence_goes_on_where_it_was() {
    let fixture = Fixture::empty();
    let target = fixture.target();
    let mut session = target.session().unwrap();
    let sequence = Sequence {
        name: TableName::new("main", "it's"),
        start: 1,
        increment: 5,
        min: -10,
        max: 1_000,
        cycle: true,
        next: 36,
    };
    session.execute(&DIALECT.create_sequence(&sequence).unwrap().sql).unwrap();
    let default =
        DIALECT.default_sql(&DefaultValue::NextValue(sequence.name.clone()), &LogicalType::Int64).unwrap();
    assert_eq!(session.query(&format!("SELECT {default}"), &[]).unwrap(), [[Value::Int(36)]]);
    assert_eq!(target.catalog(None).unwrap().sequences[0].next, 41);
}

#[test]
fn every_default_that_is_said_works() {
    let fixture = Fixture::empty();
    let target = fixture.target();
    let mut session = target.session().unwrap();
    let types = [
        LogicalType::Bool,
        LogicalType::Int32,
        LogicalType::Decimal { precision: 10, scale: 2 },
        LogicalType::Text,
        LogicalType::Uuid,
        LogicalType::Date,
        LogicalType::Time,
        LogicalType::Timestamp,
        LogicalType::TimestampTz,
    ];
    let defaults = [
        DefaultValue::Null,
        DefaultValue::Number(owned("1")),
        DefaultValue::Bool(true),
        DefaultValue::CurrentTimestamp,
        DefaultValue::CurrentDate,
        DefaultValue::CurrentTime,
        DefaultValue::NewUuid,
    ];
    let mut said = 0;
    for logical in &types {
        for default in &defaults {
            let Some(sql) = DIALECT.default_sql(default, logical) else { continue };
            let declared = logical.stored_as(Engine::Duckdb);
            session
                .execute(&format!("CREATE OR REPLACE TABLE t (i INTEGER, d {declared} DEFAULT {sql})"))
                .unwrap();
            session.execute("INSERT INTO t (i) VALUES (1)").unwrap();
            said += 1;
        }
    }
    assert!(said >= 20, "{said}");
}
