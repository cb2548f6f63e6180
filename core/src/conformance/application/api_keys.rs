use std::time::Duration;

use chrono::DateTime;
use secrecy::{ExposeSecret as _, SecretString};

use crate::conformance::{Fixture, kind, permissions, text};
use crate::id::{ApiKeyId, UserId};
use crate::model::{ApiKey, IssuedApiKey, NewApiKey};
use crate::{Clock as _, ErrorKind};

fn owner(n: u128) -> UserId {
    UserId(uuid::Uuid::from_u128(n))
}

async fn issue(fixture: &dyn Fixture, name: &str) -> IssuedApiKey {
    fixture.application().api_keys.create(NewApiKey::named(owner(1), name)).await.unwrap()
}

async fn let_in(fixture: &dyn Fixture, text: &SecretString) -> Option<ApiKey> {
    fixture.application().api_keys.authenticate(text).await.unwrap()
}

pub async fn a_key_is_known_by_its_text(fixture: &dyn Fixture) {
    let keys = fixture.application().api_keys;
    let new = NewApiKey {
        prefix: "acme".to_owned(),
        scopes: permissions(["identity.users:read", "x"]),
        ..NewApiKey::named(owner(1), "ci")
    };
    let issued = keys.create(new).await.unwrap();
    issue(fixture, "another").await;
    let text = issued.secret.expose_secret();
    assert!(text.starts_with(&format!("acme_{}_", issued.key.id.0.simple())));
    let used = let_in(fixture, &issued.secret).await.unwrap();
    assert_eq!(used, ApiKey { last_used_at: Some(fixture.clock().now()), ..issued.key });
    assert_eq!(keys.find(used.id).await.unwrap(), Some(used));
}

pub async fn a_text_that_is_off_by_anything_is_no_key(fixture: &dyn Fixture) {
    let first = issue(fixture, "first").await.secret;
    let second = issue(fixture, "second").await.secret;
    let (first, second) = (first.expose_secret(), second.expose_secret());
    let secret_of = |text: &str| text.splitn(3, '_').nth(2).map(str::to_owned).unwrap();
    let swapped = first.replace(&secret_of(first), &secret_of(second));
    let unknown = first.replace(&first[4..36], &uuid::Uuid::max().simple().to_string());
    let other_prefix = first.replacen("key_", "yek_", 1);
    let longer = format!("{first}A");
    for wrong in
        ["", "key", "key__", "\0", &swapped, &unknown, &other_prefix, &longer, &first[..first.len() - 1]]
    {
        assert_eq!(let_in(fixture, &wrong.into()).await, None, "{wrong}");
    }
    for text in text::HOSTILE {
        assert_eq!(let_in(fixture, &(*text).into()).await, None);
    }
}

pub async fn an_expired_key_is_worthless_from_its_last_moment_on(fixture: &dyn Fixture) {
    let now = fixture.clock().now();
    let expires_at = Some(now + Duration::from_secs(10));
    let new = NewApiKey { expires_at, ..NewApiKey::named(owner(1), "short") };
    let issued = fixture.application().api_keys.create(new).await.unwrap();
    assert_eq!(issued.key.expires_at, expires_at);
    fixture.clock().advance(Duration::from_micros(9_999_999));
    assert!(let_in(fixture, &issued.secret).await.is_some());
    fixture.clock().advance(Duration::from_micros(1));
    assert_eq!(let_in(fixture, &issued.secret).await, None);
}

pub async fn a_revoked_key_is_worthless_for_ever(fixture: &dyn Fixture) {
    let keys = fixture.application().api_keys;
    let issued = issue(fixture, "leaked").await;
    assert!(keys.revoke(issued.key.id).await.unwrap());
    assert_eq!(let_in(fixture, &issued.secret).await, None);
    let revoked_at = keys.find(issued.key.id).await.unwrap().unwrap().revoked_at;
    assert_eq!(revoked_at, Some(fixture.clock().now()));
    fixture.clock().advance(Duration::from_secs(1));
    assert!(!keys.revoke(issued.key.id).await.unwrap());
    assert_eq!(keys.find(issued.key.id).await.unwrap().unwrap().revoked_at, revoked_at);
    assert!(!keys.revoke(ApiKeyId(uuid::Uuid::max())).await.unwrap());
}

pub async fn a_rotated_key_has_another_text_and_is_the_same_else(fixture: &dyn Fixture) {
    let keys = fixture.application().api_keys;
    let issued = issue(fixture, "ci").await;
    fixture.clock().advance(Duration::from_secs(1));
    let rotated = keys.rotate(issued.key.id).await.unwrap();
    assert_eq!(rotated.key, ApiKey { rotated_at: Some(fixture.clock().now()), ..issued.key });
    assert_eq!(let_in(fixture, &issued.secret).await, None);
    assert!(let_in(fixture, &rotated.secret).await.is_some());
}

