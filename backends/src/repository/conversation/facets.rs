//! What different values there are to filter pieces by.

use std::collections::{BTreeMap, BTreeSet};

use trimaran_core::Result;

use super::tags::{self, CLASS_NAME, Kind};
use crate::repository::TenantResources;

/// All names of labels, each with all its values.
///
/// # Errors
/// `Corrupt` for a row that can't be decoded; else the engine's.
pub(super) async fn labels(resources: &TenantResources) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for tag in tags::distinct(resources, Kind::PieceLabel).await? {
        found.entry(tag.name).or_default().insert(tag.value);
    }
    Ok(found)
}

/// The classes of all converters.
///
/// # Errors
/// As for [`labels`].
pub(super) async fn converter_classes(resources: &TenantResources) -> Result<BTreeSet<String>> {
    classes(resources, Kind::PieceConverter).await
}

/// The classes of all attacks.
///
/// # Errors
/// As for [`labels`].
pub(super) async fn attack_classes(resources: &TenantResources) -> Result<BTreeSet<String>> {
    classes(resources, Kind::PieceAttack).await
}

async fn classes(resources: &TenantResources, kind: Kind) -> Result<BTreeSet<String>> {
    Ok(tags::distinct_values(resources, kind, CLASS_NAME).await?.into_iter().collect())
}
