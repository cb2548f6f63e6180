//! `trimaran schema` on real stores.

use std::process::{Command, Stdio};

use rusqlite::Connection as Sqlite;
use serde_json::Value;
use tempfile::TempDir;
use trimaran_backends::catalog::Catalog;
use trimaran_backends::testing::{TestDatabase, postgres};
use trimaran_backends::{Access, Location, OpenOptions, open};

use crate::cli;

/// A store of one engine, empty at first. Dropped, it is gone.
struct Store {
    url: String,
    folder: TempDir,
    _database: Option<TestDatabase>,
}

const AREAS: &str = "identity,application,configuration,conversation";

impl Store {
    fn all() -> Vec<Self> {
        let folder = || tempfile::tempdir().unwrap();
        let (sqlite, duckdb, database) = (folder(), folder(), postgres::database());
        vec![
            Self { url: cli::sqlite_url(&sqlite.path().join("app.sqlite")), folder: sqlite, _database: None },
            Self { url: cli::duckdb_url(&duckdb.path().join("app.duckdb")), folder: duckdb, _database: None },
            Self { url: database.url().to_owned(), folder: folder(), _database: Some(database) },
        ]
    }

    fn command(&self, verb: &str, flags: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trimaran"));
        command.args(["schema", verb, "--url", &self.url, "--area", AREAS, "--json"]).args(flags);
        command.stdin(Stdio::null());
        command
    }

    /// Runs the command, and gives what it printed.
    #[track_caller]
    fn run(&self, verb: &str, flags: &[&str], code: i32) -> Value {
        let output = self.command(verb, flags).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{} {verb}: {stderr}", self.url);
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }

    fn execute(&self, sql: &str) {
        self.database().session().unwrap().execute(sql).unwrap();
    }

    fn catalog(&self) -> Catalog {
        self.database().catalog(None).unwrap()
    }

    fn database(&self) -> Box<dyn trimaran_backends::Database> {
        let options = OpenOptions { access: Access::Target, memory: 64 << 20, sessions: 1 };
        open(&Location::parse(&self.url).unwrap(), options).unwrap()
    }
}

fn names(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

const ROLE: &str = "INSERT INTO role (id, name, version, created_at, updated_at) VALUES \
    ('01890000-0000-7000-8000-000000000001', 'reader', 1, '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00')";

#[test]
fn up_status_down_and_up_again_on_filled_stores() {
    for store in Store::all() {
        let before = store.run("status", &[], 9);
        let pending = names(&before["stores"][0]["pending"]).join(" ");
        assert!(store.folder.path().read_dir().unwrap().next().is_none(), "status makes no file");

        let up = store.run("up", &[], 0);
        assert_eq!(names(&up["stores"][0]["changed"]).join(" "), pending);
        assert_eq!(store.run("status", &[], 0)["stores"][0]["pending"], serde_json::json!([]));
        store.execute(ROLE);

        // Rows are lost only by leave.
        let refused = store.run("down", &["--all"], 2);
        assert!(refused["error"].as_str().unwrap().contains("role (1 rows)"), "{refused}");
        let undone = store.run("down", &["--to", "0001_identity"], 0);
        assert_eq!(names(&undone["stores"][0]["changed"]).last(), Some(&"0002_application"));
        store.run("down", &["--all", "--yes"], 0);
        store.run("up", &[], 0);
        store.execute(ROLE);
    }
}

#[test]
fn two_programs_at_once_apply_each_migration_once() {
    for store in Store::all() {
        let children: Vec<_> = (0..2)
            .map(|_| store.command("up", &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
            .collect();
        let outputs: Vec<_> = children.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
        for output in &outputs {
            let stderr = String::from_utf8_lossy(&output.stderr);
            // A DuckDB file belongs to one process: the other is told so, or comes after it.
            let printed = serde_json::from_slice::<Value>(&output.stdout).unwrap_or(Value::Null);
            let locked = store.url.starts_with("duckdb") && printed["kind"] == "locked";
            assert!(output.status.success() || locked, "{} {stderr}", store.url);
        }
        assert!(outputs.iter().any(|output| output.status.success()));
        store.run("status", &[], 0);
    }
}

#[test]
fn a_newer_store_is_refused_and_both_versions_are_named() {
    for store in Store::all() {
        store.run("up", &[], 0);
        store.execute(
            "INSERT INTO trimaran_migration (name, position, applied_at, readable_from, checksum, applied_by) VALUES \
             ('0999_future', 99, '2030-01-01T00:00:00+00:00', '0999_future', '00', '9.9.9')",
        );
        for verb in ["status", "up"] {
            let refused = store.run(verb, &[], 2);
            let error = refused["error"].as_str().unwrap();
            assert!(error.contains("Trimaran 9.9.9 applied 0999_future"), "{error}");
            assert!(error.contains(env!("CARGO_PKG_VERSION")) && refused["next"].is_string(), "{refused}");
        }
        // One that says that it may be read is.
        store.execute("UPDATE trimaran_migration SET readable_from = '0001_identity' WHERE position = 99");
        store.run("status", &[], 0);
    }
}

#[test]
fn another_application_s_database_is_refused_untouched() {
    for store in Store::all() {
        if let Some(path) = store.url.strip_prefix("sqlite://") {
            Sqlite::open(path).unwrap().execute_batch("CREATE TABLE role (id integer)").unwrap();
        } else {
            store.execute("CREATE TABLE role (id integer)");
        }
        for verb in ["status", "up"] {
            let refused = store.run(verb, &[], 3);
            assert!(refused["error"].as_str().unwrap().contains("role"), "{refused}");
        }
        let tables: Vec<_> = store.catalog().tables.iter().map(|table| table.name.name.clone()).collect();
        assert_eq!(tables, ["role"]);
    }
}

#[test]
fn a_store_that_moved_to_postgres_is_the_store_that_would_have_been_made_there() {
    let mut stores = Store::all();
    let made = stores.pop().unwrap();
    made.run("up", &[], 0);
    let types = |catalog: &Catalog| -> Vec<String> {
        let columns = catalog.tables.iter().flat_map(|table| table.columns.iter().map(move |c| (table, c)));
        let shown =
            columns.map(|(table, c)| format!("{}.{} {} {}", table.name, c.name, c.declared, c.nullable));
        shown.collect()
    };
    let expected = types(&made.catalog());
    for store in stores {
        store.run("up", &[], 0);
        store.execute(ROLE);
        let target = postgres::database();
        cli::migrate("run", &store.url, target.url(), &[]).expect(0);
        let moved = Store {
            url: target.url().to_owned(),
            folder: tempfile::tempdir().unwrap(),
            _database: Some(target),
        };
        assert_eq!(types(&moved.catalog()), expected, "{}", store.url);
        // Its book came along, and row-level security comes with the next `up`.
        moved.run("status", &[], 0);
        moved.run("up", &[], 0);
        moved.run("down", &["--all", "--yes"], 0);
    }
}
