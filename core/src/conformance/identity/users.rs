use std::time::Duration;

use crate::ErrorKind;
use crate::conformance::{Fixture, kind, text};
use crate::id::UserId;
use crate::model::{NewUser, User};
use crate::repository::UsersExt as _;

fn nobody() -> UserId {
    UserId(uuid::Uuid::max())
}

pub async fn a_created_user_is_found_by_id_and_by_name(fixture: &dyn Fixture) {
    let users = fixture.identity().users;
    let ann = fixture.user("ann").await;
    fixture.user("bob").await;
    assert!(ann.enabled);
    assert_eq!(ann.version, 1);
    assert_eq!(users.find(ann.id).await.unwrap(), Some(ann.clone()));
    assert_eq!(users.find_by_name("ann").await.unwrap(), Some(ann.clone()));
    assert_eq!(users.require(ann.id).await.unwrap(), ann);
}

pub async fn a_user_that_is_not_there_is_none(fixture: &dyn Fixture) {
    let users = fixture.identity().users;
    assert_eq!(users.find(nobody()).await.unwrap(), None);
    assert_eq!(users.find_by_name("nobody").await.unwrap(), None);
    assert_eq!(users.find_by_name("").await.unwrap(), None);
    assert_eq!(kind(users.require(nobody()).await), ErrorKind::NotFound);
}

pub async fn a_user_s_name_is_taken_once(fixture: &dyn Fixture) {
    let users = fixture.identity().users;
    let ann = fixture.user("ann").await;
    let error = users.create(NewUser::named("ann")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error:?}");
    assert!(error.next_step().is_some());
    assert_eq!(users.find_by_name("ann").await.unwrap(), Some(ann));
}

pub async fn names_that_only_look_alike_are_of_different_people(fixture: &dyn Fixture) {
    let users = fixture.identity().users;
    let names =
        ["ann", "Ann", "ANN", "ann ", " ann", "änn", "a\u{308}nn", "ann\0", "ann\u{1a}0", "ann\u{200b}"];
    let mut created = Vec::new();
    for name in names {
        created.push(fixture.user(name).await);
    }
    for (name, user) in names.into_iter().zip(created) {
        assert_eq!(users.find_by_name(name).await.unwrap(), Some(user), "{name:?}");
    }
}

pub async fn a_user_s_name_has_a_length(fixture: &dyn Fixture) {
    let users = fixture.identity().users;
    let ann = fixture.user("ann").await;
    for wrong in [String::new(), "n".repeat(1_001)] {
        assert_eq!(kind(users.create(NewUser::named(wrong.clone())).await), ErrorKind::Invalid);
        assert_eq!(kind(users.update(&User { name: wrong, ..ann.clone() }).await), ErrorKind::Invalid);
    }
    for name in text::longest_names() {
        let user = fixture.user(&name).await;
        assert_eq!(users.find_by_name(&name).await.unwrap(), Some(user));
    }
}

pub async fn an_update_writes_every_field_and_counts(fixture: &dyn Fixture) {
    let users = fixture.identity().users;
    let ann = fixture.user("ann").await;
    fixture.clock().advance(Duration::from_secs(5));
    let wanted = User {
        name: "anna".to_owned(),
        email: Some("anna@example.org".to_owned()),
        display_name: Some("Anna".to_owned()),
        ..ann.clone()
    };
    let updated = users.update(&wanted).await.unwrap();
    let expected = User { version: 2, updated_at: ann.updated_at + Duration::from_secs(5), ..wanted };
    assert_eq!(updated, expected);
    assert_eq!(users.find(ann.id).await.unwrap(), Some(expected));
    assert_eq!(users.find_by_name("ann").await.unwrap(), None);
}

pub async fn an_update_of_an_outdated_user_is_a_conflict(fixture: &dyn Fixture) {
    let users = fixture.identity().users;
    let read = fixture.user("ann").await;
    let first = users.update(&User { email: Some("first".to_owned()), ..read.clone() }).await.unwrap();
    let second = users.update(&User { email: Some("second".to_owned()), ..read }).await;
    assert_eq!(kind(second), ErrorKind::Conflict);
    assert_eq!(users.find(first.id).await.unwrap(), Some(first));
}

pub async fn an_update_of_nobody_is_not_found(fixture: &dyn Fixture) {
    let users = fixture.identity().users;
    let ann = fixture.user("ann").await;
    assert_eq!(kind(users.update(&User { id: nobody(), ..ann }).await), ErrorKind::NotFound);
    assert_eq!(kind(users.disable(nobody()).await), ErrorKind::NotFound);
    assert_eq!(kind(users.enable(nobody()).await), ErrorKind::NotFound);
}

