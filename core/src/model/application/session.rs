//! Sessions of users who have logged in.

use std::time::Duration;

use secrecy::SecretString;

use crate::id::{SessionId, UserId};
use crate::{Error, ErrorKind, Result, Timestamp};

/// A session: all of it but the secret.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Session {
    /// The part of the token that finds it.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// How long it lives without being used.
    pub idle_timeout: Duration,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was used last, as far as recorded: see [`Sessions`](crate::repository::Sessions).
    pub last_used_at: Timestamp,
    /// When it ends, in use or not.
    pub expires_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl Session {
    /// When it ends unless it is used before.
    pub fn idle_expires_at(&self) -> Timestamp {
        (self.last_used_at + self.idle_timeout).min(self.expires_at)
    }

    /// Whether it is good at `now`: neither revoked nor over.
    pub fn is_good_at(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.idle_expires_at()
    }
}

/// A session to be created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewSession {
    /// Whose it is. The user isn't looked up: users may be kept in another database.
    pub user: UserId,
    /// How long it lives without being used.
    pub idle_timeout: Duration,
    /// How long it lives at most.
    pub lifetime: Duration,
}

impl NewSession {
    /// Half an hour idle, twelve hours in all: OWASP's Session Management Cheat Sheet gives 15 to 30 minutes of
    /// idleness for low-risk applications, and an office worker's day as the absolute limit.
    pub fn of(user: UserId) -> Self {
        Self { user, idle_timeout: Duration::from_secs(30 * 60), lifetime: Duration::from_secs(12 * 3_600) }
    }

    /// # Errors
    /// [`ErrorKind::Invalid`] unless both times are between a second and a hundred years.
    pub fn validate(&self) -> Result<()> {
        const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);
        for (what, time) in [("idle time-out", self.idle_timeout), ("lifetime", self.lifetime)] {
            if !(Duration::from_secs(1)..=LONGEST).contains(&time) {
                return Err(Error::new(ErrorKind::Invalid, "accept a session")
                    .context(format!("its {what} is {} s", time.as_secs_f64()))
                    .hint("give between a second and a hundred years"));
            }
        }
        Ok(())
    }
}

/// A session that has just been made: the only time that its token is to be had.
#[derive(Debug)]
pub struct IssuedSession {
    /// The session.
    pub session: Session,
    /// Its token, to be handed to the client and forgotten.
    pub token: SecretString,
}
