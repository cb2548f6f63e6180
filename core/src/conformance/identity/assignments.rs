use std::collections::BTreeSet;

use crate::ErrorKind;
use crate::conformance::{Fixture, kind, permission, permissions};
use crate::id::{GroupId, RoleId, UserId};
use crate::model::{NewGroup, NewRole, Permission, Role, Subject};

async fn role<const N: usize>(fixture: &dyn Fixture, name: &str, names: [&str; N]) -> Role {
    fixture.identity().roles.create(NewRole::named(name, permissions(names))).await.unwrap()
}

async fn group(fixture: &dyn Fixture, name: &str) -> GroupId {
    fixture.identity().groups.create(NewGroup::named(name)).await.unwrap().id
}

async fn allowed(fixture: &dyn Fixture, user: UserId) -> BTreeSet<Permission> {
    fixture.identity().assignments.permissions_of(user).await.unwrap()
}

pub async fn permissions_come_by_a_user_s_roles_and_by_its_groups(fixture: &dyn Fixture) {
    let identity = fixture.identity();
    let (ann, bob) = (fixture.user("ann").await.id, fixture.user("bob").await.id);
    let own = role(fixture, "own", ["a", "b"]).await;
    let shared = role(fixture, "shared", ["b", "c"]).await;
    let other = role(fixture, "other", ["z"]).await;
    let (crew, rest) = (group(fixture, "crew").await, group(fixture, "rest").await);
    identity.groups.add_member(crew, ann).await.unwrap();
    identity.groups.add_member(rest, bob).await.unwrap();
    identity.assignments.assign(own.id, ann.into()).await.unwrap();
    identity.assignments.assign(shared.id, crew.into()).await.unwrap();
    identity.assignments.assign(other.id, rest.into()).await.unwrap();
    assert_eq!(allowed(fixture, ann).await, permissions(["a", "b", "c"]));
    assert_eq!(allowed(fixture, bob).await, permissions(["z"]));
}

pub async fn whether_a_user_may_is_the_same_as_what_it_may(fixture: &dyn Fixture) {
    let identity = fixture.identity();
    let ann = fixture.user("ann").await.id;
    let (own, shared) = (role(fixture, "own", ["a:b"]).await, role(fixture, "shared", ["c:d"]).await);
    let crew = group(fixture, "crew").await;
    identity.groups.add_member(crew, ann).await.unwrap();
    identity.assignments.assign(own.id, ann.into()).await.unwrap();
    identity.assignments.assign(shared.id, crew.into()).await.unwrap();
    let all = allowed(fixture, ann).await;
    for name in ["a:b", "c:d", "a", "a:", "a:b:c", "A:B", "c:b", "x"] {
        let asked = permission(name);
        let may = identity.assignments.is_permitted(ann, &asked).await.unwrap();
        assert_eq!(may, all.contains(&asked), "{name}");
    }
}

pub async fn a_disabled_user_may_nothing(fixture: &dyn Fixture) {
    let identity = fixture.identity();
    let ann = fixture.user("ann").await.id;
    let (own, shared) = (role(fixture, "own", ["a"]).await, role(fixture, "shared", ["b"]).await);
    let crew = group(fixture, "crew").await;
    identity.groups.add_member(crew, ann).await.unwrap();
    identity.assignments.assign(own.id, ann.into()).await.unwrap();
    identity.assignments.assign(shared.id, crew.into()).await.unwrap();
    identity.users.disable(ann).await.unwrap();
    assert_eq!(allowed(fixture, ann).await, permissions([]));
    for name in ["a", "b"] {
        assert!(!identity.assignments.is_permitted(ann, &permission(name)).await.unwrap());
    }
    identity.users.enable(ann).await.unwrap();
    assert_eq!(allowed(fixture, ann).await, permissions(["a", "b"]));
}

pub async fn a_user_without_roles_and_nobody_may_nothing(fixture: &dyn Fixture) {
    role(fixture, "unassigned", ["a"]).await;
    let ann = fixture.user("ann").await.id;
    for user in [ann, UserId(uuid::Uuid::max())] {
        assert_eq!(allowed(fixture, user).await, permissions([]));
        let assignments = fixture.identity().assignments;
        assert!(!assignments.is_permitted(user, &permission("a")).await.unwrap());
        assert_eq!(assignments.roles_of(user.into()).await.unwrap(), []);
    }
}

