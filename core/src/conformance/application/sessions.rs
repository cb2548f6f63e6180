use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use crate::conformance::{Fixture, kind, text};
use crate::id::{SessionId, UserId};
use crate::model::{IssuedSession, NewSession, Session};
use crate::repository::SessionsExt as _;
use crate::{Clock as _, ErrorKind};

const MINUTE: Duration = Duration::from_secs(60);

fn user(n: u128) -> UserId {
    UserId(uuid::Uuid::from_u128(n))
}

/// Twenty minutes idle, an hour in all.
async fn log_in(fixture: &dyn Fixture, whose: UserId) -> IssuedSession {
    let new = NewSession { user: whose, idle_timeout: 20 * MINUTE, lifetime: 60 * MINUTE };
    fixture.application().sessions.create(new).await.unwrap()
}

async fn let_in(fixture: &dyn Fixture, token: &SecretString) -> Option<Session> {
    fixture.application().sessions.authenticate(token).await.unwrap()
}

pub async fn a_session_is_known_by_its_token(fixture: &dyn Fixture) {
    let sessions = fixture.application().sessions;
    let issued = log_in(fixture, user(1)).await;
    log_in(fixture, user(2)).await;
    assert_eq!(issued.session.expires_at, fixture.clock().now() + 60 * MINUTE);
    assert_eq!(let_in(fixture, &issued.token).await, Some(issued.session.clone()));
    assert_eq!(sessions.find(issued.session.id).await.unwrap(), Some(issued.session.clone()));
    assert_eq!(sessions.require(issued.session.id).await.unwrap(), issued.session);
}

pub async fn a_text_that_is_off_by_anything_is_no_token(fixture: &dyn Fixture) {
    let first = log_in(fixture, user(1)).await.token;
    let second = log_in(fixture, user(1)).await.token;
    let secret_of =
        |token: &SecretString| token.expose_secret().splitn(3, '_').nth(2).map(str::to_owned).unwrap();
    let swapped = first.expose_secret().replace(&secret_of(&first), &secret_of(&second));
    let as_key = first.expose_secret().replacen("session_", "key_", 1);
    for wrong in ["", "session__", &swapped, &as_key].into_iter().chain(text::HOSTILE.iter().copied()) {
        assert_eq!(let_in(fixture, &wrong.into()).await, None, "{wrong:?}");
    }
}

pub async fn an_idle_session_ends(fixture: &dyn Fixture) {
    let issued = log_in(fixture, user(1)).await;
    fixture.clock().advance(20 * MINUTE - Duration::from_micros(1));
    assert!(let_in(fixture, &issued.token).await.is_some());
    fixture.clock().advance(20 * MINUTE);
    assert_eq!(let_in(fixture, &issued.token).await, None);
}

pub async fn a_session_in_use_lives_on_until_its_end(fixture: &dyn Fixture) {
    let issued = log_in(fixture, user(1)).await;
    for _ in 0..3 {
        fixture.clock().advance(19 * MINUTE);
        let session = let_in(fixture, &issued.token).await.unwrap();
        assert_eq!(session.last_used_at, fixture.clock().now());
        assert_eq!(fixture.application().sessions.find(session.id).await.unwrap(), Some(session));
    }
    fixture.clock().advance(3 * MINUTE - Duration::from_micros(1));
    assert!(let_in(fixture, &issued.token).await.is_some());
    fixture.clock().advance(Duration::from_micros(1));
    assert_eq!(let_in(fixture, &issued.token).await, None);
}

pub async fn uses_in_quick_succession_are_one(fixture: &dyn Fixture) {
    let issued = log_in(fixture, user(1)).await;
    fixture.clock().advance(MINUTE - Duration::from_micros(1));
    assert_eq!(let_in(fixture, &issued.token).await, Some(issued.session.clone()));
    fixture.clock().advance(Duration::from_micros(1));
    let used = let_in(fixture, &issued.token).await.unwrap();
    assert_eq!(used.last_used_at, issued.session.created_at + MINUTE);
}

