//! Between pieces and their rows.

use std::collections::BTreeMap;

use sea_orm::ActiveValue::Set;
use serde::Serialize;
use serde::de::DeserializeOwned;
use trimaran_core::id::{ConversationId, PieceId};
use trimaran_core::model::conversation::PieceValue;
use trimaran_core::model::{ChatRole, DataType, Identifier, Labels, Metadata, Piece, ResponseError, Sha256};
use trimaran_core::{Error, ErrorKind, Result};
use uuid::Uuid;

use super::tags::{self, Kind, Tag};
use crate::entity::conversation::{prompt_piece, tag};
use crate::repository::text::Place;
use crate::repository::{TenantResources, time};

const TABLE: &str = "prompt_piece";

/// How many owners' tags are read at once.
const OWNERS: usize = 1_000;

/// Rows of the two tables that pieces are kept in.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) pieces: Vec<prompt_piece::ActiveModel>,
    pub(super) tags: Vec<tag::ActiveModel>,
}

impl Rows {
    /// Adds a piece's, in the message of this sequence.
    ///
    /// # Errors
    /// `Invalid` for an identifier that can't be written.
    pub(super) fn add(&mut self, resources: &TenantResources, piece: &Piece, sequence: i64) -> Result<()> {
        let text = resources.text();
        let converters = match piece.converters.as_slice() {
            [] => None,
            converters => {
                converters.iter().try_for_each(Identifier::check)?;
                Some(document(converters)?)
            }
        };
        self.pieces.push(prompt_piece::ActiveModel {
            tenant_id: Set(resources.tenant.0),
            id: Set(piece.id.0),
            conversation_id: Set(piece.conversation.0),
            sequence: Set(sequence),
            position: Set(piece.position),
            role: Set(piece.role.name().to_owned()),
            original_value: Set(text.store(&piece.original.value)),
            original_data_type: Set(piece.original.data_type.name().to_owned()),
            original_sha256: Set(piece.original.sha256.0.to_vec()),
            converted_value: Set(text.store(&piece.converted.value)),
            converted_data_type: Set(piece.converted.data_type.name().to_owned()),
            converted_sha256: Set(piece.converted.sha256.0.to_vec()),
            original_piece_id: Set(piece.original_piece.0),
            target_identifier: Set(identifier(piece.target.as_ref())?),
            attack_identifier: Set(identifier(piece.attack.as_ref())?),
            converter_identifiers: Set(converters),
            error: Set(piece.error.name().to_owned()),
            created_at: Set(time::stored(piece.created_at)),
        });
        let owner = piece.id.0;
        self.tags.extend(labels(resources, owner, &piece.labels));
        self.tags.extend(metadata(resources, owner, &piece.metadata));
        let attack = piece.attack.iter().flat_map(said_of);
        self.tags.extend(tags::rows(resources, owner, Kind::PieceAttack, attack));
        let converters = piece.converters.iter().flat_map(said_of);
        self.tags.extend(tags::rows(resources, owner, Kind::PieceConverter, converters));
        Ok(())
    }
}

/// The rows of a piece's labels.
pub(super) fn labels<'a>(
    resources: &'a TenantResources,
    owner: Uuid,
    labels: &'a Labels,
) -> impl Iterator<Item = tag::ActiveModel> + 'a {
    let labels = labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    tags::rows(resources, owner, Kind::PieceLabel, labels)
}

/// The rows of a piece's metadata.
pub(super) fn metadata(
    resources: &TenantResources,
    owner: Uuid,
    metadata: &Metadata,
) -> Vec<tag::ActiveModel> {
    let written: Vec<_> = metadata.iter().map(|(name, value)| (name.as_str(), value.to_string())).collect();
    let borrowed = written.iter().map(|(name, value)| (*name, value.as_str()));
    tags::rows(resources, owner, Kind::PieceMetadata, borrowed).collect()
}

/// By what a component is found: name and value of tags.
fn said_of(identifier: &Identifier) -> impl Iterator<Item = (&str, &str)> {
    let class = (tags::CLASS_NAME, identifier.class_name.as_str());
    let id = identifier.id.as_deref().map(|id| (tags::ID, id));
    let hash = identifier.hash.as_deref().map(|hash| (tags::HASH, hash));
    [Some(class), id, hash].into_iter().flatten()
}

/// An identifier as it is kept.
///
/// # Errors
/// `Invalid` if it can't be written.
pub(super) fn identifier(identifier: Option<&Identifier>) -> Result<Option<String>> {
    let Some(identifier) = identifier else { return Ok(None) };
    identifier.check()?;
    document(identifier).map(Some)
}

