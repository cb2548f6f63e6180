//! The table of types ([`trimaran_core::types::keeping`]) held to the truth: extreme values of every type are written to each
//! engine and read back.

use std::borrow::Cow;

use trimaran_core::types::keeping::{self, Exactness, Row, SOURCES};
use trimaran_core::{Engine, LogicalType, Result, Value, decimal, digest, temporal};

use crate::catalog::TableName;
use crate::dialect::{ColumnDefinition, TableDefinition};
use crate::testing::{TestDatabase, postgres};
use crate::{Access, Database, Location, OpenOptions, Read, open};

const P: Engine = Engine::Postgres;
const S: Engine = Engine::Sqlite;
const D: Engine = Engine::Duckdb;

/// A value, and the engines that refuse it.
type Case = (Value<'static>, &'static [Engine]);

fn number(text: &str) -> Value<'static> {
    Value::Decimal(Cow::Owned(decimal::canonical(text).unwrap().into_owned()))
}

fn bytes(bytes: &[u8]) -> Cow<'static, [u8]> {
    Cow::Owned(bytes.to_vec())
}

fn ints(values: &[i64]) -> Value<'static> {
    Value::List(values.iter().map(|v| Value::Int(*v)).collect())
}

/// Values at the ends of a type, and some that are known to be trouble.
fn cases(logical: &LogicalType) -> Vec<Case> {
    use LogicalType as L;
    const LEAST_POSTGRES_DAY: i32 = -2_440_588;
    const LEAST_POSTGRES_MOMENT: i64 = LEAST_POSTGRES_DAY as i64 * temporal::DAY;
    const LEAST_DUCKDB_MOMENT: i64 = -9_223_372_022_400_000_000;
    let all =
        |values: Vec<Value<'static>>| values.into_iter().map(|v| (v, [].as_slice())).collect::<Vec<Case>>();
    let moments = |of: fn(i64) -> Value<'static>| -> Vec<Case> {
        vec![
            (of(i64::MIN), &[]),
            (of(i64::MAX), &[]),
            (of(i64::MAX - 1), &[]),
            (of(-1), &[]),
            (of(LEAST_POSTGRES_MOMENT), &[]),
            (of(LEAST_POSTGRES_MOMENT - 1), &[P]),
            (of(LEAST_DUCKDB_MOMENT), &[P]),
            (of(LEAST_DUCKDB_MOMENT - 1), &[P, D]),
            (of(i64::MIN + 1), &[P, D]),
        ]
    };
    match logical {
        L::Bool => all(vec![Value::Bool(true), Value::Bool(false)]),
        L::Int16 => all(vec![Value::Int(i16::MIN.into()), Value::Int(i16::MAX.into())]),
        L::Int32 => all(vec![Value::Int(i32::MIN.into()), Value::Int(i32::MAX.into())]),
        L::Int64 => all(vec![Value::Int(i64::MIN), Value::Int(i64::MAX)]),
        L::Float32 => vec![
            (Value::Float32(f32::MAX), &[]),
            (Value::Float32(f32::from_bits(1)), &[]),
            (Value::Float32(0.1), &[]),
            (Value::Float32(f32::NEG_INFINITY), &[]),
            (Value::Float32(-0.0), &[S]),
            (Value::Float32(f32::from_bits(0x7fc0_0001)), &[S]),
        ],
        L::Float64 => vec![
            (Value::Float64(f64::MIN), &[]),
            (Value::Float64(f64::from_bits(1)), &[]),
            (Value::Float64(0.1), &[]),
            (Value::Float64(f64::INFINITY), &[]),
            (Value::Float64(-0.0), &[S]),
            (Value::Float64(f64::from_bits(0x7ff8_0000_0000_0abc)), &[S]),
        ],
        L::Decimal { precision: 38, .. } => vec![
            (number("9999999999999999999999999999.9999999999"), &[]),
            (number("-9999999999999999999999999999.9999999999"), &[]),
            (number("0.0000000001"), &[]),
            (number("NaN"), &[D]),
            (number("Infinity"), &[P, D]),
        ],
        L::Decimal { precision: 39, .. } => vec![
            (number("-170141183460469231731687303715884105728"), &[]),
            (number("340282366920938463463374607431768211455"), &[]),
            (number("-Infinity"), &[P]),
        ],
        L::Decimal { .. } => all(vec![number(&"9".repeat(1001))]),
        L::Numeric => vec![
            (number("1e131071"), &[]),
            (number("-1e-16383"), &[]),
            (number("NaN"), &[]),
            (number("-Infinity"), &[]),
            (number("1e131072"), &[P]),
            (number("1e-16384"), &[P]),
        ],
        L::Text => vec![
            (Value::text(""), &[]),
            (Value::text("é日🦀\u{1}\u{1a}\u{7f}"), &[]),
            (Value::text("a\0b"), &[P]),
            (Value::Text(bytes(b"\xff")), &[P, D]),
        ],
        L::Bytes => all(vec![Value::Bytes(bytes(b"")), Value::Bytes(bytes(b"\0\xff\x80"))]),
        L::Json => vec![
            (Value::Json(bytes(b"{\"a\" :  1, \"a\": 2e400}")), &[]),
            (Value::Json(bytes(b"\"\\u0000\"")), &[]),
            (Value::Json(bytes(b"null")), &[]),
            (Value::Json(bytes(b"\"\xff\"")), &[P, D]),
        ],
        L::Uuid => all(vec![Value::Uuid([0; 16]), Value::Uuid([255; 16])]),
        L::Date => vec![
            (Value::Date(i32::MIN), &[]),
            (Value::Date(i32::MAX), &[]),
            (Value::Date(LEAST_POSTGRES_DAY), &[]),
            (Value::Date(2_145_042_905), &[]),
            (Value::Date(LEAST_POSTGRES_DAY - 1), &[P]),
            (Value::Date(2_145_042_906), &[P]),
            (Value::Date(i32::MAX - 1), &[P]),
            (Value::Date(i32::MIN + 2), &[P]),
            (Value::Date(i32::MIN + 1), &[P, D]),
        ],
        L::Time => all(vec![Value::Time(0), Value::Time(1), Value::Time(temporal::DAY)]),
        L::TimeTz => vec![
            (Value::TimeTz(temporal::DAY, 57_599), &[]),
            (Value::TimeTz(1, -57_599), &[]),
            (Value::TimeTz(0, 57_600), &[P, S, D]),
        ],
        L::Timestamp => moments(Value::Timestamp),
        L::TimestampTz => moments(Value::TimestampTz),
        L::Interval => all(vec![
            Value::Interval(i32::MIN, i32::MAX, i64::MIN),
            Value::Interval(i32::MAX, i32::MIN, i64::MAX),
            Value::Interval(-1, 1, -1),
            Value::Interval(0, 0, 0),
        ]),
        L::Bits => vec![
            (Value::Bits(1, bytes(&[0x80])), &[]),
            (Value::Bits(9, bytes(&[0xff, 0x80])), &[]),
            (Value::Bits(0, bytes(&[])), &[D]),
        ],
        L::List(element) => match element.as_ref() {
            L::Int32 => all(vec![
                Value::List(vec![]),
                Value::List(vec![Value::Int(1), Value::Null, Value::Int(i32::MIN.into())]),
            ]),
            L::Float64 => all(vec![Value::List(vec![
                Value::Float64(f64::NAN),
                Value::Float64(-0.0),
                Value::Float64(f64::NEG_INFINITY),
                Value::Null,
            ])]),
            L::Text => vec![
                (Value::List(vec![Value::text(""), Value::text("\"\\,{}"), Value::Null]), &[]),
                (Value::List(vec![Value::text("\0")]), &[P]),
                (Value::List(vec![Value::Text(bytes(b"\xff"))]), &[P, S, D]),
            ],
            L::List(_) => vec![
                (Value::List(vec![]), &[]),
                (Value::List(vec![ints(&[1, 2]), ints(&[3, 4]), ints(&[5, 6])]), &[]),
                (Value::List(vec![ints(&[1]), ints(&[2, 3])]), &[P]),
                (Value::List(vec![ints(&[])]), &[P]),
                (Value::List(vec![Value::Null]), &[P]),
            ],
            other => panic!("no values for lists of {other}"),
        },
    }
}

