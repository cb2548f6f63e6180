//! Every kind of value through an entity, and the traps of reading.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use sea_orm::entity::prelude::*;
use sea_orm::{
    DbBackend, FromQueryResult, IntoActiveModel as _, QuerySelect as _, Set, Statement, TryGetable,
};

use super::*;

mod sample {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "String", db_type = "String(StringLen::None)")]
    pub(crate) enum Mood {
        #[sea_orm(string_value = "good")]
        Good,
        #[sea_orm(string_value = "it's \"bad\"")]
        Bad,
    }

    #[derive(Debug, Clone, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "i32", db_type = "Integer")]
    pub(crate) enum Size {
        #[sea_orm(num_value = 1)]
        Small,
        #[sea_orm(num_value = -2)]
        Large,
    }

    #[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "sample")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: Uuid,
        pub(crate) yes: Option<bool>,
        pub(crate) tiny: Option<i8>,
        pub(crate) small: Option<i16>,
        pub(crate) plain: Option<i32>,
        pub(crate) big: Option<i64>,
        pub(crate) utiny: Option<u8>,
        pub(crate) usmall: Option<u16>,
        pub(crate) uplain: Option<u32>,
        pub(crate) ubig: Option<u64>,
        pub(crate) single: Option<f32>,
        pub(crate) double: Option<f64>,
        pub(crate) text: Option<String>,
        pub(crate) bytes: Option<Vec<u8>>,
        pub(crate) json: Option<Json>,
        pub(crate) amount: Option<Decimal>,
        pub(crate) day: Option<Date>,
        pub(crate) hour: Option<Time>,
        pub(crate) local: Option<DateTime>,
        pub(crate) instant: Option<DateTimeWithTimeZone>,
        pub(crate) other: Option<Uuid>,
        pub(crate) mood: Option<Mood>,
        pub(crate) size: Option<Size>,
        pub(crate) words: Option<Vec<String>>,
        pub(crate) numbers: Option<Vec<i32>>,
    }

    #[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

const TABLE: &str = "CREATE TABLE sample (id UUID PRIMARY KEY, yes BOOLEAN, tiny TINYINT, small SMALLINT,
    plain INTEGER, big BIGINT, utiny UTINYINT, usmall USMALLINT, uplain UINTEGER, ubig UBIGINT, single REAL,
    double DOUBLE, text VARCHAR, bytes BLOB, json JSON, amount DECIMAL(20, 4), day DATE, hour TIME, local TIMESTAMP,
    instant TIMESTAMPTZ, other UUID, mood VARCHAR, size INTEGER, words VARCHAR[], numbers INTEGER[])";

fn full(id: u128) -> sample::Model {
    let day = NaiveDate::from_ymd_opt(2026, 2, 28).unwrap();
    let hour = NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999).unwrap();
    sample::Model {
        id: Uuid::from_u128(id),
        yes: Some(true),
        tiny: Some(i8::MIN),
        small: Some(i16::MIN),
        plain: Some(i32::MIN),
        big: Some(i64::MIN),
        utiny: Some(u8::MAX),
        usmall: Some(u16::MAX),
        uplain: Some(u32::MAX),
        ubig: Some(u64::MAX),
        single: Some(-1.5e-30),
        double: Some(f64::MAX),
        text: Some("nul \0, quote ', double \", dollar $1 and \u{1F6A4}".to_owned()),
        bytes: Some(vec![0, 1, 255, b'\'']),
        json: Some(serde_json::json!({"b": [1, null, "\u{0}x"], "a": {"é": 1.5}})),
        amount: Some("-1234567890.1234".parse().unwrap()),
        day: Some(day),
        hour: Some(hour),
        local: Some(NaiveDateTime::new(day, hour)),
        instant: Some(chrono::DateTime::parse_from_rfc3339("1969-12-31T22:30:00.000001-01:30").unwrap()),
        other: Some(Uuid::max()),
        mood: Some(sample::Mood::Bad),
        size: Some(sample::Size::Large),
        words: Some(vec!["a,b".to_owned(), "\"'{}".to_owned(), String::new()]),
        numbers: Some(vec![1, -1]),
    }
}

fn empty(id: u128) -> sample::Model {
    sample::Model {
        id: Uuid::from_u128(id),
        yes: None,
        tiny: None,
        small: None,
        plain: None,
        big: None,
        utiny: None,
        usmall: None,
        uplain: None,
        ubig: None,
        single: None,
        double: None,
        text: None,
        bytes: None,
        json: None,
        amount: None,
        day: None,
        hour: None,
        local: None,
        instant: None,
        other: None,
        mood: None,
        size: None,
        words: None,
        numbers: None,
    }
}