pub async fn a_role_is_assigned_and_taken_away_once(fixture: &dyn Fixture) {
    let assignments = fixture.identity().assignments;
    let (first, second) = (role(fixture, "first", ["a"]).await.id, role(fixture, "second", []).await.id);
    let subjects: [Subject; 2] = [fixture.user("ann").await.id.into(), group(fixture, "crew").await.into()];
    for subject in subjects {
        assert!(assignments.assign(second, subject).await.unwrap());
        assert!(assignments.assign(first, subject).await.unwrap());
        assert!(!assignments.assign(first, subject).await.unwrap());
        assert_eq!(assignments.roles_of(subject).await.unwrap(), [first, second]);
        assert!(assignments.unassign(first, subject).await.unwrap());
        assert!(!assignments.unassign(first, subject).await.unwrap());
        assert_eq!(assignments.roles_of(subject).await.unwrap(), [second]);
        assert!(assignments.assign(first, subject).await.unwrap());
    }
}

pub async fn a_role_taken_from_a_user_stays_if_a_group_has_it(fixture: &dyn Fixture) {
    let identity = fixture.identity();
    let ann = fixture.user("ann").await.id;
    let reader = role(fixture, "reader", ["a"]).await.id;
    let crew = group(fixture, "crew").await;
    identity.groups.add_member(crew, ann).await.unwrap();
    for subject in [Subject::User(ann), Subject::Group(crew)] {
        identity.assignments.assign(reader, subject).await.unwrap();
    }
    identity.assignments.unassign(reader, ann.into()).await.unwrap();
    assert_eq!(allowed(fixture, ann).await, permissions(["a"]));
    identity.groups.remove_member(crew, ann).await.unwrap();
    assert_eq!(allowed(fixture, ann).await, permissions([]));
}

pub async fn an_assignment_needs_a_role_and_a_subject(fixture: &dyn Fixture) {
    let assignments = fixture.identity().assignments;
    let reader = role(fixture, "reader", ["a"]).await.id;
    let ann: Subject = fixture.user("ann").await.id.into();
    let crew: Subject = group(fixture, "crew").await.into();
    let (no_role, missing) = (RoleId(uuid::Uuid::max()), uuid::Uuid::max());
    for subject in [ann, crew] {
        assert_eq!(kind(assignments.assign(no_role, subject).await), ErrorKind::NotFound);
        assert_eq!(assignments.roles_of(subject).await.unwrap(), []);
    }
    for subject in [Subject::User(UserId(missing)), Subject::Group(GroupId(missing))] {
        assert_eq!(kind(assignments.assign(reader, subject).await), ErrorKind::NotFound);
        assert_eq!(assignments.roles_of(subject).await.unwrap(), []);
        assert!(!assignments.unassign(reader, subject).await.unwrap());
    }
}

pub async fn assignments_go_with_the_role_the_user_or_the_group(fixture: &dyn Fixture) {
    let identity = fixture.identity();
    let mut readers = Vec::new();
    for name in ["first", "second"] {
        readers.push(role(fixture, name, ["a"]).await.id);
    }
    let (ann, bob) = (fixture.user("ann").await.id, fixture.user("bob").await.id);
    let (crew, rest) = (group(fixture, "crew").await, group(fixture, "rest").await);
    for subject in [Subject::User(ann), Subject::Group(crew), Subject::User(bob), Subject::Group(rest)] {
        for reader in &readers {
            identity.assignments.assign(*reader, subject).await.unwrap();
        }
    }
    assert!(identity.users.delete(ann).await.unwrap());
    assert!(identity.groups.delete(crew).await.unwrap());
    assert!(identity.roles.delete(readers[0]).await.unwrap());
    for gone in [Subject::User(ann), Subject::Group(crew)] {
        assert_eq!(identity.assignments.roles_of(gone).await.unwrap(), []);
    }
    for left in [Subject::User(bob), Subject::Group(rest)] {
        assert_eq!(identity.assignments.roles_of(left).await.unwrap(), [readers[1]]);
    }
    assert_eq!(allowed(fixture, bob).await, permissions(["a"]));
}

pub async fn a_change_of_a_role_reaches_whoever_has_it(fixture: &dyn Fixture) {
    let identity = fixture.identity();
    let ann = fixture.user("ann").await.id;
    let reader = role(fixture, "reader", ["a"]).await;
    identity.assignments.assign(reader.id, ann.into()).await.unwrap();
    identity.roles.update(&Role { permissions: permissions(["b"]), ..reader.clone() }).await.unwrap();
    assert_eq!(allowed(fixture, ann).await, permissions(["b"]));
    identity.roles.delete(reader.id).await.unwrap();
    assert_eq!(allowed(fixture, ann).await, permissions([]));
}
