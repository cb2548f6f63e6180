//! `trimaran migrate status`: what the journal of a target says.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use trimaran_backends::Location;
use trimaran_core::Result;

use crate::cli::password;
use crate::exit::Exit;
use crate::status;

/// Which journal, and how to show it.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The target of the run. The source is not opened.
    #[arg(long, value_name = "URL")]
    to: String,
    /// File that holds the target's password, and nothing else.
    #[arg(long, value_name = "FILE")]
    to_password_file: Option<PathBuf>,
    /// The target's schema, where the journal lies (Postgres: public).
    #[arg(long, value_name = "NAME")]
    schema: Option<String>,
    /// Machine-readable JSON on standard output; text for people stays on standard error.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Options {
    /// Shows it.
    ///
    /// # Errors
    /// As [`status::status`].
    pub(crate) fn run(&self) -> Result<Exit> {
        let to = Location::parse(&self.to)?;
        let to = match &self.to_password_file {
            Some(path) => to.with_password(password(path)?),
            None => to,
        };
        let status = status::status(&to, self.schema.as_deref())?;
        if self.json {
            // A reader that closed the pipe has seen enough.
            let _ = writeln!(std::io::stdout(), "{:#}", serde_json::json!(status));
        }
        eprint!("{}", status.text());
        Ok(Exit::from_code(status.exit_code))
    }
}
