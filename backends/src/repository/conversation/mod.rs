//! What was said: prompt pieces, conversations, scores, embeddings, seeds, results of attacks and scenarios.

mod again;
mod attack_conditions;
mod attack_results;
mod attack_rows;
mod conditions;
mod documents;
mod embeddings;
mod hold;
mod scenario_attacks;
mod scenario_results;
mod scenario_rows;
mod scores;
mod seed_additions;
mod seed_rows;
mod seeds;
pub(crate) mod tags;

pub use attack_results::SqlAttackResults;
pub use embeddings::SqlEmbeddings;
pub use scenario_results::SqlScenarioResults;
pub use scores::SqlScores;
pub use seeds::SqlSeeds;
