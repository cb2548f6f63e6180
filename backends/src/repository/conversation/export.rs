//! Pieces as a file, a chunk at a time.

use bytes::Bytes;
use futures_util::StreamExt as _;
use sea_orm::Condition;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use trimaran_core::model::{ExportFormat, Piece};
use trimaran_core::repository::conversation::Export;
use trimaran_core::{Error, ErrorKind, PageRequest, Result};

use super::pieces;
use crate::repository::TenantResources;

/// How many bytes a page should have: what is read next goes by what was read before.
const PAGE_BYTES: usize = 4 << 20;

/// How many pieces are read first, when nothing is known of their size.
const FIRST_PAGE: u32 = 32;

/// The export of the pieces that `condition` holds for.
pub(super) fn stream(resources: TenantResources, condition: Condition, format: ExportFormat) -> Export {
    async_stream::try_stream! {
        if let Some(header) = header(format)? {
            yield header;
        }
        let mut page = PageRequest::first(FIRST_PAGE)?;
        loop {
            let read = pieces::page(&resources, condition.clone(), &page).await?;
            let count = read.items.len();
            let chunk = chunk(&read.items, format)?;
            let size = chunk.len();
            if count > 0 {
                yield chunk;
            }
            let Some(next) = read.next else { break };
            let wanted = PAGE_BYTES / (size / count.max(1)).max(1);
            let limit = u32::try_from(wanted).unwrap_or(u32::MAX).clamp(1, PageRequest::MAX_LIMIT);
            page = PageRequest::first(limit)?.after(next);
        }
    }
    .boxed()
}

/// Writes an export to a file, a socket or whatever takes bytes, and flushes it. Returns how many bytes there were.
///
/// # Errors
/// The export's first error; `Unavailable` if the bytes can't be written. What was written until then is not the whole.
pub async fn write_export(
    mut export: Export,
    writer: &mut (impl AsyncWrite + Unpin + ?Sized),
) -> Result<u64> {
    let failed = |e| Error::new(ErrorKind::Unavailable, "write an export").source(e);
    let mut written = 0;
    while let Some(chunk) = export.next().await {
        let chunk = chunk?;
        writer.write_all(&chunk).await.map_err(failed)?;
        written += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
    }
    writer.flush().await.map_err(failed)?;
    Ok(written)
}

fn header(format: ExportFormat) -> Result<Option<Bytes>> {
    match format {
        ExportFormat::Csv => {
            let mut writer = csv_writer();
            writer.write_record(CSV_COLUMNS).map_err(unwritten)?;
            written(writer).map(Some)
        }
        ExportFormat::JsonLines => Ok(None),
    }
}

fn chunk(pieces: &[Piece], format: ExportFormat) -> Result<Bytes> {
    match format {
        ExportFormat::Csv => {
            let mut writer = csv_writer();
            for piece in pieces {
                writer.write_record(csv_fields(piece)?).map_err(unwritten)?;
            }
            written(writer)
        }
        ExportFormat::JsonLines => {
            let mut lines = Vec::new();
            for piece in pieces {
                serde_json::to_writer(&mut lines, piece).map_err(unwritten)?;
                lines.push(b'\n');
            }
            Ok(lines.into())
        }
    }
}

const CSV_COLUMNS: [&str; 19] = [
    "id",
    "conversation",
    "sequence",
    "position",
    "role",
    "original_value",
    "original_data_type",
    "original_sha256",
    "converted_value",
    "converted_data_type",
    "converted_sha256",
    "original_piece",
    "labels",
    "metadata",
    "target",
    "attack",
    "converters",
    "error",
    "created_at",
];

fn csv_fields(piece: &Piece) -> Result<[String; 19]> {
    let json = |value: serde_json::Result<String>| value.map_err(unwritten);
    let optional = |identifier: &Option<trimaran_core::model::Identifier>| match identifier {
        Some(identifier) => json(serde_json::to_string(identifier)),
        None => Ok(String::new()),
    };
    Ok([
        piece.id.to_string(),
        piece.conversation.to_string(),
        piece.sequence.to_string(),
        piece.position.to_string(),
        piece.role.to_string(),
        piece.original.value.clone(),
        piece.original.data_type.to_string(),
        piece.original.sha256.to_string(),
        piece.converted.value.clone(),
        piece.converted.data_type.to_string(),
        piece.converted.sha256.to_string(),
        piece.original_piece.to_string(),
        json(serde_json::to_string(&piece.labels))?,
        json(serde_json::to_string(&piece.metadata))?,
        optional(&piece.target)?,
        optional(&piece.attack)?,
        json(serde_json::to_string(&piece.converters))?,
        piece.error.to_string(),
        piece.created_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
    ])
}

fn csv_writer() -> csv::Writer<Vec<u8>> {
    csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new())
}

fn written(writer: csv::Writer<Vec<u8>>) -> Result<Bytes> {
    writer.into_inner().map(Bytes::from).map_err(|e| unwritten(e.into_error()))
}

fn unwritten(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::Invalid, "export prompt pieces").source(error)
}