/// JSON text needs no codec: it has U+0000 escaped only.
fn document<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::new(ErrorKind::Invalid, "write an identifier").source(e))
}

/// The pieces of these rows, with their labels and metadata, in the same order.
///
/// # Errors
/// `Corrupt`, naming the row, for one that was never written so; else the engine's.
pub(super) async fn load(resources: &TenantResources, rows: Vec<prompt_piece::Model>) -> Result<Vec<Piece>> {
    let mut pieces = Vec::with_capacity(rows.len());
    let mut rows = rows.into_iter();
    loop {
        let chunk: Vec<_> = rows.by_ref().take(OWNERS).collect();
        if chunk.is_empty() {
            return Ok(pieces);
        }
        let owners: Vec<Uuid> = chunk.iter().map(|row| row.id).collect();
        let mut tags = tags::load_kinds(resources, &owners, &tags::OF_PIECES).await?;
        for row in chunk {
            let tags = tags.remove(&row.id).unwrap_or_default();
            pieces.push(piece(resources, row, tags)?);
        }
    }
}

fn piece(resources: &TenantResources, row: prompt_piece::Model, tags: tags::Tags) -> Result<Piece> {
    let at = |column| Place { table: TABLE, column, key: row.id };
    let text = resources.text();
    let mut labels = Labels::new();
    let mut metadata = Metadata::new();
    for (kind, Tag { name, value }) in tags {
        match kind {
            Kind::PieceLabel => {
                labels.insert(name, value);
            }
            Kind::PieceMetadata => {
                let place = Place { table: "tag", column: "value", key: row.id };
                metadata.insert(name, parsed(place, &value)?);
            }
            _ => {}
        }
    }
    let sha256 = |column, bytes: &[u8]| {
        Sha256::from_slice(bytes).ok_or_else(|| {
            at(column).corrupt(format!("there are {} bytes, which are no SHA-256", bytes.len()))
        })
    };
    let data_type = |column, name: &str| {
        DataType::from_name(name).ok_or_else(|| at(column).corrupt("there is an unknown kind of data"))
    };
    Ok(Piece {
        id: PieceId(row.id),
        conversation: ConversationId(row.conversation_id),
        sequence: row.sequence,
        position: row.position,
        role: ChatRole::from_name(&row.role).ok_or_else(|| at("role").corrupt("there is an unknown role"))?,
        original: PieceValue {
            value: text.load(at("original_value"), row.original_value)?,
            data_type: data_type("original_data_type", &row.original_data_type)?,
            sha256: sha256("original_sha256", &row.original_sha256)?,
        },
        converted: PieceValue {
            value: text.load(at("converted_value"), row.converted_value)?,
            data_type: data_type("converted_data_type", &row.converted_data_type)?,
            sha256: sha256("converted_sha256", &row.converted_sha256)?,
        },
        original_piece: PieceId(row.original_piece_id),
        labels,
        metadata,
        target: optional(at("target_identifier"), row.target_identifier.as_deref())?,
        attack: optional(at("attack_identifier"), row.attack_identifier.as_deref())?,
        converters: optional(at("converter_identifiers"), row.converter_identifiers.as_deref())?
            .unwrap_or_default(),
        error: ResponseError::from_name(&row.error)
            .ok_or_else(|| at("error").corrupt("there is an unknown error of a response"))?,
        created_at: time::loaded(row.created_at),
    })
}

/// A JSON document that may be missing.
///
/// # Errors
/// `Corrupt`, naming the place, if it is no `T`.
pub(super) fn optional<T: DeserializeOwned>(
    place: Place<'_, Uuid>,
    document: Option<&str>,
) -> Result<Option<T>> {
    document.map(|document| parsed(place, document)).transpose()
}

fn parsed<T: DeserializeOwned>(place: Place<'_, Uuid>, document: &str) -> Result<T> {
    // The error's own text may quote the value.
    serde_json::from_str(document).map_err(|_| place.corrupt("there is no JSON of the right shape"))
}

/// The pieces of each message, by conversation's sequence; the pieces must be in order.
pub(super) fn by_sequence(pieces: Vec<Piece>) -> BTreeMap<i64, Vec<Piece>> {
    let mut messages: BTreeMap<i64, Vec<Piece>> = BTreeMap::new();
    for piece in pieces {
        messages.entry(piece.sequence).or_default().push(piece);
    }
    messages
}
