//! Prompt pieces and messages.

use std::fmt::Debug;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

use crate::id::PieceId;
use crate::model::{
    Appended, ExportFormat, Labels, Message, Metadata, NewMessage, Piece, PieceFilter, PieceSelection,
};
use crate::{Page, PageRequest, Result};

/// An export as it comes: chunks of bytes, one after the other the whole. The first error is the last item.
pub type Export = BoxStream<'static, Result<Bytes>>;

/// Prompt pieces and messages. What holds for every call is said in [the module](crate::repository).
#[async_trait]
pub trait Pieces: Debug + Send + Sync {
    /// Appends a message to its conversation, which is made if it isn't there, at the sequence that comes next. Of any
    /// number of callers that append to the same conversation each gets a sequence of its own, and none is left out: also a call that
    /// fails takes none.
    ///
    /// Outside a unit of work it is tried again where the engine has others before it; within one that dooms the unit.
    ///
    /// # Errors
    /// `Invalid` for a message without parts, with parts of different roles, or with an identifier that can't be written.
    /// `Conflict` if the id of a part is taken.
    async fn append(&self, message: NewMessage) -> Result<Message>;

    /// Appends many messages to any number of conversations: all or none, in the order given, so that of each conversation the
    /// messages have sequences that follow one another. Says where each came to be, in the same order. The engine's fast way in.
    ///
    /// # Errors
    /// As for [`Self::append`].
    async fn append_all(&self, messages: Vec<NewMessage>) -> Result<Vec<Appended>>;

    /// Puts a message aside to be appended soon, with others in one go, and returns the ids of its parts. What is wrong with the message
    /// by itself is said at once.
    ///
    /// It is appended, at the latest, when the configured delay has passed (`tenants.buffer_delay`), and before: when the configured size is
    /// reached (`tenants.buffer_size`), at [`Self::flush`], when the stores are closed, and before every call of this area's repositories
    /// of this tenant that would see it or stands in an order with it. Whoever reads the conversation, or appends to it at once, finds what was
    /// put aside before. Parts get their ids and times here, and their sequence when they are appended: messages of one conversation keep
    /// the order in which this process put them aside. All handles of a tenant share what waits.
    ///
    /// Until it is appended it is in the memory of this process alone. **If the process dies, what waits is lost**: at most what
    /// came within the configured delay, and no more than the configured size and one message. Nobody ever sees a part of a message, and
    /// nothing that a flush returned for is lost. Other processes and units of work see only what is appended.
    ///
    /// A flush that fails in the background is not forgotten. Its messages wait in their place, and are tried again after the same delay
    /// and at every flush. The error comes out of the next call of this tenant's that puts something aside, flushes, or would see
    /// these messages, once, even if they were appended meanwhile; and of closing the stores. As long as as much waits as may, this call
    /// tries a flush first and fails with its error.
    /// A message that never can be appended, because an id is taken meanwhile, is let go, alone, with `Conflict` in the same
    /// way. One that was appended although the engine could not say so is not appended twice.
    ///
    /// # Errors
    /// As for [`Self::append`], but for a taken id; the error of a flush, this one's or an earlier one's. The message is then not
    /// taken. `Invalid` within a unit of work: it would outlive it. `Unavailable` once the stores are closed.
    async fn append_buffered(&self, message: NewMessage) -> Result<Vec<PieceId>>;

    /// Appends all that was put aside for this tenant by this process, and returns when it is durable.
    ///
    /// # Errors
    /// Of this flush or of one before it that nobody was told of. `Invalid` within a unit of work.
    async fn flush(&self) -> Result<()>;

    /// The piece of this id.
    async fn find(&self, id: PieceId) -> Result<Option<Piece>>;

    /// A page of the pieces that meet the filter, in the order of ids. Pieces that got their ids here have those of
    /// their creation; pieces that brought one have another.
    ///
    /// # Errors
    /// `Invalid` if the cursor isn't one of this list.
    async fn list(&self, filter: &PieceFilter, page: &PageRequest) -> Result<Page<Piece>>;

    /// The message that the piece's message is the response to: the one before it in the conversation; `None` if there is none.
    ///
    /// # Errors
    /// `NotFound` if there is no such piece. `Invalid` if it is no answer: nobody was asked for it.
    async fn request_of(&self, response: PieceId) -> Result<Option<Message>>;

    /// Puts these labels in the place of all that the pieces have. Returns how many pieces there were.
    async fn set_labels(&self, pieces: &PieceSelection, labels: &Labels) -> Result<u64>;

    /// Puts this metadata in the place of all that the pieces have. Returns how many pieces there were.
    async fn set_metadata(&self, pieces: &PieceSelection, metadata: &Metadata) -> Result<u64>;

    /// Deletes pieces, with all that belongs to them, for good. Returns how many there were. The sequences of other messages stay.
    async fn delete(&self, pieces: &[PieceId]) -> Result<u64>;

    /// The pieces of a conversation, or all, of which there may be any number, as a file: those that [`Self::list`] gives, in
    /// its order. Memory stays bounded by a few megabytes and the largest piece. Outside a unit of work pieces that come meanwhile are
    /// in it if their ids are greater than the last that was written.
    ///
    /// A row that can't be decoded is an error, which ends the export: what was written until then is not the whole.
    async fn export(&self, filter: &PieceFilter, format: ExportFormat) -> Result<Export>;
}
