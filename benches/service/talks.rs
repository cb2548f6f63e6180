//! Messages that are appended and taken away again, so that both sides append the same to the same.

use std::collections::BTreeSet;

use trimaran::Conversation;
use trimaran::id::ConversationId;
use trimaran::model::NewMessage;

use crate::Result;
use crate::data::{self, MESSAGES};

/// From here on numbers of messages are of those that are appended and taken away.
const FRESH: usize = 1_000_000_000;

/// The message of that number: one piece of about 900 bytes with three labels.
pub(crate) fn message(number: usize) -> NewMessage {
    data::message(&data::said(FRESH + number))
}

/// Takes the first so many away.
pub(crate) async fn take_away(conversation: &Conversation, messages: usize) -> Result<()> {
    let conversations: BTreeSet<_> =
        (0..messages).map(|number| data::conversation((FRESH + number) / MESSAGES)).collect();
    for id in conversations {
        conversation.conversations.delete(ConversationId(id)).await?;
    }
    Ok(())
}
