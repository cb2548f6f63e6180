//! Reading a little where one is, and much where it may take its time.

use std::time::Duration;

use rusqlite::Connection;
use sea_orm::{DbBackend, Statement, Value};
use trimaran_core::{ErrorKind, Result};

use super::Folder;
use crate::fetch::CellType;
use crate::sqlite::at_once::ReadingConnection;

const FEW: &str = "SELECT number FROM item WHERE number = 7";
const MANY: &str = "SELECT sum(a.number * b.number) FROM item a, item b";

/// A file of a thousand rows, and the connection that wrote it.
fn fixture() -> (Folder, Connection, ReadingConnection) {
    let folder = Folder::new();
    let writing = Connection::open(folder.database()).unwrap();
    writing
        .execute_batch(
            "CREATE TABLE item (number INTEGER PRIMARY KEY); INSERT INTO item WITH RECURSIVE n(number) AS \
             (SELECT 1 UNION ALL SELECT number + 1 FROM n WHERE number < 1000) SELECT number FROM n",
        )
        .unwrap();
    let reading = ReadingConnection::open(&folder.database(), Duration::from_millis(100)).unwrap();
    (folder, writing, reading)
}

fn at_once(reading: &ReadingConnection, begin: bool, sql: &str) -> Option<Result<Vec<Vec<Value>>>> {
    reading.read_at_once(begin, &Statement::from_string(DbBackend::Sqlite, sql), &[CellType::I64])
}

fn at_leisure(reading: &ReadingConnection, begin: bool, sql: &str) -> Result<Vec<Vec<Value>>> {
    reading.read(begin, &Statement::from_string(DbBackend::Sqlite, sql), &[CellType::I64])
}

fn number(number: i64) -> Vec<Vec<Value>> {
    vec![vec![Value::from(number)]]
}

const SUM: i64 = 500_500 * 500_500;

#[test]
fn what_takes_long_is_given_up_and_then_read_to_its_end() {
    let (_folder, _writing, reading) = fixture();
    for _ in 0..100 {
        assert_eq!(at_once(&reading, false, FEW).expect("it is short").unwrap(), number(7));
    }
    assert!(at_once(&reading, false, MANY).is_none());
    assert_eq!(at_leisure(&reading, false, MANY).unwrap(), number(SUM));
    assert_eq!(at_once(&reading, false, FEW).expect("it is short").unwrap(), number(7));
}

#[test]
fn a_transaction_that_began_with_what_was_given_up_sees_one_state() {
    let (_folder, writing, reading) = fixture();
    assert!(at_once(&reading, true, MANY).is_none());
    assert_eq!(at_leisure(&reading, true, MANY).unwrap(), number(SUM));
    writing.execute_batch("PRAGMA busy_timeout = 0; INSERT INTO item VALUES (1001)").unwrap_err();
    assert_eq!(at_once(&reading, false, FEW).expect("it is short").unwrap(), number(7));
    reading.commit().unwrap();
    writing.execute_batch("INSERT INTO item VALUES (1001)").unwrap();
    assert_eq!(at_leisure(&reading, false, "SELECT count(*) FROM item").unwrap(), number(1001));
}

#[test]
fn a_lock_is_waited_for_at_leisure_alone() {
    let (_folder, writing, reading) = fixture();
    writing.execute_batch("BEGIN EXCLUSIVE").unwrap();
    assert!(at_once(&reading, false, FEW).is_none());
    assert_eq!(at_leisure(&reading, false, FEW).unwrap_err().kind(), ErrorKind::Locked);
    writing.execute_batch("COMMIT").unwrap();
    assert_eq!(at_leisure(&reading, false, FEW).unwrap(), number(7));
}

#[test]
fn an_error_is_one_at_once() {
    let (_folder, _writing, reading) = fixture();
    assert_eq!(
        at_once(&reading, false, "SELECT nothing FROM item").expect("it is known").unwrap_err().kind(),
        ErrorKind::Invalid
    );
}
