//! What was said: prompt pieces, conversations, scores, embeddings, seeds, results of attacks and scenarios.
//!
//! What belongs to a piece (labels, metadata, scores, embeddings) goes with it. Scores are of the *original* piece: a
//! duplicate has those of the piece it is a duplicate of, and taking the duplicate away takes none of them.

use std::sync::Arc;

pub mod conversations;
pub mod pieces;

pub use conversations::Conversations;
pub use pieces::{Export, Pieces};

/// The repositories of the area, for one tenant, over one connection or within one unit of work. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// Prompt pieces and messages.
    pub pieces: Arc<dyn Pieces>,
    /// Conversations.
    pub conversations: Arc<dyn Conversations>,
}
