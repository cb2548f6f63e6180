//! Which column is what.

use serde_json::{Map, Value};
use trimaran_core::Result;
use trimaran_core::model::NewDatasetPrompt;

use super::unfit;

/// Which columns of a file make a prompt. Columns of JSON Lines are the members of each line's object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The column with the text: every record must have text in it.
    pub text: String,
    /// What becomes the prompt's metadata.
    pub metadata: Metadata,
}

/// What becomes a prompt's metadata: a JSON object with a member per column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Metadata {
    /// Nothing.
    None,
    /// These columns. A record of JSON Lines may lack one.
    Columns(Vec<String>),
    /// All columns but the text's.
    All,
}

impl Mapping {
    /// The text from this column, no metadata.
    pub fn of(text: impl Into<String>) -> Self {
        Self { text: text.into(), metadata: Metadata::None }
    }

    /// The same with metadata from these columns.
    #[must_use]
    pub fn with_metadata<T: Into<String>>(self, columns: impl IntoIterator<Item = T>) -> Self {
        Self { metadata: Metadata::Columns(columns.into_iter().map(Into::into).collect()), ..self }
    }

    /// The same with metadata from all other columns.
    #[must_use]
    pub fn with_all_metadata(self) -> Self {
        Self { metadata: Metadata::All, ..self }
    }

    /// Whether the column is read.
    pub(super) fn takes(&self, column: &str) -> bool {
        column == self.text || self.takes_as_metadata(column)
    }

    fn takes_as_metadata(&self, column: &str) -> bool {
        match &self.metadata {
            Metadata::None => false,
            Metadata::Columns(columns) => columns.iter().any(|wanted| wanted == column),
            Metadata::All => column != self.text,
        }
    }

    /// Makes sure that a file with a header has every column that is asked for, and none of them twice.
    ///
    /// # Errors
    /// `Invalid`, naming the column.
    pub(super) fn check_header(&self, header: &[String]) -> Result<()> {
        let named = match &self.metadata {
            Metadata::Columns(columns) => columns.as_slice(),
            Metadata::None | Metadata::All => &[],
        };
        for wanted in std::iter::once(&self.text).chain(named) {
            match header.iter().filter(|column| *column == wanted).count() {
                1 => {}
                0 => return Err(unfit("the header", format!("there is no column {wanted:?}"))),
                _ => return Err(unfit("the header", format!("there are several columns {wanted:?}"))),
            }
        }
        let mut seen = std::collections::HashSet::new();
        match header.iter().filter(|column| self.takes(column)).all(|column| seen.insert(column)) {
            true => Ok(()),
            false => Err(unfit("the header", "a column's name is there twice")),
        }
    }

    /// The prompt that a record makes; `place` says which record it is.
    ///
    /// # Errors
    /// `Invalid`, naming the place, if there is no text.
    pub(super) fn prompt(
        &self,
        place: impl std::fmt::Display,
        mut record: Map<String, Value>,
    ) -> Result<NewDatasetPrompt> {
        // A column may be both the text and metadata.
        let text = match record.get(&self.text) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) => return Err(unfit(place, format!("the column {:?} is null", self.text))),
            Some(_) => return Err(unfit(place, format!("the column {:?} is no text", self.text))),
            None => return Err(unfit(place, format!("there is no column {:?}", self.text))),
        };
        record.retain(|column, _| self.takes_as_metadata(column));
        Ok(NewDatasetPrompt { text, metadata: Value::Object(record) })
    }
}
