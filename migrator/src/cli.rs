//! The command line.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use secrecy::SecretString;
use trimaran_backends::Location;
use trimaran_core::clock::{Clock as _, SystemClock};
use trimaran_core::config::units;
use trimaran_core::{Error, ErrorKind, Result};

use crate::choices::{Choices, Enums, Nested};
use crate::config_command;
use crate::exit::{self, Exit};
use crate::interrupt;
use crate::log;
use crate::migrate::{self, Failure, Order};
use crate::migration_page::{self, About};
use crate::policy::Policy;
use crate::progress::Progress;
use crate::prove_isolation_command;
use crate::quarantine_command;
use crate::report::Report;
use crate::report_command;
use crate::report_output;
use crate::schema_command;
use crate::source::Budget;
use crate::status_command;

/// Application data on Postgres, SQLite and DuckDB: move it from one to another, and prove that nothing was lost.
#[derive(Debug, Parser)]
#[command(name = "trimaran", version, after_help = exit::help(), propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Move a database to another engine: check, plan, run, verify.
    #[command(subcommand)]
    Migrate(Migrate),
    /// Show and check the configuration of an application's stores (trimaran.toml and environment).
    #[command(subcommand)]
    Config(config_command::Command),
    /// Show, apply and undo the migrations of an application's stores.
    #[command(subcommand, after_help = exit::help())]
    Schema(schema_command::Command),
    /// List, make, rename and delete tenants, and change the key that their files are named by.
    #[command(subcommand, after_help = exit::help())]
    Tenant(prove_isolation_command::Command),
    /// Report what an application's data comes to.
    #[command(subcommand, after_help = exit::help())]
    Report(report_command::Command),
}

#[derive(Debug, Subcommand)]
enum Migrate {
    /// Read everything and change nothing: what is there, what can't be moved, every hazard in the data.
    #[command(after_help = exit::help())]
    Check(Common),
    /// Print what would happen to each table and column, as a plan that can be edited.
    #[command(after_help = exit::help())]
    Plan {
        #[command(flatten)]
        common: Common,
        /// Also write the plan to this file.
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Move everything and verify it. After an interruption the same command continues.
    #[command(after_help = exit::help())]
    Run {
        #[command(flatten)]
        common: Common,
        /// Drop what an earlier run from this source wrote, and begin again.
        #[arg(long)]
        restart: bool,
        /// Show the values that differ, should verification find a difference.
        #[arg(long)]
        show_values: bool,
    },
    /// The rows that a run put aside: list, export, or try again under another policy.
    #[command(subcommand, after_help = exit::help())]
    Quarantine(quarantine_command::Command),
    /// Show the journal: runs, how far each has got, when something last changed. Changes nothing.
    Status(status_command::Options),
    /// Compare source and target row by row, by count and digest.
    #[command(after_help = exit::help())]
    Verify {
        #[command(flatten)]
        common: Common,
        /// Show the values that differ.
        #[arg(long)]
        show_values: bool,
    },
}

#[derive(Debug, Args)]
struct Common {
    /// Where from: duckdb:///path, sqlite:///path or postgres://user@host/database.
    #[arg(long, value_name = "URL")]
    from: String,
    /// Where to. A Postgres password comes from --to-password-file, PGPASSWORD or ~/.pgpass.
    #[arg(long, value_name = "URL")]
    to: String,
    /// File that holds the source's password, and nothing else.
    #[arg(long, value_name = "FILE")]
    from_password_file: Option<PathBuf>,
    /// File that holds the target's password, and nothing else.
    #[arg(long, value_name = "FILE")]
    to_password_file: Option<PathBuf>,
    /// Only tables that match one of these patterns (`Prompt*`, `schema.*`).
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    tables: Vec<String>,
    /// No tables that match one of these patterns.
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    exclude: Vec<String>,
    /// The target's schema (Postgres: public).
    #[arg(long, value_name = "NAME")]
    schema: Option<String>,
    /// What to do with rows that the target can't hold as they are: reject, quarantine or escape. A plan has more, by column.
    #[arg(long, default_value_t, value_name = "POLICY", value_parser = Policy::for_all)]
    on_hazard: Policy,
    /// What ENUM columns become: text under a check, an enum type (Postgres), or text that may be any.
    #[arg(long, default_value_t, value_name = "KIND")]
    enums: Enums,
    /// What lists of lists become on Postgres: json, or arrays, where a value that is not regular is a hazard.
    #[arg(long, default_value_t, value_name = "KIND")]
    nested: Nested,
    /// Go by this plan, as `plan -o` wrote it and you edited it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["tables", "exclude", "schema", "on_hazard", "enums", "nested"])]
    plan: Option<PathBuf>,
    /// Threads that read and write [default: twice the processors, at most 8].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: Option<u16>,
    /// Memory budget, such as 256MiB or 2GiB.
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = size)]
    memory: u64,
    /// How often what fails for a reason that passes is tried again, after growing pauses of up to 10 s: lost connections, deadlocks.
    #[arg(long, value_name = "N", default_value_t = 8)]
    retries: usize,
    /// Machine-readable JSON on standard output; text for people stays on standard error.
    #[arg(long)]
    json: bool,
    /// Also write the report to this file, as an HTML page that stands alone.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Replace the file that --report names, if it is there.
    #[arg(long, requires = "report")]
    force: bool,
    /// No progress and no summary, only errors.
    #[arg(long, short)]
    quiet: bool,
}

