//! What is neither a type nor a row: names, keys, indexes, computed columns, views, virtual tables.

use trimaran_backends::testing::TestDatabase;
use trimaran_backends::testing::postgres::database;

use crate::cli::{Outcome, cell, duckdb_url, execute, migrate, session, sqlite_url};

#[test]
fn names_of_every_kind_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("names.db");
    let source = duckdb::Connection::open(&path).unwrap();
    source
        .execute_batch(
            r#"CREATE SEQUENCE "Ticket No" START 10 INCREMENT 5;
               CREATE TABLE "Order" ("select" INTEGER PRIMARY KEY, "Mixed Case" TEXT DEFAULT 'it''s', "a""b" INTEGER DEFAULT nextval('"Ticket No"'));
               INSERT INTO "Order" ("select") VALUES (1), (2);
               CREATE UNIQUE INDEX "Index one" ON "Order" ("Mixed Case", "select");
               CREATE TABLE "dotted.name" ("x.y" INTEGER, """quoted""" TEXT); INSERT INTO "dotted.name" VALUES (1, 'dot');
               CREATE SCHEMA extra; CREATE TABLE extra.notes (id INTEGER); INSERT INTO extra.notes VALUES (42);
               CREATE VIEW v AS SELECT 1;"#,
        )
        .unwrap();
    source.close().unwrap();
    let target = database();
    let run = migrate("run", &duckdb_url(&path), target.url(), &[]).expect(0);
    assert_eq!(cell(&target, r#"SELECT "Mixed Case" || "a""b" FROM "Order" WHERE "select" = 2"#), "it's15");
    assert_eq!(
        cell(&target, r#"INSERT INTO "Order" ("select") VALUES (3) RETURNING "a""b"::text || "Mixed Case""#),
        "20it's"
    );
    assert_eq!(cell(&target, r#"SELECT count(*) FROM pg_indexes WHERE indexname = 'Index one'"#), "1");
    assert_eq!(cell(&target, "SELECT id FROM extra.notes"), "42");
    assert_eq!(cell(&target, r#"SELECT """quoted""" FROM "dotted.name" WHERE "x.y" = 1"#), "dot");
    assert!(run.json["not_moved"].to_string().contains("\"view\""));
}

/// A SQLite file of these statements, moved with these flags.
fn moved(sql: &str, code: i32) -> (tempfile::TempDir, String, TestDatabase, Outcome) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("source.sqlite");
    let source = rusqlite::Connection::open(&path).unwrap();
    // As most applications have it, so that a file may hold whatever was written.
    source.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    source.execute_batch(sql).unwrap();
    drop(source);
    let (from, target) = (sqlite_url(&path), database());
    let run = migrate("run", &from, target.url(), &[]).expect(code);
    (dir, from, target, run)
}

/// What did not move, as `kind name`, and why.
fn not_moved(run: &Outcome) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let things = run.json["not_moved"].as_array().cloned().unwrap_or_default();
    things
        .iter()
        .map(|thing| (format!("{} {}", text(&thing["kind"]), text(&thing["name"])), text(&thing["reason"])))
        .collect()
}

#[test]
fn computed_columns_are_computed_again_and_compared_or_moved_as_values() {
    let (_dir, from, target, run) = moved(
        "CREATE TABLE t (
             id INTEGER PRIMARY KEY, a INTEGER, first TEXT, last TEXT COLLATE NOCASE, r REAL, done BOOLEAN,
             twice INTEGER GENERATED ALWAYS AS (a * 2) STORED,
             full TEXT AS (upper(first) || ', ' || coalesce(last, '?')) VIRTUAL,
             size INTEGER AS (length(first) + 1),
             open BOOLEAN AS (NOT done OR a IS NULL),
             half REAL AS (r / 2.0), again INTEGER AS (twice + 1));
         INSERT INTO t (id, a, first, last, r, done) VALUES
             (1, 4, 'élan', 'x', 0.5, 0), (2, NULL, 'b', NULL, NULL, 1), (3, -9, '', 'İ', -8.25, 1);
         CREATE UNIQUE INDEX by_twice ON t (twice);",
        0,
    );
    let kinds = "SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute \
                 WHERE attrelid = 't'::regclass AND attgenerated = 's'";
    assert_eq!(cell(&target, kinds), "twice,full,size,open");
    let left: Vec<_> = not_moved(&run).into_iter().map(|(name, _)| name).collect();
    assert_eq!(left, ["generated column t.half", "generated column t.again"]);
    assert_eq!(cell(&target, r#"SELECT string_agg("full", ';' ORDER BY id) FROM t"#), "éLAN, x;B, ?;, İ");
    assert_eq!(cell(&target, "SELECT half::text FROM t WHERE id = 3"), "-4.125");
    assert_eq!(cell(&target, "SELECT again FROM t WHERE id = 1"), "9");
    execute(&target, "UPDATE t SET a = 50 WHERE id = 1");
    assert_eq!(cell(&target, "SELECT twice FROM t WHERE id = 1"), "100");
    // The source is held against what the target computes, so that this shows twice.
    let verify = migrate("verify", &from, target.url(), &["--show-values"]).expect(6);
    let differences = verify.json["verified"][0]["differences"][0]["columns"].to_string();
    assert!(differences.contains("\"a\"") && differences.contains("\"twice\""), "{differences}");
}

#[test]
fn a_policy_that_changes_what_a_column_is_computed_from_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("source.sqlite");
    let source = rusqlite::Connection::open(&path).unwrap();
    source
        .execute_batch(
            "CREATE TABLE t (name TEXT, size INTEGER AS (length(name)));
             INSERT INTO t (name) VALUES ('a' || char(26))",
        )
        .unwrap();
    drop(source);
    let (from, file) = (sqlite_url(&path), dir.path().join("plan.toml"));
    let flag = file.to_str().unwrap();
    // Under the codec the target has another text, so that nothing is computed from it.
    let escaped = database();
    migrate("run", &from, escaped.url(), &["--on-hazard", "escape"]).expect(0);
    assert_eq!(cell(&escaped, "SELECT size FROM t"), "2");
    migrate("plan", &from, database().url(), &["-o", flag]).expect(0);
    let plan = std::fs::read_to_string(&file).unwrap();
    assert!(plan.contains("generated = 'char_length(\"name\")'"), "{plan}");
    std::fs::write(&file, plan.replacen("on_hazard = \"reject\"", "on_hazard = \"escape\"", 1)).unwrap();
    let refused = migrate("check", &from, database().url(), &["--plan", flag]).expect(2);
    assert!(refused.stderr.contains("t.size is computed on the target"), "{}", refused.stderr);
}

#[test]
fn foreign_keys_of_every_kind_hold_on_the_target() {
    let (_dir, _from, target, run) = moved(
        "CREATE TABLE parent (a INTEGER, b TEXT, PRIMARY KEY (a, b));
         CREATE TABLE child (id INTEGER PRIMARY KEY, a INTEGER, b TEXT,
             FOREIGN KEY (a, b) REFERENCES parent ON DELETE CASCADE);
         CREATE TABLE tree (id INTEGER PRIMARY KEY, above INTEGER REFERENCES tree(id) ON DELETE SET NULL);
         CREATE TABLE chicken (id INTEGER PRIMARY KEY, egg INTEGER REFERENCES egg(id) DEFERRABLE INITIALLY DEFERRED);
         CREATE TABLE egg (id INTEGER PRIMARY KEY, chicken INTEGER REFERENCES chicken(id));
         INSERT INTO parent VALUES (1, 'x'), (2, 'y');
         INSERT INTO child VALUES (1, 1, 'x'), (2, NULL, 'z');
         INSERT INTO tree VALUES (1, 2), (2, 1), (3, 3);
         INSERT INTO chicken VALUES (1, 1); INSERT INTO egg VALUES (1, 1);",
        0,
    );
    assert_eq!(not_moved(&run), []);
    let deferred = "SELECT string_agg(conrelid::regclass::text, ',') FROM pg_constraint \
                    WHERE contype = 'f' AND condeferrable AND condeferred AND convalidated";
    assert_eq!(cell(&target, deferred), "chicken");
    assert_eq!(cell(&target, "SELECT count(*) FROM pg_constraint WHERE contype = 'f'"), "4");
    execute(&target, "DELETE FROM parent WHERE a = 1");
    assert_eq!(cell(&target, "SELECT count(*) FROM child"), "1");
    let mut session = session(&target);
    session.begin().unwrap();
    session.execute("INSERT INTO chicken VALUES (2, 2)").unwrap();
    session.execute("INSERT INTO egg VALUES (2, 2)").unwrap();
    session.commit().unwrap();
    assert!(session.execute("INSERT INTO egg VALUES (3, 9)").is_err());
}

#[test]
fn indexes_of_expressions_of_some_rows_and_by_collations_move_where_they_mean_the_same() {
    let (_dir, _from, target, run) = moved(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, mail TEXT, name TEXT COLLATE NOCASE, done BOOLEAN, at DATETIME);
         INSERT INTO t VALUES (1, 'A@x', 'ann', 0, NULL), (2, 'b@x', 'Bob', 1, '2025-01-01 00:00:00');
         CREATE UNIQUE INDEX by_mail ON t (lower(mail));
         CREATE UNIQUE INDEX by_name ON t (name DESC);
         CREATE INDEX open ON t (id) WHERE done = 0 AND at IS NULL;
         CREATE INDEX by_year ON t (strftime('%Y', at));",
        0,
    );
    let reasons = not_moved(&run);
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert_eq!(reasons[0].0, "index by_year");
    assert!(reasons[0].1.contains("strftime"), "{reasons:?}");
    let definition = |name: &str| {
        cell(
            &target,
            &format!("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname = '{name}'"),
        )
    };
    assert!(definition("by_mail").ends_with(r#"(lower((mail COLLATE "C")))"#), "{}", definition("by_mail"));
    assert!(
        definition("open").ends_with("WHERE ((done = false) AND (at IS NULL))"),
        "{}",
        definition("open")
    );
    let adds = |row: &str| session(&target).execute(&format!("INSERT INTO t VALUES ({row})")).is_ok();
    assert!(!adds("3, 'a@X', 'carl'"));
    assert!(!adds("3, 'c@x', 'ANN'"));
    assert!(adds("3, 'c@x', 'carl'"));
}

#[test]
fn virtual_tables_are_reported_and_their_shadows_do_not_move() {
    let (_dir, _from, target, run) = moved(
        "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT);
         INSERT INTO note VALUES (1, 'hello world');
         CREATE VIRTUAL TABLE note_search USING fts5(text, content='note', content_rowid='id');
         INSERT INTO note_search(note_search) VALUES ('rebuild');
         CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1);
         INSERT INTO boxes VALUES (1, 0, 1);",
        0,
    );
    let left: Vec<_> = not_moved(&run).into_iter().map(|(name, _)| name).collect();
    for name in [
        "virtual table note_search",
        "virtual table boxes",
        "shadow table note_search_data",
        "shadow table boxes_node",
    ] {
        assert!(left.contains(&name.to_owned()), "{name} of {left:?}");
    }
    let tables = "SELECT string_agg(tablename, ',') FROM pg_tables WHERE schemaname = 'public' \
                  AND tablename NOT LIKE '\\_trimaran%'";
    assert_eq!(cell(&target, tables), "note");
}

#[test]
fn views_are_offered_and_made_when_the_plan_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("views.db");
    let source = duckdb::Connection::open(&path).unwrap();
    source
        .execute_batch(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, tags VARCHAR[]); INSERT INTO t VALUES (1, ['a', 'b']), (2, []);
             CREATE VIEW z_sizes AS SELECT id, len(tags) AS n FROM t;
             CREATE VIEW a_count AS SELECT n FROM z_sizes WHERE n > 1;
             CREATE VIEW odd AS SELECT * EXCLUDE (tags) FROM t;",
        )
        .unwrap();
    source.close().unwrap();
    let (from, file) = (duckdb_url(&path), dir.path().join("plan.toml"));
    let flag = file.to_str().unwrap();
    let offered = migrate("run", &from, database().url(), &[]).expect(0);
    assert!(
        not_moved(&offered).iter().any(|(name, why)| name == "view odd" && why.contains("create = true"))
    );

    let target = database();
    migrate("plan", &from, target.url(), &["-o", flag]).expect(0);
    let plan = std::fs::read_to_string(&file).unwrap();
    let edited = plan.replace("create = false", "create = true");
    let edited = edited.lines().map(|line| {
        if line.starts_with("sql = ") {
            line.replace("len(tags)", "cardinality(tags)")
        } else {
            line.to_owned()
        }
    });
    std::fs::write(&file, edited.collect::<Vec<_>>().join("\n")).unwrap();
    let run = migrate("run", &from, target.url(), &["--plan", flag]).expect(0);
    assert_eq!(cell(&target, "SELECT string_agg(n::text, ',' ORDER BY id) FROM z_sizes"), "2,0");
    assert_eq!(cell(&target, "SELECT n FROM a_count"), "2");
    let left = not_moved(&run);
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].0 == "view odd" && left[0].1.starts_with("the target refused it"), "{left:?}");
    migrate("run", &from, target.url(), &["--plan", flag, "--restart"]).expect(0);
    assert_eq!(cell(&target, "SELECT n FROM a_count"), "2");
}
