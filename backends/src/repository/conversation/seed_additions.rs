//! Adding seeds that aren't there yet.

use std::collections::{HashMap, HashSet};

use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _};
use trimaran_core::Result;
use trimaran_core::id::{SeedGroupId, SeedId};
use trimaran_core::model::conversation::{AddedSeed, AddedSeedGroup, NewSeed, NewSeedGroup, Seed};
use uuid::Uuid;

use super::{hold, seed_rows};
use crate::Transaction;
use crate::append::append_rows;
use crate::db_error::Doing as _;
use crate::entity::conversation::seed;
use crate::repository::{TenantResources, time};

/// What is to be added, and what it may be there once by.
type Additions = Vec<(Seed, Uuid)>;

/// Adds the seeds that aren't there, and says of each whether it is new.
///
/// # Errors
/// `Conflict` if an id is taken, or another transaction adds the same at the same moment.
pub(super) async fn seeds(
    resources: &TenantResources,
    transaction: &Transaction,
    operation: &str,
    seeds: &[NewSeed],
) -> Result<Vec<AddedSeed>> {
    let keys: Vec<Uuid> = seeds.iter().map(seed_rows::once).collect();
    let mut there: HashMap<Uuid, Uuid> = existing(resources, transaction, operation, &keys)
        .await?
        .into_iter()
        .map(|(key, (seed, _))| (key, seed))
        .collect();
    let (mut said, mut additions) = (Vec::new(), Additions::new());
    for (new, key) in seeds.iter().zip(keys) {
        if let Some(id) = there.get(&key) {
            said.push(AddedSeed { id: SeedId(*id), is_new: false });
            continue;
        }
        let seed = made(resources, new, None);
        there.insert(key, seed.id.0);
        said.push(AddedSeed { id: seed.id, is_new: true });
        additions.push((seed, key));
    }
    insert(resources, transaction, operation, additions).await?;
    Ok(said)
}

/// The same for groups.
///
/// # Errors
/// As for [`seeds`]; `Conflict` also for the id of a group that has seeds already.
pub(super) async fn groups(
    resources: &TenantResources,
    transaction: &Transaction,
    operation: &str,
    groups: &[NewSeedGroup],
) -> Result<Vec<AddedSeedGroup>> {
    let keys: Vec<Vec<Uuid>> = groups.iter().map(|group| seed_rows::once_in_group(&group.seeds)).collect();
    // A group that lost some of its seeds is there as long as it has one.
    let all: Vec<Uuid> = keys.iter().flatten().copied().collect();
    let mut there: HashMap<Uuid, Uuid> = existing(resources, transaction, operation, &all)
        .await?
        .into_iter()
        .filter_map(|(key, (_, group))| Some((key, group?)))
        .collect();
    let (mut said, mut additions) = (Vec::new(), Additions::new());
    let mut new_ids = HashSet::new();
    for (new, keys) in groups.iter().zip(&keys) {
        if let Some(id) = keys.iter().find_map(|key| there.get(key)) {
            said.push(AddedSeedGroup { id: SeedGroupId(*id), is_new: false });
            continue;
        }
        let id = new.id.unwrap_or_else(|| SeedGroupId(resources.shared.ids.next()));
        if new.id.is_some()
            && (!new_ids.insert(id) || is_taken(resources, transaction, operation, id).await?)
        {
            return Err(hold::taken(operation, "group of seeds", id));
        }
        for (seed, key) in new.seeds.iter().zip(keys) {
            there.insert(*key, id.0);
            additions.push((made(resources, seed, Some(id)), *key));
        }
        said.push(AddedSeedGroup { id, is_new: true });
    }
    insert(resources, transaction, operation, additions).await?;
    Ok(said)
}

fn made(resources: &TenantResources, new: &NewSeed, group: Option<SeedGroupId>) -> Seed {
    Seed {
        id: new.id.unwrap_or_else(|| SeedId(resources.shared.ids.next())),
        group,
        sha256: seed_rows::sha256_of(new),
        added_at: new.added_at.map_or_else(|| resources.shared.clock.now(), time::truncated),
        details: new.details.clone(),
    }
}

async fn insert(
    resources: &TenantResources,
    transaction: &Transaction,
    operation: &str,
    additions: Additions,
) -> Result<()> {
    let rows = additions.iter().map(|(seed, once)| seed_rows::row(resources, seed, *once)).collect();
    append_rows(transaction, rows, operation).await?;
    let tags = additions.iter().flat_map(|(seed, _)| seed_rows::tags_of(resources, seed)).collect();
    append_rows(transaction, tags, operation).await
}

/// The seeds that are there by one of these keys, with their groups.
async fn existing(
    resources: &TenantResources,
    transaction: &Transaction,
    operation: &str,
    keys: &[Uuid],
) -> Result<HashMap<Uuid, (Uuid, Option<Uuid>)>> {
    let mut found = HashMap::new();
    for some in keys.chunks(hold::AT_A_TIME) {
        let rows: Vec<(Uuid, Uuid, Option<Uuid>)> = seed::Entity::find()
            .select_only()
            .column(seed::Column::Once)
            .column(seed::Column::Id)
            .column(seed::Column::GroupId)
            .filter(resources.own(seed::Column::TenantId))
            .filter(seed::Column::Once.is_in(some.iter().copied()))
            .into_tuple()
            .all(transaction)
            .await
            .doing(operation)?;
        found.extend(rows.into_iter().map(|(once, id, group)| (once, (id, group))));
    }
    Ok(found)
}

async fn is_taken(
    resources: &TenantResources,
    transaction: &Transaction,
    operation: &str,
    group: SeedGroupId,
) -> Result<bool> {
    let found = seed::Entity::find()
        .filter(resources.own(seed::Column::TenantId))
        .filter(seed::Column::GroupId.eq(group.0))
        .one(transaction)
        .await
        .doing(operation)?;
    Ok(found.is_some())
}
