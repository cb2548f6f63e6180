//! Rows in, and out again as they were.

use std::borrow::Cow;

use trimaran_core::{ErrorKind, LogicalType};

use super::*;
use crate::catalog::{DefaultValue, ForeignKey, Index, IndexColumn, Key, ReferentialAction, TableName};
use crate::dialect::{ColumnDefinition, Phase, TableDefinition};
use crate::sqlite::dialect::DIALECT;
use crate::sqlite::storage;
use crate::{Dialect, dialect};

fn column(name: &str, logical: LogicalType) -> ColumnDefinition {
    ColumnDefinition {
        name: name.into(),
        logical,
        nullable: true,
        default: None,
        identity: None,
        generated: None,
        labels: None,
        declared: None,
    }
}

fn table(name: &str, columns: Vec<ColumnDefinition>) -> TableDefinition {
    TableDefinition {
        name: TableName::new("main", name),
        columns,
        primary_key: None,
        unique: Vec::new(),
        foreign_keys: Vec::new(),
        indexes: Vec::new(),
    }
}

/// Writes one column of values of a type, reads it back, and undoes the storage.
fn round_trip(logical: LogicalType, values: &[Value<'_>]) {
    let folder = Folder::new();
    let target = folder.target();
    let mut session = target.session().unwrap();
    let definition = table("Order", vec![column("Group", logical.clone())]);
    session.execute(&DIALECT.create_table(&definition).sql).unwrap();
    let mut rows = Vec::new();
    for value in values {
        target.encode_row(std::slice::from_ref(&logical), std::slice::from_ref(value), &mut rows).unwrap();
    }
    session.begin().unwrap();
    let columns = [("Group".to_owned(), logical.clone())];
    assert_eq!(session.write(&definition.name, &columns, &rows).unwrap(), values.len() as u64);
    session.commit().unwrap();
    let stored = rows_of(&target, "Order");
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for (value, row) in values.iter().zip(&stored) {
        let back =
            storage::from_stored(&logical, &row[0]).unwrap_or_else(|| panic!("{logical} {value:?} {row:?}"));
        digest::encode_row(std::slice::from_ref(value), &mut before);
        digest::encode_row(&[back], &mut after);
        assert_eq!(before, after, "{logical} {value:?} was kept as {row:?}");
    }
    assert_eq!(stored.len(), values.len());
}

fn bytes(bytes: &[u8]) -> Cow<'_, [u8]> {
    Cow::Borrowed(bytes)
}

