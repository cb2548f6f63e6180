//! Components.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::id::ComponentId;
use crate::model::{Component, ComponentFilter, ComponentKind, NewComponent, Parameters, TestOutcome};
use crate::repository::{not_found, sealed};
use crate::{Page, PageRequest, Result};

/// Components of one tenant. What holds for every call is said in [the module](crate::repository).
///
/// Secrets in parameters are encrypted at rest, under the active key of the store's [keyring](crate::secret::Keyring), each
/// bound to tenant, component and place. Only [`reveal`](Self::reveal) gives them out.
#[async_trait]
pub trait Components: Debug + Send + Sync {
    /// Creates a component.
    ///
    /// # Errors
    /// `Conflict` if another component of the kind has the name; `Invalid` if name, type or status is empty or too long,
    /// or if a secret is to be kept: there is none yet.
    async fn create(&self, component: NewComponent) -> Result<Component>;

    /// The component of this id, its secrets redacted.
    async fn find(&self, id: ComponentId) -> Result<Option<Component>>;

    /// The component of this kind and name, byte for byte, its secrets redacted.
    async fn find_by_name(&self, kind: ComponentKind, name: &str) -> Result<Option<Component>>;

    /// Writes name, type, parameters and status of `component`, and returns it as it is now. Secrets that are redacted in
    /// it stay as they are; what is written where a secret was is a secret, too.
    ///
    /// # Errors
    /// `Conflict` if the stored version isn't `component.version` any more (read it again, apply the change again), or if
    /// another component of the kind has the name; `NotFound` if there is no such component; `Invalid` as for
    /// [`Self::create`], and for a secret to be kept where there is none; `Configuration` if a secret that is kept is
    /// under a key that isn't in the keyring.
    async fn update(&self, component: &Component) -> Result<Component>;

    /// Sets the status, whatever the version. Setting the same again changes nothing.
    ///
    /// # Errors
    /// `NotFound` if there is no such component; `Invalid` if the status is empty or too long.
    async fn set_status(&self, id: ComponentId, status: &str) -> Result<Component>;

    /// Records how a test went; version and `updated_at` stay as they are.
    ///
    /// # Errors
    /// `NotFound` if there is no such component; `Invalid` if the details are nested
    /// [too deep](crate::model::configuration::document::MAX_DEPTH).
    async fn record_test(&self, id: ComponentId, outcome: TestOutcome) -> Result<Component>;

    /// Removes the component and its secrets; says whether there was one.
    async fn delete(&self, id: ComponentId) -> Result<bool>;

    /// A page of the components that the filter lets through, their secrets redacted.
    ///
    /// # Errors
    /// `Invalid` if the cursor isn't one of this list.
    async fn list(&self, filter: &ComponentFilter, page: &PageRequest) -> Result<Page<Component>>;

    /// The component's parameters with all their secrets.
    ///
    /// # Errors
    /// `Configuration`, naming the key, if a secret is under one that isn't in the keyring; `Corrupt` if what is stored isn't what
    /// was encrypted for this place.
    async fn reveal(&self, id: ComponentId) -> Result<Option<Parameters>>;

    /// Encrypts the secrets that are under another key than the active one anew, and says of how many components. Versions stay as
    /// they are. Each component is done by itself, so that whatever stops the work, the next call goes on
    /// with the rest; secrets written meanwhile are under the active key anyhow.
    ///
    /// # Errors
    /// As for [`Self::reveal`], naming the component.
    async fn rotate_secrets(&self) -> Result<u64>;
}

sealed!(Components);

/// Conveniences over [`Components`].
#[async_trait]
pub trait ComponentsExt: sealed::Sealed {
    /// The component of this id, which must be there.
    ///
    /// # Errors
    /// `NotFound` if it isn't.
    async fn require(&self, id: ComponentId) -> Result<Component>;
}

#[async_trait]
impl<T: Components + ?Sized> ComponentsExt for T {
    async fn require(&self, id: ComponentId) -> Result<Component> {
        self.find(id).await?.ok_or_else(|| not_found("find the component", "component", id))
    }
}
