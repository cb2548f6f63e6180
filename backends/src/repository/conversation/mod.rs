//! What was said: prompt pieces, conversations, scores, embeddings, seeds, results of attacks and scenarios.

mod appending;
pub(crate) mod belongings;
mod buffer;
mod buffer_sink;
mod conversations;
mod copies;
mod export;
mod facets;
mod holding;
mod messages;
mod piece_conditions;
mod piece_rows;
mod pieces;
mod statistics;
pub(crate) mod tags;
mod whole;

pub use buffer::{Buffer, BufferSettings};
pub(crate) use buffer_sink::{Open, Tables};
pub use conversations::SqlConversations;
pub use pieces::SqlPieces;
