use std::time::Duration;

use crate::ErrorKind;
use crate::conformance::{Fixture, kind, permission, permissions, text};
use crate::id::RoleId;
use crate::model::{NewRole, Role};
use crate::repository::RolesExt as _;

pub async fn a_created_role_is_found_with_its_permissions(fixture: &dyn Fixture) {
    let roles = fixture.identity().roles;
    let reader = roles.create(NewRole::named("reader", permissions(["a:read", "b:read"]))).await.unwrap();
    let idle = roles.create(NewRole::named("idle", [])).await.unwrap();
    assert_eq!(reader.permissions, permissions(["a:read", "b:read"]));
    for role in [reader, idle] {
        assert_eq!(roles.find(role.id).await.unwrap(), Some(role.clone()));
        assert_eq!(roles.find_by_name(&role.name).await.unwrap(), Some(role.clone()));
        assert_eq!(roles.require(role.id).await.unwrap(), role);
    }
    let nothing = RoleId(uuid::Uuid::max());
    assert_eq!(roles.find(nothing).await.unwrap(), None);
    assert_eq!(roles.find_by_name("Reader").await.unwrap(), None);
    assert_eq!(kind(roles.require(nothing).await), ErrorKind::NotFound);
}

pub async fn a_role_s_name_is_taken_once(fixture: &dyn Fixture) {
    let roles = fixture.identity().roles;
    let reader = roles.create(NewRole::named("reader", permissions(["a:read"]))).await.unwrap();
    let writer = roles.create(NewRole::named("writer", permissions(["a:write"]))).await.unwrap();
    assert_eq!(kind(roles.create(NewRole::named("reader", [])).await), ErrorKind::Conflict);
    let renamed = Role { name: "reader".to_owned(), permissions: permissions([]), ..writer.clone() };
    assert_eq!(kind(roles.update(&renamed).await), ErrorKind::Conflict);
    assert_eq!(roles.find(reader.id).await.unwrap(), Some(reader));
    assert_eq!(roles.find(writer.id).await.unwrap(), Some(writer));
    assert_eq!(kind(roles.create(NewRole::named("", [])).await), ErrorKind::Invalid);
}

pub async fn an_update_replaces_a_role_s_permissions(fixture: &dyn Fixture) {
    let roles = fixture.identity().roles;
    let role = roles.create(NewRole::named("r", permissions(["a", "b", "c"]))).await.unwrap();
    fixture.clock().advance(Duration::from_micros(1));
    let wanted = Role {
        name: "s".to_owned(),
        description: Some("what for".to_owned()),
        permissions: permissions(["b", "c", "d"]),
        ..role.clone()
    };
    let updated = roles.update(&wanted).await.unwrap();
    let expected = Role { version: 2, updated_at: role.updated_at + Duration::from_micros(1), ..wanted };
    assert_eq!(updated, expected);
    assert_eq!(roles.find(role.id).await.unwrap(), Some(expected.clone()));
    let bare =
        roles.update(&Role { permissions: permissions([]), description: None, ..expected }).await.unwrap();
    assert_eq!(roles.find(role.id).await.unwrap(), Some(bare.clone()));
    let again = roles.update(&Role { permissions: permissions(["a"]), ..bare }).await.unwrap();
    assert_eq!(roles.find(role.id).await.unwrap(), Some(again));
}

pub async fn an_update_of_an_outdated_role_changes_nothing(fixture: &dyn Fixture) {
    let roles = fixture.identity().roles;
    let read = roles.create(NewRole::named("r", permissions(["a"]))).await.unwrap();
    let first = roles.update(&Role { permissions: permissions(["b"]), ..read.clone() }).await.unwrap();
    let second = roles.update(&Role { permissions: permissions(["c"]), ..read.clone() }).await;
    assert_eq!(kind(second), ErrorKind::Conflict);
    assert_eq!(roles.find(read.id).await.unwrap(), Some(first));
    let nothing = Role { id: RoleId(uuid::Uuid::max()), ..read };
    assert_eq!(kind(roles.update(&nothing).await), ErrorKind::NotFound);
}

pub async fn a_deleted_role_is_gone_with_its_permissions(fixture: &dyn Fixture) {
    let roles = fixture.identity().roles;
    let role = roles.create(NewRole::named("r", permissions(["a"]))).await.unwrap();
    assert!(roles.delete(role.id).await.unwrap());
    assert!(!roles.delete(role.id).await.unwrap());
    assert_eq!(roles.find(role.id).await.unwrap(), None);
    let again = roles.create(NewRole::named("r", [])).await.unwrap();
    assert!(roles.find(again.id).await.unwrap().unwrap().permissions.is_empty());
}

pub async fn a_role_may_have_thousands_of_permissions(fixture: &dyn Fixture) {
    let roles = fixture.identity().roles;
    let many = (0..2_500).map(|n| permission(&format!("area.thing:verb{n}")));
    let role = roles.create(NewRole::named("many", many)).await.unwrap();
    assert_eq!(role.permissions.len(), 2_500);
    assert_eq!(roles.find(role.id).await.unwrap(), Some(role));
}

pub async fn hostile_text_survives_in_every_field_of_a_role(fixture: &dyn Fixture) {
    let roles = fixture.identity().roles;
    let megabyte = text::megabyte();
    let texts = text::HOSTILE.iter().map(|text| (*text, *text)).chain([("long", megabyte.as_str())]);
    for (name, description) in texts {
        let new = NewRole {
            name: name.to_owned(),
            description: Some(description.to_owned()),
            permissions: permissions(["a"]),
        };
        let role = roles.create(new).await.unwrap();
        assert!(roles.find_by_name(name).await.unwrap() == Some(role.clone()), "{name:?}");
        assert!(roles.update(&role).await.unwrap().description.as_deref() == Some(description), "{name:?}");
    }
}