/// The three engines, each with an empty database.
struct Engines {
    databases: Vec<Box<dyn Database>>,
    _server: TestDatabase,
    _folder: tempfile::TempDir,
}

impl Engines {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = postgres::database();
        let places = [
            server.location(),
            Location::file(S, folder.path().join("types.sqlite")),
            Location::file(D, folder.path().join("types.duckdb")),
        ];
        let options = OpenOptions { access: Access::Target, memory: 64 << 20, sessions: 1 };
        let databases = places.iter().map(|place| open(place, options).unwrap()).collect();
        Self { databases, _server: server, _folder: folder }
    }
}

fn create(database: &dyn Database, name: &TableName, logical: &LogicalType) -> Result<u64> {
    let column = |name: &str, logical: LogicalType| ColumnDefinition {
        name: name.to_owned(),
        logical,
        nullable: true,
        default: None,
        identity: None,
        generated: None,
        labels: None,
        declared: None,
    };
    let definition = TableDefinition {
        name: name.clone(),
        columns: vec![column("n", LogicalType::Int64), column("v", logical.clone())],
        primary_key: None,
        unique: Vec::new(),
        foreign_keys: Vec::new(),
        indexes: Vec::new(),
    };
    database.session()?.execute(&database.dialect().create_table(&definition).sql)
}

/// Writes one row.
fn write(
    database: &dyn Database,
    table: &TableName,
    logical: &LogicalType,
    number: i64,
    value: &Value<'_>,
) -> Result<u64> {
    let types = [LogicalType::Int64, logical.clone()];
    let mut encoded = Vec::new();
    database.encode_row(&types, &[Value::Int(number), value.borrowed()], &mut encoded)?;
    let columns = [("n".to_owned(), types[0].clone()), ("v".to_owned(), types[1].clone())];
    let mut session = database.session()?;
    session.begin()?;
    let written = session.write(table, &columns, &encoded)?;
    session.commit()?;
    Ok(written)
}

