use super::*;

fn scope() -> Scope {
    let column = |name: &str, logical: LogicalType| {
        (name.to_lowercase(), Operand::new(format!("\"{name}\""), &logical))
    };
    let mut columns: HashMap<_, _> = [
        column("a", LogicalType::Int64),
        column("B", LogicalType::Int64),
        column("r", LogicalType::Float64),
        column("name", LogicalType::Text),
        column("mail", LogicalType::Text),
        column("raw", LogicalType::Bytes),
        column("done", LogicalType::Bool),
        column("price", LogicalType::Numeric),
        column("at", LogicalType::Timestamp),
        column("g", LogicalType::Int64),
    ]
    .into();
    if let Some(mail) = columns.get_mut("mail") {
        mail.collation = Some("NOCASE".to_owned());
    }
    if let Some(g) = columns.get_mut("g") {
        g.generated = true;
    }
    Scope { source: Engine::Sqlite, columns, generated: false }
}

#[test]
fn what_means_the_same_is_carried_over() {
    let cases = [
        ("a + b", LogicalType::Int64, "(\"a\" + \"B\")"),
        ("a * 2 - B * -3", LogicalType::Int64, "((\"a\" * 2) - (\"B\" * (-3)))"),
        ("r - 1.5", LogicalType::Float64, "(\"r\" - double precision '1.5')"),
        ("name || ', ' || 'it''s'", LogicalType::Text, "((\"name\" || ', ') || 'it''s')"),
        ("upper(substr(name, 1, 3))", LogicalType::Text, "upper(substr(\"name\", 1, 3) COLLATE \"C\")"),
        ("length([raw]) /* bytes */", LogicalType::Int64, "octet_length(\"raw\")"),
        ("a > 1 AND NOT done", LogicalType::Bool, "((\"a\" > 1) AND (NOT \"done\"))"),
        ("a IS NOT NULL", LogicalType::Int64, "(\"a\" IS NOT NULL)::integer"),
        ("done = 1", LogicalType::Bool, "(\"done\" = true)"),
        ("CAST((a + 1) AS INTEGER)", LogicalType::Int64, "(\"a\" + 1)"),
        ("coalesce(name, 'none')", LogicalType::Text, "coalesce(\"name\", 'none')"),
        (
            "at IS NULL OR name IN ('x', 'y')",
            LogicalType::Bool,
            "((\"at\" IS NULL) OR (\"name\" IN ('x', 'y')))",
        ),
    ];
    for (expression, logical, expected) in cases {
        assert_eq!(generated(expression, &scope(), &logical).as_deref(), Ok(expected), "{expression}");
    }
}

#[test]
fn what_may_mean_something_else_is_not() {
    let any = [
        ("a / b", LogicalType::Int64),
        ("a % 2", LogicalType::Int64),
        ("r * 2.0", LogicalType::Float64),
        ("a + r", LogicalType::Float64),
        ("-r", LogicalType::Float64),
        ("price + 1", LogicalType::Numeric),
        ("price", LogicalType::Numeric),
        ("a || name", LogicalType::Text),
        ("name < 'm'", LogicalType::Bool),
        ("mail = 'x'", LogicalType::Bool),
        ("name LIKE 'a%'", LogicalType::Bool),
        ("round(r)", LogicalType::Float64),
        ("CAST(r AS INTEGER)", LogicalType::Int64),
        ("CAST(a AS TEXT)", LogicalType::Text),
        ("strftime('%Y', at)", LogicalType::Text),
        ("substr(name, -2)", LogicalType::Text),
        ("json_extract(name, '$.a')", LogicalType::Text),
        ("name -> 'a'", LogicalType::Text),
        ("CASE WHEN a THEN 1 ELSE 2 END", LogicalType::Int64),
        ("g + 1", LogicalType::Int64),
        ("nowhere", LogicalType::Int64),
        ("2147483647 + 1", LogicalType::Int64),
        ("a + 1; DROP TABLE t", LogicalType::Int64),
        ("x'00'", LogicalType::Bytes),
        ("a + 1", LogicalType::Text),
        ("(a", LogicalType::Int64),
        ("'a", LogicalType::Text),
        ("", LogicalType::Text),
    ];
    for (expression, logical) in any {
        assert!(generated(expression, &scope(), &logical).is_err(), "{expression}");
    }
    let duckdb = Scope { source: Engine::Duckdb, ..scope() };
    for expression in ["lower(name)", "trim(name)"] {
        assert!(generated(expression, &duckdb, &LogicalType::Text).is_err(), "{expression}");
    }
    assert!(generated("r + 1.5", &duckdb, &LogicalType::Float64).is_err());
}

