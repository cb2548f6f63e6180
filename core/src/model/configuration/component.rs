//! Components: generators, scorers and converters that a user has set up.

use serde_json::Value;

use super::Parameters;
use crate::id::ComponentId;
use crate::model::name;
use crate::{Result, Timestamp};

/// What a component's status is unless somebody says otherwise.
pub const READY: &str = "ready";

/// What a component is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ComponentKind {
    /// Answers prompts: a model behind an API, for one.
    Generator,
    /// Judges answers.
    Scorer,
    /// Rewrites prompts.
    Converter,
}

impl ComponentKind {
    /// All of them.
    pub const ALL: [ComponentKind; 3] =
        [ComponentKind::Generator, ComponentKind::Scorer, ComponentKind::Converter];

    /// Its name, as it is kept.
    pub const fn name(self) -> &'static str {
        match self {
            ComponentKind::Generator => "generator",
            ComponentKind::Scorer => "scorer",
            ComponentKind::Converter => "converter",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A component.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Component {
    /// Its id.
    pub id: ComponentId,
    /// What it is for; never changes.
    pub kind: ComponentKind,
    /// What the user calls it: unique among the tenant's components of this kind, byte for byte.
    pub name: String,
    /// Which implementation it is, such as `OpenAIChatTarget`.
    pub type_name: String,
    /// What it is set up with; secrets are redacted.
    pub parameters: Parameters,
    /// How it stands, in the application's words; [`READY`] at first.
    pub status: String,
    /// How its last test went.
    pub last_test: Option<TestResult>,
    /// 1 at first, one more with every change. Tests don't count.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// A component to be created.
#[derive(Debug, Clone, PartialEq)]
pub struct NewComponent {
    /// What it is for.
    pub kind: ComponentKind,
    /// What the user calls it.
    pub name: String,
    /// Which implementation it is.
    pub type_name: String,
    /// What it is set up with.
    pub parameters: Parameters,
    /// How it stands.
    pub status: String,
}

impl NewComponent {
    /// A component that is [`READY`] and has no parameters.
    pub fn named(kind: ComponentKind, name: impl Into<String>, type_name: impl Into<String>) -> Self {
        let (name, type_name) = (name.into(), type_name.into());
        Self { kind, name, type_name, parameters: Parameters::default(), status: READY.to_owned() }
    }

    /// The same with these parameters.
    #[must_use]
    pub fn with(self, parameters: Parameters) -> Self {
        Self { parameters, ..self }
    }

    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if name, type or status is empty or too long.
    pub fn validate(&self) -> Result<()> {
        name::check("the component's name", &self.name)?;
        name::check("the component's type", &self.type_name)?;
        name::check("the component's status", &self.status)
    }
}

/// How a test of a component went.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TestOutcome {
    /// Whether it did what it should.
    pub passed: bool,
    /// What to tell the user. It is kept as it is: don't quote secrets.
    pub message: Option<String>,
    /// What else is known, as JSON. It is kept as it is: don't quote secrets.
    pub details: Option<Value>,
}

/// How the last test of a component went, and when.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TestResult {
    /// When it was recorded.
    pub tested_at: Timestamp,
    /// Whether the component did what it should.
    pub passed: bool,
    /// What to tell the user.
    pub message: Option<String>,
    /// What else is known, as JSON.
    pub details: Option<Value>,
}

/// Which components: those for which all that is given holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ComponentFilter {
    /// Of this kind.
    pub kind: Option<ComponentKind>,
    /// Of this type, byte for byte.
    pub type_name: Option<String>,
    /// Of this status, byte for byte.
    pub status: Option<String>,
}