#[test]
fn every_type_comes_back_exactly() {
    use LogicalType as L;
    let decimal = |text: &'static str| Value::Decimal(text.into());
    round_trip(L::Bool, &[Value::Bool(true), Value::Bool(false), Value::Null]);
    for integer in [L::Int16, L::Int32, L::Int64] {
        round_trip(integer, &[Value::Int(0), Value::Int(-32_768)]);
    }
    round_trip(L::Int64, &[Value::Int(i64::MIN), Value::Int(i64::MAX)]);
    round_trip(L::Float32, &[0.1, f32::MAX, f32::MIN_POSITIVE, 3.0, f32::INFINITY].map(Value::Float32));
    round_trip(
        L::Float64,
        &[0.1, f64::MAX, 5e-324, 3.0, -9007199254740993.0, f64::NEG_INFINITY].map(Value::Float64),
    );
    round_trip(
        L::Numeric,
        &["0", "-1.5", "123456789012345678901234567890.1", "NaN", "Infinity"].map(decimal),
    );
    round_trip(L::Decimal { precision: 10, scale: 2 }, &["1.5", "10000000"].map(decimal));
    round_trip(L::Text, &["", "a\0b", "1", "1e5", "é😀", "NULL"].map(Value::text));
    round_trip(L::Text, &[Value::Text(bytes(b"no \xff UTF-8"))]);
    round_trip(L::Bytes, &[b"".as_slice(), b"\0\xff", b"1"].map(|v| Value::Bytes(bytes(v))));
    round_trip(
        L::Json,
        &["{}", "5", "1.50", "null", "[ 1 ]", "\"\\u0000\""].map(|v| Value::Json(bytes(v.as_bytes()))),
    );
    round_trip(L::Uuid, &[Value::Uuid([0; 16]), Value::Uuid([0xab; 16])]);
    round_trip(
        L::Date,
        &[0, -1, 19_000, -719_529, -5_000_000, 2_932_897, 2_000_000_000, -2_000_000_000, i32::MAX, i32::MIN]
            .map(Value::Date),
    );
    round_trip(L::Time, &[0, 1, 86_399_999_999, 86_400_000_000].map(Value::Time));
    round_trip(
        L::TimeTz,
        &[(0, 0), (1, -3_600), (86_399_999_999, 57_599), (5, -57_599)]
            .map(|(micros, east)| Value::TimeTz(micros, east)),
    );
    let moments = [0, -1, 1_234_567, -62_135_596_800_000_001, i64::MAX - 1, i64::MIN + 1, i64::MAX, i64::MIN];
    round_trip(L::Timestamp, &moments.map(Value::Timestamp));
    round_trip(L::TimestampTz, &moments.map(Value::TimestampTz));
    round_trip(
        L::Interval,
        &[(0, 0, 0), (14, -3, -500_000), (i32::MIN, i32::MAX, i64::MIN), (-1, 0, i64::MAX), (0, 0, 1)]
            .map(|(months, days, micros)| Value::Interval(months, days, micros)),
    );
    round_trip(
        L::Bits,
        &[(0, b"".as_slice()), (3, b"\xa0"), (9, b"\xff\x80")].map(|(n, v)| Value::Bits(n, bytes(v))),
    );
}

#[test]
fn lists_of_every_type_come_back_exactly() {
    use LogicalType as L;
    let list = |element: L, values: Vec<Value<'static>>| {
        let nested = vec![Value::List(values.clone()), Value::Null, Value::List(Vec::new())];
        round_trip(
            L::List(Box::new(element.clone())),
            &[Value::List(values), Value::List(vec![Value::Null]), Value::Null],
        );
        round_trip(L::List(Box::new(L::List(Box::new(element)))), &[Value::List(nested)]);
    };
    list(L::Bool, vec![Value::Bool(true), Value::Null, Value::Bool(false)]);
    list(L::Int64, vec![Value::Int(i64::MIN), Value::Int(i64::MAX)]);
    let floats = [0.1, -0.0, 1e300, 5e-324, 1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    list(L::Float64, floats.map(Value::Float64).to_vec());
    list(
        L::Float32,
        [0.1, -0.0, f32::MAX, f32::NAN, f32::INFINITY, 16_777_217.0].map(Value::Float32).to_vec(),
    );
    list(L::Text, ["", "\"\\\u{1f}\n\0", "null", "é😀"].map(|v| Value::text(v).into_owned()).to_vec());
    list(L::Bytes, vec![Value::Bytes(vec![].into()), Value::Bytes(vec![0, 255].into())]);
    list(L::Uuid, vec![Value::Uuid([7; 16])]);
    list(L::Numeric, vec![Value::Decimal("-1.5".into())]);
    list(L::Json, vec![Value::Json(b"{\"a\":\"\\u0000\"}".to_vec().into())]);
    list(L::TimestampTz, vec![Value::TimestampTz(-62_135_596_800_000_001), Value::TimestampTz(i64::MAX)]);
    list(L::Interval, vec![Value::Interval(1, -2, 3)]);
    list(L::Bits, vec![Value::Bits(3, vec![0xa0].into())]);
}

#[test]
fn what_can_not_be_kept_is_refused_before_it_is_written() {
    let folder = Folder::new();
    let target = folder.target();
    let payload = f64::from_bits(f64::NAN.to_bits() | 1);
    let floats = LogicalType::List(Box::new(LogicalType::Float64));
    let cases = [
        (LogicalType::Float64, Value::Float64(f64::NAN)),
        (LogicalType::Float32, Value::Float32(f32::NAN)),
        (LogicalType::Float64, Value::Float64(-0.0)),
        (LogicalType::Int64, Value::text("1")),
        (LogicalType::Time, Value::Time(-1)),
        (LogicalType::Bits, Value::Bits(9, bytes(b"\xff"))),
        (floats, Value::List(vec![Value::Float64(payload)])),
    ];
    for (logical, value) in cases {
        let mut out = vec![1];
        let error =
            target.encode_row(&[LogicalType::Bool, logical], &[Value::Null, value], &mut out).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("column 2"), "{error}");
        assert_eq!(out, [1]);
    }
}