/// The least memory that three threads and an engine's cache can work in.
const LEAST_MEMORY: u64 = 64 * 1024 * 1024;

pub(crate) fn size(text: &str) -> Result<u64, String> {
    match units::bytes(text)? {
        bytes if bytes < LEAST_MEMORY => Err("at least 64MiB".to_owned()),
        bytes => Ok(bytes),
    }
}

impl Common {
    fn jobs(&self) -> usize {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        self.jobs.map_or_else(|| (2 * processors).min(8), usize::from)
    }

    fn order(&self) -> Result<Order> {
        let located = |url: &str, file: &Option<PathBuf>| -> Result<Location> {
            let location = Location::parse(url)?;
            match file {
                Some(path) => Ok(location.with_password(password(path)?)),
                None => Ok(location),
            }
        };
        Ok(Order {
            from: located(&self.from, &self.from_password_file)?,
            to: located(&self.to, &self.to_password_file)?,
            choices: Choices {
                tables: self.tables.clone(),
                exclude: self.exclude.clone(),
                schema: self.schema.clone(),
                on_hazard: self.on_hazard,
                enums: self.enums,
                nested: self.nested,
            },
            plan: self.plan.clone(),
            budget: Budget { memory: self.memory, jobs: self.jobs() },
            retries: self.retries,
            restart: false,
            show_values: false,
        })
    }
}

/// The password in a file.
pub(crate) fn password(path: &std::path::Path) -> Result<SecretString> {
    let text = std::fs::read_to_string(path).map_err(|e| {
        Error::new(ErrorKind::Configuration, format!("read the password file {}", path.display())).source(e)
    })?;
    let line = text.trim_end_matches(['\r', '\n']);
    if line.is_empty() {
        return Err(Error::new(
            ErrorKind::Configuration,
            format!("read the password file {}", path.display()),
        )
        .context("it is empty"));
    }
    Ok(SecretString::from(line.to_owned()))
}

/// Runs the command line and returns its exit code.
pub fn main() -> ExitCode {
    let command = Cli::parse().command;
    if let Err(error) = log::begin() {
        return simple(Err(error), false);
    }
    match command {
        Command::Migrate(command) => migrate(&command),
        Command::Config(command) => simple(command.run(), command.json()),
        Command::Schema(command) => simple(command.run(), command.json()),
        Command::Tenant(command) => ended(command.run(), command.json()),
        Command::Report(command) => simple(command.run(), command.json()),
    }
}

/// Ends a command that has no more to say than whether it worked.
fn simple(result: Result<Exit>, json: bool) -> ExitCode {
    ended(result.map_err(|error| Failure::new(error, false)), json)
}

/// The same for a command that says itself how it ends.
fn ended(result: Result<Exit, Box<Failure>>, json: bool) -> ExitCode {
    let exit = result.unwrap_or_else(|failure| {
        fail(&failure, json);
        failure.exit
    });
    ExitCode::from(exit.code())
}

/// What a command does with its order.
type Action<'a> = Box<dyn Fn(Order, &Progress) -> Result<Report, Box<Failure>> + 'a>;

