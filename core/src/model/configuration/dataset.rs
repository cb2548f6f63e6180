//! Datasets and the prompts in them.

use serde_json::{Map, Value};

use super::{READY, document};
use crate::id::{DatasetId, DatasetPromptId};
use crate::model::name;
use crate::{Result, Timestamp};

/// A dataset: a list of prompts under a name.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Dataset {
    /// Its id.
    pub id: DatasetId,
    /// What the user calls it: unique among the tenant's datasets, byte for byte.
    pub name: String,
    /// Where its prompts come from, in the application's words.
    pub source_type: String,
    /// How they are had from there, as JSON. It is kept as it is: no place for secrets.
    pub configuration: Value,
    /// What else is known, as JSON.
    pub metadata: Value,
    /// How it stands, in the application's words; [`READY`] at first.
    pub status: String,
    /// 1 at first, one more with every [update](crate::repository::Datasets::update). Its prompts don't count.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was updated last.
    pub updated_at: Timestamp,
}

/// A dataset to be created, without prompts.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDataset {
    /// What the user calls it.
    pub name: String,
    /// Where its prompts come from.
    pub source_type: String,
    /// How they are had from there, as JSON.
    pub configuration: Value,
    /// What else is known, as JSON.
    pub metadata: Value,
    /// How it stands.
    pub status: String,
}

impl NewDataset {
    /// A dataset that is [`READY`], with neither configuration nor metadata.
    pub fn named(name: impl Into<String>, source_type: impl Into<String>) -> Self {
        let empty = || Value::Object(Map::new());
        Self {
            name: name.into(),
            source_type: source_type.into(),
            configuration: empty(),
            metadata: empty(),
            status: READY.to_owned(),
        }
    }

    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if name, source type or status is empty or too long, or JSON is nested
    /// [too deep](document::MAX_DEPTH).
    pub fn validate(&self) -> Result<()> {
        name::check("the dataset's name", &self.name)?;
        name::check("the dataset's source type", &self.source_type)?;
        name::check("the dataset's status", &self.status)?;
        document::check("the dataset's configuration", &self.configuration)?;
        document::check("the dataset's metadata", &self.metadata)
    }
}

/// A prompt of a dataset.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DatasetPrompt {
    /// Its id.
    pub id: DatasetPromptId,
    /// The dataset it is in.
    pub dataset: DatasetId,
    /// Its place: prompts stand in the order of these numbers, which have gaps and change when prompts are moved.
    pub position: i64,
    /// What it says.
    pub text: String,
    /// What else is known, as JSON.
    pub metadata: Value,
    /// When it came into the dataset.
    pub created_at: Timestamp,
}

/// A prompt to be put into a dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDatasetPrompt {
    /// What it says: any text of any length, the empty one included.
    pub text: String,
    /// What else is known, as JSON.
    pub metadata: Value,
}

impl NewDatasetPrompt {
    /// A prompt without metadata.
    pub fn of(text: impl Into<String>) -> Self {
        Self { text: text.into(), metadata: Value::Object(Map::new()) }
    }

    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if the metadata is nested [too deep](document::MAX_DEPTH).
    pub fn validate(&self) -> Result<()> {
        document::check("the prompt's metadata", &self.metadata)
    }
}

/// Where to move a prompt in its dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptPlace {
    /// Before all others.
    First,
    /// After all others.
    Last,
    /// Right before this one.
    Before(DatasetPromptId),
    /// Right after this one.
    After(DatasetPromptId),
}
