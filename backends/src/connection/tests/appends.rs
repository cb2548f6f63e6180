//! Many rows at once: the same rows whichever way the engine takes, and none of them after a failure.

use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::prelude::{DateTimeWithTimeZone, Uuid};
use sea_orm::{
    ActiveModelTrait as _, ConnectionTrait, EntityTrait as _, PaginatorTrait as _, QueryOrder as _,
};
use trimaran_core::conformance::text::HOSTILE;
use trimaran_core::{Engine, ErrorKind, LogicalType};

use super::cases;
use super::entity::item;
use super::fixture::Fixture;
use crate::append::{append_rows, rows_of};
use crate::schema::columns;

cases! {
    rows_of_every_type_are_read_back_however_many_there_are
    rows_of_every_type_come_with_the_commit
    fifty_thousand_rows_take_effect_at_the_commit
    values_of_megabytes_are_read_back
    a_key_that_is_taken_is_a_conflict_and_dooms_the_transaction
    a_key_that_occurs_twice_is_a_conflict
    a_missing_parent_is_a_conflict_for_many
    rows_that_are_rolled_back_are_gone
    rows_that_leave_a_column_out_get_its_default
    appends_and_statements_alternate_in_one_transaction
    no_rows_are_no_work
}

pub(super) mod sample {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "sample")]
    pub(in super::super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(in super::super) id: Uuid,
        pub(in super::super) number: i32,
        pub(in super::super) large: i64,
        pub(in super::super) real: f64,
        pub(in super::super) flag: bool,
        #[sea_orm(column_type = "Text")]
        pub(in super::super) text: String,
        pub(in super::super) bytes: Vec<u8>,
        pub(in super::super) made: DateTimeWithTimeZone,
        pub(in super::super) document: Json,
        pub(in super::super) maybe_id: Option<Uuid>,
        pub(in super::super) maybe_number: Option<i32>,
        pub(in super::super) maybe_large: Option<i64>,
        pub(in super::super) maybe_real: Option<f64>,
        pub(in super::super) maybe_flag: Option<bool>,
        #[sea_orm(column_type = "Text", nullable)]
        pub(in super::super) maybe_text: Option<String>,
        pub(in super::super) maybe_bytes: Option<Vec<u8>>,
        pub(in super::super) maybe_made: Option<DateTimeWithTimeZone>,
        pub(in super::super) maybe_document: Option<Json>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(in super::super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) async fn make_samples(at: &Fixture) {
    use LogicalType as L;
    let required = [
        ("id", L::Uuid),
        ("number", L::Int32),
        ("large", L::Int64),
        ("real", L::Float64),
        ("flag", L::Bool),
        ("text", L::Text),
        ("bytes", L::Bytes),
        ("made", L::TimestampTz),
        ("document", L::Json),
    ];
    let engine = at.db.engine();
    let mut list = Vec::new();
    for (name, logical) in &required {
        let key = if *name == "id" { "PRIMARY KEY" } else { "NOT NULL" };
        list.push(format!("\"{name}\" {} {key}", columns::type_name(engine, logical)));
    }
    for (name, logical) in &required {
        list.push(format!("\"maybe_{name}\" {}", columns::type_name(engine, logical)));
    }
    at.db.execute_unprepared(&format!("CREATE TABLE sample ({})", list.join(", "))).await.unwrap();
}

fn moment(micros: i64) -> DateTimeWithTimeZone {
    chrono::DateTime::from_timestamp_micros(micros).unwrap().fixed_offset()
}

/// A row whose every value follows from its number; each optional value is there in some rows and missing in others.
pub(super) fn sample_row(number: u32, engine: Engine) -> sample::Model {
    let text = HOSTILE[number as usize % HOSTILE.len()];
    // Postgres has no U+0000 in text: repositories encode it before it comes here.
    let text = if engine == Engine::Postgres { text.replace('\0', "␀") } else { text.to_owned() };
    let id = Uuid::from_u128(u128::from(number) << 64 | 0xff);
    let some = |every: u32| number.is_multiple_of(every);
    let times = [0, -1, 1_700_000_000_123_456, -62_135_596_800_000_000, 253_402_300_799_999_999];
    let made = moment(times[number as usize % times.len()]);
    let bytes =
        [vec![], vec![0], vec![0xff, 0, 0x1a], text.clone().into_bytes()][number as usize % 4].clone();
    let document = serde_json::json!({ "b": [number, null, true], "a": "ü\"\\" });
    sample::Model {
        id,
        number: [i32::MIN, -1, 0, i32::MAX][number as usize % 4],
        large: [i64::MIN, 0, i64::MAX][number as usize % 3],
        real: [0.0, -1.5, f64::MAX, f64::MIN_POSITIVE, 0.1][number as usize % 5],
        flag: some(2),
        text: text.clone(),
        bytes: bytes.clone(),
        made,
        document: document.clone(),
        maybe_id: some(2).then_some(id),
        maybe_number: some(3).then_some(number as i32),
        maybe_large: some(4).then_some(number.into()),
        maybe_real: some(5).then_some(f64::from(number) / 3.0),
        maybe_flag: some(6).then_some(some(12)),
        maybe_text: some(2).then_some(text),
        maybe_bytes: some(3).then_some(bytes),
        maybe_made: some(4).then_some(made),
        maybe_document: some(5).then_some(document),
    }
}

/// The row with every column to be written.
pub(super) fn whole(row: sample::Model) -> sample::ActiveModel {
    sample::ActiveModel::from(row).reset_all()
}

async fn samples(at: &Fixture) -> Vec<sample::Model> {
    let mut rows = sample::Entity::find().all(&at.db).await.unwrap();
    rows.sort_by_key(|row| row.id);
    rows
}

async fn rows_of_every_type_are_read_back_however_many_there_are(at: Fixture) {
    make_samples(&at).await;
    let mut expected = Vec::new();
    // Each way that an engine has, and its limits.
    for count in [1u32, 2, 7, 8, 9, 63, 64, 65, 100, 2_500] {
        let first = expected.len() as u32;
        let new: Vec<_> = (first..first + count).map(|number| sample_row(number, at.db.engine())).collect();
        let unit = at.db.transaction().await.unwrap();
        let rows: Vec<sample::ActiveModel> = new.iter().cloned().map(whole).collect();
        append_rows(&unit, rows, "append samples").await.unwrap();
        unit.commit().await.unwrap();
        expected.extend(new);
    }
    assert_eq!(samples(&at).await, expected);
}

async fn rows_of_every_type_come_with_the_commit(at: Fixture) {
    make_samples(&at).await;
    let expected: Vec<_> = (0..100).map(|number| sample_row(number, at.db.engine())).collect();
    let (first, second) = expected.split_at(1);
    let unit = at.db.begin_writing().await.unwrap();
    let backend = ConnectionTrait::get_database_backend(&unit);
    let rows = |new: &[sample::Model]| {
        rows_of(
            backend,
            new.iter().cloned().map(whole).collect::<Vec<sample::ActiveModel>>(),
            "append samples",
        )
    };
    unit.handle().append(rows(first).unwrap()).await.unwrap();
    unit.commit_with(vec![rows(second).unwrap(), rows(&[]).unwrap()]).await.unwrap();
    assert_eq!(samples(&at).await, expected);
    let unit = at.db.begin_writing().await.unwrap();
    unit.handle().append(rows(&[sample_row(100, at.db.engine())]).unwrap()).await.unwrap();
    // A taken key: nothing of it stays, whether the engine finds it now or at the commit.
    assert_eq!(unit.commit_with(vec![rows(first).unwrap()]).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(samples(&at).await, expected);
}

async fn fifty_thousand_rows_take_effect_at_the_commit(at: Fixture) {
    const COUNT: u64 = 50_000;
    let unit = at.db.transaction().await.unwrap();
    let rows = (0..u128::from(COUNT)).map(super::entity::item).collect();
    append_rows(&unit, rows, "append items").await.unwrap();
    assert_eq!(item::Entity::find().count(&at.db).await.unwrap(), 0);
    assert_eq!(item::Entity::find().count(&unit).await.unwrap(), COUNT);
    unit.commit().await.unwrap();
    let last = item::Entity::find().order_by_desc(item::Column::Amount).one(&at.db).await.unwrap().unwrap();
    assert_eq!(item::Entity::find().count(&at.db).await.unwrap(), COUNT);
    let expected = super::entity::item(u128::from(COUNT) - 1);
    assert_eq!((last.name, last.made), (expected.name.unwrap(), expected.made.unwrap()));
}

async fn values_of_megabytes_are_read_back(at: Fixture) {
    make_samples(&at).await;
    let large = |number: u32| {
        let mut row = sample_row(number, at.db.engine());
        row.text = "ü".repeat(1_500_000);
        row.bytes = vec![number as u8; 2_000_000];
        row
    };
    let expected: Vec<_> = (0..10).map(large).collect();
    let unit = at.db.transaction().await.unwrap();
    let rows = expected.iter().cloned().map(whole).collect();
    append_rows(&unit, rows, "append samples").await.unwrap();
    unit.commit().await.unwrap();
    assert!(samples(&at).await == expected);
}

async fn a_key_that_is_taken_is_a_conflict_and_dooms_the_transaction(at: Fixture) {
    super::entity::item(7).insert(&at.db).await.unwrap();
    for count in [1, 40, 3_000] {
        let unit = at.db.transaction().await.unwrap();
        let rows = (7..7 + count).map(super::entity::item).collect();
        let error = append_rows(&unit, rows, "append items").await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Conflict, "append items"), "{error:?}");
        assert!(!error.report().contains("item 7"), "{}", error.report());
        assert_eq!(unit.commit().await.unwrap_err().kind(), ErrorKind::Aborted);
    }
    assert_eq!(item::Entity::find().count(&at.db).await.unwrap(), 1);
}

