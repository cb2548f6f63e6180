//! Tags: labels, metadata, categories and names by which pieces, seeds, scores and results are found.
//!
//! They are rows of their own, for engines disagree on JSON (and refuse hostile text in it). A filter finds them by
//! a [digest](digest_of), for no engine promises to index a text of any length.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_orm::sea_query::{Expr, ExprTrait as _, Query, SimpleExpr};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, QueryTrait as _,
};
use sha2::{Digest as _, Sha256};
use trimaran_core::Result;
use uuid::Uuid;

pub(crate) use super::tag_kind::Kind;
use crate::Transaction;
use crate::db_error::Doing as _;
use crate::entity::conversation::tag;
use crate::fetch;
use crate::fixed::Fixed;
use crate::repository::text::Place;
use crate::repository::{TenantResources, ids};

/// The name of a tag that says a component's class.
pub(crate) const CLASS_NAME: &str = "class_name";

/// The name of a tag that says a component's id.
pub(crate) const ID: &str = "id";

/// The name of a tag that says a component's hash.
pub(crate) const HASH: &str = "hash";

/// What is read with each piece.
pub(crate) const OF_PIECES: [Kind; 2] = [Kind::PieceLabel, Kind::PieceMetadata];

/// One tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// Tags of one owner.
pub(crate) type Tags = Vec<(Kind, Tag)>;

/// The first half of SHA-256 over kind, name and value, lengths first, so that no two of them run into one another.
pub(crate) fn digest_of(kind: Kind, name: &str, value: &str) -> Uuid {
    let mut hash = Sha256::new();
    for part in [kind.name(), name, value] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let whole: [u8; 32] = hash.finalize().into();
    let mut half = [0; 16];
    half.copy_from_slice(&whole[..16]);
    Uuid::from_bytes(half)
}

/// The rows of one kind of one owner's tags, in order.
pub(crate) fn rows<'a>(
    resources: &'a TenantResources,
    owner: Uuid,
    kind: Kind,
    tags: impl IntoIterator<Item = (&'a str, &'a str)> + 'a,
) -> impl Iterator<Item = tag::ActiveModel> + 'a {
    let text = resources.text();
    (0..).zip(tags).map(move |(position, (name, value))| tag::ActiveModel {
        tenant_id: Set(resources.tenant.0),
        owner_id: Set(owner),
        kind: Set(kind.name().to_owned()),
        position: Set(position),
        name: Set(text.store(name)),
        value: Set(text.store(value)),
        digest: Set(digest_of(kind, name, value)),
    })
}

