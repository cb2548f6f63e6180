use super::*;
use crate::ErrorKind;
use crate::id::{ApiKeyId, UserId};
use crate::model::{ApiKey, Permission};
use uuid::Uuid;

fn permissions(names: &[&str]) -> std::collections::BTreeSet<Permission> {
    names.iter().map(|name| Permission::new(*name).unwrap()).collect()
}

fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(n))
}

fn read(target: Target<'_>) -> Action<'_> {
    Action { aggregate: Aggregate::Users, verb: Verb::Read, target }
}

#[test]
fn every_action_s_name_is_a_permission() {
    for &aggregate in Aggregate::ALL {
        for &verb in Verb::ALL {
            let name = Action { aggregate, verb, target: Target::All }.to_string();
            assert!(Permission::new(format!("{name}:own")).is_ok(), "{name}");
        }
    }
    assert_eq!(read(Target::All).to_string(), "identity.users:read");
}

#[test]
fn an_actor_may_what_it_has_the_permission_for() {
    let ann = Actor::user(user(1), permissions(&["identity.users:read"]));
    assert!(RolePolicy.permits(&ann, &read(Target::All)));
    let delete = Action { verb: Verb::Delete, ..read(Target::User(user(1))) };
    assert!(!RolePolicy.permits(&ann, &delete));
    assert!(RolePolicy.permits(&Actor::System, &delete));
    assert!(PermitAll.permits(&ann, &delete));
}

#[test]
fn a_permission_for_one_s_own_is_good_for_nothing_else() {
    let ann = Actor::user(user(1), permissions(&["identity.users:read:own"]));
    assert!(RolePolicy.permits(&ann, &read(Target::User(user(1)))));
    for other in [Target::User(user(2)), Target::All, Target::Named("ann")] {
        assert!(!RolePolicy.permits(&ann, &read(other)));
    }
}

#[test]
fn an_api_key_may_nothing_that_its_owner_may_not() {
    let now = crate::Timestamp::default();
    let key = ApiKey {
        id: ApiKeyId(Uuid::nil()),
        owner: user(1),
        name: "ci".to_owned(),
        prefix: "key".to_owned(),
        scopes: permissions(&["identity.users:read", "identity.users:delete"]),
        created_at: now,
        expires_at: None,
        last_used_at: None,
        rotated_at: None,
        revoked_at: None,
    };
    let actor = Actor::api_key(&key, &permissions(&["identity.users:read", "identity.roles:read"]));
    assert!(actor.has("identity.users:read"));
    assert!(!actor.has("identity.users:delete") && !actor.has("identity.roles:read"));
}

#[test]
fn a_refusal_says_who_and_what_but_no_value() {
    let guard = Guard::new(Actor::user(user(1), permissions(&[])), Arc::new(RolePolicy));
    let error = guard.check(Aggregate::Settings, Verb::Read, Target::Named("secret-key")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    let report = error.report();
    assert!(report.contains("application.settings:read") && report.contains("user 0000"), "{report}");
    assert!(!report.contains("secret-key"), "{report}");
}
