//! Whether tenants of a real installation are kept apart: the harmless half of the isolation suite.
//!
//! Two tenants are made in each place, called by names that nobody guesses, and one of them tries to get at what the other has. No
//! other tenant's data is read or written: of those, files are looked at, and Postgres's catalogue is walked. In the end both are deleted, also
//! after a failure; what a process that was killed left behind is deleted by the next proof.

use std::fmt::Debug;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use sea_orm::{ConnectionTrait as _, Statement};
use serde::Serialize;
use trimaran_core::config::Area;
use trimaran_core::id::ConversationId;
use trimaran_core::model::conversation::{NewScore, ScoreDetails, ScoreType};
use trimaran_core::model::{
    ChatRole, ExportFormat, Namespace, NewDataset, NewMessage, NewObject, PieceFilter, PieceSelection,
};
use trimaran_core::repository::ContentExt as _;
use trimaran_core::{Engine, Error, ErrorKind, PageRequest, Result, TenantId, digest};

use super::{Stores, Tenant};
use crate::db_error::Doing as _;

/// What the names of the tenants begin with that a proof makes; 32 hexadecimal digits follow.
const PREFIX: &str = "trimaran-prove-isolation-";

/// A tenant of a proof that is older was left behind.
const LEFT_BEHIND: Duration = Duration::from_secs(60 * 60);

/// What was tried, and how it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The place, or what was looked at.
    pub of: String,
    /// What was tried.
    pub tried: String,
    /// How it went.
    #[serde(flatten)]
    pub outcome: CheckOutcome,
}

/// How a check went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", content = "why", rename_all = "lowercase")]
pub enum CheckOutcome {
    /// As it has to.
    Passed,
    /// It could not be looked at, or is worth knowing; nobody got at anything.
    Remark(String),
    /// One tenant gets at another's data, or could.
    Failed(String),
}

/// Every check of a proof, in the order in which they were made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// The checks.
    pub checks: Vec<Check>,
}

impl Proof {
    /// Whether none failed.
    pub fn is_passed(&self) -> bool {
        self.failed() == 0
    }

    /// How many failed.
    pub fn failed(&self) -> usize {
        self.checks.iter().filter(|check| matches!(check.outcome, CheckOutcome::Failed(_))).count()
    }

    fn note(&mut self, of: &str, tried: &str, outcome: CheckOutcome) {
        self.checks.push(Check { of: of.to_owned(), tried: tried.to_owned(), outcome });
    }

    /// Passed if `holds`, else failed because of `why`.
    fn holds(&mut self, of: &str, tried: &str, holds: bool, why: &str) {
        let outcome = if holds { CheckOutcome::Passed } else { CheckOutcome::Failed(why.to_owned()) };
        self.note(of, tried, outcome);
    }
}

/// Tries on behalf of one tenant to get at what another has, in every place of the installation, and looks at files and Postgres's
/// catalogue. `go_on` is asked between steps: its error ends the proof, once the two tenants are deleted.
///
/// # Errors
/// What kept the proof from being made: a check that fails is none. The stores' own, and that of `go_on`.
pub async fn prove_isolation(stores: &Stores, go_on: &(dyn Fn() -> Result<()> + Sync)) -> Result<Proof> {
    let mut proof = Proof::default();
    let left = remove(stores, |name, age| is_of_a_proof(name) && age > LEFT_BEHIND).await?;
    if left > 0 {
        let why = format!("{left} tenants of an earlier proof, which was cut off, were deleted");
        proof.note("installation", "look for what earlier proofs left", CheckOutcome::Remark(why));
    }
    let mut names = Vec::new();
    let tried = async {
        let places: Vec<String> = stores.tenants.homes.keys().cloned().collect();
        for place in &places {
            go_on()?;
            let mut pair = Vec::new();
            for _ in 0..2 {
                let name = random_name()?;
                names.push(name.clone());
                let record = stores.tenants().create_in(&name, place).await?;
                pair.push(stores.tenant(record.id).await?);
            }
            if let [ann, bob] = pair.as_slice() {
                attempts(&mut proof, place, ann, bob, go_on).await?;
                catalogue(&mut proof, place, ann, bob).await?;
            }
        }
        go_on()
    };
    let tried = tried.await;
    let removed = remove(stores, |name, _| names.iter().any(|own| own == name)).await;
    if let (Err(_), Err(error)) = (&tried, &removed) {
        tracing::error!(%error, "the throw-away tenants of a proof could not be deleted; a later proof deletes them");
    }
    tried?;
    let removed = removed?;
    proof.holds("installation", "delete the throw-away tenants", removed == names.len(), "one was gone");
    files(&mut proof, stores, go_on).await?;
    Ok(proof)
}

fn random_name() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        Error::new(ErrorKind::Unavailable, "draw a random name").context(error.to_string())
    })?;
    Ok(format!("{PREFIX}{}", digest::hex(&bytes)))
}

