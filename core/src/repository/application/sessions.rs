//! Sessions.

use std::fmt::Debug;

use async_trait::async_trait;
use secrecy::SecretString;

use super::LAST_USE_GRANULARITY;
use crate::id::{SessionId, UserId};
use crate::model::{IssuedSession, NewSession, Session};
use crate::repository::{not_found, sealed};
use crate::{Result, Timestamp};

/// Sessions. What holds for every call is said in [the module](crate::repository).
///
/// Only the SHA-256 of a token's 256 random bits is kept. Users aren't looked up, and their deletion doesn't delete
/// sessions: users may be kept in another database.
#[async_trait]
pub trait Sessions: Debug + Send + Sync {
    /// Makes a session.
    ///
    /// # Errors
    /// `Invalid` if a time is out of bounds: see [`NewSession::validate`].
    async fn create(&self, session: NewSession) -> Result<IssuedSession>;

    /// The session of this token, if it is good: known, not over and not revoked.
    ///
    /// Being used, it lives on for its idle time-out, but never beyond its end. The use is recorded unless one
    /// was less than [`use_granularity`] ago, so that a session may end by as much too soon, and never too late.
    async fn authenticate(&self, token: &SecretString) -> Result<Option<Session>>;

    /// The session of this id, good or not. Not a use of it.
    async fn find(&self, id: SessionId) -> Result<Option<Session>>;

    /// All sessions of the user, good or not, in the order of creation. Not a use of them.
    async fn list_of(&self, user: UserId) -> Result<Vec<Session>>;

    /// Ends the session; says whether it wasn't revoked before. `false` also if there is no such session.
    async fn revoke(&self, id: SessionId) -> Result<bool>;

    /// Ends all sessions of the user; says how many were not revoked before.
    async fn revoke_all(&self, user: UserId) -> Result<u64>;

    /// Removes the sessions that are over or revoked, whosever; says how many.
    async fn purge(&self) -> Result<u64>;
}

/// Uses of a session that are less than this apart leave one trace: a twentieth of the idle time-out, at most
/// [`LAST_USE_GRANULARITY`].
pub fn use_granularity(idle_timeout: std::time::Duration) -> std::time::Duration {
    (idle_timeout / 20).min(LAST_USE_GRANULARITY)
}

sealed!(Sessions);

/// Conveniences over [`Sessions`].
#[async_trait]
pub trait SessionsExt: sealed::Sealed {
    /// The user's sessions that are good at `now`, in the order of creation.
    async fn good_ones_of(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>>;

    /// The session of this id, which must be there.
    ///
    /// # Errors
    /// `NotFound` if it isn't.
    async fn require(&self, id: SessionId) -> Result<Session>;
}

#[async_trait]
impl<T: Sessions + ?Sized> SessionsExt for T {
    async fn good_ones_of(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>> {
        let mut sessions = self.list_of(user).await?;
        sessions.retain(|session| session.is_good_at(now));
        Ok(sessions)
    }

    async fn require(&self, id: SessionId) -> Result<Session> {
        self.find(id).await?.ok_or_else(|| not_found("find the session", "session", id))
    }
}
