//! What moves exactly and is worth knowing all the same, and what stands in the way of names and keys.

use trimaran_backends::testing::postgres::database;

use super::write_sqlite;
use crate::cli::{cell, migrate, sqlite_url};

#[test]
fn documents_that_readers_disagree_on_are_noted_and_move_exactly() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notes.sqlite");
    write_sqlite(
        &path,
        r#"CREATE TABLE t (id INTEGER PRIMARY KEY, v JSON, w VARCHAR(3));
           INSERT INTO t VALUES (1, '{"a": 1, "a": 2}', 'abc'), (2, '[1e999]', '日本語'), (3, 'null', 'abcd'),
           (4, '"\u0000"', NULL), (5, '"\ud800"', NULL), (6, NULL, NULL), (7, '[9007199254740993]', '');"#,
    );
    let (from, target) = (sqlite_url(&path), database());
    let run = migrate("run", &from, target.url(), &[]).expect(0);
    let expected = [
        "t.v json-nul 1 moves",
        "t.v json-surrogate 1 moves",
        "t.v json-duplicate-key 1 moves",
        "t.v json-number 2 moves",
        "t.v json-null 1 moves",
        "t.w longer-than-declared 1 moves",
    ];
    assert_eq!(run.hazards(), expected);
    assert_eq!(cell(&target, "SELECT v::text FROM t WHERE id = 1"), r#"{"a": 1, "a": 2}"#);
    assert_eq!(cell(&target, "SELECT count(*) FROM t WHERE v IS NULL"), "1");
}

#[test]
fn the_storage_classes_of_mixed_columns_are_shown() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mixed.sqlite");
    write_sqlite(
        &path,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER, plain TEXT, x BLOB);
         INSERT INTO t VALUES (1, 'a', 'b', x'00'), (2, 2, NULL, 7), (3, 2.5, 'c', NULL), (4, x'01', 'd', 'text');",
    );
    let check =
        migrate("check", &sqlite_url(&path), database().url(), &["--on-hazard", "quarantine"]).expect(0);
    let classes = check.json["storage_classes"].as_array().unwrap();
    let shown: Vec<String> = classes
        .iter()
        .map(|c| {
            format!(
                "{}.{} {}: {} {} {} {} {}",
                c["table"].as_str().unwrap(),
                c["column"].as_str().unwrap(),
                c["declared"].as_str().unwrap(),
                c["integer"],
                c["real"],
                c["text"],
                c["blob"],
                c["null"]
            )
        })
        .collect();
    assert_eq!(shown, ["t.v INTEGER: 1 1 1 1 0", "t.x BLOB: 1 0 1 1 1"]);
    assert!(check.stderr.contains("Storage classes"), "{}", check.stderr);
    let hazards = check.hazards();
    assert!(hazards.contains(&"t.v wrong-type 2 quarantines".to_owned()), "{hazards:?}");
    assert!(hazards.contains(&"t.v inexact 1 quarantines".to_owned()), "{hazards:?}");
}

#[test]
fn each_finding_says_what_every_policy_would_do() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("nul.sqlite");
    write_sqlite(
        &path,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, char(0));",
    );
    let check = migrate("check", &sqlite_url(&path), database().url(), &[]).expect(4);
    let outcomes = check.json["hazards"][0]["policies"].as_array().unwrap();
    let of = |policy: &str| outcomes.iter().find(|o| o["policy"] == policy).unwrap().clone();
    assert_eq!(of("reject")["treatment"], "rejects");
    assert_eq!(of("quarantine")["treatment"], "quarantines");
    assert_eq!(of("escape")["treatment"], "escapes");
    assert_eq!(of("replace")["treatment"], "replaces");
    assert_eq!(of("replace")["by"], serde_json::json!(["drop-nul", "replacement-character", "null"]));
    assert_eq!(of("as_bytes")["treatment"], "as_bytes");
    assert!(check.stderr.contains("What each policy would do"), "{}", check.stderr);
}

#[test]
fn values_too_long_for_a_key_stand_in_the_way_and_for_an_index_do_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("long.sqlite");
    // Digests do not compress: these would break Postgres' limit indeed.
    let long: String = (0..60)
        .map(|n: u32| trimaran_core::digest::hex(&trimaran_core::digest::sha256(&n.to_be_bytes())))
        .collect();
    write_sqlite(
        &path,
        &format!(
            "CREATE TABLE t (v TEXT PRIMARY KEY, w TEXT); CREATE INDEX by_w ON t (w);
             INSERT INTO t VALUES ('{long}', 'a'), ('b', '{long}'), ('{}', 'c');",
            "x".repeat(2_600)
        ),
    );
    let (from, target) = (sqlite_url(&path), database());
    let rejected = migrate("run", &from, target.url(), &[]).expect(4);
    assert_eq!(rejected.hazards(), ["t.v too-long-for-key 1 rejects", "t.w too-long-for-index 1 moves"]);
    let run = migrate("run", &from, target.url(), &["--on-hazard", "quarantine"]).expect(5);
    assert!(run.json["not_moved"].to_string().contains("by_w"), "{}", run.json["not_moved"]);
    assert_eq!(cell(&target, "SELECT count(*) FROM t"), "2");
}

#[test]
fn names_that_are_one_after_they_are_cut_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("names.sqlite");
    let long = "x".repeat(63);
    write_sqlite(
        &path,
        &format!(
            "CREATE TABLE {long}a (id INTEGER PRIMARY KEY); CREATE TABLE {long}b (id INTEGER PRIMARY KEY);"
        ),
    );
    let check = migrate("check", &sqlite_url(&path), database().url(), &["--on-hazard", "escape"]).expect(4);
    let hazards = check.hazards();
    assert!(hazards.contains(&format!("{long}b. name-collision 1 rejects")), "{hazards:?}");
    assert!(check.stderr.contains("next:"), "{}", check.stderr);
}

#[test]
fn the_documentation_tells_of_every_hazard_what_each_policy_does() {
    use trimaran_migrator::hazard::Hazard;
    use trimaran_migrator::policy::{Policy, Treatment};
    use trimaran_migrator::replacement::Replacement;
    let docs = include_str!("../../../docs/migrate.md");
    for hazard in Hazard::all() {
        let name = format!("| `{}` | ", hazard.name());
        let line = docs.lines().find(|line| line.starts_with(&name)).unwrap_or_else(|| panic!("{name}"));
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let policies = [Policy::Escape, Policy::Replace, Policy::AsText, Policy::AsBytes];
        for (policy, cell) in policies.into_iter().zip(&cells[cells.len() - 4..]) {
            let expected = match hazard.outcome(policy) {
                (Treatment::Moves, _) => "moves".to_owned(),
                (Treatment::AsText | Treatment::AsBytes, _) => "kept".to_owned(),
                (Treatment::Replaces, by) => {
                    by.iter().map(|replacement| format!("`{replacement}`")).collect::<Vec<_>>().join(", ")
                }
                (treatment, _) => treatment.to_string(),
            };
            assert_eq!(cell, &expected.trim_end_matches('|').trim(), "{} under {policy}", hazard.name());
        }
    }
    for (_, policy) in Policy::ALL {
        assert!(docs.lines().any(|line| line.starts_with(&format!("| `{policy}`"))), "{policy}");
    }
    for (_, replacement) in Replacement::ALL {
        assert!(docs.lines().any(|line| line.starts_with(&format!("| `{replacement}` | "))), "{replacement}");
    }
}
