//! The one error type of the workspace.
//!
//! An [`Error`] says what was attempted (`operation`), what kind of failure it was ([`ErrorKind`], to branch on),
//! the circumstances (`context`), what to do next (`hint`) and the cause (`source`). Nothing in it holds a secret.

use std::error::Error as StdError;
use std::fmt;

/// The result of everything that can fail here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure an [`Error`] is: the part that callers branch on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The thing named does not exist.
    NotFound,
    /// A unique key, a concurrent writer or an existing object stands in the way.
    Conflict,
    /// A value or an argument breaks a rule.
    Invalid,
    /// Somebody else holds the file, the table or the lock.
    Locked,
    /// The engine can't be reached, is out of resources or dropped the connection.
    Unavailable,
    /// The data or file is damaged, or not what it claims to be.
    Corrupt,
    /// The engine or this build can't do what was asked.
    Unsupported,
    /// The user may not do this.
    Forbidden,
    /// The transaction was rolled back.
    Aborted,
    /// It took longer than allowed.
    Timeout,
    /// The configuration or command line is wrong.
    Configuration,
    /// The source is not what it was when the work began.
    Changed,
    /// The operator asked to stop.
    Interrupted,
}

impl ErrorKind {
    /// The name shown to people, lower case.
    pub const fn name(self) -> &'static str {
        match self {
            ErrorKind::NotFound => "not found",
            ErrorKind::Conflict => "conflict",
            ErrorKind::Invalid => "invalid",
            ErrorKind::Locked => "locked",
            ErrorKind::Unavailable => "unavailable",
            ErrorKind::Corrupt => "corrupt",
            ErrorKind::Unsupported => "unsupported",
            ErrorKind::Forbidden => "forbidden",
            ErrorKind::Aborted => "aborted",
            ErrorKind::Timeout => "timed out",
            ErrorKind::Configuration => "configuration",
            ErrorKind::Changed => "changed",
            ErrorKind::Interrupted => "interrupted",
        }
    }
}

/// A failure, with all that its reader needs. `Display` is one line; [`Error::report`] is the whole.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    operation: String,
    context: Vec<String>,
    hint: Option<String>,
    code: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// A failure of `kind` while doing `operation`, a verb phrase such as "open the DuckDB file".
    pub fn new(kind: ErrorKind, operation: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            operation: operation.into(),
            context: Vec::new(),
            hint: None,
            code: None,
            source: None,
        }))
    }

    /// Adds a circumstance: what was found, which table, which column. Called outward, each layer adds its own.
    #[must_use]
    pub fn context(mut self, context: impl Into<String>) -> Self {
        self.0.context.push(context.into());
        self
    }

    /// Says what the reader can do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Keeps the engine's own code (an SQLSTATE, an SQLite result code).
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// Keeps the cause.
    #[must_use]
    pub fn source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The same failure, as met while doing something greater: "create the user" for "run a statement".
    #[must_use]
    pub fn within(mut self, operation: impl Into<String>) -> Self {
        self.0.operation = operation.into();
        self
    }

    /// The same failure without its cause, for whom the cause can't be handed to.
    #[must_use]
    pub fn summary(&self) -> Self {
        Self(Box::new(Inner {
            kind: self.0.kind,
            operation: self.0.operation.clone(),
            context: match (&self.0.source, self.0.context.is_empty()) {
                (Some(source), true) => vec![source.to_string()],
                _ => self.0.context.clone(),
            },
            hint: self.0.hint.clone(),
            code: self.0.code.clone(),
            source: None,
        }))
    }

    /// What was attempted: a verb phrase.
    pub fn operation(&self) -> &str {
        &self.0.operation
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The engine's own code, where it gave one.
    pub fn engine_code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// What to do next, where something helps.
    pub fn next_step(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Locked | ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Aborted
        )
    }

    /// What it came from, the nearest first, as far as its own text does not say it.
    pub fn causes(&self) -> Vec<String> {
        let mut said = self.to_string();
        let mut causes = Vec::new();
        let mut cause = StdError::source(self);
        while let Some(error) = cause {
            let text = error.to_string();
            if !said.contains(&text) {
                said.push_str(&text);
                causes.push(text);
            }
            cause = error.source();
        }
        causes
    }

    /// Several lines: the failure, each cause, and the next step.
    pub fn report(&self) -> String {
        let mut out = self.to_string();
        for cause in self.causes() {
            out.push_str("\n  because: ");
            out.push_str(&cause);
        }
        if let Some(hint) = &self.0.hint {
            out.push_str("\n  next: ");
            out.push_str(hint);
        }
        out
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "can't {}", self.0.operation)?;
        for context in &self.0.context {
            write!(f, ": {context}")?;
        }
        if self.0.context.is_empty() {
            match &self.0.source {
                Some(source) => write!(f, ": {source}")?,
                None => write!(f, ": {}", self.0.kind.name())?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.0.kind.name(), self.report())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|e| e as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_operation_cause_and_next_step_once() {
        let error = Error::new(ErrorKind::Locked, "open the file")
            .context("another process holds it")
            .hint("stop that process")
            .source(std::io::Error::other("lock held"));
        assert_eq!(error.to_string(), "can't open the file: another process holds it");
        assert_eq!(
            error.report(),
            "can't open the file: another process holds it\n  because: lock held\n  next: stop that process"
        );
        assert!(error.is_retryable());
    }

    #[test]
    fn an_error_fits_in_a_pointer() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