/// What the catalogue takes the column for, and its values by their numbers.
fn read(database: &dyn Database, name: &TableName) -> (LogicalType, Vec<(i64, Value<'static>)>) {
    let catalog = database.catalog(Some(&name.schema)).unwrap();
    let table = catalog.tables.iter().find(|table| table.name == *name).unwrap();
    let logical = table.column("v").unwrap().logical.clone().unwrap();
    let mut session = database.session().unwrap();
    let mut values = Vec::new();
    for chunk in session.chunks(table, 10_000).unwrap() {
        let read = Read { table, columns: &table.columns, chunk };
        session
            .read(&read, &mut |row| {
                let Value::Int(number) = row[0] else { panic!("{row:?}") };
                let value = match database.engine() {
                    S => crate::sqlite::storage::from_stored(&logical, &row[1])
                        .unwrap_or_else(|| panic!("{logical}: {:?} is not of the type", row[1])),
                    _ => row[1].borrowed(),
                };
                values.push((number, value.into_owned()));
                Ok(())
            })
            .unwrap();
    }
    (logical, values)
}

/// The value as a column of the type `becomes` says it.
fn told_as(value: &Value<'static>, becomes: &LogicalType) -> Value<'static> {
    match (value, becomes) {
        (Value::Float32(v), LogicalType::Float64) => Value::Float64(f64::from(*v)),
        (Value::Decimal(v), LogicalType::Text) => Value::Text(bytes(v.as_bytes())),
        (same, _) => same.clone(),
    }
}

/// Bytes that only the same value has; NaN is equal to itself here, and −0.0 is not 0.0.
fn canonical(value: &Value<'_>) -> Vec<u8> {
    let mut canonical = Vec::new();
    digest::encode(value, &mut canonical);
    canonical
}

fn hold(database: &dyn Database, at: usize, row: &Row) {
    let engine = database.engine();
    let (keeping, logical) = (row.on(engine), &row.logical);
    let label = format!("{logical} on {engine}");
    let name = TableName::new(database.dialect().default_schema(), format!("t{at}"));
    let created = create(database, &name, logical);
    if keeping.exactness == Exactness::Impossible {
        assert!(created.is_err(), "{label}: the table says impossible");
        return;
    }
    created.unwrap();
    let cases = cases(logical);
    let mut taken = Vec::new();
    for (number, (value, refusing)) in (0..).zip(&cases) {
        let written = write(database, &name, logical, number, value);
        assert_eq!(written.is_err(), refusing.contains(&engine), "{label}: {value:?}: {written:?}");
        if written.is_ok() {
            taken.push((number, value.clone()));
        }
    }
    assert_eq!(taken.len() < cases.len(), !keeping.refused.is_empty(), "{label}: what is refused is told");
    write(database, &name, logical, -1, &Value::Null).unwrap();

    let (known_as, mut read) = read(database, &name);
    read.sort_by_key(|(number, _)| *number);
    assert_eq!(read.remove(0), (-1, Value::Null), "{label}");
    let becomes = match &keeping.exactness {
        Exactness::Lossy { becomes, .. } => {
            assert_ne!(becomes, logical, "{label}: nothing is lost");
            becomes
        }
        _ => logical,
    };
    assert_eq!(known_as, *becomes, "{label}: what the catalogue says");
    assert_eq!(read.len(), taken.len(), "{label}");
    for ((number, found), (_, wrote)) in read.iter().zip(&taken) {
        let expected = told_as(wrote, becomes);
        assert!(
            canonical(found) == canonical(&expected),
            "{label}, value {number}: {found:?} for {expected:?}"
        );
    }
}

#[test]
fn every_type_is_kept_as_the_table_says() {
    let engines = Engines::new();
    for (at, row) in keeping::table().iter().enumerate() {
        for database in &engines.databases {
            hold(database.as_ref(), at, row);
        }
    }
}

#[test]
fn the_types_of_sources_mean_what_the_table_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("types.duckdb");
    let options = OpenOptions { access: Access::Target, memory: 64 << 20, sessions: 1 };
    let duckdb = open(&Location::file(D, path), options).unwrap();
    let of = |engine| SOURCES.into_iter().filter(move |(e, ..)| *e == engine);
    let columns: Vec<_> =
        of(D).enumerate().map(|(at, (_, declared, ..))| format!("c{at} {declared}")).collect();
    duckdb.session().unwrap().execute(&format!("CREATE TABLE t ({})", columns.join(", "))).unwrap();
    let catalog = duckdb.catalog(None).unwrap();
    for (column, (_, declared, becomes, _)) in catalog.tables[0].columns.iter().zip(of(D)) {
        assert_eq!(column.declared, declared, "as DuckDB spells it");
        assert_eq!(column.logical, LogicalType::parse(becomes), "{declared}");
    }
    for (_, declared, becomes, _) in of(S) {
        assert_eq!(crate::sqlite::types::logical(declared), LogicalType::parse(becomes), "{declared}");
    }
}
