//! What can go wrong with a value on its way, found before anything is written.

use std::collections::BTreeMap;
use std::fmt;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What is done with a row that has a hazard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// Nothing is moved until the hazard is gone or another policy is chosen.
    #[default]
    Reject,
    /// The whole row is kept beside the target, with the reason.
    Quarantine,
    /// Text is kept by the reversible codec; what the codec can't carry is quarantined.
    Escape,
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Policy::Reject => "reject",
            Policy::Quarantine => "quarantine",
            Policy::Escape => "escape",
        })
    }
}

/// A kind of hazard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hazard {
    /// U+0000 in text, which Postgres can't hold.
    NulInText,
    /// Text that is no UTF-8.
    InvalidUtf8,
    /// `NaN` or `Infinity` where JSON wants a number.
    JsonNan,
    /// Text in a JSON column that is not JSON.
    InvalidJson,
    /// `\u0000` inside a JSON string: kept exactly as `json`, but `->>` and `jsonb` fail on it.
    JsonNul,
    /// A value of another storage class than its column's type, or text that does not say such a value.
    WrongType,
    /// A date, time or number beyond what the target's type holds.
    OutOfRange,
    /// A moment finer than a microsecond, or a number that the target's type would round.
    Inexact,
    /// NULL where the target's key allows none.
    NullInKey,
    /// A value greater than the target can take.
    TooLarge,
    /// A reference to a row that the source does not have.
    Orphan,
    /// A reference to a row that is itself quarantined.
    Parent,
    /// A name of more bytes than the target keeps.
    NameTooLong,
    /// Two things that would have one name on the target.
    NameCollision,
    /// A table of that name that already holds rows, or whose columns differ.
    TargetOccupied,
}

impl Hazard {
    /// What it is, for people.
    pub const fn meaning(self) -> &'static str {
        match self {
            Hazard::NulInText => "NUL in text",
            Hazard::InvalidUtf8 => "text is not UTF-8",
            Hazard::JsonNan => "NaN or Infinity in JSON",
            Hazard::InvalidJson => "not JSON",
            Hazard::JsonNul => "\\u0000 in JSON",
            Hazard::WrongType => "value of another type than its column",
            Hazard::OutOfRange => "out of the target type's range",
            Hazard::Inexact => "finer than the target type",
            Hazard::NullInKey => "NULL in a key or NOT NULL column",
            Hazard::TooLarge => "larger than the target takes",
            Hazard::Orphan => "refers to a row that does not exist",
            Hazard::Parent => "refers to a row that does not move",
            Hazard::NameTooLong => "name too long",
            Hazard::NameCollision => "names collide",
            Hazard::TargetOccupied => "target table is not empty, or is another table",
        }
    }

    /// Whether the text codec carries it.
    pub const fn is_escapable(self) -> bool {
        matches!(self, Hazard::NulInText | Hazard::InvalidUtf8 | Hazard::JsonNan | Hazard::InvalidJson)
    }

    /// Whether it is only worth knowing: the value moves exactly.
    pub const fn is_note(self) -> bool {
        matches!(self, Hazard::JsonNul)
    }

    /// Whether it is about names and tables rather than rows, so that no row policy helps.
    pub const fn is_structural(self) -> bool {
        matches!(self, Hazard::NameTooLong | Hazard::NameCollision | Hazard::TargetOccupied)
    }

    /// What becomes of it under `policy`.
    pub const fn treatment(self, policy: Policy) -> Treatment {
        if self.is_note() {
            return Treatment::Moves;
        }
        if self.is_structural() {
            return Treatment::Rejects;
        }
        match policy {
            Policy::Reject => Treatment::Rejects,
            Policy::Escape if self.is_escapable() => Treatment::Escapes,
            Policy::Quarantine | Policy::Escape => Treatment::Quarantines,
        }
    }

    /// What to do about it.
    pub const fn advice(self) -> &'static str {
        match self {
            Hazard::NameTooLong | Hazard::NameCollision => {
                "write the plan with `plan -o`, give it another `target` name there, and pass `--plan`"
            }
            Hazard::TargetOccupied => {
                "empty or rename that table, choose another --schema, or leave it out with --exclude"
            }
            Hazard::JsonNul => "nothing: the document moves exactly; only `->>` and `jsonb` refuse it",
            _ => "choose --on-hazard quarantine or escape, or a policy for the column in the plan",
        }
    }
}

/// What becomes of a row with a hazard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Treatment {
    /// It moves as it is.
    Moves,
    /// It moves by the codec.
    Escapes,
    /// It is kept beside the target.
    Quarantines,
    /// It stops the run before anything is written.
    Rejects,
}

impl fmt::Display for Treatment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Treatment::Moves => "moves",
            Treatment::Escapes => "escaped",
            Treatment::Quarantines => "quarantined",
            Treatment::Rejects => "rejects",
        })
    }
}

/// How many keys a finding names.
const FIRST_KEYS: usize = 5;

/// One kind of hazard in one column: how often, and where first.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// The table, as people write it.
    pub table: String,
    /// The column; none for a hazard of the table as a whole.
    pub column: Option<String>,
    /// What it is.
    pub hazard: Hazard,
    /// In how many rows.
    pub count: u64,
    /// The keys of the first rows, or what else tells them apart.
    pub first_keys: Vec<String>,
    /// What becomes of those rows.
    pub treatment: Treatment,
    /// More about it, where the hazard's meaning does not say all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Findings being collected.
#[derive(Debug, Clone, Default)]
pub struct Findings(BTreeMap<(String, Option<String>, Hazard), Finding>);

impl Findings {
    /// Counts one row; `key` is asked for only while keys are still wanted.
    pub fn add(
        &mut self,
        table: &str,
        column: Option<&str>,
        hazard: Hazard,
        treatment: Treatment,
        key: impl FnOnce() -> String,
    ) -> &mut Finding {
        let entry = (table.to_owned(), column.map(str::to_owned), hazard);
        let finding = self.0.entry(entry).or_insert_with(|| Finding {
            table: table.to_owned(),
            column: column.map(str::to_owned),
            hazard,
            count: 0,
            first_keys: Vec::new(),
            treatment,
            detail: None,
        });
        finding.count += 1;
        if finding.first_keys.len() < FIRST_KEYS {
            finding.first_keys.push(key());
        }
        finding
    }

    /// Adds findings of a later part of the same source.
    pub fn merge(&mut self, later: Findings) {
        for (entry, finding) in later.0 {
            match self.0.get_mut(&entry) {
                Some(mine) => {
                    mine.count += finding.count;
                    let wanted = FIRST_KEYS.saturating_sub(mine.first_keys.len());
                    mine.first_keys.extend(finding.first_keys.into_iter().take(wanted));
                }
                None => {
                    self.0.insert(entry, finding);
                }
            }
        }
    }

    /// All of them, by table, column and kind.
    pub fn into_vec(self) -> Vec<Finding> {
        self.0.into_values().collect()
    }
}
