//! What the dialect defines, executed and read back.

use trimaran_core::{LogicalType, Value};

use super::super::dialect::DIALECT;
use super::*;
use crate::Dialect as _;
use crate::catalog::{DefaultValue, ForeignKey, Index, IndexColumn, Key, ReferentialAction, Sequence};
use crate::dialect::{ColumnDefinition, Phase, TableDefinition};

fn column(name: &str, logical: LogicalType) -> ColumnDefinition {
    ColumnDefinition {
        name: name.to_owned(),
        logical,
        nullable: true,
        default: None,
        identity: None,
        generated: None,
        labels: None,
        declared: None,
    }
}

fn definition(name: TableName, columns: Vec<ColumnDefinition>) -> TableDefinition {
    TableDefinition {
        name,
        columns,
        primary_key: None,
        unique: vec![],
        foreign_keys: vec![],
        indexes: vec![],
    }
}

fn key(columns: &[&str]) -> Key {
    Key { name: None, columns: columns.iter().map(|c| (*c).to_owned()).collect() }
}

fn complete(session: &mut dyn Session, tables: &[&TableDefinition]) {
    for phase in Phase::ALL {
        for table in tables {
            for statement in DIALECT.complete(table, phase) {
                session.execute(&statement.sql).unwrap_or_else(|e| panic!("{}: {e:?}", statement.sql));
            }
        }
    }
}

#[test]
fn a_defined_schema_is_read_back_the_same() {
    let (_server, database) = open(Access::Target);
    let mut session = database.session().unwrap();
    let schema = "My \"schema\"";
    let sequence = Sequence {
        name: TableName::new(schema, "Order"),
        start: 5,
        increment: 5,
        min: 0,
        max: 1000,
        cycle: false,
        next: 25,
    };
    let parent = TableDefinition {
        primary_key: Some(key(&["Id"])),
        unique: vec![
            Key { name: Some("one a b".into()), columns: vec!["a".into(), "b".into()] },
            key(&["b"]),
        ],
        ..definition(
            TableName::new(schema, "Parent"),
            vec![
                ColumnDefinition { identity: Some(7), nullable: false, ..column("Id", LogicalType::Int32) },
                ColumnDefinition {
                    default: DIALECT.default_sql(&DefaultValue::Text("it's".into()), &LogicalType::Text),
                    nullable: false,
                    ..column("a", LogicalType::Text)
                },
                ColumnDefinition {
                    default: DIALECT
                        .default_sql(&DefaultValue::NextValue(sequence.name.clone()), &LogicalType::Int64),
                    ..column("b", LogicalType::Int64)
                },
            ],
        )
    };
    let long = "é".repeat(31);
    let foreign = |column: &str, on_delete, on_update| ForeignKey {
        name: None,
        columns: vec![column.to_owned()],
        referenced: parent.name.clone(),
        referenced_columns: vec!["Id".to_owned()],
        on_delete,
        on_update,
        deferred: false,
    };
    let child = TableDefinition {
        foreign_keys: vec![
            foreign("select", ReferentialAction::Cascade, ReferentialAction::Restrict),
            foreign(&long, ReferentialAction::SetNull, ReferentialAction::NoAction),
        ],
        indexes: vec![Index {
            name: "By both".into(),
            unique: true,
            columns: vec![
                IndexColumn { name: "select".into(), descending: true },
                IndexColumn { name: long.clone(), descending: false },
            ],
        }],
        ..definition(
            TableName::new(schema, "Child"),
            vec![column("select", LogicalType::Int32), column(&long, LogicalType::Int32)],
        )
    };
    session.begin().unwrap();
    session.execute(&DIALECT.create_schema(schema).unwrap()).unwrap();
    session.execute(&DIALECT.create_schema(schema).unwrap()).unwrap();
    session.execute(&DIALECT.create_sequence(&sequence).unwrap().sql).unwrap();
    session.execute(&DIALECT.create_table(&parent).sql).unwrap();
    session.execute(&DIALECT.create_table(&child).sql).unwrap();
    session.commit().unwrap();
    complete(session.as_mut(), &[&parent, &child]);

    let catalog = database.catalog(Some(schema)).unwrap();
    assert_eq!(catalog.unmovable, []);
    assert_eq!(catalog.sequences, std::slice::from_ref(&sequence));
    let [read_child, read_parent] = &catalog.tables[..] else { panic!("two tables") };
    assert_eq!(read_parent.name, parent.name);
    assert_eq!(read_parent.primary_key.as_ref().unwrap().columns, ["Id"]);
    let unique: Vec<_> = read_parent.unique.iter().map(|k| k.columns.clone()).collect();
    assert_eq!(unique, [vec!["b".to_owned()], vec!["a".to_owned(), "b".to_owned()]]);
    assert_eq!(read_parent.unique[1].name.as_deref(), Some("one a b"));
    assert_eq!(read_parent.columns[0].identity, Some(crate::catalog::Identity { next: Some(7) }));
    assert_eq!(read_parent.columns[0].default, None);
    assert_eq!(read_parent.columns[1].default, Some(DefaultValue::Text("it's".into())));
    assert_eq!(read_parent.columns[2].default, Some(DefaultValue::NextValue(sequence.name.clone())));
    assert_eq!(read_parent.columns.iter().map(|c| c.nullable).collect::<Vec<_>>(), [false, false, true]);
    assert_eq!(read_child.indexes, child.indexes);
    for (read, defined) in read_child.foreign_keys.iter().zip(&child.foreign_keys) {
        assert!(read.name.as_ref().unwrap().len() <= 63);
        let defined = ForeignKey { name: read.name.clone(), ..defined.clone() };
        assert!(read_child.foreign_keys.contains(&defined));
    }
    let unvalidated =
        session.query("SELECT count(*) FROM pg_constraint WHERE NOT convalidated", &[]).unwrap();
    assert_eq!(unvalidated, [[Value::Int(0)]]);
    let given = session
        .query("INSERT INTO \"My \"\"schema\"\"\".\"Parent\" DEFAULT VALUES RETURNING \"Id\", b", &[])
        .unwrap();
    assert_eq!(given, [[Value::Int(7), Value::Int(25)]]);
}