#[test]
fn a_broken_key_names_table_and_column() {
    let folder = Folder::new();
    let target = folder.target();
    let mut session = target.session().unwrap();
    let mut definition = table("Order", vec![column("Group", LogicalType::Text)]);
    definition.primary_key = Some(Key { name: Some("its \"key\"".into()), columns: vec!["Group".into()] });
    session.execute(&DIALECT.create_table(&definition).sql).unwrap();
    let mut rows = Vec::new();
    for _ in 0..2 {
        target.encode_row(&[LogicalType::Text], &[Value::text("a")], &mut rows).unwrap();
    }
    session.begin().unwrap();
    let error = session.write(&definition.name, &[("Group".into(), LogicalType::Text)], &rows).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("Order.Group"), "{error}");
    assert_eq!(session.commit().unwrap_err().kind(), ErrorKind::Aborted);
    assert!(rows_of(&target, "Order").is_empty());
}

/// Two tables with everything that the dialect declares.
fn family() -> [TableDefinition; 2] {
    let id = ColumnDefinition { nullable: false, identity: Some(8), ..column("Id", LogicalType::Int64) };
    let mut parent = table("it's \"a\" parent", vec![id, column("code", LogicalType::Text)]);
    parent.primary_key = Some(Key { name: None, columns: vec!["Id".into()] });
    parent.unique = vec![Key { name: Some("one code".into()), columns: vec!["code".into(), "Id".into()] }];
    let mut child = table("child", vec![column("a", LogicalType::Int64), column("b", LogicalType::Text)]);
    child.columns[1].default = DIALECT.default_sql(&DefaultValue::Text("it's".into()), &LogicalType::Text);
    child.foreign_keys = vec![ForeignKey {
        name: Some("to parent".into()),
        columns: vec!["b".into(), "a".into()],
        referenced: parent.name.clone(),
        referenced_columns: vec!["code".into(), "Id".into()],
        on_delete: ReferentialAction::Cascade,
        on_update: ReferentialAction::NoAction,
        deferred: false,
    }];
    let by = |name: &str, descending| IndexColumn { name: name.into(), descending };
    child.indexes =
        vec![Index { name: "by b".into(), unique: true, columns: vec![by("b", true), by("a", false)] }];
    [parent, child]
}

fn complete(session: &mut dyn Session, tables: &[TableDefinition]) -> Result<Vec<dialect::Statement>> {
    let mut done = Vec::new();
    for phase in Phase::ALL {
        for table in tables {
            for statement in DIALECT.complete(table, phase) {
                session.execute(&statement.sql)?;
                done.push(statement);
            }
        }
    }
    Ok(done)
}

