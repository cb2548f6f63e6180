//! What was said.

use serde_json::json;

use crate::id::{ConversationId, PieceId};
use crate::model::{
    ChatRole, DataType, Identifier, Message, NewMessage, NewPiece, Piece, PieceFilter, PieceValue,
    ResponseError, Sha256,
};
use crate::repository::{Conversations, Pieces};
use crate::{Conversation, PageRequest};

pub mod analytics;
mod analytics_given;
mod analytics_model;
pub mod attack_results;
pub mod buffered;
pub mod conversations;
pub mod copies;
pub mod embeddings;
pub mod exports;
mod given;
pub mod piece_changes;
pub mod piece_filters;
pub mod pieces;
pub mod scenario_results;
pub mod scores;
pub mod seeds;

/// The n-th conversation of a case.
fn conversation(n: u128) -> ConversationId {
    ConversationId(uuid::Uuid::from_u128(0xc0 << 64 | n))
}

/// An id that a caller brings along.
fn piece_id(n: u128) -> PieceId {
    PieceId(uuid::Uuid::from_u128(0x1d << 64 | n))
}

/// Says a text as this role; gives the message as it was appended.
async fn say(area: &Conversation, conversation: ConversationId, role: ChatRole, text: &str) -> Message {
    area.pieces.append(NewMessage::text(conversation, role, text)).await.unwrap()
}

/// Appends one piece as a message of its own.
async fn append(area: &Conversation, conversation: ConversationId, piece: NewPiece) -> Piece {
    let message = area.pieces.append(NewMessage::new(conversation, vec![piece])).await.unwrap();
    message.pieces.into_iter().next().unwrap()
}

/// A request and its answer, `turns` times.
async fn talk(area: &Conversation, conversation: ConversationId, turns: usize) {
    for turn in 0..turns {
        say(area, conversation, ChatRole::User, &format!("question {turn}")).await;
        say(area, conversation, ChatRole::Assistant, &format!("answer {turn}")).await;
    }
}

/// A piece that has something in every field.
fn full(text: &str) -> NewPiece {
    let target = Identifier {
        module: Some(text.to_owned()),
        details: [(format!("detail {text}"), json!({"nested": [text, 1.5, null]}))].into(),
        ..Identifier::of_class(text).with_id(text).with_hash(text)
    };
    NewPiece {
        original: PieceValue::new(text, DataType::ImagePath).with_sha256(Sha256::of(b"the image")),
        converted: Some(PieceValue::new(format!("{text} converted"), DataType::Url)),
        original_piece: Some(piece_id(7)),
        labels: [(text.to_owned(), text.to_owned()), ("plain".to_owned(), String::new())].into(),
        metadata: [(text.to_owned(), json!({text: [text]})), ("number".to_owned(), json!(7))].into(),
        attack: Some(Identifier::of_class(format!("{text} attack")).with_id(text)),
        converters: vec![
            Identifier::of_class(text),
            Identifier::of_class("second").with_hash(text),
            target.clone(),
        ],
        target: Some(target),
        error: ResponseError::Blocked,
        ..NewPiece::text(ChatRole::Assistant, "")
    }
}

/// All pieces that meet the filter, read in pages of three.
async fn all(pieces: &dyn Pieces, filter: &PieceFilter) -> Vec<Piece> {
    let (mut found, mut request) = (Vec::new(), PageRequest::first(3).unwrap());
    loop {
        let page = pieces.list(filter, &request).await.unwrap();
        assert!(page.items.len() <= 3);
        found.extend(page.items);
        let Some(next) = page.next else { return found };
        request = PageRequest::first(3).unwrap().after(next);
    }
}

/// All messages of a conversation, read in pages of two.
async fn messages(conversations: &dyn Conversations, id: ConversationId) -> Vec<Message> {
    let (mut found, mut request) = (Vec::new(), PageRequest::first(2).unwrap());
    loop {
        let page = conversations.messages(id, &request).await.unwrap();
        assert!(page.items.len() <= 2);
        found.extend(page.items);
        let Some(next) = page.next else { return found };
        request = PageRequest::first(2).unwrap().after(next);
    }
}

/// What each message says, its parts joined.
fn texts(messages: &[Message]) -> Vec<String> {
    let joined = |message: &Message| {
        message.pieces.iter().map(|piece| piece.converted.value.as_str()).collect::<Vec<_>>().join("+")
    };
    messages.iter().map(joined).collect()
}

fn sequences(messages: &[Message]) -> Vec<i64> {
    messages.iter().map(|message| message.sequence).collect()
}
