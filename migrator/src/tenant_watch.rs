//! Looking on while tenants are administered, and stopping where somebody asked to.

use std::sync::atomic::{AtomicBool, Ordering};

use trimaran_backends::tenant::{Observer, Step, TenantRecord};
use trimaran_core::Result;

use crate::interrupt;

/// Looks on.
#[derive(Debug)]
pub(crate) struct Watch {
    /// Says so of each tenant that is done.
    tells: bool,
    begun: AtomicBool,
}

impl Watch {
    /// One that tells of each tenant, or of none.
    pub(crate) fn new(tells: bool) -> Self {
        Self { tells, begun: AtomicBool::new(false) }
    }

    /// Whether anything was changed.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }
}

impl Observer for Watch {
    fn reached(&self, tenant: &TenantRecord, step: Step) -> Result<()> {
        if step != Step::Checked {
            self.begun.store(true, Ordering::Relaxed);
        }
        if step == Step::Finished {
            if self.tells {
                eprintln!("tenant {}: done", tenant.id);
            }
            // What is finished is no place to stop at: there may be nothing left to be done.
            return Ok(());
        }
        interrupt::check()
    }
}
