//! Errors: their kinds, what they say and what they keep to themselves, on the way through SeaORM and back.

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Value;
use sea_orm::{
    ActiveModelTrait as _, ConnectionTrait as _, DbErr, EntityTrait as _, SqlErr, Statement,
    TransactionTrait as _,
};
use trimaran_core::{Engine, ErrorKind};

use super::cases;
use super::entity::item;
use super::fixture::Fixture;
use crate::db_error::Doing as _;

cases! {
    a_key_that_is_taken_is_a_conflict_for_us_and_for_sea_orm
    a_missing_parent_is_a_conflict
    values_that_break_a_rule_are_invalid
    what_does_not_exist_is_not_found
    a_value_that_can_not_be_sent_is_refused_before_it_is
    a_pool_of_which_all_is_in_use_says_so
    what_is_closed_says_so
    an_error_is_the_same_in_a_transaction
}

/// Whether SeaORM knows the error, which it does of its own drivers only.
fn is_taken(at: &Fixture, error: &DbErr) -> bool {
    at.db.engine() == Engine::Duckdb || matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

async fn a_key_that_is_taken_is_a_conflict_for_us_and_for_sea_orm(at: Fixture) {
    super::entity::item(1).insert(&at.db).await.unwrap();
    let mut other = super::entity::item(2);
    other.name = Set("item 1".to_owned());
    let error = other.insert(&at.db).await.unwrap_err();
    assert!(is_taken(&at, &error), "{error:?}");
    let ours = Err::<(), _>(error).doing("create the item").unwrap_err();
    assert_eq!((ours.kind(), ours.operation()), (ErrorKind::Conflict, "create the item"));
    let named = match at.db.engine() {
        Engine::Postgres => "item_name_key",
        Engine::Sqlite => "item.name",
        Engine::Duckdb => "name",
    };
    let report = format!("{ours:?}");
    assert!(report.contains(named), "{report}");
    assert!(!report.contains("item 1"), "{report}");
}

async fn a_missing_parent_is_a_conflict(at: Fixture) {
    if !at.db.capabilities().foreign_keys {
        super::entity::part(1, 99).insert(&at.db).await.unwrap();
        return;
    }
    let error = super::entity::part(1, 99).insert(&at.db).await.unwrap_err();
    assert!(matches!(error.sql_err(), Some(SqlErr::ForeignKeyConstraintViolation(_))), "{error:?}");
    let ours = Err::<(), _>(error).doing("add the part").unwrap_err();
    assert_eq!(ours.kind(), ErrorKind::Conflict);
    assert!(!format!("{ours:?}").contains("00000063"), "{ours:?}");
}

async fn values_that_break_a_rule_are_invalid(at: Fixture) {
    let mut negative = super::entity::item(1);
    negative.amount = Set(-987_654);
    let error = negative.insert(&at.db).await.doing("create the item").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error:?}");
    assert!(!format!("{error:?}").contains("987654"), "{error:?}");
    let sql = "INSERT INTO part (id, item_id, text) SELECT id, id, NULL FROM item";
    super::entity::item(1).insert(&at.db).await.unwrap();
    let error = at.db.execute_unprepared(sql).await.doing("add the part").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error:?}");
    assert!(error.to_string().contains("text"), "{error}");
    let error = at.db.execute_unprepared("this is no SQL").await.doing("run it").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error:?}");
}

async fn what_does_not_exist_is_not_found(at: Fixture) {
    let error = at.db.execute_unprepared("DELETE FROM nowhere").await.doing("delete").unwrap_err();
    assert!(error.to_string().contains("nowhere"), "{error}");
    // SQLite calls it an error in the SQL, as it does any other.
    let kinds: &[_] = match at.db.engine() {
        Engine::Sqlite => &[ErrorKind::Invalid],
        _ => &[ErrorKind::NotFound, ErrorKind::Invalid],
    };
    assert!(kinds.contains(&error.kind()), "{error:?}");
    let error = super::entity::item(9).update(&at.db).await.doing("change the item").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
}

async fn a_value_that_can_not_be_sent_is_refused_before_it_is(at: Fixture) {
    if at.db.engine() == Engine::Duckdb {
        // It has a type for such numbers, and arrays.
        return;
    }
    let backend = at.db.get_database_backend();
    let values = [Value::BigUnsigned(Some(u64::MAX))];
    let statement = Statement::from_sql_and_values(backend, "SELECT $1", values);
    let error = at.db.query_all_raw(statement).await.doing("ask").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error:?}");
    assert!(!format!("{error:?}").contains("18446744073709551615"));
    if at.db.engine() == Engine::Sqlite {
        let statement = Statement::from_sql_and_values(backend, "SELECT $1", [Value::from(vec![1i32, 2])]);
        let error = at.db.query_all_raw(statement).await.doing("ask").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.next_step().is_some());
    }
    assert_eq!(item::Entity::find().all(&at.db).await.unwrap(), []);
}

async fn a_pool_of_which_all_is_in_use_says_so(at: Fixture) {
    let options = sea_orm::TransactionOptions {
        access_mode: Some(sea_orm::AccessMode::ReadOnly),
        ..sea_orm::TransactionOptions::default()
    };
    let mut open = Vec::new();
    for _ in 0..super::fixture::settings().max_connections {
        open.push(at.db.transaction_with(options).await.unwrap());
    }
    let error = item::Entity::find().all(&at.db).await.doing("list items").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    let hint = error.next_step().unwrap();
    assert!(hint.contains("max_connections") && hint.contains("acquire_timeout"), "{hint}");
    assert!(error.is_retryable());
    drop(open);
    assert!(item::Entity::find().all(&at.db).await.unwrap().is_empty());
}

async fn what_is_closed_says_so(at: Fixture) {
    at.db.ping().await.unwrap();
    at.db.close().await;
    for error in [
        item::Entity::find().all(&at.db).await.doing("list items").unwrap_err(),
        at.db.transaction().await.unwrap_err(),
        at.db.ping().await.unwrap_err(),
        super::entity::item(1).insert(&at.db).await.doing("create the item").unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    }
}

async fn an_error_is_the_same_in_a_transaction(at: Fixture) {
    super::entity::item(1).insert(&at.db).await.unwrap();
    let unit = at.db.begin().await.unwrap();
    let error = super::entity::item(1).insert(&unit).await.unwrap_err();
    assert!(is_taken(&at, &error), "{error:?}");
    let ours = Err::<(), _>(error).doing("create the item").unwrap_err();
    assert_eq!(ours.kind(), ErrorKind::Conflict);
}