pub async fn a_session_used_by_many_at_once_lets_all_in(fixture: &dyn Fixture) {
    let issued = log_in(fixture, user(1)).await;
    fixture.clock().advance(5 * MINUTE);
    let uses = (0..8).map(|_| let_in(fixture, &issued.token));
    assert!(crate::conformance::at_once::all(uses).await.into_iter().all(|session| session.is_some()));
}

pub async fn a_revoked_session_is_over(fixture: &dyn Fixture) {
    let sessions = fixture.application().sessions;
    let (here, there) = (log_in(fixture, user(1)).await, log_in(fixture, user(1)).await);
    assert!(sessions.revoke(here.session.id).await.unwrap());
    assert!(!sessions.revoke(here.session.id).await.unwrap());
    assert!(!sessions.revoke(SessionId(uuid::Uuid::max())).await.unwrap());
    assert_eq!(let_in(fixture, &here.token).await, None);
    assert!(let_in(fixture, &there.token).await.is_some());
    let revoked = sessions.find(here.session.id).await.unwrap().unwrap();
    assert_eq!(revoked.revoked_at, Some(fixture.clock().now()));
}

pub async fn all_sessions_of_a_user_end_together(fixture: &dyn Fixture) {
    let sessions = fixture.application().sessions;
    let (first, second) = (log_in(fixture, user(1)).await, log_in(fixture, user(1)).await);
    let other = log_in(fixture, user(2)).await;
    let listed = sessions.list_of(user(1)).await.unwrap();
    assert_eq!(listed, [first.session.clone(), second.session.clone()]);
    sessions.revoke(first.session.id).await.unwrap();
    assert_eq!(sessions.good_ones_of(user(1), fixture.clock().now()).await.unwrap(), [second.session]);
    assert_eq!(sessions.revoke_all(user(1)).await.unwrap(), 1);
    assert_eq!(sessions.revoke_all(user(1)).await.unwrap(), 0);
    assert_eq!(let_in(fixture, &second.token).await, None);
    assert!(let_in(fixture, &other.token).await.is_some());
}

pub async fn a_purge_removes_what_is_over_and_nothing_else(fixture: &dyn Fixture) {
    let sessions = fixture.application().sessions;
    assert_eq!(sessions.purge().await.unwrap(), 0);
    let idle = log_in(fixture, user(1)).await;
    let revoked = log_in(fixture, user(1)).await;
    fixture.clock().advance(10 * MINUTE);
    let fresh = log_in(fixture, user(1)).await;
    sessions.revoke(revoked.session.id).await.unwrap();
    fixture.clock().advance(10 * MINUTE - Duration::from_micros(1));
    assert_eq!(sessions.purge().await.unwrap(), 1);
    fixture.clock().advance(Duration::from_micros(1));
    assert_eq!(sessions.purge().await.unwrap(), 1);
    assert_eq!(sessions.find(idle.session.id).await.unwrap(), None);
    assert_eq!(sessions.list_of(user(1)).await.unwrap(), [fresh.session]);
    assert!(let_in(fixture, &fresh.token).await.is_some());
}

pub async fn a_purge_removes_any_number(fixture: &dyn Fixture) {
    let unit = fixture.begin().await;
    let sessions = unit.application().unwrap().sessions;
    for n in 0..1_203 {
        sessions.create(NewSession::of(user(n % 7))).await.unwrap();
    }
    unit.commit().await.unwrap();
    fixture.clock().advance(31 * MINUTE);
    let fresh = log_in(fixture, user(1)).await;
    assert_eq!(fixture.application().sessions.purge().await.unwrap(), 1_203);
    assert!(let_in(fixture, &fresh.token).await.is_some());
}

pub async fn a_session_of_absurd_length_is_refused(fixture: &dyn Fixture) {
    let sessions = fixture.application().sessions;
    for wrong in
        [Duration::ZERO, Duration::from_millis(999), Duration::from_secs(101 * 365 * 86_400), Duration::MAX]
    {
        let good = NewSession::of(user(1));
        assert_eq!(
            kind(sessions.create(NewSession { idle_timeout: wrong, ..good }).await),
            ErrorKind::Invalid
        );
        assert_eq!(kind(sessions.create(NewSession { lifetime: wrong, ..good }).await), ErrorKind::Invalid);
    }
    assert_eq!(sessions.list_of(user(1)).await.unwrap(), []);
}