fn is_of_a_proof(name: &str) -> bool {
    name.strip_prefix(PREFIX)
        .is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Deletes the tenants that `is_meant` says so of, by name and age; says how many.
async fn remove(stores: &Stores, is_meant: impl Fn(&str, Duration) -> bool + Send + Sync) -> Result<usize> {
    let (mut removed, mut request) = (0, PageRequest::first(100)?);
    let administration = stores.administration();
    loop {
        let page = stores.tenants().list(&request).await?;
        for tenant in &page.items {
            let age = stores.tenants.clock.now() - tenant.created_at;
            if is_meant(&tenant.user_name, age.to_std().unwrap_or_default()) {
                administration.delete(tenant.id).await?;
                removed += 1;
            }
        }
        match page.next {
            Some(next) => request = request.after(next),
            None => return Ok(removed),
        }
    }
}

/// What the other tenant has, exactly.
async fn look(tenant: &Tenant) -> Result<String> {
    let page = PageRequest::first(100)?;
    let (area, configuration) = (tenant.conversation().await?, tenant.configuration().await?);
    Ok(format!(
        "{:?}\n{:?}\n{:?}\n{:?}\n{:?}",
        area.pieces.list(&PieceFilter::default(), &page).await?,
        area.conversations.list(&page).await?,
        area.scores.list(&Default::default(), &page).await?,
        configuration.datasets.list(&page).await?,
        tenant.content().list(Namespace::Reports, "", &page).await?,
    ))
}

async fn attempts(
    proof: &mut Proof,
    place: &str,
    ann: &Tenant,
    bob: &Tenant,
    go_on: &(dyn Fn() -> Result<()> + Sync),
) -> Result<()> {
    let mark = bob.record().user_name.as_str();
    let talk = ConversationId(bob.id().0);
    let (theirs, their_settings) = (bob.conversation().await?, bob.configuration().await?);
    let said = theirs.pieces.append(NewMessage::text(talk, ChatRole::User, mark)).await?;
    theirs.pieces.append(NewMessage::text(talk, ChatRole::Assistant, mark)).await?;
    let dataset = their_settings.datasets.create(NewDataset::named(mark, "local")).await?.id;
    bob.content().put(Namespace::Reports, mark, NewObject::new(mark.to_owned())).await?;
    let Some(piece) = said.pieces.first().map(|piece| piece.id) else { return Ok(()) };
    let before = look(bob).await?;
    let one = PageRequest::first(1)?;
    let all = PieceFilter::default();
    let Some(cursor) = theirs.pieces.list(&all, &one).await?.next else { return Ok(()) };
    let (area, configuration) = (ann.conversation().await?, ann.configuration().await?);
    let (page, content) = (PageRequest::first(100)?, ann.content());
    let score = NewScore::of(piece, ScoreDetails::of(ScoreType::Unknown, "x"));
    let export = async {
        let written: Vec<_> = area.pieces.export(&all, ExportFormat::JsonLines).await?.try_collect().await?;
        Ok::<_, Error>(String::from_utf8_lossy(&written.concat()).into_owned())
    };
    macro_rules! attempt {
        ($($tried:literal: $call:expr),* $(,)?) => { $(
            go_on()?;
            shows_nothing(proof, place, $tried, mark, $call.await);
        )* };
    }
    attempt!(
        "read a piece by its id": area.pieces.find(piece),
        "read a conversation by its id": area.conversations.messages(talk, &page),
        "list all pieces": area.pieces.list(&all, &page),
        "list all conversations": area.conversations.list(&page),
        "page with the other's cursor": area.pieces.list(&all, &one.clone().after(cursor)),
        "export everything": export,
        "duplicate a conversation": area.conversations.duplicate(talk),
        "score a piece": area.scores.add(vec![score]),
        "label a conversation": area.pieces.set_labels(
            &PieceSelection::Conversation(talk),
            &[("a".to_owned(), "b".to_owned())].into()
        ),
        "filter with SQL in place of a text": area.pieces.list(
            &PieceFilter::default().label("' OR '1'='1", "'; DELETE FROM prompt_piece; --"),
            &page
        ),
        "delete a piece": area.pieces.delete(&[piece]),
        "delete a conversation": area.conversations.delete(talk),
        "read a dataset by its id": configuration.datasets.find(dataset),
        "find a dataset by SQL in place of its name": configuration.datasets.find_by_name("' OR '1'='1"),
        "list all datasets": configuration.datasets.list(&page),
        "delete a dataset": configuration.datasets.delete(dataset),
        "read an object": content.read(Namespace::Reports, mark),
        "list all objects": content.list(Namespace::Reports, "", &page),
        "delete an object": content.delete(Namespace::Reports, mark),
    );
    let theirs = bob.id();
    let outcome = match sql(ann, theirs).await {
        Ok(0) => CheckOutcome::Passed,
        Ok(rows) => CheckOutcome::Failed(format!("{rows} rows of other tenants were seen or changed")),
        Err(error) => CheckOutcome::Failed(error.report()),
    };
    proof.note(place, "read and delete rows of other tenants by SQL on the tenant's connection", outcome);
    let unchanged = look(bob).await? == before;
    proof.holds(place, "compare what the other tenant has before and after", unchanged, "it was changed");
    Ok(())
}

/// Whether the outcome has nothing of the other tenant's in it.
fn shows_nothing<T: Debug>(proof: &mut Proof, place: &str, tried: &str, mark: &str, outcome: Result<T>) {
    let shown = match &outcome {
        Ok(found) => format!("{found:?}"),
        Err(error) => error.report(),
    };
    let broken =
        matches!(&outcome, Err(error) if matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout));
    if broken {
        return proof.note(place, tried, CheckOutcome::Failed(format!("it could not be tried: {shown}")));
    }
    proof.holds(place, tried, !shown.contains(mark), "something of the other tenant's came back");
}

