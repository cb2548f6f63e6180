//! What was said: prompt pieces, conversations, scores, embeddings, seeds, results of attacks and scenarios.

pub mod filter;
pub mod identifier;
pub mod message;
pub mod piece;
pub mod record;
pub mod term;

pub use filter::{ExportFormat, PieceFilter, PieceSelection};
pub use identifier::Identifier;
pub use message::{Appended, Message, NewMessage};
pub use piece::{Labels, Metadata, NewPiece, Piece, PieceValue};
pub use record::{ConversationRecord, ConversationStatistics, WholeConversation};
pub use term::{ChatRole, DataType, ResponseError};