#[test]
fn indexes_keep_how_they_compare() {
    let of = |sql: &str| index(sql, &Scope { generated: true, ..scope() });
    let items = |sql: &str| of(sql).map(|index| index.items.join(", "));
    assert_eq!(items("CREATE INDEX i ON t (a DESC, g)").as_deref(), Ok("\"a\" DESC, \"g\""));
    assert_eq!(
        items("CREATE INDEX i ON t(lower(name), a+1)").as_deref(),
        Ok("(lower(\"name\" COLLATE \"C\")), (\"a\" + 1)")
    );
    assert_eq!(
        items("CREATE INDEX i ON t(name COLLATE nocase)").as_deref(),
        Ok("(lower(\"name\" COLLATE \"C\"))")
    );
    assert_eq!(items("CREATE INDEX i ON t(mail)").as_deref(), Ok("(lower(\"mail\" COLLATE \"C\"))"));
    assert_eq!(items("CREATE INDEX i ON t(mail COLLATE BINARY)").as_deref(), Ok("\"mail\""));
    assert_eq!(items("CREATE INDEX i ON t(name COLLATE RTRIM)").as_deref(), Ok("(rtrim(\"name\"))"));
    for other in [
        "CREATE INDEX i ON t(name COLLATE mine)",
        "CREATE INDEX i ON t(mail || name)",
        "CREATE INDEX i ON t(a) WHERE b / 2",
    ] {
        assert!(of(other).is_err(), "{other}");
    }
    let partial =
        of("CREATE UNIQUE INDEX IF NOT EXISTS \"i x\" ON \"t y\" (a) WHERE done AND at IS NULL;").unwrap();
    assert_eq!((partial.name.as_str(), partial.table.as_str(), partial.unique), ("i x", "t y", true));
    assert_eq!(partial.condition.as_deref(), Some("(\"done\" AND (\"at\" IS NULL))"));
}

#[test]
fn checks_are_read_with_their_table_and_their_name() {
    let scope = Scope { generated: true, ..scope() };
    let of = |sql: &str| check(&format!("ALTER TABLE \"s\".\"t\" ADD CHECK({sql})"), &scope);
    assert_eq!(of("a > 0 OR a IS NULL").as_deref(), Ok("((\"a\" > 0) OR (\"a\" IS NULL))"));
    assert_eq!(of("a").as_deref(), Ok("(\"a\" <> 0)"));
    assert_eq!(of("r >= -1").as_deref(), Ok("(\"r\" >= (-1))"));
    assert_eq!(of("(g BETWEEN 1 AND 1 + a)").as_deref(), Ok("((\"g\" >= 1) AND (\"g\" <= (1 + \"a\")))"));
    assert_eq!(
        of("length(name) <= 5 AND name IN ('x', 'y')").as_deref(),
        Ok("((char_length(\"name\") <= 5) AND (\"name\" IN ('x', 'y')))")
    );
    for other in
        ["name", "name LIKE 'a%'", "name BETWEEN 'a' AND 'b'", "json_valid(name)", "r > a", "a > 0) (a"]
    {
        assert!(of(other).is_err(), "{other}");
    }
    let names = check_names("ALTER TABLE \"a.b\" ADD CONSTRAINT \"it \"\"is\" CHECK (1)").unwrap();
    assert_eq!((names.table, names.name.as_deref()), (vec!["a.b".to_owned()], Some("it \"is")));
    assert_eq!(check_names("CREATE TABLE t (a CHECK (a))"), None);
}

#[test]
fn collations_are_read_from_the_table() {
    let found = collations(
        "CREATE TABLE t (a TEXT COLLATE NOCASE NOT NULL, \"b (\" TEXT DEFAULT 'COLLATE x', c COLLATE binary, CHECK (a COLLATE RTRIM = 'x'))",
    );
    assert_eq!(found, HashMap::from([("a".to_owned(), "NOCASE".to_owned())]));
}
