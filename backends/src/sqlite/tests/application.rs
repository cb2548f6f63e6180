//! An application in a process of its own: locks and shared memory within one process are another matter than between two.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rusqlite::Connection;

/// Names the database to the process, which is this test binary again.
const DATABASE: &str = "TRIMARAN_TEST_APPLICATION_DATABASE";
/// What an answer begins with, among the lines of the test harness.
const ANSWER: &str = "@ ";

/// The process. Dropping it closes the database in order.
pub(super) struct Application {
    process: Child,
    statements: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Application {
    /// Starts it, with `database` open.
    pub(super) fn start(database: &Path) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "sqlite::tests::application::run_as_application"])
            .env(DATABASE, database)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let statements = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, statements, answers }
    }

    /// Runs statements, given on one line; `Err` is SQLite's message.
    pub(super) fn try_run(&mut self, sql: &str) -> Result<(), String> {
        writeln!(self.statements.as_mut().unwrap(), "{}", sql.replace('\n', " ")).unwrap();
        let answer =
            self.answers.by_ref().map(Result::unwrap).find_map(|l| l.strip_prefix(ANSWER).map(str::to_owned));
        match answer.unwrap().as_str() {
            "done" => Ok(()),
            message => Err(message.to_owned()),
        }
    }

    /// Runs statements that must succeed.
    pub(super) fn run(&mut self, sql: &str) {
        self.try_run(sql).unwrap();
    }

    /// Kills it, as a power failure would.
    pub(super) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        // The end of its input ends it.
        self.statements = None;
        self.process.wait().unwrap();
    }
}

#[test]
#[ignore = "not a test: the other tests run it as a process of its own"]
fn run_as_application() {
    let Some(database) = std::env::var_os(DATABASE) else { return };
    let connection = Connection::open(database).unwrap();
    for sql in std::io::stdin().lines() {
        match connection.execute_batch(&sql.unwrap()) {
            Ok(()) => println!("{ANSWER}done"),
            Err(error) => println!("{ANSWER}{error}"),
        }
    }
}
