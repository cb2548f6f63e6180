use crate::ErrorKind;
use crate::conformance::{Fixture, kind};
use crate::model::NewUser;

async fn is_there(fixture: &dyn Fixture, name: &str) -> bool {
    fixture.identity().users.find_by_name(name).await.unwrap().is_some()
}

pub async fn an_inner_unit_takes_effect_with_the_outermost(fixture: &dyn Fixture) {
    let outer = fixture.begin().await;
    let inner = outer.begin().await.unwrap();
    let innermost = inner.begin().await.unwrap();
    innermost.identity().unwrap().users.create(NewUser::named("ann")).await.unwrap();
    innermost.commit().await.unwrap();
    inner.commit().await.unwrap();
    assert!(outer.identity().unwrap().users.find_by_name("ann").await.unwrap().is_some());
    assert!(!is_there(fixture, "ann").await);
    outer.commit().await.unwrap();
    assert!(is_there(fixture, "ann").await);
}

pub async fn an_inner_unit_rolled_back_dooms_the_outermost(fixture: &dyn Fixture) {
    let outer = fixture.begin().await;
    outer.identity().unwrap().users.create(NewUser::named("ann")).await.unwrap();
    outer.begin().await.unwrap().rollback().await.unwrap();
    assert_eq!(kind(outer.identity().unwrap().users.find_by_name("ann").await), ErrorKind::Aborted);
    assert_eq!(kind(outer.begin().await), ErrorKind::Aborted);
    assert_eq!(kind(outer.commit().await), ErrorKind::Aborted);
    assert!(!is_there(fixture, "ann").await);
}

pub async fn an_inner_unit_dropped_dooms_the_outermost(fixture: &dyn Fixture) {
    let outer = fixture.begin().await;
    outer.identity().unwrap().users.create(NewUser::named("ann")).await.unwrap();
    drop(outer.begin().await.unwrap());
    assert_eq!(kind(outer.commit().await), ErrorKind::Aborted);
    assert!(!is_there(fixture, "ann").await);
}

pub async fn an_inner_unit_left_open_keeps_the_outermost_from_committing(fixture: &dyn Fixture) {
    let outer = fixture.begin().await;
    outer.identity().unwrap().users.create(NewUser::named("ann")).await.unwrap();
    let inner = outer.begin().await.unwrap();
    assert_eq!(kind(outer.commit().await), ErrorKind::Aborted);
    assert_eq!(kind(inner.commit().await), ErrorKind::Aborted);
    assert!(!is_there(fixture, "ann").await);
}

pub async fn an_outermost_rolled_back_undoes_what_inner_units_committed(fixture: &dyn Fixture) {
    let outer = fixture.begin().await;
    let inner = outer.begin().await.unwrap();
    inner.identity().unwrap().users.create(NewUser::named("ann")).await.unwrap();
    inner.commit().await.unwrap();
    outer.rollback().await.unwrap();
    assert!(!is_there(fixture, "ann").await);
}
