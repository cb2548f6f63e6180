//! Entities and queries of SeaORM, each statement by itself.

use futures_util::TryStreamExt as _;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, IntoActiveModel as _,
    ModelTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Statement,
    TransactionTrait as _,
};

use super::cases;
use super::entity::{item, part};
use super::fixture::Fixture;

cases! {
    an_entity_is_inserted_found_changed_and_deleted
    many_are_inserted_counted_paged_and_joined
    a_stream_gives_every_row_in_order_and_may_be_left
    what_returning_gives_is_what_was_written
    a_write_that_conflicts_can_update_instead
    hostile_text_and_numbers_come_back_as_they_went
    several_statements_without_parameters_run_at_once
}

async fn an_entity_is_inserted_found_changed_and_deleted(at: Fixture) {
    let made = super::entity::item(2).insert(&at.db).await.unwrap();
    assert_eq!(made.note.as_deref(), Some("even"));
    let found = item::Entity::find_by_id(made.id).one(&at.db).await.unwrap();
    assert_eq!(found.as_ref(), Some(&made));
    let mut changed = made.clone().into_active_model();
    changed.note = Set(None);
    let changed = changed.update(&at.db).await.unwrap();
    assert_eq!(changed.note, None);
    assert_eq!(changed.delete(&at.db).await.unwrap().rows_affected, 1);
    assert_eq!(item::Entity::find().one(&at.db).await.unwrap(), None);
}

async fn many_are_inserted_counted_paged_and_joined(at: Fixture) {
    item::Entity::insert_many((1..=25).map(super::entity::item)).exec(&at.db).await.unwrap();
    part::Entity::insert_many([super::entity::part(1, 3), super::entity::part(2, 3)])
        .exec(&at.db)
        .await
        .unwrap();
    assert_eq!(item::Entity::find().count(&at.db).await.unwrap(), 25);
    let pages = item::Entity::find().order_by_asc(item::Column::Amount).paginate(&at.db, 10);
    assert_eq!(pages.num_pages().await.unwrap(), 3);
    let third: Vec<i64> = pages.fetch_page(2).await.unwrap().into_iter().map(|item| item.amount).collect();
    assert_eq!(third, [21, 22, 23, 24, 25]);
    let joined = item::Entity::find()
        .find_with_related(part::Entity)
        .filter(item::Column::Amount.lte(3))
        .order_by_asc(item::Column::Amount)
        .all(&at.db)
        .await
        .unwrap();
    assert_eq!(joined.iter().map(|(_, parts)| parts.len()).collect::<Vec<_>>(), [0, 0, 2]);
    let sums: Vec<(Option<String>, i64)> = item::Entity::find()
        .select_only()
        .column(item::Column::Note)
        .column_as(Expr::col(item::Column::Id).count(), "many")
        .group_by(item::Column::Note)
        .order_by_asc(Expr::col(item::Column::Id).count())
        .into_tuple()
        .all(&at.db)
        .await
        .unwrap();
    assert_eq!(sums, [(Some("even".to_owned()), 12), (None, 13)]);
    let done = item::Entity::update_many()
        .col_expr(item::Column::Amount, Expr::value(0))
        .filter(item::Column::Note.is_null())
        .exec(&at.db)
        .await
        .unwrap();
    assert_eq!(done.rows_affected, 13);
}

async fn a_stream_gives_every_row_in_order_and_may_be_left(at: Fixture) {
    item::Entity::insert_many((1..=200).map(super::entity::item)).exec(&at.db).await.unwrap();
    let all = || item::Entity::find().order_by_asc(item::Column::Amount);
    let items: Vec<_> = all().stream(&at.db).await.unwrap().try_collect().await.unwrap();
    assert_eq!(items.iter().map(|item| item.amount).collect::<Vec<_>>(), (1..=200).collect::<Vec<_>>());
    // More often than there are connections: each has to come back.
    for _ in 0..5 {
        let mut rows = all().stream(&at.db).await.unwrap();
        assert_eq!(rows.try_next().await.unwrap().unwrap().amount, 1);
    }
    let unit = at.db.transaction().await.unwrap();
    let items: Vec<_> = all().stream(&unit).await.unwrap().try_collect().await.unwrap();
    assert_eq!(items.len(), 200);
    unit.commit().await.unwrap();
}

async fn what_returning_gives_is_what_was_written(at: Fixture) {
    let made = item::Entity::insert_many([super::entity::item(1), super::entity::item(2)])
        .exec_with_returning(&at.db)
        .await
        .unwrap();
    assert_eq!(made.len(), 2);
    let changed = item::Entity::update_many()
        .col_expr(item::Column::Amount, Expr::col(item::Column::Amount).add(10))
        .exec_with_returning(&at.db)
        .await
        .unwrap();
    let mut amounts: Vec<i64> = changed.into_iter().map(|item| item.amount).collect();
    amounts.sort_unstable();
    assert_eq!(amounts, [11, 12]);
}

async fn a_write_that_conflicts_can_update_instead(at: Fixture) {
    for amount in [5, 6] {
        let mut item = super::entity::item(1);
        item.amount = Set(amount);
        item::Entity::insert(item)
            .on_conflict(OnConflict::column(item::Column::Id).update_column(item::Column::Amount).to_owned())
            .exec(&at.db)
            .await
            .unwrap();
    }
    assert_eq!(item::Entity::find().one(&at.db).await.unwrap().unwrap().amount, 6);
}

async fn hostile_text_and_numbers_come_back_as_they_went(at: Fixture) {
    let text = "'; DROP TABLE item; -- \" \\ \u{1a} \u{202e} 🜁 ?$1%_ \r\n";
    let mut item = super::entity::item(1);
    item.name = Set(text.to_owned());
    item.note = Set(Some(String::new()));
    item.amount = Set(i64::MAX);
    let written = item.insert(&at.db).await.unwrap();
    let read = item::Entity::find().filter(item::Column::Name.eq(text)).one(&at.db).await.unwrap();
    assert_eq!(read.unwrap(), written);
    assert_eq!((written.note.as_deref(), written.amount), (Some(""), i64::MAX));
    if at.db.capabilities().nul_in_text {
        let mut item = super::entity::item(2);
        item.note = Set(Some("a\0b".to_owned()));
        assert_eq!(item.insert(&at.db).await.unwrap().note.as_deref(), Some("a\0b"));
    }
}

async fn several_statements_without_parameters_run_at_once(at: Fixture) {
    at.db.execute_unprepared("CREATE TABLE a (v bigint); INSERT INTO a VALUES (7); SELECT 1").await.unwrap();
    let backend = at.db.get_database_backend();
    let sql = "SELECT v FROM a";
    let row = at.db.query_one_raw(Statement::from_string(backend, sql)).await.unwrap().unwrap();
    assert_eq!(row.try_get::<i64>("", "v").unwrap(), 7);
    let unit = at.db.begin().await.unwrap();
    unit.execute_unprepared("INSERT INTO a VALUES (8); INSERT INTO a VALUES (9)").await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(at.db.query_all_raw(Statement::from_string(backend, sql)).await.unwrap().len(), 3);
}