async fn a_key_that_occurs_twice_is_a_conflict(at: Fixture) {
    for count in [2u128, 40, 3_000] {
        let unit = at.db.transaction().await.unwrap();
        let mut rows: Vec<_> = (1..count).map(super::entity::item).collect();
        rows.push(super::entity::item(1));
        let error = append_rows(&unit, rows, "append items").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error:?}");
        drop(unit);
    }
    assert_eq!(item::Entity::find().count(&at.db).await.unwrap(), 0);
}

async fn a_missing_parent_is_a_conflict_for_many(at: Fixture) {
    if !at.db.capabilities().foreign_keys {
        return;
    }
    for count in [1, 3_000] {
        let unit = at.db.transaction().await.unwrap();
        let rows = (0..count).map(|number| super::entity::part(number, 99)).collect();
        let error = append_rows(&unit, rows, "append parts").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error:?}");
    }
}

async fn rows_that_are_rolled_back_are_gone(at: Fixture) {
    for count in [3, 5_000] {
        let unit = at.db.transaction().await.unwrap();
        append_rows(&unit, (0..count).map(super::entity::item).collect(), "append items").await.unwrap();
        unit.rollback().await.unwrap();
        let unit = at.db.transaction().await.unwrap();
        append_rows(&unit, (0..count).map(super::entity::item).collect(), "append items").await.unwrap();
        drop(unit);
    }
    assert_eq!(item::Entity::find().count(&at.db).await.unwrap(), 0);
}