#[test]
fn counters_go_on_behind_the_greatest_value_and_stop_at_the_end_of_their_type() {
    let (server, database) = open(Access::Target);
    let mut session = database.session().unwrap();
    let table = |name_: &str, next| {
        let id =
            ColumnDefinition { identity: Some(next), nullable: false, ..column("id", LogicalType::Int16) };
        definition(name(name_), vec![id, column("a", LogicalType::Int32)])
    };
    let cases = [
        ("empty", 1, None, Ok(1)),
        ("remembered", 9, Some(3), Ok(9)),
        ("greatest", 2, Some(40), Ok(41)),
        ("negative", 0, Some(-5), Ok(1)),
        ("filled", 1, Some(32_767), Err("2200H")),
        ("beyond", 100_000, Some(1), Err("2200H")),
    ];
    for (name, next, greatest, expected) in cases {
        let table = table(name, next);
        session.execute(&DIALECT.create_table(&table).sql).unwrap();
        if let Some(greatest) = greatest {
            server.execute(&format!("INSERT INTO {name} VALUES ({greatest})"));
        }
        complete(session.as_mut(), &[&table]);
        let given = session.query(&format!("INSERT INTO {name} (a) VALUES (0) RETURNING id"), &[]);
        match expected {
            Ok(expected) => assert_eq!(given.unwrap(), [[Value::Int(expected)]], "{name}"),
            Err(code) => assert_eq!(given.unwrap_err().engine_code(), Some(code), "{name}"),
        }
    }
}

#[test]
fn a_sequence_that_is_used_up_stays_so() {
    let (_server, database) = open(Access::Target);
    let mut session = database.session().unwrap();
    let sequence =
        Sequence { name: name("s"), start: 1, increment: 1, min: 1, max: 3, cycle: false, next: 4 };
    session.execute(&DIALECT.create_sequence(&sequence).unwrap().sql).unwrap();
    assert_eq!(database.catalog(None).unwrap().sequences, [sequence]);
    assert_eq!(session.execute("SELECT nextval('s')").unwrap_err().engine_code(), Some("2200H"));
}

#[test]
fn every_default_that_is_said_is_accepted_and_read_back() {
    let (_server, database) = open(Access::Target);
    let mut session = database.session().unwrap();
    let scalars = "boolean smallint integer bigint real numeric numeric(9,2) text bytea json uuid date time timestamp \
                   timestamptz interval varbit text[]";
    let types: Vec<_> = scalars
        .split_whitespace()
        .chain(["double precision", "time with time zone"])
        .map(|name| LogicalType::parse(name).unwrap())
        .collect();
    let text = |text: &str| DefaultValue::Text(text.into());
    let defaults = [
        DefaultValue::Null,
        DefaultValue::Bool(true),
        DefaultValue::Number("1".into()),
        DefaultValue::Number("-2.5".into()),
        text("it's \\ \"q\""),
        text("{}"),
        text("101"),
        text("2025-01-02"),
        text("2025-01-02 03:04:05+00:00"),
        text("03:04"),
        text("03:04:05+01"),
        text("01234567-89ab-cdef-0123-456789abcdef"),
        DefaultValue::CurrentTimestamp,
        DefaultValue::CurrentDate,
        DefaultValue::CurrentTime,
        DefaultValue::NewUuid,
    ];
    for (n, default) in defaults.iter().enumerate() {
        let columns: Vec<_> = types
            .iter()
            .enumerate()
            .filter_map(|(m, logical)| {
                let sql = DIALECT.default_sql(default, logical)?;
                Some(ColumnDefinition { default: Some(sql), ..column(&format!("c{m}"), logical.clone()) })
            })
            .collect();
        assert!(!columns.is_empty(), "{default:?}");
        let table = definition(name(&format!("t{n}")), columns);
        let sql = DIALECT.create_table(&table).sql;
        session.execute(&sql).unwrap_or_else(|e| panic!("{sql}: {e:?}"));
        session
            .execute(&format!("INSERT INTO t{n} DEFAULT VALUES"))
            .unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    }
    for table in database.catalog(None).unwrap().tables {
        for column in table.columns {
            let expression = matches!(column.default, Some(DefaultValue::Expression(_)));
            // What is a day's beginning or has an offset is no plain function any more.
            let known = matches!(
                column.logical,
                Some(LogicalType::Timestamp | LogicalType::TimeTz | LogicalType::Bits)
            );
            assert!(!expression || known, "{}.{}: {:?}", table.name, column.name, column.default);
        }
    }
}
