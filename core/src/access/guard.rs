//! The question itself, asked the same way by every decorated repository.

use std::sync::Arc;

use super::{Action, Actor, Aggregate, Policy, Target, Verb};
use crate::{Error, ErrorKind, Result};

/// Who calls, and who says whether it may.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    actor: Arc<Actor>,
    policy: Arc<dyn Policy>,
}

impl Guard {
    pub(super) fn new(actor: Actor, policy: Arc<dyn Policy>) -> Self {
        Self { actor: Arc::new(actor), policy }
    }

    /// Fails with `Forbidden` unless the policy permits it.
    pub(super) fn check(&self, aggregate: Aggregate, verb: Verb, target: Target<'_>) -> Result<()> {
        let action = Action { aggregate, verb, target };
        if self.policy.permits(&self.actor, &action) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Forbidden, format!("do {action}"))
            .context(format!("{} may not", self.actor))
            .hint("give it a role with this permission, or act as somebody who has one"))
    }
}

/// Declares a decorated repository: the one within and the guard before it.
macro_rules! guarded {
    ($repository:ident, $aggregate:ident) => {
        /// The repository, asking before each call.
        #[derive(Debug)]
        pub(in crate::access) struct Guarded {
            inner: std::sync::Arc<dyn $repository>,
            guard: $crate::access::Guard,
        }

        impl Guarded {
            pub(in crate::access) fn new(
                inner: &std::sync::Arc<dyn $repository>,
                guard: &$crate::access::Guard,
            ) -> Self {
                Self { inner: std::sync::Arc::clone(inner), guard: guard.clone() }
            }

            fn check(&self, verb: Verb, target: Target<'_>) -> Result<()> {
                self.guard.check($crate::access::Aggregate::$aggregate, verb, target)
            }
        }
    };
}
pub(super) use guarded;