#[tokio::test]
async fn every_kind_of_value_comes_back_as_it_went_in() {
    let fixture = Fixture::new().await;
    fixture.run(TABLE).await;
    for model in [full(1), empty(2)] {
        let inserted = model.clone().into_active_model().insert(&fixture.db).await.unwrap();
        assert_eq!(inserted, model);
        let found = sample::Entity::find_by_id(model.id).one(&fixture.db).await.unwrap();
        assert_eq!(found, Some(model));
    }
    let emptied =
        sample::ActiveModel { id: Set(Uuid::from_u128(1)), ..empty(1).into_active_model().reset_all() };
    assert_eq!(emptied.update(&fixture.db).await.unwrap(), empty(1));
    let many = sample::Entity::insert_many([full(3).into_active_model(), empty(4).into_active_model()]);
    many.exec(&fixture.db).await.unwrap();
    assert_eq!(sample::Entity::find_by_id(Uuid::from_u128(3)).one(&fixture.db).await.unwrap(), Some(full(3)));
}

#[tokio::test]
async fn every_kind_of_value_finds_its_row() {
    let fixture = Fixture::new().await;
    fixture.run(TABLE).await;
    full(1).into_active_model().insert(&fixture.db).await.unwrap();
    use sample::Column as C;
    let model = full(1);
    let filters = [
        C::Yes.eq(model.yes),
        C::Tiny.eq(model.tiny),
        C::Small.lte(model.small),
        C::Big.eq(model.big),
        C::Ubig.eq(model.ubig),
        C::Single.eq(model.single),
        C::Double.gte(model.double),
        C::Text.eq(model.text),
        C::Bytes.eq(model.bytes),
        C::Amount.eq(model.amount),
        C::Day.between(model.day, model.day),
        C::Hour.eq(model.hour),
        C::Local.eq(model.local),
        C::Instant.eq(model.instant),
        C::Instant.lt(chrono::DateTime::parse_from_rfc3339("1970-01-01T00:00:00.000002Z").unwrap()),
        C::Other.is_in([Uuid::max(), Uuid::nil()]),
        C::Mood.eq(sample::Mood::Bad),
        C::Size.is_in([sample::Size::Large, sample::Size::Small]),
        C::Text.contains("dollar $1"),
        C::Plain.is_not_null(),
    ];
    for (at, filter) in filters.into_iter().enumerate() {
        let found = sample::Entity::find().filter(filter).count(&fixture.db).await.unwrap();
        assert_eq!(found, 1, "filter {at}");
    }
}

async fn value<T: TryGetable>(fixture: &Fixture, sql: &str, values: Vec<sea_orm::Value>) -> T {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let row = fixture.db.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

#[tokio::test]
async fn parameters_have_their_own_types_and_nulls_bind() {
    let fixture = Fixture::new().await;
    let instant = chrono::DateTime::parse_from_rfc3339("2026-01-02T03:04:05+00:00").unwrap();
    assert_eq!(value::<DateTimeWithTimeZone>(&fixture, "SELECT $1", vec![instant.into()]).await, instant);
    assert_eq!(value::<Uuid>(&fixture, "SELECT $1", vec![Uuid::max().into()]).await, Uuid::max());
    assert_eq!(value::<String>(&fixture, "SELECT $1", vec!['é'.into()]).await, "é");
    for null in [sea_orm::Value::Int(None), sea_orm::Value::Uuid(None), sea_orm::Value::Json(None)] {
        assert_eq!(
            value::<Option<i32>>(&fixture, "SELECT coalesce($1 IS NULL, false)::INT", vec![null]).await,
            Some(1)
        );
    }
    let ids = vec![Uuid::nil(), Uuid::max()];
    assert_eq!(value::<Vec<Uuid>>(&fixture, "SELECT $1", vec![ids.clone().into()]).await, ids);
    assert!(value::<bool>(&fixture, "SELECT 2 = ANY($1)", vec![vec![1, 2].into()]).await);
    assert!(!value::<bool>(&fixture, "SELECT 2 = ANY($1)", vec![Vec::<i32>::new().into()]).await);
    assert!(value::<bool>(&fixture, "SELECT $1 = ANY($2)", vec![Uuid::max().into(), ids.into()]).await);
}

#[tokio::test]
async fn numbers_of_aggregates_have_one_type_each() {
    let fixture = Fixture::new().await;
    fixture
        .run("CREATE TABLE n (i INTEGER, d DECIMAL(10, 2)); INSERT INTO n VALUES (1, 1.5), (2, 2.5)")
        .await;
    assert_eq!(value::<i64>(&fixture, "SELECT count(*) FROM n", vec![]).await, 2);
    assert_eq!(value::<i64>(&fixture, "SELECT sum(i) FROM n", vec![]).await, 3);
    assert_eq!(value::<f64>(&fixture, "SELECT avg(i) FROM n", vec![]).await, 1.5);
    assert_eq!(value::<Decimal>(&fixture, "SELECT sum(d) FROM n", vec![]).await, "4.00".parse().unwrap());
    assert_eq!(value::<Option<i64>>(&fixture, "SELECT sum(i) FROM n WHERE false", vec![]).await, None);
    let statement = |sql: &str| Statement::from_string(DbBackend::Postgres, sql);
    let huge = "SELECT sum(x) AS total FROM (VALUES (9223372036854775807), (1)) v(x)";
    let error = fixture.db.query_all_raw(statement(huge)).await.map_err(ours).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("column total"), "{error}");
}

