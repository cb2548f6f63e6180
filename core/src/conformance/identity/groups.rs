use std::time::Duration;

use crate::conformance::{Fixture, kind, text};
use crate::id::{GroupId, UserId};
use crate::model::{Group, NewGroup};
use crate::repository::GroupsExt as _;
use crate::{ErrorKind, PageRequest};

async fn members(fixture: &dyn Fixture, group: GroupId) -> Vec<UserId> {
    let page = PageRequest::first(100).unwrap();
    fixture.identity().groups.members_of(group, &page).await.unwrap().items
}

pub async fn a_created_group_is_found_by_id_and_by_name(fixture: &dyn Fixture) {
    let groups = fixture.identity().groups;
    let new = NewGroup { name: "crew".to_owned(), description: Some("all hands".to_owned()) };
    let crew = groups.create(new).await.unwrap();
    assert_eq!(groups.find(crew.id).await.unwrap(), Some(crew.clone()));
    assert_eq!(groups.find_by_name("crew").await.unwrap(), Some(crew.clone()));
    assert_eq!(groups.require(crew.id).await.unwrap(), crew);
    let nothing = GroupId(uuid::Uuid::max());
    assert_eq!(groups.find(nothing).await.unwrap(), None);
    assert_eq!(groups.find_by_name("Crew").await.unwrap(), None);
    assert_eq!(kind(groups.require(nothing).await), ErrorKind::NotFound);
}

pub async fn a_group_s_name_is_taken_once(fixture: &dyn Fixture) {
    let groups = fixture.identity().groups;
    groups.create(NewGroup::named("a")).await.unwrap();
    let b = groups.create(NewGroup::named("b")).await.unwrap();
    assert_eq!(kind(groups.create(NewGroup::named("a")).await), ErrorKind::Conflict);
    assert_eq!(kind(groups.update(&Group { name: "a".to_owned(), ..b }).await), ErrorKind::Conflict);
    assert_eq!(kind(groups.create(NewGroup::named("")).await), ErrorKind::Invalid);
}

pub async fn an_update_of_a_group_writes_counts_and_notices_another(fixture: &dyn Fixture) {
    let groups = fixture.identity().groups;
    let crew = groups.create(NewGroup::named("crew")).await.unwrap();
    fixture.clock().advance(Duration::from_secs(1));
    let wanted = Group { name: "team".to_owned(), description: Some("all".to_owned()), ..crew.clone() };
    let updated = groups.update(&wanted).await.unwrap();
    let expected = Group { version: 2, updated_at: crew.updated_at + Duration::from_secs(1), ..wanted };
    assert_eq!(updated, expected);
    assert_eq!(kind(groups.update(&crew).await), ErrorKind::Conflict);
    assert_eq!(groups.find(crew.id).await.unwrap(), Some(expected));
    let nothing = Group { id: GroupId(uuid::Uuid::max()), ..crew };
    assert_eq!(kind(groups.update(&nothing).await), ErrorKind::NotFound);
}

pub async fn members_come_and_go(fixture: &dyn Fixture) {
    let groups = fixture.identity().groups;
    let crew = groups.create(NewGroup::named("crew")).await.unwrap().id;
    let (ann, bob) = (fixture.user("ann").await.id, fixture.user("bob").await.id);
    assert!(groups.add_member(crew, bob).await.unwrap());
    assert!(groups.add_member(crew, ann).await.unwrap());
    assert!(!groups.add_member(crew, ann).await.unwrap());
    assert_eq!(members(fixture, crew).await, [ann, bob]);
    assert_eq!(groups.groups_of(ann).await.unwrap(), [crew]);
    assert!(groups.remove_member(crew, ann).await.unwrap());
    assert!(!groups.remove_member(crew, ann).await.unwrap());
    assert_eq!(members(fixture, crew).await, [bob]);
    assert_eq!(groups.groups_of(ann).await.unwrap(), []);
    assert!(groups.add_member(crew, ann).await.unwrap());
    // Members are no part of what the version counts.
    assert_eq!(groups.require(crew).await.unwrap().version, 1);
}

pub async fn a_user_may_be_in_many_groups(fixture: &dyn Fixture) {
    let groups = fixture.identity().groups;
    let ann = fixture.user("ann").await.id;
    let mut joined = Vec::new();
    for n in 0..5 {
        let group = groups.create(NewGroup::named(format!("g{n}"))).await.unwrap().id;
        groups.add_member(group, ann).await.unwrap();
        joined.push(group);
    }
    assert_eq!(groups.groups_of(ann).await.unwrap(), joined);
}

pub async fn a_member_needs_a_group_and_a_user(fixture: &dyn Fixture) {
    let groups = fixture.identity().groups;
    let crew = groups.create(NewGroup::named("crew")).await.unwrap().id;
    let ann = fixture.user("ann").await.id;
    let (no_group, nobody) = (GroupId(uuid::Uuid::max()), UserId(uuid::Uuid::max()));
    assert_eq!(kind(groups.add_member(no_group, ann).await), ErrorKind::NotFound);
    assert_eq!(kind(groups.add_member(crew, nobody).await), ErrorKind::NotFound);
    assert_eq!(members(fixture, crew).await, []);
    assert_eq!(members(fixture, no_group).await, []);
    assert_eq!(groups.groups_of(ann).await.unwrap(), []);
    assert_eq!(groups.groups_of(nobody).await.unwrap(), []);
    assert!(!groups.remove_member(no_group, nobody).await.unwrap());
}

pub async fn a_deleted_group_leaves_its_members(fixture: &dyn Fixture) {
    let identity = fixture.identity();
    let crew = identity.groups.create(NewGroup::named("crew")).await.unwrap().id;
    let ann = fixture.user("ann").await;
    identity.groups.add_member(crew, ann.id).await.unwrap();
    assert!(identity.groups.delete(crew).await.unwrap());
    assert!(!identity.groups.delete(crew).await.unwrap());
    assert_eq!(identity.groups.find(crew).await.unwrap(), None);
    assert_eq!(identity.groups.groups_of(ann.id).await.unwrap(), []);
    assert_eq!(members(fixture, crew).await, []);
    assert_eq!(identity.users.find(ann.id).await.unwrap(), Some(ann));
}

pub async fn a_deleted_user_is_a_member_no_more(fixture: &dyn Fixture) {
    let identity = fixture.identity();
    let crew = identity.groups.create(NewGroup::named("crew")).await.unwrap().id;
    let (ann, bob) = (fixture.user("ann").await.id, fixture.user("bob").await.id);
    for user in [ann, bob] {
        identity.groups.add_member(crew, user).await.unwrap();
    }
    identity.users.delete(ann).await.unwrap();
    assert_eq!(members(fixture, crew).await, [bob]);
    assert_eq!(identity.groups.groups_of(ann).await.unwrap(), []);
}

pub async fn hostile_text_survives_in_every_field_of_a_group(fixture: &dyn Fixture) {
    let groups = fixture.identity().groups;
    let megabyte = text::megabyte();
    let texts = text::HOSTILE.iter().map(|text| (*text, *text)).chain([("long", megabyte.as_str())]);
    for (name, description) in texts {
        let new = NewGroup { name: name.to_owned(), description: Some(description.to_owned()) };
        let group = groups.create(new).await.unwrap();
        assert!(groups.find_by_name(name).await.unwrap() == Some(group.clone()), "{name:?}");
        assert!(groups.update(&group).await.unwrap().description.as_deref() == Some(description), "{name:?}");
    }
}
