//! `trimaran migrate quarantine`: the rows that a run put aside.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use trimaran_backends::Location;
use trimaran_core::Result;

use crate::cli::{password, size};
use crate::exit::Exit;
use crate::interrupt;
use crate::migrate::Failure;
use crate::policy::Policy;
use crate::progress::Progress;
use crate::quarantine::export::{self, Format};
use crate::quarantine::retry::{self, Choice};
use crate::quarantine::{self, Report, Which};
use crate::source::Budget;

/// What to do with the rows that a run put aside.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List tables, columns, hazards, counts and keys. Changes nothing.
    List(Options),
    /// Write the rows, every value exact, to a new file or to standard output. Changes nothing.
    Export {
        #[command(flatten)]
        options: Options,
        /// JSON Lines, a row a line; or CSV, a value a line.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        /// A new file; one that is there is never written over [default: standard output].
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Write the rows that another policy allows to their tables. After an interruption the same command continues.
    Retry {
        #[command(flatten)]
        options: Options,
        /// The policy for the columns that rows were put aside for: quarantine or escape.
        #[arg(long, value_name = "POLICY", value_parser = Policy::for_all)]
        on_hazard: Option<Policy>,
        /// Go by this plan: the run's, with other policies.
        #[arg(long, value_name = "FILE", conflicts_with = "on_hazard")]
        plan: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The target of the run.
    #[arg(long, value_name = "URL")]
    to: String,
    /// The source of the run, where the target has runs from several. It is not opened.
    #[arg(long, value_name = "URL")]
    from: Option<String>,
    /// File that holds the target's password, and nothing else.
    #[arg(long, value_name = "FILE")]
    to_password_file: Option<PathBuf>,
    /// The target's schema, where the journal lies (Postgres: public).
    #[arg(long, value_name = "NAME")]
    schema: Option<String>,
    /// Memory budget, such as 256MiB or 2GiB.
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = size)]
    memory: u64,
    /// Machine-readable JSON on standard output; text for people stays on standard error.
    #[arg(long)]
    json: bool,
    /// No progress and no summary, only errors.
    #[arg(long, short)]
    quiet: bool,
}

impl Options {
    fn which(&self) -> Result<Which> {
        let to = Location::parse(&self.to)?;
        let to = match &self.to_password_file {
            Some(path) => to.with_password(password(path)?),
            None => to,
        };
        let from = self.from.as_deref().map(Location::parse).transpose()?;
        let budget = Budget { memory: self.memory, jobs: 2 };
        Ok(Which { to, schema: self.schema.clone(), from, budget })
    }
}

impl Command {
    fn options(&self) -> &Options {
        match self {
            Command::List(options) | Command::Export { options, .. } | Command::Retry { options, .. } => {
                options
            }
        }
    }

    /// Whether the result is wanted as JSON.
    pub(crate) fn json(&self) -> bool {
        self.options().json
    }

    /// Does it.
    ///
    /// # Errors
    /// With the exit code that it means.
    pub(crate) fn run(&self) -> Result<Exit, Box<Failure>> {
        let failed = |begun: bool| move |error| Failure::new(error, begun);
        let which = interrupt::listen().and_then(|()| self.options().which()).map_err(failed(false))?;
        let report = match self {
            Command::List(_) => quarantine::list(&which).map_err(failed(false))?,
            Command::Export { format, output, .. } => {
                export::export(&which, *format, output.as_deref()).map_err(failed(false))?
            }
            Command::Retry { on_hazard, plan, options } => {
                let choice = Choice { on_hazard: *on_hazard, plan: plan.clone() };
                retry::retry(&which, &choice, &Progress::new(options.quiet))
                    .map_err(|(error, begun)| failed(begun)(error))?
            }
        };
        self.show(&report);
        Ok(Exit::from_code(report.exit_code))
    }

    fn show(&self, report: &Report) {
        // An export without a file has standard output for itself.
        let taken = matches!(self, Command::Export { output: None, .. });
        if self.json() && !taken {
            // A reader that closed the pipe has seen enough.
            let _ = writeln!(std::io::stdout(), "{:#}", serde_json::json!(report));
        }
        if !self.options().quiet {
            eprint!("{}", report.text());
        }
    }
}
