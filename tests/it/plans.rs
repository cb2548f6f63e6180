//! A plan can be written, read, edited and given back; one that does not fit is refused.

use trimaran_backends::testing::postgres::database;

use crate::cli::{cell, duckdb_url, migrate};

#[test]
fn an_edited_plan_is_followed_and_one_for_another_schema_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("source.db");
    let source = duckdb::Connection::open(&path).unwrap();
    source
        .execute_batch(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, note VARCHAR, raw VARCHAR);
             INSERT INTO people VALUES (1, 'a' || chr(0), 'b' || chr(0)), (2, 'c', 'd');
             CREATE TABLE other (id INTEGER);",
        )
        .unwrap();
    source.close().unwrap();
    let (from, target) = (duckdb_url(&path), database());
    let file = dir.path().join("plan.toml");
    let flag = file.to_str().unwrap();
    migrate("plan", &from, target.url(), &["-o", flag]).expect(0);
    let plan = std::fs::read_to_string(&file).unwrap();
    assert!(plan.contains("fingerprint = \"sha256:"), "{plan}");
    // Another name, another type, a policy for one column.
    let edited = plan
        .replace("target = \"people\"", "target = \"Persons\"")
        .replace("type = \"integer\"", "type = \"bigint\"")
        .replacen("name = \"note\"\ntarget = \"note\"", "name = \"note\"\ntarget = \"remark\"", 1);
    let at = edited.find("name = \"note\"").unwrap();
    let (head, tail) = edited.split_at(at);
    let edited = format!("{head}{}", tail.replacen("on_hazard = \"reject\"", "on_hazard = \"escape\"", 1));
    std::fs::write(&file, &edited).unwrap();
    let check = migrate("check", &from, target.url(), &["--plan", flag]).expect(4);
    let hazards = check.hazards();
    assert!(hazards.contains(&"people.note nul-in-text 1 escapes".to_owned()), "{hazards:?}");
    assert!(hazards.contains(&"people.raw nul-in-text 1 rejects".to_owned()), "{hazards:?}");
    std::fs::write(&file, edited.replace("on_hazard = \"reject\"", "on_hazard = \"escape\"")).unwrap();
    migrate("run", &from, target.url(), &["--plan", flag]).expect(0);
    assert_eq!(cell(&target, r#"SELECT string_agg(remark, ',' ORDER BY id) FROM "Persons""#), "a\u{1a}0,c");
    assert_eq!(cell(&target, r#"SELECT pg_typeof(id)::text FROM "Persons" LIMIT 1"#), "bigint");
    migrate("verify", &from, target.url(), &[]).expect(0);

    let source = duckdb::Connection::open(&path).unwrap();
    source.execute_batch("ALTER TABLE other ADD COLUMN more INTEGER").unwrap();
    source.close().unwrap();
    let refused = migrate("check", &from, database().url(), &["--plan", flag]).expect(8);
    assert!(refused.stderr.contains("plan -o"), "{}", refused.stderr);
    std::fs::write(&file, "version = 1\nsurprise = true\n").unwrap();
    let broken = migrate("run", &from, target.url(), &["--plan", flag]).expect(2);
    assert!(broken.stderr.contains("surprise"), "{}", broken.stderr);
}
