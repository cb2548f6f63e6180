//! A kill before and after every single write of a run, and an error and a lost connection at many of them (`make big`: at all): the run, or
//! else the next one, ends as an undisturbed one does.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use trimaran_backends::testing::postgres::database;
use trimaran_backends::{Access, Location, OpenOptions, open};
use trimaran_core::Value;

use crate::cli::{Outcome, duckdb_url, migrate_in, sqlite_url};
use crate::interruptions::digests;

pub(crate) const FLAGS: [&str; 4] = ["--on-hazard", "quarantine", "--jobs", "1"];
/// The least that DuckDB splits by: `child` has three batches.
pub(crate) const CHUNK_ROWS: (&str, &str) = ("TRIMARAN_CHUNK_ROWS", "2048");

/// Two tables with keys and an index, one of them three batches long, with a row in each batch that Postgres can't hold.
pub(crate) fn duckdb_source(path: &Path) -> String {
    let source = duckdb::Connection::open(path).unwrap();
    source
        .execute_batch(
            "CREATE TABLE parent (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL);
             INSERT INTO parent SELECT i, 'parent ' || i FROM range(10) r(i);
             CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parent (id), note VARCHAR);
             INSERT INTO child SELECT i, i % 10, CASE WHEN i % 1500 = 7 THEN 'a' || chr(0) ELSE 'note ' || i END
             FROM range(5000) r(i);
             CREATE INDEX child_by_parent ON child (parent);",
        )
        .unwrap();
    source.close().unwrap();
    duckdb_url(path)
}

/// The same in SQLite, without the reference, which DuckDB's tables are made without.
pub(crate) fn sqlite_source(path: &Path) -> String {
    let source = rusqlite::Connection::open(path).unwrap();
    source
        .execute_batch(
            "CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
             CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER, note TEXT);
             WITH RECURSIVE r(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM r LIMIT 10)
             INSERT INTO parent SELECT i, 'parent ' || i FROM r;
             WITH RECURSIVE r(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM r LIMIT 5000)
             INSERT INTO child SELECT i, i % 10, CASE WHEN i % 1500 = 7 THEN CAST(x'61ff' AS TEXT) ELSE 'note ' || i END FROM r;
             CREATE INDEX child_by_parent ON child (parent);",
        )
        .unwrap();
    sqlite_url(path)
}

/// Where a run goes: a schema of one Postgres database, or a file.
struct Target {
    url: String,
    schema: Option<String>,
}

impl Target {
    fn run(&self, from: &str, environment: &[(&str, &str)]) -> Outcome {
        let mut flags = FLAGS.to_vec();
        if let Some(schema) = &self.schema {
            flags.extend(["--schema", schema]);
        }
        let environment: Vec<_> = environment.iter().copied().chain([CHUNK_ROWS]).collect();
        migrate_in(&environment, "run", from, &self.url, &flags)
    }

    /// What must be as after an undisturbed run: rows and distinct keys, rows put aside, runs, chunks, and steps.
    fn counts(&self) -> Vec<i64> {
        let schema = self.schema.as_ref().map(|s| format!("\"{s}\".")).unwrap_or_default();
        let options = OpenOptions { access: Access::Target, memory: 64 << 20, sessions: 1 };
        let database = open(&Location::parse(&self.url).unwrap(), options).unwrap();
        let mut session = database.session().unwrap();
        [
            "count(*) FROM {}child",
            "count(DISTINCT id) FROM {}child",
            "count(*) FROM {}parent",
            "count(*) FROM {}_trimaran_quarantine",
            "count(DISTINCT row_key) FROM {}_trimaran_quarantine",
            "count(*) FROM {}_trimaran_runs",
            "count(*) FROM {}_trimaran_chunks",
            "count(*) FROM {}_trimaran_steps",
        ]
        .map(|sql| {
            match session.query(&format!("SELECT {}", sql.replace("{}", &schema)), &[]).unwrap()[0][0] {
                Value::Int(n) => n,
                ref other => panic!("{sql}: {other:?}"),
            }
        })
        .to_vec()
    }
}

/// What an undisturbed run came to.
struct Reference {
    code: i32,
    digests: BTreeMap<String, (String, u64, u64)>,
    counts: Vec<i64>,
    /// Every write: what it wrote to, and how.
    writes: Vec<String>,
}

impl Reference {
    fn of(from: &str, target: &Target, folder: &Path) -> Self {
        let log = folder.join("writes");
        let outcome = target.run(from, &[("TRIMARAN_FAULT_LOG", log.to_str().unwrap())]);
        assert!(matches!(outcome.code, 0 | 5), "{}", outcome.stderr);
        let writes = std::fs::read_to_string(log).unwrap();
        let writes = writes.lines().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect();
        let (digests, counts) = (digests(&outcome.json), target.counts());
        Self { code: outcome.code, digests, counts, writes }
    }

    /// Fails unless a run ended as the undisturbed one.
    fn assert_equals(&self, outcome: &Outcome, target: &Target, fault: &str) {
        assert_eq!(outcome.code, self.code, "{fault}:\n{}", outcome.stderr);
        assert_eq!(digests(&outcome.json), self.digests, "{fault}");
        assert_eq!(target.counts(), self.counts, "{fault}");
    }
}