#[tokio::test]
async fn a_type_without_a_value_is_named_with_its_column() {
    let fixture = Fixture::new().await;
    for (sql, named) in [
        ("SELECT {'a': 1} AS s", "column s"),
        ("SELECT INTERVAL 1 DAY AS i", "column i"),
        ("SELECT '10:00:00+02'::TIMETZ AS z", "column z"),
        ("SELECT [[1]] AS l", "column l"),
        ("SELECT MAP {1: 2} AS m", "column m"),
    ] {
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        let error = fixture.db.query_all_raw(statement).await.map_err(ours).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{sql}: {}", error.report());
        assert!(error.to_string().contains(named), "{error}");
        assert!(error.next_step().unwrap().contains("VARCHAR"));
    }
    for sql in ["SELECT 'infinity'::TIMESTAMP AS t", "SELECT '24:00:00'::TIME AS t"] {
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        let error = fixture.db.query_all_raw(statement).await.map_err(ours).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{sql}: {}", error.report());
    }
}

#[derive(Debug, PartialEq, FromQueryResult)]
struct Pair {
    z: i32,
    a: String,
}

#[tokio::test]
async fn columns_are_right_by_name_and_by_position_whatever_their_order() {
    let fixture = Fixture::new().await;
    let sql = "SELECT 1 AS z, 'x' AS a";
    let statement = || Statement::from_string(DbBackend::Postgres, sql);
    let row = fixture.db.query_one_raw(statement()).await.unwrap().unwrap();
    assert_eq!(row.try_get_many_by_index::<(i32, String)>().unwrap(), (1, "x".to_owned()));
    assert_eq!(Pair::from_query_result(&row, "").unwrap(), Pair { z: 1, a: "x".to_owned() });
    let named = Connection::new(fixture.duckdb.named_rows());
    let json = sea_orm::JsonValue::find_by_statement(statement()).one(&named).await.unwrap();
    assert_eq!(json, Some(serde_json::json!({"z": 1, "a": "x"})));
    let twice = Statement::from_string(DbBackend::Postgres, "SELECT 1 AS i, 2 AS i");
    let row = fixture.db.query_one_raw(twice).await.unwrap().unwrap();
    assert_eq!(row.try_get_many_by_index::<(i32, i32)>().unwrap(), (1, 2));
}

#[tokio::test]
async fn texts_of_megabytes_and_of_every_character_pass_in_bounded_pieces() {
    use futures_util::TryStreamExt as _;
    let fixture = Fixture::new().await;
    fixture.run(TABLE).await;
    let long = "\0'\"\\$1--/*é\u{10FFFF}".repeat(100_000);
    for id in 0..4 {
        let model = sample::Model { text: Some(long.clone()), ..empty(id) };
        model.into_active_model().insert(&fixture.db).await.unwrap();
    }
    let texts: Vec<String> = sample::Entity::find()
        .select_only()
        .column(sample::Column::Text)
        .into_tuple()
        .stream(&fixture.db)
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    assert!(texts.len() == 4 && texts.iter().all(|text| *text == long));
}