/// The tags of these kinds of each of `owners`, in order.
///
/// # Errors
/// `Corrupt` for a row that was never written so; else the engine's.
pub(crate) async fn load_kinds(
    resources: &TenantResources,
    owners: &[Uuid],
    kinds: &[Kind],
) -> Result<HashMap<Uuid, Tags>> {
    let mut found: HashMap<Uuid, Tags> = HashMap::new();
    if owners.is_empty() {
        return Ok(found);
    }
    const OPERATION: &str = "read tags";
    const COLUMNS: [tag::Column; 4] =
        [tag::Column::OwnerId, tag::Column::Kind, tag::Column::Name, tag::Column::Value];
    static BY_SIZE: [Fixed; 11] = [const { Fixed::new() }; 11];
    let executor = resources.executor();
    let query = |of_these: SimpleExpr| {
        let mut query = tag::Entity::find()
            .select_only()
            .columns(COLUMNS)
            .filter(resources.own(tag::Column::TenantId))
            .filter(of_these);
        // All kinds: an unknown one is found out, too.
        if kinds.len() < Kind::ALL.len() {
            query = query.filter(tag::Column::Kind.is_in(kinds.iter().map(|kind| kind.name())));
        }
        query
            .order_by_asc(tag::Column::OwnerId)
            .order_by_asc(tag::Column::Kind)
            .order_by_asc(tag::Column::Position)
    };
    let these = || ids::among(executor.engine(), tag::Column::OwnerId, owners);
    // One text for each number of parameters that the owners are on SQLite; elsewhere they are one.
    let size = usize::try_from(owners.len().next_power_of_two().ilog2()).unwrap_or(usize::MAX);
    let fetched = match BY_SIZE.get(size) {
        Some(fixed) if kinds == OF_PIECES => {
            let build = || {
                let statement = query(these()).build(executor.get_database_backend());
                Ok((statement, fetch::types(&COLUMNS, OPERATION)?))
            };
            let mut values = vec![resources.tenant.0.into()];
            values.extend(ids::values(executor.engine(), owners));
            values.extend(kinds.iter().map(|kind| kind.name().into()));
            fixed.fetch(executor, values, build, OPERATION).await?
        }
        _ => fetch::columns_of(executor, query(these()), &COLUMNS, OPERATION).await?,
    };
    for mut row in fetched.into_rows() {
        let owner = row.take(0, OPERATION)?;
        let kind: String = row.take(1, OPERATION)?;
        let at = |column| Place { table: "tag", column, key: owner };
        let Some(kind) = Kind::from_name(&kind) else {
            return Err(at("kind").corrupt(format!("there is an unknown kind of tag, {kind:?}")));
        };
        let tag = Tag {
            name: resources.text().load(at("name"), row.take(2, OPERATION)?)?,
            value: resources.text().load(at("value"), row.take(3, OPERATION)?)?,
        };
        found.entry(owner).or_default().push((kind, tag));
    }
    Ok(found)
}

/// Deletes the tags of all owners that `owners`, a query of ids, gives.
///
/// # Errors
/// The engine's.
pub(crate) async fn delete(
    resources: &TenantResources,
    transaction: &Transaction,
    owners: sea_orm::sea_query::SelectStatement,
) -> Result<()> {
    tag::Entity::delete_many()
        .filter(resources.own(tag::Column::TenantId))
        .filter(tag::Column::OwnerId.in_subquery(owners))
        .exec(transaction)
        .await
        .doing("delete tags")?;
    Ok(())
}

/// Deletes the tags of these kinds that the owners have.
///
/// # Errors
/// The engine's.
pub(crate) async fn delete_of(
    resources: &TenantResources,
    transaction: &Transaction,
    kinds: &[Kind],
    owners: &[Uuid],
) -> Result<()> {
    // So many ids and few kinds stay below the least of the engines' limits of parameters.
    for some in owners.chunks(4_000) {
        tag::Entity::delete_many()
            .filter(resources.own(tag::Column::TenantId))
            .filter(tag::Column::OwnerId.is_in(some.iter().copied()))
            .filter(tag::Column::Kind.is_in(kinds.iter().map(|kind| kind.name())))
            .exec(transaction)
            .await
            .doing("delete tags")?;
    }
    Ok(())
}

/// The values of one kind, in order.
pub(crate) fn values_of(tags: &Tags, kind: Kind) -> Vec<String> {
    of_kind(tags, kind).map(|tag| tag.value.clone()).collect()
}

/// The tags of one kind, in order.
pub(crate) fn of_kind(tags: &Tags, kind: Kind) -> impl Iterator<Item = &Tag> {
    tags.iter().filter(move |(of, _)| *of == kind).map(|(_, tag)| tag)
}

/// The different values that a kind has under a name, in the order of their characters' code points.
///
/// # Errors
/// As for [`distinct`].
pub(crate) async fn different_values(
    resources: &TenantResources,
    kind: Kind,
    name: &str,
) -> Result<Vec<String>> {
    let values: BTreeSet<String> = distinct_values(resources, kind, name).await?.into_iter().collect();
    Ok(values.into_iter().collect())
}

