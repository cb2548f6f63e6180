//! `trimaran report`: what an application's data comes to.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use trimaran_backends::stores;
use trimaran_backends::{Stores, Tenant};
use trimaran_core::id::ConversationId;
use trimaran_core::model::PieceFilter;
use trimaran_core::model::conversation::analytics::figures::REFUSAL_SCORERS;
use trimaran_core::model::conversation::analytics::{Dimension, GroupChoice, MOST_GROUPS, MOST_PROMPTS};
use trimaran_core::model::conversation::{AttackResultFilter, ChatRole};
use trimaran_core::{Error, ErrorKind, Result, TenantId, Timestamp};

use crate::config_command::Which;
use crate::exit::Exit;
use crate::report_document::{Asked, Document, Source};
use crate::{report_output, report_page, report_table};

/// What to report on.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Count conversations: pieces, messages, scores, refusals and how attacks ended, by whatever you name.
    Conversations(Box<Conversations>),
}

/// A report on conversations.
#[derive(Debug, Args)]
pub(crate) struct Conversations {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    whose: Whose,
    /// Say that you are the one who may look at all tenants' figures.
    #[arg(long, requires = "all_tenants")]
    i_am_the_administrator: bool,
    /// Group by label, label:NAME, role, error, data-type, scorer, score-category, harm-category, attack, model, hour, day, week or month;
    /// several with commas.
    #[arg(long, value_name = "WHAT", value_delimiter = ',', default_value = "role,day", value_parser = dimension)]
    by: Vec<Dimension>,
    /// Only what was said then or later: a date, or a time of RFC 3339. A date begins at midnight, UTC.
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<Timestamp>,
    /// Only what was said before then.
    #[arg(long, value_name = "TIME", value_parser = time)]
    to: Option<Timestamp>,
    /// Only with this label; several are all required, several values of one name are alternatives.
    #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
    label: Vec<(String, String)>,
    /// Only pieces of this role. Attacks have none.
    #[arg(long, value_name = "ROLE")]
    role: Vec<ChatRole>,
    /// Only of this conversation.
    #[arg(long, value_name = "ID")]
    conversation: Vec<uuid::Uuid>,
    /// Only of attacks of this class.
    #[arg(long, value_name = "CLASS")]
    attack: Vec<String>,
    /// The class of a scorer whose `true` says that an answer is a refusal.
    #[arg(long, value_name = "CLASS", default_values = REFUSAL_SCORERS)]
    refusal_scorer: Vec<String>,
    /// The most groups with figures of their own; all else is added up as one.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = groups)]
    groups: usize,
    /// Show how the longest and the most repeated prompts begin. Without it no prompt is in the report.
    #[arg(long)]
    show_prompts: bool,
    /// How many of them.
    #[arg(long, value_name = "N", default_value_t = 10, requires = "show_prompts",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_PROMPTS)))]
    prompts: u32,
    /// How to write it.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Table, conflicts_with = "json")]
    format: Format,
    /// Write it to this file, which its owner alone may read, instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Put it in the place of a file that is there.
    #[arg(long, requires = "output")]
    force: bool,
}

/// Whose conversations.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Whose {
    /// Those of the user called exactly so.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Those of this tenant.
    #[arg(long, value_name = "ID")]
    tenant: Option<uuid::Uuid>,
    /// Those of all tenants. The configuration must allow it (tenants.administration), and you must say who you are.
    #[arg(long, requires = "i_am_the_administrator")]
    all_tenants: bool,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tables for a terminal.
    Table,
    /// JSON, whose fields docs/analytics.md names.
    Json,
    /// A page with charts, complete in itself.
    Html,
}

fn dimension(text: &str) -> Result<Dimension, String> {
    text.parse().map_err(|error: Error| match error.next_step() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    })
}

fn time(text: &str) -> Result<Timestamp, String> {
    text.parse()
        .or_else(|_| format!("{text}T00:00:00Z").parse())
        .map_err(|_| "write a date such as 2026-01-31, or a time such as 2026-01-31T12:00:00Z".to_owned())
}

fn label(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| "write NAME=VALUE".to_owned())?;
    Ok((name.to_owned(), value.to_owned()))
}

fn groups(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (1..=MOST_GROUPS).contains(&number) => Ok(number),
        _ => Err(format!("1 to {MOST_GROUPS}")),
    }
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// What stands in the way.
    pub(crate) fn run(&self) -> Result<Exit> {
        let Self::Conversations(report) = self;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|e| Error::new(ErrorKind::Unavailable, "start the runtime").source(e))?;
        runtime.block_on(report.run())
    }

    /// Whether errors are wanted as JSON, too.
    pub(crate) fn json(&self) -> bool {
        let Self::Conversations(report) = self;
        report.format() == Format::Json
    }
}

impl Conversations {
    fn format(&self) -> Format {
        if self.which.json() { Format::Json } else { self.format }
    }

    async fn run(&self) -> Result<Exit> {
        if let Some(path) = &self.output {
            report_output::check(path, self.force)?;
        }
        let stores = stores::open(&self.which.load()?).await?;
        let document = self.document(&stores).await;
        let closed = stores.close().await;
        let document = document?;
        closed?;
        let text = match self.format() {
            Format::Table => report_table::text(&document),
            Format::Json => document.json()?,
            Format::Html => report_page::html(&document)?,
        };
        report_output::write(&text, self.output.as_deref(), self.force)?;
        Ok(if document.is_whole() { Exit::Complete } else { Exit::Incomplete })
    }

    async fn document(&self, stores: &Stores) -> Result<Document> {
        let asked = self.asked();
        if self.whose.all_tenants {
            let capability = stores.assume_administration_of_all_tenants()?;
            let all = stores.analytics_of_all(&capability)?;
            return Document::gather(&Source::All(Box::new(all)), asked).await;
        }
        let tenant = self.tenant(stores).await?;
        let analytics = tenant.conversation().await?.analytics;
        Document::gather(&Source::Tenant(tenant.id(), analytics), asked).await
    }

    async fn tenant(&self, stores: &Stores) -> Result<Tenant> {
        if let Some(id) = self.whose.tenant {
            return stores.tenant(TenantId(id)).await;
        }
        let name = self.whose.user.as_deref().unwrap_or_default();
        let record = stores.tenants().find_by_user_name(name).await?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "report on a user's conversations")
                .context("no user of exactly this name has any")
                .hint("names are compared character by character: look for capitals and spaces")
        })?;
        stores.tenant(record.id).await
    }

    fn asked(&self) -> Asked {
        let mut labels = std::collections::BTreeMap::<String, Vec<String>>::new();
        for (name, value) in &self.label {
            labels.entry(name.clone()).or_default().push(value.clone());
        }
        let some = |list: &[String]| (!list.is_empty()).then(|| list.to_vec());
        let conversations = (!self.conversation.is_empty())
            .then(|| self.conversation.iter().copied().map(ConversationId).collect::<Vec<_>>());
        Asked {
            pieces: PieceFilter {
                conversations: conversations.clone(),
                roles: (!self.role.is_empty()).then(|| self.role.clone()),
                labels: labels.clone(),
                created_from: self.from,
                created_before: self.to,
                attack_classes: some(&self.attack),
                ..PieceFilter::default()
            },
            attacks: AttackResultFilter {
                conversations,
                labels,
                created_from: self.from,
                created_before: self.to,
                attack_classes: some(&self.attack),
                ..AttackResultFilter::default()
            },
            by: self.by.clone(),
            groups: GroupChoice::Most(self.groups),
            refusal_scorers: self.refusal_scorer.clone(),
            prompts: self.show_prompts.then_some(self.prompts),
        }
    }
}
