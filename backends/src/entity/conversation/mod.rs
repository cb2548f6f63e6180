//! What was said: prompt pieces, conversations, scores, embeddings, seeds, results of attacks and scenarios.

pub mod attack_result;
#[allow(clippy::module_inception, reason = "a table is called as its area")]
pub mod conversation;
pub mod embedding;
pub mod prompt_piece;
pub mod scenario_result;
pub mod score;
pub mod seed;
pub mod tag;
