use serde_json::json;

use crate::ErrorKind;
use crate::conformance::{Fixture, kind};
use crate::model::{NewRole, NewUser, User};

pub async fn a_committed_unit_takes_effect_as_a_whole(fixture: &dyn Fixture) {
    let unit = fixture.begin().await;
    let ann = unit.identity().unwrap().users.create(NewUser::named("ann")).await.unwrap();
    unit.application().unwrap().settings.put("owner", json!(ann.id)).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(fixture.identity().users.find(ann.id).await.unwrap(), Some(ann.clone()));
    assert_eq!(fixture.application().settings.get("owner").await.unwrap().unwrap().value, json!(ann.id));
}

pub async fn a_unit_rolled_back_takes_no_effect(fixture: &dyn Fixture) {
    let bob = fixture.user("bob").await;
    let unit = fixture.begin().await;
    let users = unit.identity().unwrap().users;
    users.create(NewUser::named("ann")).await.unwrap();
    users.update(&User { email: Some("new".to_owned()), ..bob.clone() }).await.unwrap();
    unit.application().unwrap().settings.put("a", json!(1)).await.unwrap();
    unit.rollback().await.unwrap();
    assert_eq!(fixture.identity().users.find_by_name("ann").await.unwrap(), None);
    assert_eq!(fixture.identity().users.find(bob.id).await.unwrap(), Some(bob));
    assert_eq!(fixture.application().settings.get("a").await.unwrap(), None);
}

pub async fn a_dropped_unit_takes_no_effect_and_holds_nothing(fixture: &dyn Fixture) {
    let unit = fixture.begin().await;
    let users = unit.identity().unwrap().users;
    users.create(NewUser::named("ann")).await.unwrap();
    drop(unit);
    // The repository is still there; neither its unit nor a lock is.
    assert_eq!(fixture.identity().users.find_by_name("ann").await.unwrap(), None);
    fixture.user("ann").await;
    drop(users);
}

pub async fn a_unit_sees_what_it_did_and_others_do_not(fixture: &dyn Fixture) {
    let bob = fixture.user("bob").await;
    let unit = fixture.begin().await;
    let users = unit.identity().unwrap().users;
    let ann = users.create(NewUser::named("ann")).await.unwrap();
    let changed = users.update(&User { email: Some("new".to_owned()), ..bob.clone() }).await.unwrap();
    assert_eq!(users.find(ann.id).await.unwrap(), Some(ann.clone()));
    assert_eq!(users.find(bob.id).await.unwrap(), Some(changed.clone()));
    let outside = fixture.identity().users;
    assert_eq!(outside.find(ann.id).await.unwrap(), None);
    assert_eq!(outside.find(bob.id).await.unwrap(), Some(bob));
    unit.commit().await.unwrap();
    assert_eq!(outside.find(ann.id).await.unwrap(), Some(ann));
    assert_eq!(outside.find(changed.id).await.unwrap(), Some(changed));
}

pub async fn a_failed_statement_dooms_the_unit(fixture: &dyn Fixture) {
    fixture.user("taken").await;
    let unit = fixture.begin().await;
    let users = unit.identity().unwrap().users;
    users.create(NewUser::named("ann")).await.unwrap();
    assert_eq!(kind(users.create(NewUser::named("taken")).await), ErrorKind::Conflict);
    assert_eq!(kind(users.create(NewUser::named("bob")).await), ErrorKind::Aborted);
    assert_eq!(kind(users.find_by_name("ann").await), ErrorKind::Aborted);
    assert_eq!(kind(unit.commit().await), ErrorKind::Aborted);
    for name in ["ann", "bob"] {
        assert_eq!(fixture.identity().users.find_by_name(name).await.unwrap(), None);
    }
}

pub async fn a_doomed_unit_can_be_rolled_back_and_begun_again(fixture: &dyn Fixture) {
    fixture.user("taken").await;
    let unit = fixture.begin().await;
    let users = unit.identity().unwrap().users;
    assert_eq!(kind(users.create(NewUser::named("taken")).await), ErrorKind::Conflict);
    unit.rollback().await.unwrap();
    let unit = fixture.begin().await;
    unit.identity().unwrap().users.create(NewUser::named("free")).await.unwrap();
    unit.commit().await.unwrap();
    assert!(fixture.identity().users.find_by_name("free").await.unwrap().is_some());
}

