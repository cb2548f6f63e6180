//! What was said.

pub mod attack_results;
pub mod embeddings;
mod given;
pub mod scenario_results;
pub mod scores;
pub mod seeds;