#[test]
fn what_the_dialect_declares_the_catalogue_reads_back() {
    let folder = Folder::new();
    let target = folder.target();
    let mut session = target.session().unwrap();
    let [parent, child] = family();
    // The child first: it refers to a table that is still to come.
    session.execute(&DIALECT.create_table(&child).sql).unwrap();
    session.execute(&DIALECT.create_table(&parent).sql).unwrap();
    session.execute("INSERT INTO child VALUES (NULL, 'x')").unwrap();
    let first = complete(session.as_mut(), &[parent.clone(), child.clone()]).unwrap();
    let steps: std::collections::HashSet<_> = first.iter().map(|s| &s.step).collect();
    assert_eq!(steps.len(), first.len());
    for counter in DIALECT.complete(&parent, Phase::Counters) {
        session.execute(&counter.sql).unwrap();
    }
    let catalog = target.catalog(None).unwrap();
    assert!(catalog.unmovable.is_empty(), "{:?}", catalog.unmovable);
    let [read_child, read_parent] = &catalog.tables[..] else { panic!("{:?}", catalog.tables) };
    assert_eq!((&read_child.foreign_keys, &read_child.indexes), (&child.foreign_keys, &child.indexes));
    assert_eq!((&read_parent.primary_key, &read_parent.unique), (&parent.primary_key, &parent.unique));
    assert_eq!(read_parent.columns[0].identity.as_ref().unwrap().next, Some(8));
    assert!(!read_parent.columns[0].nullable);
    assert_eq!(read_child.columns[1].default, Some(DefaultValue::Text("it's".into())));
    session.execute("INSERT INTO \"it's \"\"a\"\" parent\" (code) VALUES ('x')").unwrap();
    assert_eq!(rows_of(&target, "it's \"a\" parent")[0][0], Value::Int(8));
    // Orphans are found when foreign keys are checked.
    session.execute("INSERT INTO child VALUES (9, 'x')").unwrap();
    let [check] = &DIALECT.complete(&child, Phase::Validate)[..] else { panic!() };
    assert_eq!(session.execute(&check.sql).unwrap_err().kind(), ErrorKind::Conflict);
}

#[test]
fn defaults_give_values_in_the_form_that_their_type_is_kept_in() {
    use DefaultValue as D;
    use LogicalType as L;
    let folder = Folder::new();
    let target = folder.target();
    let mut session = target.session().unwrap();
    let text = |text: &str| D::Text(text.to_owned());
    let number = |text: &str| D::Number(text.to_owned());
    let said = [
        (D::Null, L::Uuid),
        (D::Bool(true), L::Bool),
        (number("1"), L::Bool),
        (number("-5"), L::Int32),
        (number("1.5"), L::Float64),
        (number("1.50"), L::Numeric),
        (number("7"), L::Text),
        (text("a'b"), L::Text),
        (text("{}"), L::Json),
        (text("0123456789ABCDEF0123456789abcdef"), L::Uuid),
        (text("2025-01-02"), L::Date),
        (text("2025-01-02T03:04:05"), L::Timestamp),
        (text("2025-01-02 03:04:05+01"), L::TimestampTz),
        (D::CurrentTimestamp, L::Timestamp),
        (D::CurrentTimestamp, L::TimestampTz),
        (D::CurrentTimestamp, L::Date),
        (D::CurrentDate, L::Date),
        (D::CurrentDate, L::Timestamp),
        (D::CurrentTime, L::Time),
        (D::CurrentTime, L::TimeTz),
        (D::NewUuid, L::Uuid),
    ];
    for (at, (default, logical)) in said.iter().enumerate() {
        let mut with_default = column("v", logical.clone());
        with_default.default =
            Some(DIALECT.default_sql(default, logical).unwrap_or_else(|| panic!("{default:?} {logical}")));
        let definition = table(&format!("t{at}"), vec![with_default]);
        session.execute(&DIALECT.create_table(&definition).sql).unwrap();
        session.execute(&format!("INSERT INTO t{at} DEFAULT VALUES")).unwrap();
        let row = &rows_of(&target, &format!("t{at}"))[0];
        let value =
            storage::from_stored(logical, &row[0]).unwrap_or_else(|| panic!("{default:?} {logical} {row:?}"));
        // In exactly that form: stored again it is the same.
        assert_eq!(storage::to_stored(logical, &value).unwrap(), row[0], "{default:?} {logical}");
    }
    let unsaid = [
        (text("x"), L::Int32),
        (text("2025-13-01"), L::Date),
        (text("2025-01-02 03:04:05"), L::TimestampTz),
        (text("a\0b"), L::Text),
        (number("1.5"), L::Int64),
        (D::CurrentTimestamp, L::Text),
        (D::Expression("1 + 1".into()), L::Int64),
        (D::NextValue(TableName::new("main", "s")), L::Int64),
    ];
    for (default, logical) in unsaid {
        assert_eq!(DIALECT.default_sql(&default, &logical), None, "{default:?} {logical}");
    }
}
