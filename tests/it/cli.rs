//! The `trimaran` program as a test calls it.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use trimaran_backends::testing::TestDatabase;
use trimaran_backends::{Access, OpenOptions, Session, open};
use trimaran_core::Value;

/// What a call ended with.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) json: serde_json::Value,
    pub(crate) stderr: String,
}

impl Outcome {
    /// The hazards found, as `table.column hazard count treatment`.
    pub(crate) fn hazards(&self) -> Vec<String> {
        let text = |v: &serde_json::Value| v.as_str().unwrap_or("").to_owned();
        self.json["hazards"]
            .as_array()
            .map(|all| {
                all.iter()
                    .map(|h| {
                        format!(
                            "{}.{} {} {} {}",
                            text(&h["table"]),
                            text(&h["column"]),
                            text(&h["hazard"]),
                            h["count"],
                            text(&h["treatment"])
                        )
                    })
                    .collect()
            })
            .unwrap_or_default()
    }

    /// The totals over all verified tables: source rows, target rows, quarantined rows.
    pub(crate) fn totals(&self) -> (u64, u64, u64) {
        let sum = |field: &str| {
            self.json["verified"]
                .as_array()
                .map_or(0, |all| all.iter().filter_map(|v| v[field].as_u64()).sum())
        };
        (sum("source_rows"), sum("target_rows"), sum("quarantined_rows"))
    }

    /// Fails with everything that was said unless the code is `code`.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stderr:\n{}\nstdout:\n{:#}", self.stderr, self.json);
        self
    }
}

fn command(verb: &str, from: &str, to: &str, flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trimaran"));
    command.args(["migrate", verb, "--from", from, "--to", to, "--json"]).args(flags);
    command.env_remove("PGPASSWORD").env_remove("PGPASSFILE").stdin(Stdio::null());
    command
}

/// Runs `trimaran migrate VERB` to its end.
pub(crate) fn migrate(verb: &str, from: &str, to: &str, flags: &[&str]) -> Outcome {
    migrate_in(&[], verb, from, to, flags)
}

/// The same with these variables in its environment.
pub(crate) fn migrate_in(
    environment: &[(&str, &str)],
    verb: &str,
    from: &str,
    to: &str,
    flags: &[&str],
) -> Outcome {
    ended(command(verb, from, to, flags).envs(environment.iter().copied()))
}

/// Runs `trimaran migrate status` on a target.
pub(crate) fn status(to: &str, flags: &[&str]) -> Outcome {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trimaran"));
    command.args(["migrate", "status", "--to", to, "--json"]).args(flags);
    ended(command.env_remove("PGPASSWORD").env_remove("PGPASSFILE").stdin(Stdio::null()))
}

fn ended(command: &mut Command) -> Outcome {
    let output = command.output().expect("the program starts");
    Outcome {
        code: output.status.code().unwrap_or(-1),
        json: serde_json::from_slice(&output.stdout).unwrap_or(serde_json::Value::Null),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Asks a program to stop, as Ctrl-C does, and waits for its end: how it ended and how long that took.
pub(crate) fn interrupt(mut child: Child) -> (Outcome, std::time::Duration) {
    let begun = std::time::Instant::now();
    // One that has just ended is not there to be asked any more.
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill starts");
    let mut stderr = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().expect("it is read"), &mut stderr).expect("text");
    let code = child.wait().expect("the child is ours").code().unwrap_or(-1);
    (Outcome { code, json: serde_json::Value::Null, stderr }, begun.elapsed())
}

/// Starts `trimaran migrate run`, and keeps what it says.
pub(crate) fn spawn_heard(from: &str, to: &str, flags: &[&str]) -> Child {
    command("run", from, to, flags)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

/// Starts `trimaran migrate run` and leaves it running.
pub(crate) fn spawn_run(from: &str, to: &str, flags: &[&str]) -> Child {
    command("run", from, to, flags)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts")
}

/// The URL of a DuckDB file.
pub(crate) fn duckdb_url(path: &Path) -> String {
    format!("duckdb://{}", path.display())
}

/// The URL of an SQLite file.
pub(crate) fn sqlite_url(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

/// A session of a test's own on its database.
pub(crate) fn session(database: &TestDatabase) -> Box<dyn Session> {
    let options = OpenOptions { access: Access::Target, memory: 64 << 20, sessions: 1 };
    open(&database.location(), options).expect("the database opens").session().expect("a session")
}

/// The only cell of a query's only row, as text; `NULL` for none.
#[track_caller]
pub(crate) fn cell(database: &TestDatabase, sql: &str) -> String {
    let rows = session(database).query(sql, &[]).expect("the query runs");
    assert_eq!(rows.len(), 1, "{sql}");
    match &rows[0][0] {
        Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
        other => other.shown(10_000),
    }
}

/// Runs a statement.
#[track_caller]
pub(crate) fn execute(database: &TestDatabase, sql: &str) {
    session(database).execute(sql).expect("the statement runs");
}

/// Names and digests of all files in a folder: what must be the same before and after a source was read.
pub(crate) fn folder(path: &Path) -> Vec<(String, String)> {
    let mut files: Vec<_> = std::fs::read_dir(path)
        .expect("the folder is there")
        .map(|entry| {
            let entry = entry.expect("an entry");
            let bytes = std::fs::read(entry.path()).expect("a file");
            let digest = trimaran_core::digest::hex(&trimaran_core::digest::sha256(&bytes));
            (entry.file_name().to_string_lossy().into_owned(), digest)
        })
        .collect();
    files.sort();
    files
}
