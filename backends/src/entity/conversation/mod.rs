//! What was said: prompt pieces, conversations, scores, embeddings, seeds, results of attacks and scenarios.

pub mod conversation;
pub mod prompt_piece;
pub mod tag;
