//! What is done to a tenant in several steps, so that the same call finishes it after a crash.
//!
//! The catalogue says that it is under way before anything of it is done, and that it is not after all of it was. Meanwhile
//! nobody gets at the tenant's data.

use std::fmt;

use trimaran_core::{Error, ErrorKind, Result, TenantId, Timestamp};

use super::catalogue::TenantRecord;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationKind {
    /// The user is called otherwise from now on, and so are the files.
    Rename,
    /// The files are named by another key.
    Rekey,
    /// All of the tenant's data goes, and at last the tenant.
    Delete,
}

impl OperationKind {
    const ALL: [Self; 3] = [Self::Rename, Self::Rekey, Self::Delete];

    /// Its name in the catalogue, which is also that of the command.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rename => "rename",
            Self::Rekey => "rekey",
            Self::Delete => "delete",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A point of an operation. What was done before it stays done; nothing after it was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Before anything: files are looked at, and nothing was changed yet.
    Checked,
    /// The catalogue says that the operation is under way.
    Begun,
    /// The files of one store have their new names, or are gone.
    Files,
    /// The rows on one server are gone.
    Rows,
    /// The tenant's objects are gone.
    Content,
    /// The catalogue says that it is done.
    Finished,
}

impl Step {
    /// Its name in the catalogue.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Checked => "checked",
            Self::Begun => "begun",
            Self::Files => "files",
            Self::Rows => "rows",
            Self::Content => "content",
            Self::Finished => "finished",
        }
    }
}

/// An operation that was begun and is not finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// What is being done.
    pub kind: OperationKind,
    /// How far it has come: the name of a [`Step`].
    pub step: String,
    /// What the user was called before, if that changes.
    pub from_user_name: Option<String>,
    /// The stem of the files' names before, if that changes.
    pub from_place: Option<String>,
    /// When it was begun.
    pub started_at: Timestamp,
}

/// Told of every step of an operation, before the next one: it may show how far it has come, or stop it there.
pub trait Observer: fmt::Debug + Send + Sync {
    /// The tenant's operation has come to `step`.
    ///
    /// # Errors
    /// Whatever is to end the operation here. It is finished by calling it again.
    fn reached(&self, tenant: &TenantRecord, step: Step) -> Result<()>;
}

/// Looks on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn reached(&self, _: &TenantRecord, _: Step) -> Result<()> {
        Ok(())
    }
}

impl TenantRecord {
    /// Makes sure that nothing is being done to the tenant that its data can't be used during.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`], naming the command that finishes it.
    pub fn usable(&self) -> Result<()> {
        match &self.operation {
            None => Ok(()),
            Some(operation) => Err(under_way(self.id, operation.kind)),
        }
    }
}

/// The error of whoever comes while something else is being done to the tenant.
pub(super) fn under_way(tenant: TenantId, kind: OperationKind) -> Error {
    let done = match kind {
        OperationKind::Rename => "renamed",
        OperationKind::Rekey => "put under another key",
        OperationKind::Delete => "deleted",
    };
    let command = match kind {
        OperationKind::Rename => "trimaran tenant rename",
        OperationKind::Rekey => "trimaran tenant rekey",
        OperationKind::Delete => "trimaran tenant delete",
    };
    Error::new(ErrorKind::Locked, "use a tenant's data")
        .context(format!("tenant {tenant} is being {done}"))
        .hint(format!(
            "wait for it; if it was interrupted, run the same `{command}` again, which finishes it \
             (`trimaran tenant show --id {tenant}` says more)"
        ))
}
