//! The raw drivers, doing the same on the same schema: the statements that one would write by hand.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::Result;
use crate::data::Said;
use crate::measure::Side;
use crate::raw_duckdb::RawDuckdb;
use crate::raw_postgres::RawPostgres;
use crate::raw_sqlite::RawSqlite;
use crate::schema::Place;

/// The columns of `prompt_piece`.
pub(crate) const PIECE: &str = "tenant_id, id, conversation_id, sequence, position, role, original_value, original_data_type, \
    original_sha256, converted_value, converted_data_type, converted_sha256, original_piece_id, target_identifier, \
    attack_identifier, converter_identifiers, error, created_at";

/// The columns of `tag`.
pub(crate) const TAG: &str = "tenant_id, owner_id, kind, position, name, value, digest";

/// The kind of tag that a label is.
pub(crate) const LABEL: &str = "piece.label";

/// A piece as it is read: values, and its labels.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) id: Uuid,
    #[allow(dead_code, reason = "read as an application would")]
    pub(crate) texts: [String; 2],
    pub(crate) labels: Vec<(String, String)>,
}

/// By what a label is found: see the repository's tags.
pub(crate) fn digest(name: &str, value: &str) -> Uuid {
    let mut hash = Sha256::new();
    for part in [LABEL, name, value] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let whole: [u8; 32] = hash.finalize().into();
    let mut half = [0; 16];
    half.copy_from_slice(&whole[..16]);
    Uuid::from_bytes(half)
}

/// What the target is kept as.
pub(crate) fn target(said: &Said) -> String {
    format!("{{\"class_name\":\"{}\"}}", said.target)
}

/// How many pieces each conversation gets, in order of the first.
pub(crate) fn conversations(said: &[Said]) -> Vec<(Uuid, i64)> {
    let mut out: Vec<(Uuid, i64)> = Vec::new();
    for piece in said {
        match out.last_mut() {
            Some((id, count)) if *id == piece.conversation => *count += 1,
            _ => out.push((piece.conversation, 1)),
        }
    }
    out
}

/// Gives each piece its sequence, from the next of its conversation, which `next` has in the order of [`conversations`].
pub(crate) fn sequences<'a>(said: &'a [Said], next: &'a [i64]) -> impl Iterator<Item = (&'a Said, i64)> {
    let (mut at, mut within) = (0, 0);
    let mut before = said.first().map(|piece| piece.conversation);
    said.iter().map(move |piece| {
        if before != Some(piece.conversation) {
            (at, within, before) = (at + 1, 0, Some(piece.conversation));
        }
        within += 1;
        (piece, next[at] + within - 1)
    })
}

/// One of them.
pub(crate) enum Raw {
    Postgres(RawPostgres),
    Sqlite(RawSqlite),
    Duckdb(RawDuckdb),
}

/// Blocking work, where the runtime expects it.
fn block<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}

impl Side for Raw {
    type Input = Vec<Said>;

    async fn open(place: &Place) -> Result<Self> {
        Ok(match place {
            Place::Postgres { application, .. } => Self::Postgres(RawPostgres::open(application).await?),
            Place::File(trimaran::Engine::Sqlite, path) => Self::Sqlite(RawSqlite::open(path)?),
            Place::File(_, path) => Self::Duckdb(RawDuckdb::open(path)?),
        })
    }

    fn input(said: &[Said]) -> Self::Input {
        said.to_vec()
    }

    async fn append_all(&self, input: Self::Input) -> Result<()> {
        match self {
            Self::Postgres(raw) => raw.append(&input).await,
            Self::Sqlite(raw) => block(|| raw.append(&input)),
            Self::Duckdb(raw) => block(|| raw.append(&input)),
        }
    }

    async fn append(&self, input: Self::Input) -> Result<()> {
        match self {
            Self::Postgres(raw) => raw.append_few(&input).await,
            Self::Sqlite(raw) => block(|| raw.append(&input)),
            Self::Duckdb(raw) => block(|| raw.append_few(&input)),
        }
    }

    async fn read(&self, conversation: Uuid) -> Result<usize> {
        let found = match self {
            Self::Postgres(raw) => raw.read(conversation).await?,
            Self::Sqlite(raw) => block(|| raw.read(conversation))?,
            Self::Duckdb(raw) => block(|| raw.read(conversation))?,
        };
        Ok(found.iter().filter(|piece| !piece.labels.is_empty()).count())
    }

    async fn find(&self, operation: &str, limit: u32, pages: usize) -> Result<usize> {
        let digest = digest("operation", operation);
        let (mut after, mut count) = (Uuid::nil(), 0);
        for _ in 0..pages {
            let found = match self {
                Self::Postgres(raw) => raw.find(digest, after, limit).await?,
                Self::Sqlite(raw) => block(|| raw.find(digest, after, limit))?,
                Self::Duckdb(raw) => block(|| raw.find(digest, after, limit))?,
            };
            count += found.len();
            match found.last() {
                Some(last) if found.len() == limit as usize => after = last.id,
                _ => break,
            }
        }
        Ok(count)
    }

    async fn close(self) -> Result<()> {
        match self {
            Self::Postgres(raw) => raw.close().await,
            Self::Sqlite(_) | Self::Duckdb(_) => Ok(()),
        }
    }
}

/// Puts labels with the pieces they are of.
pub(crate) fn join(found: &mut [Found], labels: impl Iterator<Item = (Uuid, String, String)>) {
    let at: std::collections::HashMap<Uuid, usize> =
        found.iter().enumerate().map(|(at, piece)| (piece.id, at)).collect();
    for (owner, name, value) in labels {
        if let Some(at) = at.get(&owner) {
            found[*at].labels.push((name, value));
        }
    }
}
