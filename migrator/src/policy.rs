//! What is done with a value that the target can't hold as it is, and what that makes of its row.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is done with a row that has a hazard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Nothing is moved until the hazard is gone or another policy is chosen.
    #[default]
    Reject,
    /// The whole row is kept beside the target, with the reason.
    Quarantine,
    /// Text is kept by the reversible codec; what the codec can't carry is quarantined.
    Escape,
    /// A value with a hazard is replaced as the column's normalisation says, which loses something; what it can't mend is
    /// quarantined.
    Replace,
    /// The target's column is text, and holds the text of each value.
    AsText,
    /// The target's column is bytes, and holds those of each value.
    AsBytes,
}

impl Policy {
    /// All of them, by the names that plans have for them.
    pub const ALL: [(Policy, &'static str); 6] = [
        (Policy::Reject, "reject"),
        (Policy::Quarantine, "quarantine"),
        (Policy::Escape, "escape"),
        (Policy::Replace, "replace"),
        (Policy::AsText, "as_text"),
        (Policy::AsBytes, "as_bytes"),
    ];

    /// Its name in plans.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(policy, _)| *policy == self).map_or("", |(_, name)| name)
    }

    /// Reads the policy for all columns: one that can be chosen without a look at each.
    ///
    /// # Errors
    /// What to write instead.
    pub fn for_all(name: &str) -> Result<Self, String> {
        match Self::ALL.iter().find(|(_, known)| *known == name.replace('-', "_")) {
            Some((policy @ (Policy::Reject | Policy::Quarantine | Policy::Escape), _)) => Ok(*policy),
            Some((policy, _)) => Err(format!(
                "{policy} is chosen for single columns: write a plan with `trimaran migrate plan -o FILE`, edit its \
                 `on_hazard` there, and pass --plan FILE"
            )),
            None => Err("one of reject, quarantine, escape".to_owned()),
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What becomes of a row with a hazard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// It moves as it is.
    Moves,
    /// It moves by the codec.
    Escapes,
    /// It moves with another value, and something is lost.
    Replaces,
    /// The column is text, which holds it.
    AsText,
    /// The column is bytes, which hold it.
    AsBytes,
    /// It is kept beside the target.
    Quarantines,
    /// It stops the run before anything is written.
    Rejects,
}

impl fmt::Display for Treatment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Treatment::Moves => "moves exactly",
            Treatment::Escapes => "escaped",
            Treatment::Replaces => "replaced",
            Treatment::AsText => "kept as text",
            Treatment::AsBytes => "kept as bytes",
            Treatment::Quarantines => "quarantined",
            Treatment::Rejects => "rejected",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_of_single_columns_say_where_they_are_chosen() {
        assert_eq!(Policy::for_all("escape"), Ok(Policy::Escape));
        for name in ["replace", "as_text", "as-bytes"] {
            assert!(Policy::for_all(name).unwrap_err().contains("plan -o"), "{name}");
        }
        assert!(Policy::for_all("ignore").unwrap_err().contains("quarantine"));
    }

    #[test]
    fn every_policy_has_the_name_that_plans_have_for_it() {
        for (policy, name) in Policy::ALL {
            assert_eq!(serde_json::to_value(policy).unwrap(), name);
        }
    }
}
