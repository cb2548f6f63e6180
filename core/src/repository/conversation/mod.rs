//! What was said: prompt pieces, conversations, scores, embeddings, seeds, results of attacks and scenarios.
//!
//! What belongs to a piece (labels, metadata, scores, embeddings) goes with it. Scores are of the *original* piece: a
//! duplicate has those of the piece it is a duplicate of, and taking the duplicate away takes none of them.

use std::sync::Arc;

pub mod analytics;
pub mod attack_results;
pub mod conversations;
pub mod embeddings;
pub mod pieces;
pub mod scenario_results;
pub mod scores;
pub mod seeds;

pub use analytics::Analytics;
pub use attack_results::{AttackResults, AttackResultsExt};
pub use conversations::Conversations;
pub use embeddings::Embeddings;
pub use pieces::{Export, Pieces};
pub use scenario_results::ScenarioResults;
pub use scores::{Scores, ScoresExt};
pub use seeds::Seeds;

/// The repositories of the area, for one tenant, over one connection or within one unit of work. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// Scores.
    pub scores: Arc<dyn Scores>,
    /// Embeddings.
    pub embeddings: Arc<dyn Embeddings>,
    /// Seeds and groups of them.
    pub seeds: Arc<dyn Seeds>,
    /// Results of attacks.
    pub attack_results: Arc<dyn AttackResults>,
    /// Results of scenarios.
    pub scenario_results: Arc<dyn ScenarioResults>,
    /// Prompt pieces and messages.
    pub pieces: Arc<dyn Pieces>,
    /// Conversations.
    pub conversations: Arc<dyn Conversations>,
    /// Figures about them.
    pub analytics: Arc<dyn Analytics>,
}