pub async fn an_update_to_a_taken_name_is_a_conflict(fixture: &dyn Fixture) {
    let users = fixture.identity().users;
    let (ann, bob) = (fixture.user("ann").await, fixture.user("bob").await);
    assert_eq!(
        kind(users.update(&User { name: "ann".to_owned(), ..bob.clone() }).await),
        ErrorKind::Conflict
    );
    assert_eq!(users.find(bob.id).await.unwrap(), Some(bob));
    assert_eq!(users.find_by_name("ann").await.unwrap(), Some(ann));
}

pub async fn a_name_that_was_given_up_is_free(fixture: &dyn Fixture) {
    let users = fixture.identity().users;
    let ann = fixture.user("ann").await;
    users.update(&User { name: "anna".to_owned(), ..ann }).await.unwrap();
    let second = fixture.user("ann").await;
    assert!(users.delete(second.id).await.unwrap());
    fixture.user("ann").await;
}

pub async fn disabling_and_enabling_count_only_when_they_change_something(fixture: &dyn Fixture) {
    let users = fixture.identity().users;
    let ann = fixture.user("ann").await;
    let disabled = users.disable(ann.id).await.unwrap();
    assert_eq!((disabled.enabled, disabled.version), (false, 2));
    assert_eq!(users.disable(ann.id).await.unwrap(), disabled);
    assert_eq!(users.find(ann.id).await.unwrap(), Some(disabled));
    let enabled = users.enable(ann.id).await.unwrap();
    assert_eq!((enabled.enabled, enabled.version), (true, 3));
    assert_eq!(users.enable(ann.id).await.unwrap(), enabled);
}

pub async fn a_deleted_user_is_gone(fixture: &dyn Fixture) {
    let users = fixture.identity().users;
    let (ann, bob) = (fixture.user("ann").await, fixture.user("bob").await);
    assert!(users.delete(ann.id).await.unwrap());
    assert!(!users.delete(ann.id).await.unwrap());
    assert_eq!(users.find(ann.id).await.unwrap(), None);
    assert_eq!(users.find_by_name("ann").await.unwrap(), None);
    assert_eq!(users.find(bob.id).await.unwrap(), Some(bob));
}

pub async fn every_optional_field_of_a_user_is_kept_or_kept_empty(fixture: &dyn Fixture) {
    let users = fixture.identity().users;
    let fields = [None, Some(String::new()), Some("x".to_owned())];
    for (i, email) in fields.iter().enumerate() {
        for (j, display_name) in fields.iter().enumerate() {
            let new =
                NewUser { name: format!("{i}{j}"), email: email.clone(), display_name: display_name.clone() };
            let user = users.create(new).await.unwrap();
            let found = users.find(user.id).await.unwrap().unwrap();
            assert_eq!((&found.email, &found.display_name), (email, display_name));
            let emptied = users.update(&User { email: None, display_name: None, ..found }).await.unwrap();
            assert_eq!(users.find(user.id).await.unwrap().unwrap().email, None);
            assert_eq!(emptied.display_name, None);
        }
    }
}

pub async fn hostile_text_survives_in_every_field_of_a_user(fixture: &dyn Fixture) {
    let users = fixture.identity().users;
    for text in text::HOSTILE {
        let new = NewUser {
            name: (*text).to_owned(),
            email: Some((*text).to_owned()),
            display_name: Some((*text).to_owned()),
        };
        let user = users.create(new).await.unwrap();
        assert_eq!(users.find(user.id).await.unwrap(), Some(user.clone()), "{text:?}");
        assert_eq!(users.find_by_name(text).await.unwrap(), Some(user.clone()), "{text:?}");
        assert_eq!(users.update(&user).await.unwrap().display_name.as_deref(), Some(*text));
    }
    let names: Vec<_> =
        crate::conformance::paging::all_users(fixture, 7).await.into_iter().map(|user| user.name).collect();
    assert_eq!(names, text::HOSTILE);
}

pub async fn a_megabyte_of_text_survives_in_a_user(fixture: &dyn Fixture) {
    let users = fixture.identity().users;
    let long = text::megabyte();
    let new = NewUser { name: "ann".to_owned(), email: Some(long.clone()), display_name: Some(long.clone()) };
    let ann = users.create(new).await.unwrap();
    let found = users.find(ann.id).await.unwrap().unwrap();
    assert!(found.email.as_ref() == Some(&long) && found.display_name == Some(long));
}

pub async fn times_are_kept_to_the_microsecond_and_in_utc(fixture: &dyn Fixture) {
    let users = fixture.identity().users;
    let mut expected = Vec::new();
    for (name, micros) in
        [("a", 0), ("b", 1), ("c", 999_998), ("d", 1), ("e", 500_000), ("f", 86_400_000_000)]
    {
        fixture.clock().advance(Duration::from_micros(micros));
        expected.push(fixture.user(name).await);
    }
    for user in expected {
        let found = users.find(user.id).await.unwrap().unwrap();
        assert_eq!(found.created_at, user.created_at);
        assert_eq!(found, user);
    }
}
