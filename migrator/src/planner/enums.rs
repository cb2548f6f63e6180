//! ENUM columns: their labels, and the enum types that they get.

use std::collections::HashSet;

use trimaran_core::{Engine, LogicalType};

use crate::choices::Enums;
use crate::plan::Plan;

/// The labels of an ENUM as DuckDB declares it, in order.
fn labels(declared: &str) -> Option<Vec<String>> {
    let mut rest = declared.strip_prefix("ENUM(")?.strip_suffix(')')?;
    let mut labels = Vec::new();
    while !rest.is_empty() {
        rest = rest.strip_prefix('\'')?;
        let mut label = String::new();
        loop {
            let end = rest.find('\'')?;
            label.push_str(&rest[..end]);
            rest = &rest[end + 1..];
            match rest.strip_prefix('\'') {
                Some(after) => {
                    label.push('\'');
                    rest = after;
                }
                None => break,
            }
        }
        labels.push(label);
        rest = rest.strip_prefix(", ").unwrap_or(rest);
    }
    Some(labels)
}

/// Gives the columns of a plan their labels. Columns of the same labels get one type, so that foreign keys can join them.
pub(super) fn plan_enums(plan: &mut Plan, choice: Enums) {
    if plan.source != Engine::Duckdb || choice == Enums::Text {
        return;
    }
    let mut taken: HashSet<(String, String)> =
        plan.tables.iter().map(|t| (t.target_schema.clone(), t.target.clone())).collect();
    let mut types: Vec<(String, Vec<String>, String)> = Vec::new();
    for table in &mut plan.tables {
        for column in &mut table.columns {
            let Some(labels) = labels(&column.source).filter(|_| column.logical == LogicalType::Text) else {
                continue;
            };
            // Such a text can't be in the target's SQL, or is written by the codec.
            if labels.iter().any(|label| label.contains(['\0', '\u{1a}'])) {
                continue;
            }
            // Postgres keeps 63 bytes of a label.
            let short = labels.iter().all(|label| label.len() <= 63);
            if choice == Enums::Type && plan.target == Engine::Postgres && short {
                let known =
                    types.iter().find(|(schema, l, _)| *schema == table.target_schema && *l == labels);
                let name = match known {
                    Some((.., name)) => name.clone(),
                    None => {
                        let base = format!("{}_{}", table.target, column.target);
                        let base = &base[..base.floor_char_boundary(54)];
                        let names = (1u32..).map(|n| match n {
                            1 => format!("{base}_enum"),
                            n => format!("{base}_enum{n}"),
                        });
                        let schema = &table.target_schema;
                        let mut free = names.filter(|name| !taken.contains(&(schema.clone(), name.clone())));
                        let name = free.next().unwrap_or_default();
                        taken.insert((schema.clone(), name.clone()));
                        types.push((schema.clone(), labels.clone(), name.clone()));
                        name
                    }
                };
                column.enum_type = Some(name);
            }
            column.labels = labels;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_through_their_quotes() {
        let read = labels("ENUM('a', 'it''s', ', ', ')', '')").unwrap();
        assert_eq!(read, ["a", "it's", ", ", ")", ""]);
        assert_eq!(labels("VARCHAR"), None);
        assert_eq!(labels("ENUM('a', 'b')[]"), None);
    }
}
