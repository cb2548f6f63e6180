//! Reading by position: the same rows as SeaORM reads, of one state where that is asked for.

use sea_orm::prelude::Uuid;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use trimaran_core::ErrorKind;

use super::appends::{make_samples, sample, sample_row, whole};
use super::cases;
use super::entity::item;
use super::fixture::Fixture;
use crate::append::append_rows;
use crate::repository::ids;
use crate::{Executor, fetch};

cases! {
    rows_of_every_type_are_those_that_seaorm_reads
    values_are_bound_as_seaorm_binds_them
    a_reading_sees_one_state
    a_reading_in_a_unit_of_work_sees_what_that_wrote
    what_fails_ends_the_reading_and_no_connection_is_lost
    many_ids_are_those_and_no_others
}

async fn fetched(executor: &Executor) -> Vec<item::Model> {
    let query = item::Entity::find().order_by_asc(item::Column::Id);
    fetch::models(executor, query, "read items").await.unwrap()
}

async fn rows_of_every_type_are_those_that_seaorm_reads(at: Fixture) {
    make_samples(&at).await;
    let rows: Vec<_> = (0..240).map(|number| sample_row(number, at.db.engine())).collect();
    let transaction = at.db.transaction().await.unwrap();
    append_rows(&transaction, rows.iter().cloned().map(whole).collect(), "fill").await.unwrap();
    transaction.commit().await.unwrap();

    let query = || sample::Entity::find().order_by_asc(sample::Column::Id);
    let models = fetch::models(&Executor::Connection(at.db.clone()), query(), "read").await.unwrap();
    assert_eq!(models, query().all(&at.db).await.unwrap());
    assert_eq!(models.len(), rows.len());
}

async fn values_are_bound_as_seaorm_binds_them(at: Fixture) {
    make_samples(&at).await;
    let rows: Vec<_> = (0..60).map(|number| sample_row(number, at.db.engine())).collect();
    for row in &rows {
        whole(row.clone()).insert(&at.db).await.unwrap();
    }
    let executor = Executor::Connection(at.db.clone());
    for row in &rows {
        let query = sample::Entity::find()
            .filter(sample::Column::Id.eq(row.id))
            .filter(sample::Column::Number.eq(row.number))
            .filter(sample::Column::Large.eq(row.large))
            .filter(sample::Column::Real.eq(row.real))
            .filter(sample::Column::Flag.eq(row.flag))
            .filter(sample::Column::Text.eq(row.text.as_str()))
            .filter(sample::Column::Bytes.eq(row.bytes.clone()))
            .filter(sample::Column::Made.eq(row.made));
        assert_eq!(fetch::models(&executor, query, "read").await.unwrap(), std::slice::from_ref(row));
    }
}

async fn a_reading_sees_one_state(at: Fixture) {
    let executor = Executor::Connection(at.db.clone());
    super::entity::item(1).insert(&at.db).await.unwrap();
    let state = executor.begin_reading().await.unwrap();
    let within = Executor::Transaction(state.handle());
    let before = fetched(&within).await;
    super::entity::item(2).insert(&at.db).await.unwrap();
    assert_eq!(fetched(&within).await, before);
    state.commit().await.unwrap();
    assert_eq!(fetched(&executor).await.len(), 2);
    // As often as there are connections, and more: each comes back.
    for number in 3..12 {
        super::entity::item(number).insert(&at.db).await.unwrap();
        let state = executor.begin_reading().await.unwrap();
        assert_eq!(fetched(&Executor::Transaction(state.handle())).await.len() as u128, number);
        match number % 3 {
            0 => state.commit().await.unwrap(),
            1 => state.rollback().await.unwrap(),
            _ => drop(state),
        }
    }
}

async fn a_reading_in_a_unit_of_work_sees_what_that_wrote(at: Fixture) {
    let unit = at.db.transaction().await.unwrap();
    super::entity::item(1).insert(&unit).await.unwrap();
    let executor = Executor::Transaction(unit.handle());
    let state = executor.begin_reading().await.unwrap();
    assert_eq!(fetched(&Executor::Transaction(state.handle())).await.len(), 1);
    state.commit().await.unwrap();
    assert!(fetched(&Executor::Connection(at.db.clone())).await.is_empty());
    unit.commit().await.unwrap();
}

async fn what_fails_ends_the_reading_and_no_connection_is_lost(at: Fixture) {
    let executor = Executor::Connection(at.db.clone());
    for _ in 0..8 {
        let state = executor.begin_reading().await.unwrap();
        let within = Executor::Transaction(state.handle());
        // There is no such table yet.
        let error = fetch::models(&within, sample::Entity::find(), "read samples").await.unwrap_err();
        assert_eq!(error.operation(), "read samples", "{error:?}");
        let after = fetch::models(&within, item::Entity::find(), "read items").await.unwrap_err();
        assert_eq!(after.kind(), ErrorKind::Aborted);
    }
    assert!(fetched(&executor).await.is_empty());
}

async fn many_ids_are_those_and_no_others(at: Fixture) {
    for number in 1..=20 {
        super::entity::item(number).insert(&at.db).await.unwrap();
    }
    for count in [0_u128, 1, 2, 3, 7, 8, 20] {
        let ids: Vec<_> = (1..=count).map(Uuid::from_u128).collect();
        let query = item::Entity::find()
            .select_only()
            .column(item::Column::Id)
            .filter(ids::among(at.db.engine(), item::Column::Id, &ids))
            .order_by_asc(item::Column::Id);
        let found = query.into_tuple::<Uuid>().all(&at.db).await.unwrap();
        assert_eq!(found, ids);
    }
}
