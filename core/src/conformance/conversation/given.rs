//! What cases of scores, seeds and results begin with.

use uuid::Uuid;

use crate::conformance::Fixture;
use crate::id::{ConversationId, PieceId};
use crate::model::conversation::{ChatRole, Identifier, NewMessage, NewPiece};
use crate::{Conversation, ErrorKind, Page, PageRequest, Result};

/// The conversation of this number.
pub(super) fn talk(number: u128) -> ConversationId {
    ConversationId(Uuid::from_u128(0x7a1c << 64 | number))
}

/// A piece that says `text`, in the conversation.
pub(super) async fn piece(area: &Conversation, conversation: ConversationId, text: &str) -> PieceId {
    labelled(area, conversation, text, &[]).await
}

/// The same with labels.
pub(super) async fn labelled(
    area: &Conversation,
    conversation: ConversationId,
    text: &str,
    labels: &[(&str, &str)],
) -> PieceId {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let new = NewPiece { labels, ..NewPiece::text(ChatRole::User, text) };
    let message = area.pieces.append(NewMessage::new(conversation, vec![new])).await.unwrap();
    message.pieces[0].id
}

/// An identifier whose every part is `text`.
pub(super) fn identifier(text: &str) -> Identifier {
    Identifier {
        module: Some(text.to_owned()),
        details: [(format!("detail {text}"), serde_json::json!([text, 1.5, null]))].into(),
        ..Identifier::of_class(text).with_id(text).with_hash(text)
    }
}

/// Everything of a list, read in pages of two.
pub(super) async fn everything<T, F>(list: impl Fn(PageRequest) -> F) -> Vec<T>
where
    F: Future<Output = Result<Page<T>>>,
{
    let (mut found, mut request) = (Vec::new(), PageRequest::first(2).unwrap());
    loop {
        let page = list(request).await.unwrap();
        assert!(page.items.len() <= 2);
        found.extend(page.items);
        let Some(next) = page.next else { return found };
        request = PageRequest::first(2).unwrap().after(next);
    }
}

/// Writes past all repositories what they would never write, among the first tenant's rows.
pub(super) async fn spoil(fixture: &dyn Fixture, statement: &str) {
    fixture.run_tenant_sql(&[statement]).await.unwrap();
}

/// Asserts that reading fails, and the error names table, column and row.
#[track_caller]
pub(super) fn assert_names<T: std::fmt::Debug>(outcome: Result<T>, table: &str, column: &str, row: Uuid) {
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
    let report = error.report();
    for part in [table, column, &row.to_string()] {
        assert!(report.contains(part), "{part} is not in: {report}");
    }
}
