//! `trimaran tenant prove-isolation`: tries on an installation whether one tenant gets at another's data, and reports.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use trimaran_backends::stores::Opener;
use trimaran_backends::stores::proof::{CheckOutcome, Proof, prove_isolation};
use trimaran_core::{Error, ErrorKind, Result};

use crate::config_command::Which;
use crate::exit::Exit;
use crate::interrupt;
use crate::migrate::Failure;
use crate::report_output;
use crate::tenant_command;

/// What to do with tenants.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Administer(tenant_command::Command),
    /// Try whether one tenant gets at another's data, and write a report.
    ///
    /// Two tenants are made in each place, tried on one another, and deleted again. Of other tenants nothing is read but whose
    /// their files are and who may read them.
    ProveIsolation(Prove),
}

/// How to prove it.
#[derive(Debug, Args)]
pub(crate) struct Prove {
    #[command(flatten)]
    which: Which,
    /// Also write the report to this file: as Markdown (.md) or JSON (.json).
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Put it in the place of a file that is there.
    #[arg(long, requires = "output")]
    force: bool,
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// What stands in the way, and how the program is to end.
    pub(crate) fn run(&self) -> Result<Exit, Box<Failure>> {
        match self {
            Self::Administer(command) => command.run(),
            Self::ProveIsolation(prove) => prove.run().map_err(|error| Failure::new(error, false)),
        }
    }

    /// Whether errors are wanted as JSON, too.
    pub(crate) fn json(&self) -> bool {
        match self {
            Self::Administer(command) => command.json(),
            Self::ProveIsolation(prove) => prove.which.json(),
        }
    }
}

impl Prove {
    fn run(&self) -> Result<Exit> {
        let form = self.output.as_deref().map(Form::of).transpose()?;
        if let Some(path) = &self.output {
            report_output::check(path, self.force)?;
        }
        let config = self.which.load()?;
        interrupt::listen()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|e| Error::new(ErrorKind::Unavailable, "start the runtime").source(e))?;
        let proof = runtime.block_on(async {
            let stores = Opener::new(&config).open().await?;
            let proof = prove_isolation(&stores, &interrupt::check).await;
            stores.close().await?;
            proof
        })?;
        let exit = if proof.is_passed() { Exit::Complete } else { Exit::Exposed };
        if let (Some(path), Some(form)) = (&self.output, form) {
            report_output::write(&form.report(&proof)?, Some(path.as_path()), self.force)?;
        }
        if self.which.json() {
            // A reader that closed the pipe has seen enough.
            let _ = std::io::stdout().write_all(Form::Json.report(&proof)?.as_bytes());
        } else {
            eprint!("{}", text(&proof));
        }
        Ok(exit)
    }
}

/// What a report is written as.
#[derive(Debug, Clone, Copy)]
enum Form {
    Markdown,
    Json,
}

impl Form {
    fn of(path: &Path) -> Result<Self> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("md") => Ok(Self::Markdown),
            Some("json") => Ok(Self::Json),
            _ => Err(Error::new(ErrorKind::Invalid, format!("write the report {}", path.display()))
                .context("its name does not end with .md or .json")
                .hint("name the file by what it is to be")),
        }
    }

    fn report(self, proof: &Proof) -> Result<String> {
        match self {
            Self::Markdown => Ok(markdown(proof)),
            Self::Json => {
                let report = serde_json::json!({
                    "passed": proof.is_passed(),
                    "failed": proof.failed(),
                    "checks": proof.checks,
                });
                let text = serde_json::to_string_pretty(&report);
                text.map(|text| text + "\n")
                    .map_err(|e| Error::new(ErrorKind::Invalid, "write the report").source(e))
            }
        }
    }
}

fn words(outcome: &CheckOutcome) -> (&'static str, &str) {
    match outcome {
        CheckOutcome::Passed => ("passed", ""),
        CheckOutcome::Remark(why) => ("remark", why),
        CheckOutcome::Failed(why) => ("FAILED", why),
    }
}

fn verdict(proof: &Proof) -> String {
    match proof.failed() {
        0 => format!("{} checks: no tenant gets at another's data", proof.checks.len()),
        failed => format!("{} checks, {failed} failed: tenants are not kept apart", proof.checks.len()),
    }
}

fn text(proof: &Proof) -> String {
    let mut out = String::new();
    for check in &proof.checks {
        let (word, why) = words(&check.outcome);
        let why = if why.is_empty() { String::new() } else { format!("\n        {why}") };
        out.push_str(&format!("{word}  {}: {}{why}\n", check.of, check.tried));
    }
    out.push_str(&verdict(proof));
    out.push('\n');
    out
}

fn markdown(proof: &Proof) -> String {
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    let mut out = format!(
        "# Isolation of tenants\n\n{}\n\n| of | tried | outcome | |\n| --- | --- | --- | --- |\n",
        verdict(proof)
    );
    for check in &proof.checks {
        let (word, why) = words(&check.outcome);
        out.push_str(&format!("| {} | {} | {word} | {} |\n", cell(&check.of), cell(&check.tried), cell(why)));
    }
    out
}
