use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::ContentFixture;
use crate::access::{Actor, RolePolicy};
use crate::conformance::{kind, permissions};
use crate::id::UserId;
use crate::model::{Namespace, NewObject};
use crate::{ErrorKind, PageRequest};

pub async fn every_call_of_content_is_asked_before_anything_is_touched(fixture: &dyn ContentFixture) {
    const FILES: Namespace = Namespace::Configuration;
    let content = fixture.tenant();
    content.put(FILES, "f", NewObject::new("x")).await.unwrap();
    let user = UserId(uuid::Uuid::from_u128(1));
    let nobody = content.acting_as(Actor::user(user, BTreeSet::new()), Arc::new(RolePolicy));
    let page = PageRequest::first(9).unwrap();
    let refused = [
        kind(nobody.put(FILES, "f", NewObject::new("y")).await),
        kind(nobody.get(FILES, "f").await),
        kind(nobody.get_range(FILES, "f", 0..1).await),
        kind(nobody.head(FILES, "f").await),
        kind(nobody.list(FILES, "", &page).await),
        kind(nobody.delete(FILES, "f").await),
        kind(nobody.versions("f").await),
        kind(nobody.get_version("f", 1).await),
        kind(nobody.purge(FILES, "f").await),
        kind(nobody.sweep(Duration::ZERO).await),
        kind(nobody.erase().await),
    ];
    assert!(refused.iter().all(|kind| *kind == ErrorKind::Forbidden), "{refused:?}");
    assert_eq!(content.versions("f").await.unwrap().len(), 1);
    let reader = Actor::user(user, permissions(["content.objects:read"]));
    let reader = content.acting_as(reader, Arc::new(RolePolicy));
    assert!(reader.head(FILES, "f").await.unwrap().is_some());
    assert_eq!(kind(reader.delete(FILES, "f").await), ErrorKind::Forbidden);
}
