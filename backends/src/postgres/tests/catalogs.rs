//! A schema with everything in it.

use trimaran_core::LogicalType;

use super::*;
use crate::catalog::{DefaultValue, Identity, IndexColumn, ReferentialAction};

const EVERYTHING: &str = "
    CREATE SCHEMA app; CREATE SCHEMA other;
    CREATE TYPE app.mood AS ENUM ('sad', 'glad');
    CREATE DOMAIN app.positive AS int CHECK (VALUE > 0);
    CREATE SEQUENCE app.loose START 3 INCREMENT 2 MINVALUE 1 MAXVALUE 99 CYCLE;
    CREATE SEQUENCE app.reset; SELECT setval('app.reset', 500, false);
    CREATE TABLE app.\"User\" (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        old serial, name varchar(36) NOT NULL DEFAULT 'it''s', email text CONSTRAINT one_email UNIQUE,
        score numeric(10,2) DEFAULT -1.5, made timestamptz DEFAULT now(), tags text[], mood app.mood, age app.positive,
        drawn bigint DEFAULT nextval('app.loose'), twice bigint GENERATED ALWAYS AS (id * 2) STORED,
        CONSTRAINT adult CHECK (age > 17), UNIQUE (name, old) DEFERRABLE);
    INSERT INTO app.\"User\" (name, age) VALUES ('a', 18), ('b', 18);
    CREATE TABLE app.order (
        a int, b int, \"user\" bigint REFERENCES app.\"User\" ON DELETE CASCADE ON UPDATE SET NULL,
        label text COLLATE \"C\", CONSTRAINT pk PRIMARY KEY (b, a), EXCLUDE USING btree (a WITH =));
    CREATE TABLE other.line (x int, y int, CONSTRAINT to_order FOREIGN KEY (y, x) REFERENCES app.order (b, a));
    CREATE INDEX plain ON app.order (a DESC, b); CREATE UNIQUE INDEX lone ON app.order (label);
    CREATE INDEX expr ON app.order ((a + b)); CREATE INDEX part ON app.order (a) WHERE b > 0;
    CREATE INDEX hashed ON app.order USING hash (a); CREATE INDEX inc ON app.order (a) INCLUDE (b);
    CREATE INDEX coll ON app.order (label COLLATE \"POSIX\"); CREATE INDEX nulls ON app.order (a NULLS FIRST);
    CREATE INDEX opclass ON app.order (label text_pattern_ops);
    CREATE VIEW app.seen AS SELECT 1 AS one; CREATE MATERIALIZED VIEW app.kept AS SELECT 1 AS one;
    CREATE FUNCTION app.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER touch BEFORE UPDATE ON app.order FOR EACH ROW EXECUTE FUNCTION app.f();
    CREATE RULE quiet AS ON DELETE TO app.order DO ALSO NOTHING;
    CREATE POLICY mine ON app.order;
    CREATE FOREIGN DATA WRAPPER w; CREATE SERVER far FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE app.away (a int) SERVER far;
    CREATE TABLE app._trimaran_journal (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
    CREATE TEMPORARY TABLE passing (a int)";

#[test]
fn everything_is_moved_or_named() {
    let (server, database) = open(Access::Target);
    server.execute(EVERYTHING);
    let catalog = database.catalog(Some("app")).unwrap();
    assert_eq!(catalog.tables.iter().map(|t| t.name.name.as_str()).collect::<Vec<_>>(), ["User", "order"]);

    let user = &catalog.tables[0];
    let facts: Vec<_> = user
        .columns
        .iter()
        .map(|c| (c.name.as_str(), c.declared.as_str(), c.logical.clone(), c.nullable))
        .collect();
    use LogicalType as T;
    assert_eq!(
        facts,
        [
            ("id", "bigint", Some(T::Int64), false),
            ("old", "integer", Some(T::Int32), false),
            ("name", "character varying(36)", Some(T::Text), false),
            ("email", "text", Some(T::Text), true),
            ("score", "numeric(10,2)", Some(T::Decimal { precision: 10, scale: 2 }), true),
            ("made", "timestamp with time zone", Some(T::TimestampTz), true),
            ("tags", "text[]", Some(T::List(Box::new(T::Text))), true),
            ("mood", "app.mood", Some(T::Text), true),
            ("age", "app.positive", Some(T::Int32), true),
            ("drawn", "bigint", Some(T::Int64), true),
            ("twice", "bigint", Some(T::Int64), true),
        ]
    );
    let column = |name: &str| user.column(name).unwrap();
    assert_eq!(column("id").identity, Some(Identity { next: Some(3) }));
    assert_eq!(column("old").identity, Some(Identity { next: Some(3) }));
    assert_eq!(column("old").default, None);
    assert_eq!(column("name").default, Some(DefaultValue::Text("it's".into())));
    assert_eq!(column("score").default, Some(DefaultValue::Number("-1.5".into())));
    assert_eq!(column("made").default, Some(DefaultValue::CurrentTimestamp));
    assert_eq!(column("drawn").default, Some(DefaultValue::NextValue(TableName::new("app", "loose"))));
    assert_eq!(column("twice").generated.as_deref(), Some("(id * 2)"));
    assert_eq!(user.primary_key.as_ref().unwrap().columns, ["id"]);
    assert_eq!(user.unique.iter().map(|k| k.columns.join("+")).collect::<Vec<_>>(), ["name+old", "email"]);

    let order = &catalog.tables[1];
    assert_eq!(order.primary_key.as_ref().unwrap().columns, ["b", "a"]);
    assert_eq!(order.primary_key.as_ref().unwrap().name.as_deref(), Some("pk"));
    let foreign = &order.foreign_keys[0];
    assert_eq!(
        (foreign.on_delete, foreign.on_update),
        (ReferentialAction::Cascade, ReferentialAction::SetNull)
    );
    assert_eq!(foreign.referenced, TableName::new("app", "User"));
    assert_eq!(foreign.referenced_columns, ["id"]);
    let indexes: Vec<_> = order.indexes.iter().map(|i| (i.name.as_str(), i.unique)).collect();
    assert_eq!(indexes, [("lone", true), ("plain", false)]);
    assert_eq!(
        order.indexes[1].columns,
        [
            IndexColumn { name: "a".into(), descending: true },
            IndexColumn { name: "b".into(), descending: false }
        ]
    );

    let sequences: Vec<_> =
        catalog.sequences.iter().map(|s| (s.name.name.as_str(), s.next, s.increment, s.cycle)).collect();
    assert_eq!(sequences, [("loose", 7, 2, true), ("reset", 500, 1, false)]);

    let named: Vec<_> = catalog.unmovable.iter().map(|u| format!("{} {}", u.kind, u.name)).collect();
    assert_eq!(
        named,
        [
            "check constraint app.User.adult",
            "collation app.order.label",
            "deferrable constraint app.User.User_name_old_key",
            "domain app.User.age",
            "enum type app.User.mood",
            "exclusion constraint app.order.order_a_excl",
            "foreign table app.away",
            "function app.f()",
            "index app.order.coll",
            "index app.order.expr",
            "index app.order.hashed",
            "index app.order.inc",
            "index app.order.nulls",
            "index app.order.opclass",
            "index app.order.part",
            "materialized view app.kept",
            "policy app.order.mine",
            "rule app.order.quiet",
            "trigger app.order.touch",
            "view app.seen",
        ]
    );
    server.execute("DROP SERVER far CASCADE; DROP FOREIGN DATA WRAPPER w");
}

#[test]
fn all_schemas_but_the_systems_are_read_where_none_is_named() {
    let (server, database) = open(Access::Target);
    server.execute(EVERYTHING);
    let catalog = database.catalog(None).unwrap();
    let names: Vec<_> = catalog.tables.iter().map(|t| t.name.to_string()).collect();
    assert_eq!(names, ["app.User", "app.order", "other.line"]);
    let line = &catalog.tables[2].foreign_keys[0];
    assert_eq!(line.columns, ["y", "x"]);
    assert_eq!(line.referenced_columns, ["b", "a"]);
    assert!(database.catalog(Some("no such schema")).unwrap().tables.is_empty());
}
