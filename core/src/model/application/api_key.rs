//! API keys.

use std::collections::BTreeSet;

use secrecy::SecretString;

use crate::id::{ApiKeyId, UserId};
use crate::model::{Permission, name};
use crate::{Result, Timestamp, secret};

/// An API key: all of it but the secret.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ApiKey {
    /// The part of the key's text that finds it.
    pub id: ApiKeyId,
    /// Whose it is.
    pub owner: UserId,
    /// What the owner calls it; need not be unique.
    pub name: String,
    /// What its text begins with, so that a leaked one is recognised.
    pub prefix: String,
    /// What it is good for.
    pub scopes: BTreeSet<Permission>,
    /// When it was created.
    pub created_at: Timestamp,
    /// From when on it is worthless.
    pub expires_at: Option<Timestamp>,
    /// When it was used last, to within [`LAST_USE_GRANULARITY`](crate::repository::application::LAST_USE_GRANULARITY).
    pub last_used_at: Option<Timestamp>,
    /// When its secret was last replaced.
    pub rotated_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl ApiKey {
    /// Whether it is good at `now`: neither revoked nor expired.
    pub fn is_good_at(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expiry| now < expiry)
    }
}

/// An API key to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApiKey {
    /// Whose it is. The user isn't looked up: users may be kept in another database.
    pub owner: UserId,
    /// What the owner calls it.
    pub name: String,
    /// What its text begins with: 1 to 16 lower-case ASCII letters and digits.
    pub prefix: String,
    /// What it is good for.
    pub scopes: BTreeSet<Permission>,
    /// From when on it is worthless; `None`: never.
    pub expires_at: Option<Timestamp>,
}

impl NewApiKey {
    /// A key with the prefix `key`, no scopes and no expiry.
    pub fn named(owner: UserId, name: impl Into<String>) -> Self {
        Self { owner, name: name.into(), prefix: "key".to_owned(), scopes: BTreeSet::new(), expires_at: None }
    }

    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if the name is empty or too long, or the prefix is none.
    pub fn validate(&self) -> Result<()> {
        name::check("the API key's name", &self.name)?;
        secret::token::check_prefix(&self.prefix)
    }
}

/// A key that has just been made: the only time that its text is to be had.
#[derive(Debug)]
pub struct IssuedApiKey {
    /// The key.
    pub key: ApiKey,
    /// Its text, `prefix_id_secret`, to be handed to its owner and forgotten.
    pub secret: SecretString,
}