async fn rows_that_leave_a_column_out_get_its_default(at: Fixture) {
    let rows =
        (0..20).map(|number| item::ActiveModel { note: NotSet, ..super::entity::item(number) }).collect();
    let unit = at.db.transaction().await.unwrap();
    append_rows(&unit, rows, "append items").await.unwrap();
    unit.commit().await.unwrap();
    let rows = item::Entity::find().all(&at.db).await.unwrap();
    assert!(rows.len() == 20 && rows.iter().all(|row| row.note.is_none()));
}

async fn appends_and_statements_alternate_in_one_transaction(at: Fixture) {
    let unit = at.db.transaction().await.unwrap();
    for (first, count) in [(0, 2_500), (2_500, 3), (3_000, 2_500)] {
        append_rows(&unit, (first..first + count).map(super::entity::item).collect(), "append items")
            .await
            .unwrap();
        item::ActiveModel { name: Set(format!("renamed {first}")), ..super::entity::item(first) }
            .reset_all()
            .update(&unit)
            .await
            .unwrap();
        let parts = (first..first + count).map(|number| super::entity::part(number, number)).collect();
        append_rows(&unit, parts, "append parts").await.unwrap();
    }
    unit.commit().await.unwrap();
    assert_eq!(item::Entity::find().count(&at.db).await.unwrap(), 5_003);
    let renamed = item::Entity::find_by_id(Uuid::from_u128(3_000)).one(&at.db).await.unwrap().unwrap();
    assert_eq!(renamed.name, "renamed 3000");
}

async fn no_rows_are_no_work(at: Fixture) {
    let unit = at.db.transaction().await.unwrap();
    append_rows(&unit, Vec::<item::ActiveModel>::new(), "append items").await.unwrap();
    unit.commit().await.unwrap();
}
