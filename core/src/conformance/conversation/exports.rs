use futures_util::StreamExt as _;

use super::{all, append, conversation, full, say, talk};
use crate::conformance::{Fixture, text};
use crate::model::{ChatRole, ExportFormat, NewMessage, NewPiece, Piece, PieceFilter};
use crate::{Conversation, ErrorKind, Result};

async fn exported(area: &Conversation, filter: &PieceFilter, format: ExportFormat) -> Result<String> {
    let mut export = area.pieces.export(filter, format).await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = export.next().await {
        bytes.extend_from_slice(&chunk?);
    }
    Ok(String::from_utf8(bytes).unwrap())
}

pub async fn json_lines_are_read_again_as_the_same_pieces(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    for hostile in text::HOSTILE {
        append(&area, conversation(1), full(hostile)).await;
        append(&area, conversation(2), NewPiece::text(ChatRole::User, *hostile)).await;
    }
    let all = all(&*area.pieces, &PieceFilter::default()).await;
    let lines = exported(&area, &PieceFilter::default(), ExportFormat::JsonLines).await.unwrap();
    // Nothing that is said ends a line.
    assert!(lines.ends_with('\n') && lines.matches('\n').count() == all.len());
    let read: Vec<Piece> =
        lines.split_terminator('\n').map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, all);
}

pub async fn csv_has_every_field_under_its_name(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    for hostile in text::HOSTILE {
        append(&area, conversation(1), full(hostile)).await;
    }
    append(&area, conversation(1), NewPiece::text(ChatRole::User, "bare")).await;
    let all = all(&*area.pieces, &PieceFilter::default()).await;
    let text = exported(&area, &PieceFilter::default(), ExportFormat::Csv).await.unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headers = reader.headers().unwrap().clone();
    let rows: Vec<_> = reader.records().map(|row| row.unwrap()).collect();
    assert_eq!(rows.len(), all.len());
    for (row, piece) in rows.iter().zip(&all) {
        let field = |name: &str| &row[headers.iter().position(|header| header == name).unwrap()];
        assert_eq!(field("id"), piece.id.to_string());
        assert_eq!(field("conversation"), piece.conversation.to_string());
        assert_eq!((field("sequence"), field("position")), (piece.sequence.to_string().as_str(), "0"));
        assert_eq!((field("role"), field("error")), (piece.role.name(), piece.error.name()));
        assert_eq!(
            (field("original_value"), field("converted_value")),
            (piece.original.value.as_str(), piece.converted.value.as_str())
        );
        assert_eq!(field("original_data_type"), piece.original.data_type.name());
        assert_eq!(field("converted_data_type"), piece.converted.data_type.name());
        assert_eq!(field("original_sha256"), piece.original.sha256.to_string());
        assert_eq!(field("converted_sha256"), piece.converted.sha256.to_string());
        assert_eq!(field("original_piece"), piece.original_piece.to_string());
        assert_eq!(field("created_at").parse::<crate::Timestamp>().unwrap(), piece.created_at);
        assert_eq!(field("labels"), serde_json::to_string(&piece.labels).unwrap());
        assert_eq!(field("metadata"), serde_json::to_string(&piece.metadata).unwrap());
        let written = |identifier: &Option<_>| {
            identifier.as_ref().map_or(String::new(), |i| serde_json::to_string(i).unwrap())
        };
        assert_eq!(
            (field("target"), field("attack")),
            (written(&piece.target).as_str(), written(&piece.attack).as_str())
        );
        assert_eq!(field("converters"), serde_json::to_string(&piece.converters).unwrap());
    }
}

pub async fn an_export_has_what_the_filter_finds_and_no_more(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    talk(&area, conversation(1), 2).await;
    talk(&area, conversation(2), 3).await;
    let filter =
        PieceFilter { roles: Some(vec![ChatRole::User]), ..PieceFilter::conversation(conversation(2)) };
    let lines = exported(&area, &filter, ExportFormat::JsonLines).await.unwrap();
    assert_eq!(lines.lines().count(), 3);
    let nothing = PieceFilter::conversation(conversation(3));
    assert_eq!(exported(&area, &nothing, ExportFormat::JsonLines).await.unwrap(), "");
    assert_eq!(exported(&area, &nothing, ExportFormat::Csv).await.unwrap().lines().count(), 1);
}

pub async fn an_export_of_many_pieces_comes_in_chunks(fixture: &dyn Fixture) {
    const MANY: usize = 2_500;
    let area = fixture.conversation();
    let messages: Vec<_> = (0..MANY)
        .map(|n| NewMessage::text(conversation(1), ChatRole::User, format!("{n} {}", "x".repeat(n % 200))))
        .collect();
    area.pieces.append_all(messages).await.unwrap();
    let mut export = area.pieces.export(&PieceFilter::default(), ExportFormat::JsonLines).await.unwrap();
    let (mut chunks, mut lines) = (0, 0);
    while let Some(chunk) = export.next().await {
        let chunk = chunk.unwrap();
        chunks += 1;
        lines += chunk.iter().filter(|byte| **byte == b'\n').count();
        // A chunk ends with a line.
        assert_eq!(chunk.last(), Some(&b'\n'));
    }
    assert!(chunks > 3);
    assert_eq!(lines, MANY);
}

pub async fn a_row_that_can_not_be_decoded_ends_the_export_with_an_error(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    talk(&area, conversation(1), 20).await;
    let bad = say(&area, conversation(1), ChatRole::Tool, "bad").await.pieces[0].id;
    talk(&area, conversation(1), 1).await;
    fixture.run_tenant_sql(&["UPDATE prompt_piece SET role = 'narrator' WHERE role = 'tool'"]).await.unwrap();
    for format in [ExportFormat::JsonLines, ExportFormat::Csv] {
        let mut export = area.pieces.export(&PieceFilter::default(), format).await.unwrap();
        let mut last = None;
        while let Some(chunk) = export.next().await {
            assert!(!matches!(last, Some(Err(_))), "nothing comes after an error");
            last = Some(chunk);
        }
        let error = last.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.report().contains(&bad.to_string()));
    }
}

pub async fn another_tenant_s_pieces_are_in_no_export(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let other = fixture.other_tenant().conversation().unwrap();
    say(&area, conversation(1), ChatRole::User, "mine").await;
    assert_eq!(exported(&other, &PieceFilter::default(), ExportFormat::JsonLines).await.unwrap(), "");
}
