//! Hazards as they were found: where, how often, and what becomes of the rows.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::hazard::Hazard;
use crate::policy::{Policy, Treatment};
use crate::replacement::Replacement;

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
    /// What becomes of those rows; where not the same of all, of the one that fares worst.
    pub treatment: Treatment,
    /// What each policy for the column would do with it.
    pub policies: Vec<Outcome>,
    /// More about it, where the hazard's meaning does not say all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What a policy would do with a hazard.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// The policy.
    pub policy: Policy,
    /// What becomes of the row, at best.
    pub treatment: Treatment,
    /// The normalisations that come into question, for `replace`.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub by: &'static [Replacement],
}

impl Outcome {
    /// What each policy would do with `hazard`.
    pub fn all(hazard: Hazard) -> Vec<Outcome> {
        let of = |policy| {
            let (treatment, by) = hazard.outcome(policy);
            Outcome { policy, treatment, by }
        };
        Policy::ALL.iter().map(|(policy, _)| of(*policy)).collect()
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.by.is_empty() {
            return self.treatment.fmt(f);
        }
        let names: Vec<&str> = self.by.iter().map(|replacement| replacement.name()).collect();
        write!(f, "{} by {}", self.treatment, names.join(", "))
    }
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
            policies: Outcome::all(hazard),
            detail: None,
        });
        finding.count += 1;
        finding.treatment = worse(finding.treatment, treatment);
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
                    mine.treatment = worse(mine.treatment, finding.treatment);
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

/// Some values of a column can be mended and others not: the row that fares worst is the one to know of.
fn worse(a: Treatment, b: Treatment) -> Treatment {
    if (a as u8) < (b as u8) { b } else { a }
}