pub async fn a_revoked_or_missing_key_is_not_rotated(fixture: &dyn Fixture) {
    let keys = fixture.application().api_keys;
    let issued = issue(fixture, "leaked").await;
    keys.revoke(issued.key.id).await.unwrap();
    assert_eq!(kind(keys.rotate(issued.key.id).await), ErrorKind::Conflict);
    assert_eq!(kind(keys.rotate(ApiKeyId(uuid::Uuid::max())).await), ErrorKind::NotFound);
    assert_eq!(let_in(fixture, &issued.secret).await, None);
}

pub async fn a_key_s_last_use_is_recorded_at_most_once_a_minute(fixture: &dyn Fixture) {
    let keys = fixture.application().api_keys;
    let issued = issue(fixture, "busy").await;
    let first = fixture.clock().now();
    let_in(fixture, &issued.secret).await.unwrap();
    fixture.clock().advance(Duration::from_micros(59_999_999));
    assert_eq!(let_in(fixture, &issued.secret).await.unwrap().last_used_at, Some(first));
    assert_eq!(keys.find(issued.key.id).await.unwrap().unwrap().last_used_at, Some(first));
    fixture.clock().advance(Duration::from_micros(1));
    let second = fixture.clock().now();
    assert_eq!(let_in(fixture, &issued.secret).await.unwrap().last_used_at, Some(second));
    assert_eq!(keys.find(issued.key.id).await.unwrap().unwrap().last_used_at, Some(second));
}

pub async fn a_key_used_by_many_at_once_lets_all_in(fixture: &dyn Fixture) {
    let issued = issue(fixture, "busy").await;
    let uses = (0..8).map(|_| let_in(fixture, &issued.secret));
    assert!(crate::conformance::at_once::all(uses).await.into_iter().all(|key| key.is_some()));
}

pub async fn an_owner_s_keys_are_listed_and_revoked_together(fixture: &dyn Fixture) {
    let keys = fixture.application().api_keys;
    let (a, b) = (issue(fixture, "a").await, issue(fixture, "b").await);
    let others = keys.create(NewApiKey::named(owner(2), "c")).await.unwrap();
    assert_eq!(keys.list_of(owner(1)).await.unwrap(), [a.key.clone(), b.key]);
    keys.revoke(a.key.id).await.unwrap();
    assert_eq!(keys.revoke_all(owner(1)).await.unwrap(), 1);
    assert_eq!(keys.revoke_all(owner(1)).await.unwrap(), 0);
    assert_eq!(let_in(fixture, &b.secret).await, None);
    assert!(let_in(fixture, &others.secret).await.is_some());
    assert_eq!(keys.list_of(owner(3)).await.unwrap(), []);
}

pub async fn a_deleted_key_is_gone(fixture: &dyn Fixture) {
    let keys = fixture.application().api_keys;
    let issued = issue(fixture, "gone").await;
    assert!(keys.delete(issued.key.id).await.unwrap());
    assert!(!keys.delete(issued.key.id).await.unwrap());
    assert_eq!(keys.find(issued.key.id).await.unwrap(), None);
    assert_eq!(let_in(fixture, &issued.secret).await, None);
}

pub async fn every_optional_field_of_a_key_is_kept(fixture: &dyn Fixture) {
    let keys = fixture.application().api_keys;
    // The last moment of the year 9999, the last that every engine and RFC 3339 can say.
    let expires_at = DateTime::from_timestamp_micros(253_402_300_799_999_999);
    let new = NewApiKey { expires_at, ..NewApiKey::named(owner(1), "all") };
    let issued = keys.create(new).await.unwrap();
    let mut times = Vec::new();
    for micros in [1, 999_999, 1_000_001] {
        fixture.clock().advance(Duration::from_micros(micros));
        times.push(Some(fixture.clock().now()));
        match times.len() {
            1 => drop(let_in(fixture, &issued.secret).await.unwrap()),
            2 => drop(keys.rotate(issued.key.id).await.unwrap()),
            _ => assert!(keys.revoke(issued.key.id).await.unwrap()),
        }
    }
    let found = keys.find(issued.key.id).await.unwrap().unwrap();
    assert_eq!(found.expires_at, expires_at);
    assert_eq!([found.last_used_at, found.rotated_at, found.revoked_at], times[..]);
}

pub async fn hostile_text_survives_in_a_key_s_name(fixture: &dyn Fixture) {
    let keys = fixture.application().api_keys;
    let names = text::HOSTILE.iter().map(|text| (*text).to_owned()).chain(text::longest_names());
    for name in names {
        let issued = issue(fixture, &name).await;
        assert_eq!(keys.find(issued.key.id).await.unwrap().unwrap().name, name);
    }
}

pub async fn a_key_with_a_wrong_name_or_prefix_is_refused(fixture: &dyn Fixture) {
    let keys = fixture.application().api_keys;
    for prefix in ["", "a_b", "A", "seventeencharact0", "\0", "é"] {
        let new = NewApiKey { prefix: prefix.to_owned(), ..NewApiKey::named(owner(1), "x") };
        assert_eq!(kind(keys.create(new).await), ErrorKind::Invalid, "{prefix:?}");
    }
    assert_eq!(kind(keys.create(NewApiKey::named(owner(1), "")).await), ErrorKind::Invalid);
    assert_eq!(keys.list_of(owner(1)).await.unwrap(), []);
}
