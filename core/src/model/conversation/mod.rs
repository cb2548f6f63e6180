//! What was said: prompt pieces, conversations, scores, embeddings, seeds, results of attacks and scenarios.

pub mod analytics;
pub mod attack_identifier;
pub mod attack_result;
pub mod embedding;
pub mod filter;
pub mod filter_size;
pub mod identifier;
pub mod message;
pub mod name_pattern;
pub mod piece;
pub mod record;
pub mod scenario_result;
pub mod score;
pub mod seed;
pub mod term;

pub use attack_result::{AttackDetails, AttackOutcome, AttackResult, AttackResultFilter, NewAttackResult};
pub use embedding::{Embedding, NewEmbedding, SimilarPiece};
pub use filter::{ExportFormat, PieceFilter, PieceSelection};
pub use filter_size::MOST_VALUES;
pub use identifier::Identifier;
pub use message::{Appended, Message, NewMessage};
pub use name_pattern::NamePattern;
pub use piece::{Labels, Metadata, NewPiece, Piece, PieceValue};
pub use record::{ConversationRecord, ConversationStatistics, WholeConversation};
pub use scenario_result::{
    NewScenarioResult, ScenarioDetails, ScenarioProgress, ScenarioResult, ScenarioResultFilter,
    ScenarioState, ScenarioTransition,
};
pub use score::{NewScore, Score, ScoreDetails, ScoreFilter, ScoreType, ScoreValue};
pub use seed::{
    AddedSeed, AddedSeedGroup, NewSeed, NewSeedGroup, Seed, SeedDetails, SeedFilter, SeedGroup, SeedType,
};
pub use term::{ChatRole, DataType, ResponseError};
