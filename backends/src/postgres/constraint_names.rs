//! Names for constraints and indexes: deterministic, within Postgres's limit, unique in their table.

use std::collections::HashSet;

use trimaran_core::digest;

use crate::catalog::{ForeignKey, Key};
use crate::dialect::TableDefinition;

/// The longest name in bytes that Postgres keeps (`NAMEDATALEN` − 1); it cuts longer ones, in the middle of a
/// character if need be.
pub(super) const MAX_NAME_BYTES: usize = 63;

/// How many hexadecimal digits of a name's hash stand in for what was cut off.
const HASH_DIGITS: usize = 8;

/// The name as it is where it fits; else as much of it as does, and a hash of the whole.
pub(super) fn shortened(name: &str) -> String {
    if name.len() <= MAX_NAME_BYTES {
        return name.to_owned();
    }
    let hash = digest::hex(&digest::sha256(name.as_bytes()));
    let kept = name.floor_char_boundary(MAX_NAME_BYTES - HASH_DIGITS - 1);
    format!("{}_{}", &name[..kept], &hash[..HASH_DIGITS])
}

/// The names of a table's foreign keys, in order: its own where it has one that fits and no other constraint of the table
/// takes it, else `table_columns_fkey`, as Postgres would call it.
pub(super) fn foreign_keys(table: &TableDefinition) -> Vec<String> {
    let others = table.primary_key.iter().chain(&table.unique).filter_map(|key| key.name.clone());
    let mut taken: HashSet<String> = others.collect();
    table
        .foreign_keys
        .iter()
        .map(|key| {
            let name = own(key)
                .filter(|name| !taken.contains(*name))
                .map(str::to_owned)
                .or_else(|| {
                    let base = format!("{}_{}_fkey", table.name.name, key.columns.join("_"));
                    // There are fewer keys than numbers, so one is free.
                    let numbered = (1u32..).map(|n| if n == 1 { base.clone() } else { format!("{base}{n}") });
                    numbered.map(|name| shortened(&name)).find(|name| !taken.contains(name))
                })
                .unwrap_or_default();
            taken.insert(name.clone());
            name
        })
        .collect()
}

/// The name of a table's primary key: its own where that fits, else `table_pkey`, as Postgres would call it: so much of the table's
/// name as leaves room for the rest.
pub(super) fn primary_key(table: &TableDefinition, key: &Key) -> String {
    const SUFFIX: &str = "_pkey";
    let name = &table.name.name;
    let kept = name.floor_char_boundary(MAX_NAME_BYTES - SUFFIX.len());
    key.name.clone().filter(|name| fits(name)).unwrap_or_else(|| format!("{}{SUFFIX}", &name[..kept]))
}

fn own(key: &ForeignKey) -> Option<&str> {
    key.name.as_deref().filter(|name| fits(name))
}

/// Whether Postgres would keep the name whole.
pub(super) fn fits(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_NAME_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{ReferentialAction, TableName};

    fn key(name: Option<&str>, column: &str) -> ForeignKey {
        ForeignKey {
            name: name.map(str::to_owned),
            columns: vec![column.to_owned()],
            referenced: TableName::new("public", "p"),
            referenced_columns: vec!["id".to_owned()],
            on_delete: ReferentialAction::NoAction,
            on_update: ReferentialAction::NoAction,
            deferred: false,
        }
    }

    #[test]
    fn a_long_name_is_cut_between_characters_and_stays_its_own() {
        let (a, b) = (shortened(&format!("{}a", "é".repeat(40))), shortened(&format!("{}b", "é".repeat(40))));
        assert!(a.len() <= MAX_NAME_BYTES && b.len() <= MAX_NAME_BYTES);
        assert_ne!(a, b);
        assert_eq!(shortened("short"), "short");
        assert_eq!(shortened(&"x".repeat(63)), "x".repeat(63));
    }

    #[test]
    fn foreign_keys_of_one_table_never_share_a_name() {
        let long = "c".repeat(80);
        let table = TableDefinition {
            name: TableName::new("public", "t"),
            columns: vec![],
            primary_key: None,
            unique: vec![crate::catalog::Key { name: Some("taken".into()), columns: vec!["a".into()] }],
            foreign_keys: vec![
                key(Some("mine"), "a"),
                key(Some("mine"), "a"),
                key(None, "a"),
                key(Some("taken"), "b"),
                key(Some(&long), &long),
                key(None, &long),
            ],
            indexes: vec![],
        };
        let names = foreign_keys(&table);
        assert_eq!(names[..4], ["mine", "t_a_fkey", "t_a_fkey2", "t_b_fkey"]);
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
        assert!(names.iter().all(|name| fits(name)));
        assert_eq!(names, foreign_keys(&table), "the same every time");
    }
}
