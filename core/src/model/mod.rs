//! What repositories take and give: plain structs, a folder per area.
//!
//! Text is any Rust string, U+0000 and hostile text included, and comes back as it was given: nothing is trimmed, folded or
//! normalised, so that two people are never taken for one. Only what is looked up by ([`name`]) has a greatest length.

pub mod application;
pub mod configuration;
pub mod content;
pub mod conversation;
pub mod identity;
pub mod name;
pub mod sha256;

pub use application::{ApiKey, IssuedApiKey, IssuedSession, NewApiKey, NewSession, Session, Setting};
pub use configuration::{
    Component, ComponentFilter, ComponentKind, Dataset, DatasetPrompt, NewComponent, NewDataset,
    NewDatasetPrompt, Parameters, PromptPlace, TestOutcome, TestResult,
};
pub use content::{
    Body, ByteStream, Condition, ETag, Namespace, NewObject, Object, ObjectInfo, ObjectVersion, Swept,
};
pub use conversation::{
    AddedSeed, AddedSeedGroup, AttackDetails, AttackOutcome, AttackResult, AttackResultFilter, Embedding,
    NamePattern, NewAttackResult, NewEmbedding, NewScenarioResult, NewScore, NewSeed, NewSeedGroup,
    ScenarioDetails, ScenarioProgress, ScenarioResult, ScenarioResultFilter, ScenarioState,
    ScenarioTransition, Score, ScoreDetails, ScoreFilter, ScoreType, ScoreValue, Seed, SeedDetails,
    SeedFilter, SeedGroup, SeedType, SimilarPiece,
};
pub use conversation::{
    Appended, ChatRole, ConversationRecord, ConversationStatistics, DataType, ExportFormat, Identifier,
    Labels, Message, Metadata, NewMessage, NewPiece, Piece, PieceFilter, PieceSelection, PieceValue,
    ResponseError, WholeConversation,
};
pub use identity::{Group, NewGroup, NewRole, NewUser, Permission, Role, Subject, User};
pub use sha256::Sha256;