/// How many rows of other tenants SQL sees and deletes that names them.
async fn sql(ann: &Tenant, theirs: TenantId) -> Result<u64> {
    let operation = "try SQL on a tenant's connection";
    let connection = ann.connection(Area::Conversation).await?;
    let count = format!("SELECT count(*) AS number FROM prompt_piece WHERE tenant_id <> '{}'", ann.id());
    let query = Statement::from_string(connection.get_database_backend(), count);
    let row = connection.query_one_raw(query).await.doing(operation)?;
    let seen = row.map_or(Ok(0), |row| row.try_get::<i64>("", "number")).doing(operation)?;
    let delete = format!("DELETE FROM prompt_piece WHERE tenant_id = '{theirs}'");
    let deleted = connection.execute_unprepared(&delete).await.doing(operation)?.rows_affected();
    Ok(seen.unsigned_abs() + deleted)
}

/// Walks over Postgres's catalogue, and tries to be another tenant where settings are signed.
async fn catalogue(proof: &mut Proof, place: &str, ann: &Tenant, bob: &Tenant) -> Result<()> {
    for area in [Area::Configuration, Area::Conversation] {
        let connection = ann.connection(area).await?;
        if connection.engine() != Engine::Postgres {
            continue;
        }
        #[cfg(feature = "postgres")]
        {
            let of = format!("{place}, {area}");
            let tried = "walk over Postgres's catalogue: row-level security, policies, keys and rights";
            let walk = crate::schema::walk::walk(&connection, &crate::schema::Book::new(), None).await?;
            for weakness in &walk.weaknesses {
                proof.note(&of, tried, CheckOutcome::Failed(format!("{}: {}", weakness.of, weakness.what)));
            }
            if walk.weaknesses.is_empty() {
                proof.note(&of, tried, CheckOutcome::Passed);
            }
            let tried = "name another tenant by SQL that changes the tenant setting";
            if walk.is_signed {
                let forged = format!("SET LOCAL trimaran.tenant = '{}'; SELECT * FROM tenant_mark", bob.id());
                let outcome = connection.execute_unprepared(&forged).await.doing("try a forged setting");
                let refused = outcome.is_err_and(|error| error.kind() == ErrorKind::Forbidden);
                proof.holds(&of, tried, refused, "it was not refused");
            } else {
                let why = "settings are not signed: SQL of somebody else's could name another tenant (tenants.signing_key_file)";
                proof.note(&of, tried, CheckOutcome::Remark(why.to_owned()));
            }
        }
        #[cfg(not(feature = "postgres"))]
        let _ = (&mut *proof, place, bob);
    }
    Ok(())
}

/// Looks at every tenant's files: who may read them, and whose they say they are.
async fn files(proof: &mut Proof, stores: &Stores, go_on: &(dyn Fn() -> Result<()> + Sync)) -> Result<()> {
    let administration = stores.administration();
    let (mut looked, mut found, mut request) = (0_u64, false, PageRequest::first(100)?);
    let tried = "look at a tenant's files: mode, and whose they say they are";
    loop {
        let page = stores.tenants().list(&request).await?;
        for tenant in &page.items {
            go_on()?;
            let of = format!("tenant {}", tenant.id);
            match administration.show(tenant).await {
                Ok(reports) => {
                    for file in reports.iter().flat_map(|report| &report.files) {
                        looked += 1;
                        if let Some(mode) = file.mode.filter(|mode| mode & 0o077 != 0) {
                            found = true;
                            let why = format!("{} has mode {mode:o}", file.path.display());
                            proof.note(&of, tried, CheckOutcome::Failed(why));
                        }
                    }
                }
                Err(error) if error.kind() == ErrorKind::Locked => {
                    let why = "a program has them open: not looked at".to_owned();
                    proof.note(&of, tried, CheckOutcome::Remark(why));
                }
                Err(error) => {
                    found = true;
                    proof.note(&of, tried, CheckOutcome::Failed(error.report()));
                }
            }
        }
        match page.next {
            Some(next) => request = request.after(next),
            None => break,
        }
    }
    if !found {
        proof.note("installation", &format!("{tried} ({looked} files)"), CheckOutcome::Passed);
    }
    Ok(())
}
