use serde_json::json;

use crate::conformance::at_once::{all, both};
use crate::conformance::{Fixture, is_lost_race};
use crate::id::UserId;
use crate::model::{NewGroup, NewRole, NewUser, User};
use crate::{ErrorKind, PageRequest, Result};

async fn create_in_a_unit(fixture: &dyn Fixture, name: &str) -> Result<()> {
    let unit = fixture.store().begin().await?;
    unit.identity()?.users.create(NewUser::named(name)).await?;
    unit.commit().await
}

async fn update_in_a_unit(fixture: &dyn Fixture, user: User, email: &str) -> Result<()> {
    let unit = fixture.store().begin().await?;
    unit.identity()?.users.update(&User { email: Some(email.to_owned()), ..user }).await?;
    unit.commit().await
}

pub async fn two_writers_of_different_rows_both_succeed(fixture: &dyn Fixture) {
    let (left, right) = both(create_in_a_unit(fixture, "ann"), create_in_a_unit(fixture, "bob")).await;
    left.unwrap();
    right.unwrap();
    for name in ["ann", "bob"] {
        assert!(fixture.identity().users.find_by_name(name).await.unwrap().is_some());
    }
}

pub async fn writers_of_different_rows_do_not_wait_for_one_another(fixture: &dyn Fixture) {
    // With one writer at a time, the case above holds the engine to letting the second in when the first has ended.
    assert!(
        fixture.store().capabilities().concurrent_writers,
        "the engine says that it has one writer at a time"
    );
    let (first, second) = (fixture.begin().await, fixture.begin().await);
    first.identity().unwrap().users.create(NewUser::named("ann")).await.unwrap();
    second.identity().unwrap().users.create(NewUser::named("bob")).await.unwrap();
    second.commit().await.unwrap();
    first.commit().await.unwrap();
}

pub async fn of_two_updates_of_the_same_version_one_is_lost_and_knows_it(fixture: &dyn Fixture) {
    let read = fixture.user("ann").await;
    let (left, right) = both(
        update_in_a_unit(fixture, read.clone(), "left"),
        update_in_a_unit(fixture, read.clone(), "right"),
    )
    .await;
    let (winner, error) = match (left, right) {
        (Ok(()), Err(error)) => ("left", error),
        (Err(error), Ok(())) => ("right", error),
        other => panic!("exactly one must win: {other:?}"),
    };
    assert!(is_lost_race(&error), "{error:?}");
    let stored = fixture.identity().users.find(read.id).await.unwrap().unwrap();
    assert_eq!((stored.version, stored.email.as_deref()), (2, Some(winner)));
}

pub async fn of_two_users_of_one_name_at_once_one_is_created(fixture: &dyn Fixture) {
    let (left, right) = both(create_in_a_unit(fixture, "ann"), create_in_a_unit(fixture, "ann")).await;
    let error = match (left, right) {
        (Ok(()), Err(error)) | (Err(error), Ok(())) => error,
        other => panic!("exactly one must be created: {other:?}"),
    };
    assert!(is_lost_race(&error), "{error:?}");
    assert!(fixture.identity().users.find_by_name("ann").await.unwrap().is_some());
}

/// Adds 1 with compare-and-set, again and again until nobody was faster.
async fn count_one_up(fixture: &dyn Fixture) {
    let settings = fixture.application().settings;
    loop {
        let read = settings.get("count").await.unwrap().unwrap();
        let next = json!(read.value.as_i64().unwrap() + 1);
        match settings.compare_and_set("count", Some(read.version), next).await {
            Ok(_) => return,
            Err(error) => assert!(is_lost_race(&error), "{error:?}"),
        }
    }
}

pub async fn a_counter_under_compare_and_set_loses_nothing(fixture: &dyn Fixture) {
    let settings = fixture.application().settings;
    settings.put("count", json!(0)).await.unwrap();
    all((0..8).map(|_| count_one_up(fixture))).await;
    assert_eq!(settings.get("count").await.unwrap().unwrap().value, json!(8));
}

pub async fn of_many_that_expect_no_setting_one_sets_it(fixture: &dyn Fixture) {
    let settings = fixture.application().settings;
    let tries = (0..6).map(|n| {
        let settings = settings.clone();
        async move { settings.compare_and_set("leader", None, json!(n)).await }
    });
    let outcomes = all(tries).await;
    let winners: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect();
    assert_eq!(winners.len(), 1, "{outcomes:?}");
    for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert!(is_lost_race(error), "{error:?}");
    }
    assert_eq!(settings.get("leader").await.unwrap().as_ref(), Some(winners[0]));
}

/// Disables the user if another one stays enabled.
async fn stand_down(fixture: &dyn Fixture, users: [UserId; 2], which: usize) -> Result<()> {
    let unit = fixture.store().begin_serializable().await?;
    let repository = unit.identity()?.users;
    let other = repository.find(users[1 - which]).await?.unwrap();
    if other.enabled {
        repository.disable(users[which]).await?;
    }
    unit.commit().await
}

pub async fn serializable_units_allow_no_write_skew(fixture: &dyn Fixture) {
    assert!(
        fixture.store().capabilities().serializable,
        "the engine says that it has no serializable transactions"
    );
    for round in 0..5 {
        let users =
            [fixture.user(&format!("a{round}")).await.id, fixture.user(&format!("b{round}")).await.id];
        let outcomes = both(stand_down(fixture, users, 0), stand_down(fixture, users, 1)).await;
        for outcome in [&outcomes.0, &outcomes.1] {
            assert!(outcome.as_ref().err().is_none_or(is_lost_race), "{outcome:?}");
        }
        assert!(outcomes.0.is_ok() || outcomes.1.is_ok(), "{outcomes:?}");
        let mut enabled = 0;
        for user in users {
            enabled += u32::from(fixture.identity().users.find(user).await.unwrap().unwrap().enabled);
        }
        assert_eq!(enabled, 1, "one has stood down, the other must not");
    }
}

pub async fn no_child_outlives_a_parent_that_is_deleted_meanwhile(fixture: &dyn Fixture) {
    let identity = fixture.identity();
    let role = identity.roles.create(NewRole::named("r", [])).await.unwrap().id;
    let crew = identity.groups.create(NewGroup::named("crew")).await.unwrap().id;
    for round in 0..8 {
        let user = fixture.user(&format!("u{round}")).await.id;
        let (added, (assigned, deleted)) = both(
            identity.groups.add_member(crew, user),
            both(identity.assignments.assign(role, user.into()), identity.users.delete(user)),
        )
        .await;
        for error in [added.err(), assigned.err()].into_iter().flatten() {
            assert!(is_lost_race(&error) || error.kind() == ErrorKind::NotFound, "{error:?}");
        }
        if let Err(error) = deleted {
            assert!(is_lost_race(&error), "{error:?}");
            identity.users.delete(user).await.unwrap();
        }
        assert_eq!(identity.assignments.roles_of(user.into()).await.unwrap(), []);
        assert_eq!(identity.groups.groups_of(user).await.unwrap(), []);
    }
    let page = identity.groups.members_of(crew, &PageRequest::first(10).unwrap()).await.unwrap();
    assert_eq!(page.items, []);
}
