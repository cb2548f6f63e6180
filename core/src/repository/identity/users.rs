//! Users and their passwords.

use std::fmt::Debug;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::id::UserId;
use crate::model::{NewUser, User};
use crate::repository::{not_found, sealed};
use crate::{Page, PageRequest, Result};

/// Users. What holds for every call is said in [the module](crate::repository).
#[async_trait]
pub trait Users: Debug + Send + Sync {
    /// Creates a user, enabled and without a password.
    ///
    /// # Errors
    /// `Conflict` if another user has the name; `Invalid` if the name is empty or too long.
    async fn create(&self, user: NewUser) -> Result<User>;

    /// The user of this id.
    async fn find(&self, id: UserId) -> Result<Option<User>>;

    /// The user of this name, byte for byte.
    async fn find_by_name(&self, name: &str) -> Result<Option<User>>;

    /// Writes the name, the e-mail address and the display name of `user`, and returns it as it is now. Nothing
    /// else of `user` is written: see [`Self::enable`] and [`Self::disable`].
    ///
    /// # Errors
    /// `Conflict` if the stored version isn't `user.version` any more (read it again, apply the change again), or if
    /// another user has the name; `NotFound` if there is no such user; `Invalid` if the name is empty or too long.
    async fn update(&self, user: &User) -> Result<User>;

    /// Lets the user log in again. Enabling an enabled user changes nothing.
    ///
    /// # Errors
    /// `NotFound` if there is no such user.
    async fn enable(&self, id: UserId) -> Result<User>;

    /// Keeps the user from logging in and takes all its permissions, from the next call on. Its API keys and sessions are
    /// another area's: see `revoke_all` there. Disabling a disabled user changes nothing.
    ///
    /// # Errors
    /// `NotFound` if there is no such user.
    async fn disable(&self, id: UserId) -> Result<User>;

    /// Removes the user, its password, its memberships and its assignments; says whether there was one.
    async fn delete(&self, id: UserId) -> Result<bool>;

    /// A page of all users.
    ///
    /// # Errors
    /// `Invalid` if the cursor isn't one of this list.
    async fn list(&self, page: &PageRequest) -> Result<Page<User>>;

    /// Replaces the user's password. It is kept as Argon2id; `version` and `updated_at` stay as they are.
    ///
    /// # Errors
    /// `NotFound` if there is no such user; `Invalid` if the password is empty or longer than
    /// [`MAX_BYTES`](crate::secret::PasswordHasher::MAX_BYTES).
    async fn set_password(&self, id: UserId, password: &SecretString) -> Result<()>;

    /// The user of this name, if it is enabled and this is its password. An unknown name, a disabled user and a user without
    /// a password take as long as a wrong password.
    async fn verify_password(&self, name: &str, password: &SecretString) -> Result<Option<User>>;
}

sealed!(Users);

/// Conveniences over [`Users`].
#[async_trait]
pub trait UsersExt: sealed::Sealed {
    /// The user of this id, which must be there.
    ///
    /// # Errors
    /// `NotFound` if it isn't.
    async fn require(&self, id: UserId) -> Result<User>;
}

#[async_trait]
impl<T: Users + ?Sized> UsersExt for T {
    async fn require(&self, id: UserId) -> Result<User> {
        self.find(id).await?.ok_or_else(|| not_found("find the user", "user", id))
    }
}
