//! What every repository works with.

use std::sync::Arc;

use trimaran_core::repository::{Application, Identity};
use trimaran_core::secret::PasswordHasher;
use trimaran_core::{Clock, IdSource};

use super::text::TextCodec;
use super::{application, identity};
use crate::Executor;

/// Where statements go, what time it is, where ids come from, and how passwords are hashed. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Resources {
    /// Where statements go.
    pub executor: Executor,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub ids: Arc<dyn IdSource>,
    /// How passwords are hashed.
    pub passwords: PasswordHasher,
}

impl Resources {
    /// The repositories of identity.
    pub fn identity(&self) -> Identity {
        Identity {
            users: Arc::new(identity::SqlUsers::new(self.clone())),
            roles: Arc::new(identity::SqlRoles::new(self.clone())),
            groups: Arc::new(identity::SqlGroups::new(self.clone())),
            assignments: Arc::new(identity::SqlAssignments::new(self.clone())),
        }
    }

    /// The repositories of application.
    pub fn application(&self) -> Application {
        Application {
            api_keys: Arc::new(application::SqlApiKeys::new(self.clone())),
            sessions: Arc::new(application::SqlSessions::new(self.clone())),
            settings: Arc::new(application::SqlSettings::new(self.clone())),
        }
    }

    /// The text codec of the engine.
    pub(crate) fn text(&self) -> TextCodec {
        TextCodec::of(self.executor.capabilities())
    }
}

/// Declares a repository: the trait's implementation over [`Resources`].
macro_rules! repository {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name {
            resources: $crate::repository::Resources,
        }

        impl $name {
            /// The repository over these.
            pub fn new(resources: $crate::repository::Resources) -> Self {
                Self { resources }
            }
        }
    };
}
pub(super) use repository;
