//! Keys that the target alone takes for equal, found before anything is written.

use trimaran_backends::testing::postgres::database;

use super::{edited_plan, write_sqlite};
use crate::cli::{cell, migrate, sqlite_url};

const SPELLINGS: &str = "
    CREATE TABLE p (id CHAR(36) PRIMARY KEY, n INTEGER);
    INSERT INTO p VALUES ('11111111-1111-1111-1111-111111111111', 1), ('11111111111111111111111111111111', 2),
        ('22222222-2222-2222-2222-222222222222', 3);
    CREATE TABLE c (id INTEGER PRIMARY KEY, p CHAR(36) REFERENCES p);
    INSERT INTO c VALUES (1, '11111111-1111-1111-1111-111111111111'), (2, '22222222222222222222222222222222'), (3, NULL);";

#[test]
fn uuids_that_differ_in_spelling_alone_are_rejected_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spellings.sqlite");
    write_sqlite(&path, SPELLINGS);
    let (from, target) = (sqlite_url(&path), database());
    let rejected = migrate("run", &from, target.url(), &[]).expect(4);
    assert!(rejected.hazards().contains(&"p.id duplicate 2 rejects".to_owned()), "{:?}", rejected.hazards());
    assert_eq!(cell(&target, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0");
}

#[test]
fn every_row_of_a_shared_key_is_put_aside_and_what_refers_to_it_goes_along() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spellings.sqlite");
    write_sqlite(&path, SPELLINGS);
    let (from, target) = (sqlite_url(&path), database());
    migrate("run", &from, target.url(), &["--on-hazard", "quarantine"]).expect(5);
    assert_eq!(cell(&target, "SELECT string_agg(n::text, ',') FROM p"), "3");
    assert_eq!(cell(&target, "SELECT string_agg(id::text, ',' ORDER BY id) FROM c"), "2,3");
    let reasons = "SELECT string_agg(reason, ',' ORDER BY reason) FROM _trimaran_quarantine";
    assert_eq!(cell(&target, reasons), "duplicate,duplicate,parent");
    migrate("verify", &from, target.url(), &[]).expect(5);
    migrate("run", &from, target.url(), &["--on-hazard", "quarantine"]).expect(5);
}

#[test]
fn what_a_policy_makes_equal_is_found_and_several_nulls_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("made.sqlite");
    write_sqlite(
        &path,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT UNIQUE, w UNIQUE, m DATETIME UNIQUE);
         INSERT INTO t VALUES (1, 'a', 12, NULL), (2, 'a' || char(0), '12', NULL), (3, NULL, NULL, '2025-01-01 00:00:00'),
             (4, NULL, NULL, '2025-01-01T00:00:00.000'), (5, 'A', 13, '2025-01-02');",
    );
    let (from, target) = (sqlite_url(&path), database());
    let edits = [("v", "on_hazard = \"replace\"\nreplace = \"drop-nul\""), ("w", "on_hazard = \"as_text\"")];
    let plan = edited_plan(dir.path(), &from, &target, &edits);
    let check = migrate("check", &from, target.url(), &["--plan", plan.to_str().unwrap()]).expect(4);
    let hazards = check.hazards();
    for expected in ["t.v duplicate 2 quarantines", "t.w duplicate 2 quarantines", "t.m duplicate 2 rejects"]
    {
        assert!(hazards.contains(&expected.to_owned()), "{expected}: {hazards:?}");
    }
}