pub async fn a_call_that_is_refused_before_any_statement_dooms_nothing(fixture: &dyn Fixture) {
    let unit = fixture.begin().await;
    let users = unit.identity().unwrap().users;
    assert_eq!(kind(users.create(NewUser::named("")).await), ErrorKind::Invalid);
    users.create(NewUser::named("ann")).await.unwrap();
    unit.commit().await.unwrap();
    assert!(fixture.identity().users.find_by_name("ann").await.unwrap().is_some());
}

pub async fn repositories_that_outlive_their_unit_fail(fixture: &dyn Fixture) {
    let unit = fixture.begin().await;
    let committed = unit.identity().unwrap().users;
    unit.commit().await.unwrap();
    let unit = fixture.begin().await;
    let rolled_back = unit.identity().unwrap().users;
    unit.rollback().await.unwrap();
    let unit = fixture.begin().await;
    let dropped = unit.identity().unwrap().users;
    drop(unit);
    for users in [committed, rolled_back, dropped] {
        assert_eq!(kind(users.create(NewUser::named("late")).await), ErrorKind::Aborted);
        assert_eq!(kind(users.find_by_name("late").await), ErrorKind::Aborted);
    }
    assert_eq!(fixture.identity().users.find_by_name("late").await.unwrap(), None);
}

pub async fn a_call_of_several_statements_fails_as_a_whole(fixture: &dyn Fixture) {
    let roles = fixture.identity().roles;
    let names = ["a", "b"].map(crate::conformance::permission);
    let role = roles.create(NewRole::named("first", names.clone())).await.unwrap();
    roles.create(NewRole::named("second", [])).await.unwrap();
    assert_eq!(kind(roles.create(NewRole::named("first", names)).await), ErrorKind::Conflict);
    let renamed = crate::model::Role { name: "second".to_owned(), permissions: [].into(), ..role.clone() };
    assert_eq!(kind(roles.update(&renamed).await), ErrorKind::Conflict);
    assert_eq!(roles.find(role.id).await.unwrap(), Some(role));
}

pub async fn a_row_may_be_changed_many_times_in_a_unit(fixture: &dyn Fixture) {
    let unit = fixture.begin().await;
    let identity = unit.identity().unwrap();
    let mut ann = identity.users.create(NewUser::named("ann")).await.unwrap();
    for n in 0..4 {
        ann.name = format!("ann{n}");
        ann = identity.users.update(&ann).await.unwrap();
        ann = identity.users.disable(ann.id).await.unwrap();
        ann = identity.users.enable(ann.id).await.unwrap();
    }
    let settings = unit.application().unwrap().settings;
    for n in 0..4 {
        settings.put("n", json!(n)).await.unwrap();
    }
    unit.commit().await.unwrap();
    assert_eq!(fixture.identity().users.find(ann.id).await.unwrap(), Some(ann));
    assert_eq!(fixture.application().settings.get("n").await.unwrap().unwrap().version, 4);
}

pub async fn what_a_unit_made_it_may_delete(fixture: &dyn Fixture) {
    let unit = fixture.begin().await;
    let identity = unit.identity().unwrap();
    let ann = identity.users.create(NewUser::named("ann")).await.unwrap();
    let role =
        identity.roles.create(NewRole::named("r", [crate::conformance::permission("a")])).await.unwrap();
    identity.assignments.assign(role.id, ann.id.into()).await.unwrap();
    assert!(identity.users.delete(ann.id).await.unwrap());
    assert!(identity.roles.delete(role.id).await.unwrap());
    unit.commit().await.unwrap();
    assert_eq!(fixture.identity().users.find(ann.id).await.unwrap(), None);
    assert_eq!(fixture.identity().assignments.roles_of(ann.id.into()).await.unwrap(), []);
}
