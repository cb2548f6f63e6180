//! How much a filter may ask for.

use std::collections::BTreeMap;

use super::PieceFilter;
use crate::{Error, ErrorKind, Result};

/// The most values that the lists of a filter may have together. They become parameters of one statement, of which SQLite allows
/// 32,766 (`SQLITE_MAX_VARIABLE_NUMBER`).
pub const MOST_VALUES: usize = 4_000;

pub(super) fn length<T>(list: &Option<Vec<T>>) -> usize {
    list.as_ref().map_or(0, Vec::len)
}

pub(super) fn values<T>(map: &BTreeMap<String, Vec<T>>) -> usize {
    map.values().map(Vec::len).sum()
}

pub(super) fn of_pieces(filter: &PieceFilter) -> usize {
    length(&filter.conversations)
        + length(&filter.roles)
        + length(&filter.ids)
        + length(&filter.original_pieces)
        + values(&filter.labels)
        + values(&filter.metadata)
        + length(&filter.original_values)
        + length(&filter.converted_values)
        + length(&filter.original_sha256)
        + length(&filter.converted_sha256)
        + length(&filter.data_types)
        + filter.not_data_types.len()
        + length(&filter.attack_ids)
        + length(&filter.attack_classes)
        + length(&filter.converter_classes)
        + length(&filter.errors)
}

/// Makes sure that the lists are not too long together.
pub(super) fn check(operation: &str, lengths: impl IntoIterator<Item = usize>) -> Result<()> {
    let total: usize = lengths.into_iter().sum();
    if total <= MOST_VALUES {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Invalid, operation)
        .context(format!("the filter has {total} values"))
        .hint(format!("ask for at most {MOST_VALUES} at a time")))
}