/// Every write of the reference under each of `actions`: after each, and before the first of each kind. Between two writes
/// nothing is written, so that after one is before the next.
fn points(reference: &Reference, actions: &[&'static str]) -> Vec<(&'static str, String)> {
    let mut points = Vec::new();
    for action in actions {
        for (at, kind) in reference.writes.iter().enumerate() {
            if !reference.writes[..at].contains(kind) {
                points.push((*action, format!("{action}:before:{}", at + 1)));
            }
            points.push((*action, format!("{action}:after:{}", at + 1)));
        }
    }
    points
}

/// One of so many points, to be done in minutes; every one if `TRIMARAN_FAULTS` is set, as `make big` does.
fn one_of(many: usize) -> usize {
    if std::env::var_os("TRIMARAN_FAULTS").is_some() { 1 } else { many }
}

/// Tries every point on a target of its own, two at a time.
fn try_all(
    from: &str,
    reference: &Reference,
    points: &[(&'static str, String)],
    target: impl Fn(usize) -> Target + Sync,
) {
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((at, (action, fault))) = {
                    let at = next.fetch_add(1, Ordering::SeqCst);
                    points.get(at).map(|point| (at, point))
                } {
                    let target = target(at);
                    let tried = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                        try_one(from, reference, action, fault, &target);
                    }));
                    if tried.is_err() {
                        failures.lock().unwrap().push(fault.clone());
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "of {} points these failed: {failures:?}", points.len());
}

fn lacks_statistics(outcome: &Outcome) -> bool {
    outcome.json["not_moved"]
        .as_array()
        .is_some_and(|all| all.iter().any(|thing| thing["kind"] == "statistics"))
}

fn try_one(from: &str, reference: &Reference, action: &str, fault: &str, target: &Target) {
    let struck = target.run(from, &[("TRIMARAN_FAULT", fault)]);
    match action {
        "kill" => assert_eq!(struck.code, -1, "{fault} did not kill:\n{}", struck.stderr),
        // All is there and proved, and the planner can be told later.
        "fail" if lacks_statistics(&struck) => return reference.assert_equals(&struck, target, fault),
        "fail" => {
            assert!(matches!(struck.code, 3 | 7), "{fault} ended with {}:\n{}", struck.code, struck.stderr);
        }
        // These pass: the run itself tries again.
        _ => {
            assert!(struck.json["retries"].as_u64() >= Some(1), "{fault} was not met:\n{}", struck.stderr);
            return reference.assert_equals(&struck, target, fault);
        }
    }
    reference.assert_equals(&target.run(from, &[]), target, fault);
}

#[test]
fn a_kill_or_an_error_at_any_write_to_postgres_leaves_what_the_next_run_ends() {
    let dir = tempfile::tempdir().unwrap();
    let from = duckdb_source(&dir.path().join("source.db"));
    let database = database();
    let target = |schema: String| Target { url: database.url().to_owned(), schema: Some(schema) };
    let reference = Reference::of(&from, &target("undisturbed".into()), dir.path());
    assert_eq!(reference.code, 5);
    // The run has every kind of write that there is.
    for kind in [
        "journal CREATE",
        "journal INSERT",
        "journal UPDATE",
        "target CREATE",
        "target ALTER",
        "target ROWS",
        "target ANALYZE",
        "quarantine ROWS",
        "transaction BEGIN",
        "transaction COMMIT",
    ] {
        assert!(reference.writes.iter().any(|write| write == kind), "no {kind} in {:?}", reference.writes);
    }
    assert_eq!(reference.writes.iter().filter(|write| *write == "quarantine ROWS").count(), 3);
    let mut points = points(&reference, &["kill"]);
    points.extend(self::points(&reference, &["fail"]).into_iter().step_by(one_of(2)));
    try_all(&from, &reference, &points, |at| target(format!("fault_{at}")));
}

#[test]
fn a_lost_connection_or_a_deadlock_at_any_write_to_postgres_is_survived_by_the_run_itself() {
    let dir = tempfile::tempdir().unwrap();
    let from = duckdb_source(&dir.path().join("source.db"));
    let database = database();
    let target = |schema: String| Target { url: database.url().to_owned(), schema: Some(schema) };
    let reference = Reference::of(&from, &target("undisturbed".into()), dir.path());
    let mut points: Vec<_> = points(&reference, &["drop"]).into_iter().step_by(one_of(3)).collect();
    points.extend(self::points(&reference, &["40P01", "40001"]).into_iter().step_by(one_of(9)));
    try_all(&from, &reference, &points, |at| target(format!("fault_{at}")));
}

#[test]
fn a_kill_or_an_error_at_a_write_to_a_file_leaves_what_the_next_run_ends() {
    let dir = tempfile::tempdir().unwrap();
    type OfPath = fn(&Path) -> String;
    let ways: [(&str, OfPath, OfPath); 2] =
        [("to.sqlite", duckdb_source, sqlite_url), ("to.duckdb", sqlite_source, duckdb_url)];
    for (name, source, url) in ways {
        let from = source(&dir.path().join(format!("from-{name}")));
        let target = |at: String| Target { url: url(&dir.path().join(format!("{at}-{name}"))), schema: None };
        let reference = Reference::of(&from, &target("undisturbed".into()), &dir.path().join("."));
        std::fs::remove_file(dir.path().join("writes")).unwrap();
        let points: Vec<_> = points(&reference, &["kill", "fail"]).into_iter().step_by(one_of(5)).collect();
        try_all(&from, &reference, &points, |at| target(at.to_string()));
    }
}
