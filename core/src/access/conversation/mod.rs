//! What was said, asking before each call.

pub(super) mod analytics;
pub(super) mod attack_results;
pub(super) mod conversations;
pub(super) mod embeddings;
pub(super) mod pieces;
pub(super) mod scenario_results;
pub(super) mod scores;
pub(super) mod seeds;