/// The different names of a kind with their different values, in the order of their characters' code points.
///
/// # Errors
/// As for [`distinct`].
pub(crate) async fn different_labels(
    resources: &TenantResources,
    kind: Kind,
) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut labels: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for Tag { name, value } in distinct(resources, kind).await? {
        labels.entry(name).or_default().insert(value);
    }
    Ok(labels)
}

/// Deletes the tags of one kind of all owners that `owners`, a query of ids, gives.
///
/// # Errors
/// The engine's.
pub(crate) async fn delete_kind(
    resources: &TenantResources,
    transaction: &Transaction,
    owners: sea_orm::sea_query::SelectStatement,
    kind: Kind,
) -> Result<()> {
    tag::Entity::delete_many()
        .filter(resources.own(tag::Column::TenantId))
        .filter(tag::Column::OwnerId.in_subquery(owners))
        .filter(tag::Column::Kind.eq(kind.name()))
        .exec(transaction)
        .await
        .doing("delete tags")?;
    Ok(())
}

/// Holds for owners, by their id's column, that have a tag of this name with one of `values`.
pub(crate) fn one_of<'a>(
    resources: &TenantResources,
    owner: impl sea_orm::ColumnTrait,
    kind: Kind,
    name: &str,
    values: impl IntoIterator<Item = &'a str>,
) -> SimpleExpr {
    let digests: Vec<Uuid> = values.into_iter().map(|value| digest_of(kind, name, value)).collect();
    let owners = Query::select()
        .column(tag::Column::OwnerId)
        .from(tag::Entity)
        .and_where(resources.own(tag::Column::TenantId))
        .and_where(Expr::col((tag::Entity, tag::Column::Digest)).is_in(digests))
        .take();
    owner.in_subquery(owners)
}

/// Every different name and value of a kind, in no order.
///
/// # Errors
/// `Corrupt` for a row that was never written so; else the engine's.
pub(crate) async fn distinct(resources: &TenantResources, kind: Kind) -> Result<Vec<Tag>> {
    let rows: Vec<(String, String)> = tag::Entity::find()
        .select_only()
        .column(tag::Column::Name)
        .column(tag::Column::Value)
        .distinct()
        .filter(resources.own(tag::Column::TenantId))
        .filter(tag::Column::Kind.eq(kind.name()))
        .into_tuple()
        .all(resources.executor())
        .await
        .doing("read the different tags")?;
    let at = |column| Place { table: "tag", column, key: kind.name() };
    rows.into_iter()
        .map(|(name, value)| {
            Ok(Tag {
                name: resources.text().load(at("name"), name)?,
                value: resources.text().load(at("value"), value)?,
            })
        })
        .collect()
}

/// Every different value that a kind has under a name, in no order.
///
/// # Errors
/// `Corrupt` for a row that was never written so; else the engine's.
pub(crate) async fn distinct_values(
    resources: &TenantResources,
    kind: Kind,
    name: &str,
) -> Result<Vec<String>> {
    let rows: Vec<String> = tag::Entity::find()
        .select_only()
        .column(tag::Column::Value)
        .distinct()
        .filter(resources.own(tag::Column::TenantId))
        .filter(tag::Column::Kind.eq(kind.name()))
        .filter(tag::Column::Name.eq(resources.text().store(name)))
        .into_tuple()
        .all(resources.executor())
        .await
        .doing("read the different tags")?;
    let at = Place { table: "tag", column: "value", key: kind.name() };
    rows.into_iter().map(|value| resources.text().load(at, value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_tells_kind_name_and_value_apart() {
        let digests = [
            digest_of(Kind::PieceLabel, "ab", "c"),
            digest_of(Kind::PieceLabel, "a", "bc"),
            digest_of(Kind::PieceMetadata, "ab", "c"),
        ];
        assert!(digests[0] != digests[1] && digests[0] != digests[2] && digests[1] != digests[2]);
    }

    #[test]
    fn every_kind_is_known_by_its_name() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
        }
    }
}