fn migrate(command: &Migrate) -> ExitCode {
    let mut output = None;
    let (common, act): (&Common, Action<'_>) = match command {
        Migrate::Check(common) => (common, Box::new(|order, progress| migrate::check(&order, progress))),
        Migrate::Plan { common, output: file } => {
            output.clone_from(file);
            (common, Box::new(|order, progress| migrate::plan(&order, progress)))
        }
        Migrate::Run { common, restart, show_values } => {
            let (restart, show_values) = (*restart, *show_values);
            let act = move |order, progress: &Progress| {
                migrate::run(&Order { restart, show_values, ..order }, progress)
            };
            (common, Box::new(act))
        }
        Migrate::Verify { common, show_values } => {
            let show_values = *show_values;
            let act =
                move |order, progress: &Progress| migrate::verify(&Order { show_values, ..order }, progress);
            (common, Box::new(act))
        }
        Migrate::Quarantine(command) => return ended(command.run(), command.json()),
        Migrate::Status(command) => return simple(command.run(), command.json),
    };
    let progress = Progress::new(common.quiet);
    let result = interrupt::listen()
        .and_then(|()| {
            common.report.as_deref().map_or(Ok(()), |path| report_output::check(path, common.force))
        })
        .and_then(|()| common.order())
        .map_err(|error| Failure::new(error, false));
    let result = result.and_then(|order| act(order, &progress));
    let code = match result.and_then(|report| show(&report, common, output.as_deref()).map(|()| report)) {
        Ok(report) => report.exit_code,
        Err(failure) => {
            fail(&failure, common.json);
            if let (Some(report), Some(path)) = (&failure.report, &common.report)
                && let Err(error) = write_page(report, common, path)
            {
                eprintln!("error: {}", error.report());
            }
            failure.exit.code()
        }
    };
    ExitCode::from(code)
}

fn show(report: &Report, common: &Common, output: Option<&std::path::Path>) -> Result<(), Box<Failure>> {
    let failed = |error: Error| Failure::new(error, false);
    if let Some(path) = &common.report {
        write_page(report, common, path).map_err(failed)?;
    }
    let mut printed = None;
    if let Some(plan) = &report.plan {
        let toml = plan.to_toml().map_err(failed)?;
        if let Some(path) = output {
            std::fs::write(path, &toml).map_err(|e| {
                let what = format!("write the plan to {}", path.display());
                failed(Error::new(ErrorKind::Configuration, what).source(e))
            })?;
        }
        printed = Some(toml);
    }
    if common.json {
        let json = serde_json::to_string_pretty(report)
            .map_err(|e| failed(Error::new(ErrorKind::Invalid, "write the report").source(e)))?;
        printed = Some(json + "\n");
    }
    if let Some(text) = printed {
        // A reader that closed the pipe has seen enough.
        let _ = std::io::stdout().write_all(text.as_bytes());
    }
    if !common.quiet && (report.plan.is_none() || common.json) {
        eprint!("{}", report.text());
    }
    Ok(())
}

fn write_page(report: &Report, common: &Common, path: &std::path::Path) -> Result<()> {
    let about = About { made_at: SystemClock.now(), memory: common.memory, jobs: common.jobs() };
    report_output::write(&migration_page::html(report, about)?, Some(path), common.force)
}

fn fail(failure: &Failure, json: bool) {
    eprintln!("error: {}", failure.error.report());
    if json {
        let known = failure.report.as_ref().and_then(|report| serde_json::to_value(report).ok());
        let report = known.unwrap_or_else(|| {
            serde_json::json!({
                "error": failure.error.to_string(),
                "kind": failure.error.kind().name(),
                "next": failure.error.next_step(),
                "exit_code": failure.exit.code(),
            })
        });
        let _ = writeln!(std::io::stdout(), "{report:#}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent_and_the_help_names_every_exit_code() {
        Cli::command().debug_assert();
        let help = Cli::command().render_long_help().to_string();
        for (_, code, meaning) in exit::TABLE {
            assert!(help.contains(&format!("{code}  {meaning}")));
        }
    }

    #[test]
    fn a_budget_too_small_to_work_in_is_refused() {
        assert_eq!(size("256MiB"), Ok(256 << 20));
        assert!(size("12").is_err());
    }
}
