//! What is called, on what.

use std::fmt;

use crate::config::Area;
use crate::id::{
    ApiKeyId, AttackResultId, ComponentId, ConversationId, DatasetId, DatasetPromptId, GroupId, PieceId,
    RoleId, ScenarioResultId, ScoreId, SeedGroupId, SeedId, SessionId, UserId,
};
use crate::model::Namespace;

/// Declares an enum of names.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [$name] = &[$($name::$variant),*];

            /// The name in permissions.
            pub const fn name(self) -> &'static str {
                match self {
                    $($name::$variant => $text,)*
                }
            }
        }
    };
}

named! {
    /// The repositories that can be called.
    Aggregate {
        /// [`Users`](crate::repository::Users).
        Users = "users",
        /// [`Roles`](crate::repository::Roles).
        Roles = "roles",
        /// [`Groups`](crate::repository::Groups).
        Groups = "groups",
        /// [`Assignments`](crate::repository::Assignments).
        Assignments = "assignments",
        /// [`ApiKeys`](crate::repository::ApiKeys).
        ApiKeys = "api_keys",
        /// [`Sessions`](crate::repository::Sessions).
        Sessions = "sessions",
        /// [`Settings`](crate::repository::Settings).
        Settings = "settings",
        /// [`Pieces`](crate::repository::Pieces).
        Pieces = "pieces",
        /// [`Conversations`](crate::repository::Conversations).
        Conversations = "conversations",
        /// [`Components`](crate::repository::Components).
        Components = "components",
        /// [`Datasets`](crate::repository::Datasets).
        Datasets = "datasets",
        /// [`Scores`](crate::repository::Scores).
        Scores = "scores",
        /// [`Embeddings`](crate::repository::Embeddings).
        Embeddings = "embeddings",
        /// [`Seeds`](crate::repository::Seeds).
        Seeds = "seeds",
        /// [`AttackResults`](crate::repository::AttackResults).
        AttackResults = "attack_results",
        /// [`ScenarioResults`](crate::repository::ScenarioResults).
        ScenarioResults = "scenario_results",
        /// [`Analytics`](crate::repository::Analytics).
        Analytics = "analytics",
        /// [`Content`](crate::repository::Content).
        Objects = "objects",
    }
}

impl Aggregate {
    /// The area it belongs to.
    pub const fn area(self) -> Area {
        match self {
            Aggregate::Users | Aggregate::Roles | Aggregate::Groups | Aggregate::Assignments => {
                Area::Identity
            }
            Aggregate::ApiKeys | Aggregate::Sessions | Aggregate::Settings => Area::Application,
            Aggregate::Pieces | Aggregate::Conversations => Area::Conversation,
            Aggregate::Components | Aggregate::Datasets => Area::Configuration,
            Aggregate::Scores
            | Aggregate::Embeddings
            | Aggregate::Seeds
            | Aggregate::AttackResults
            | Aggregate::ScenarioResults
            | Aggregate::Analytics => Area::Conversation,
            Aggregate::Objects => Area::Content,
        }
    }
}

named! {
    /// What is done. Several methods of a repository share a verb where whoever may call one may call the others.
    Verb {
        /// Makes a new one.
        Create = "create",
        /// Looks: find, list, get, what somebody has or may.
        Read = "read",
        /// Changes one.
        Update = "update",
        /// Removes one.
        Delete = "delete",
        /// Lets a user log in again.
        Enable = "enable",
        /// Keeps a user from logging in.
        Disable = "disable",
        /// Replaces a password.
        SetPassword = "set_password",
        /// Compares a password, an API key or a token. For the application: whoever presents one isn't known yet.
        Authenticate = "authenticate",
        /// Gives a role, or makes somebody a member.
        Assign = "assign",
        /// Takes it away.
        Unassign = "unassign",
        /// Replaces a secret.
        Rotate = "rotate",
        /// Gives secrets out in the clear.
        Reveal = "reveal",
        /// Makes a key or a session worthless.
        Revoke = "revoke",
        /// Removes what is over.
        Purge = "purge",
    }
}

/// On what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target<'a> {
    /// On all there are, or on one that isn't there yet.
    All,
    /// On a user, or on what belongs to it.
    User(UserId),
    /// On a role.
    Role(RoleId),
    /// On a group.
    Group(GroupId),
    /// On an API key.
    ApiKey(ApiKeyId),
    /// On a session.
    Session(SessionId),
    /// On a conversation, or on what belongs to it.
    Conversation(ConversationId),
    /// On a prompt piece.
    Piece(PieceId),
    /// On a component.
    Component(ComponentId),
    /// On a dataset, or on all of its prompts.
    Dataset(DatasetId),
    /// On a prompt of a dataset.
    DatasetPrompt(DatasetPromptId),
    /// On a score.
    Score(ScoreId),
    /// On a seed.
    Seed(SeedId),
    /// On a group of seeds.
    SeedGroup(SeedGroupId),
    /// On the result of an attack.
    AttackResult(AttackResultId),
    /// On the result of a scenario.
    ScenarioResult(ScenarioResultId),
    /// On what has this name, this key, or keys that begin so.
    Named(&'a str),
    /// On the object of this name, or on those whose names begin so.
    Object(Namespace, &'a str),
}

/// One call of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action<'a> {
    /// Which repository.
    pub aggregate: Aggregate,
    /// What is done.
    pub verb: Verb,
    /// On what.
    pub target: Target<'a>,
}

impl fmt::Display for Action<'_> {
    /// The name of the permission that [`RolePolicy`](super::RolePolicy) asks for: `identity.users:read`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}:{}", self.aggregate.area().name(), self.aggregate.name(), self.verb.name())
    }
}
