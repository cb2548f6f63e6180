//! The repositories of conversation, asking before each call.

pub(super) mod attack_results;
pub(super) mod embeddings;
pub(super) mod scenario_results;
pub(super) mod scores;
pub(super) mod seeds;
