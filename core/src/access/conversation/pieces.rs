//! Prompt pieces and messages, asking before each call.

use async_trait::async_trait;

use crate::access::guard::guarded;
use crate::access::{Target, Verb};
use crate::id::PieceId;
use crate::model::{
    Appended, ExportFormat, Labels, Message, Metadata, NewMessage, Piece, PieceFilter, PieceSelection,
};
use crate::repository::Pieces;
use crate::repository::conversation::Export;
use crate::{Page, PageRequest, Result};

guarded!(Pieces, Pieces);

/// What a filter is about: one conversation, one piece, or all.
fn wanted(filter: &PieceFilter) -> Target<'_> {
    match (filter.conversations.as_deref(), filter.ids.as_deref()) {
        (Some([conversation]), _) => Target::Conversation(*conversation),
        (_, Some([piece])) => Target::Piece(*piece),
        _ => Target::All,
    }
}

fn selected(pieces: &PieceSelection) -> Target<'_> {
    match pieces {
        PieceSelection::Conversation(conversation) => Target::Conversation(*conversation),
        PieceSelection::Pieces(pieces) => these(pieces),
    }
}

fn these(pieces: &[PieceId]) -> Target<'_> {
    match pieces {
        [piece] => Target::Piece(*piece),
        _ => Target::All,
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Pieces for Guarded {
    async fn append(&self, message: NewMessage) -> Result<Message> {
        self.check(Verb::Create, Target::Conversation(message.conversation))?;
        self.inner.append(message).await
    }

    async fn append_all(&self, messages: Vec<NewMessage>) -> Result<Vec<Appended>> {
        self.check(Verb::Create, Target::All)?;
        self.inner.append_all(messages).await
    }

    async fn append_buffered(&self, message: NewMessage) -> Result<Vec<PieceId>> {
        self.check(Verb::Create, Target::Conversation(message.conversation))?;
        self.inner.append_buffered(message).await
    }

    async fn flush(&self) -> Result<()> {
        self.check(Verb::Create, Target::All)?;
        self.inner.flush().await
    }

    async fn find(&self, id: PieceId) -> Result<Option<Piece>> {
        self.check(Verb::Read, Target::Piece(id))?;
        self.inner.find(id).await
    }

    async fn list(&self, filter: &PieceFilter, page: &PageRequest) -> Result<Page<Piece>> {
        self.check(Verb::Read, wanted(filter))?;
        self.inner.list(filter, page).await
    }

    async fn request_of(&self, response: PieceId) -> Result<Option<Message>> {
        self.check(Verb::Read, Target::Piece(response))?;
        self.inner.request_of(response).await
    }

    async fn set_labels(&self, pieces: &PieceSelection, labels: &Labels) -> Result<u64> {
        self.check(Verb::Update, selected(pieces))?;
        self.inner.set_labels(pieces, labels).await
    }

    async fn set_metadata(&self, pieces: &PieceSelection, metadata: &Metadata) -> Result<u64> {
        self.check(Verb::Update, selected(pieces))?;
        self.inner.set_metadata(pieces, metadata).await
    }

    async fn delete(&self, pieces: &[PieceId]) -> Result<u64> {
        self.check(Verb::Delete, these(pieces))?;
        self.inner.delete(pieces).await
    }

    async fn export(&self, filter: &PieceFilter, format: ExportFormat) -> Result<Export> {
        self.check(Verb::Read, wanted(filter))?;
        self.inner.export(filter, format).await
    }
}
