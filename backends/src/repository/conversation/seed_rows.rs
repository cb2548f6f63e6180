//! Seeds as rows and tags, and back.

use sea_orm::ActiveValue::Set;
use serde_json::Value;
use sha2::{Digest as _, Sha256 as Hasher};
use trimaran_core::Result;
use trimaran_core::id::{SeedGroupId, SeedId};
use trimaran_core::model::Sha256;
use trimaran_core::model::conversation::{ChatRole, DataType, NewSeed, Seed, SeedDetails, SeedType};
use uuid::Uuid;

use super::documents;
use super::tags::{self, Kind, Tags};
use crate::entity::conversation::{seed, tag};
use crate::repository::text::Place;
use crate::repository::{TenantResources, time};

/// The kinds of tags that seeds have.
pub(super) const KINDS: [Kind; 5] =
    [Kind::SeedHarm, Kind::SeedAuthor, Kind::SeedAuthorGroup, Kind::SeedParameter, Kind::SeedMetadata];

/// The SHA-256 of what a seed says.
pub(super) fn sha256_of(seed: &NewSeed) -> Sha256 {
    seed.sha256.unwrap_or_else(|| Sha256::of(seed.details.value.as_bytes()))
}

/// What a seed that is in no group may be there once by: its hash within its dataset.
pub(super) fn once(seed: &NewSeed) -> Uuid {
    let mut digest = OnceDigest::begin(b"seed", seed.details.dataset.as_deref());
    digest.part(sha256_of(seed).as_bytes());
    digest.end()
}

/// The same for each seed of a group: by the whole group, and the seed's place in it.
pub(super) fn once_in_group(seeds: &[NewSeed]) -> Vec<Uuid> {
    let dataset = seeds.first().and_then(|seed| seed.details.dataset.as_deref());
    let mut group = OnceDigest::begin(b"group", dataset);
    for seed in seeds {
        let details = &seed.details;
        group.part(sha256_of(seed).as_bytes());
        group.part(details.seed_type.name().as_bytes());
        group.part(details.data_type.name().as_bytes());
        group.part(details.role.map_or("", ChatRole::name).as_bytes());
        group.part(&details.sequence.map(|sequence| sequence.to_le_bytes().to_vec()).unwrap_or_default());
    }
    let group = group.end();
    (0_u64..)
        .zip(seeds)
        .map(|(place, _)| {
            let mut digest = OnceDigest::begin(b"place", None);
            digest.part(group.as_bytes());
            digest.part(&place.to_le_bytes());
            digest.end()
        })
        .collect()
}

/// The first half of SHA-256 over parts, lengths first, so that no two of them run into one another.
struct OnceDigest(Hasher);

impl OnceDigest {
    fn begin(what: &[u8], dataset: Option<&str>) -> Self {
        let mut digest = Self(Hasher::new());
        digest.part(what);
        // No dataset is another thing than one without a name.
        digest.part(&[u8::from(dataset.is_some())]);
        digest.part(dataset.unwrap_or_default().as_bytes());
        digest
    }

    fn part(&mut self, part: &[u8]) {
        self.0.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        self.0.update(part);
    }

    fn end(self) -> Uuid {
        let whole: [u8; 32] = self.0.finalize().into();
        let mut half = [0; 16];
        half.copy_from_slice(&whole[..16]);
        Uuid::from_bytes(half)
    }
}

/// The row.
pub(super) fn row(resources: &TenantResources, seed: &Seed, once: Uuid) -> seed::ActiveModel {
    let (text, details) = (resources.text(), &seed.details);
    seed::ActiveModel {
        tenant_id: Set(resources.tenant.0),
        id: Set(seed.id.0),
        once: Set(once),
        group_id: Set(seed.group.map(|group| group.0)),
        dataset: Set(text.store_option(details.dataset.as_deref())),
        seed_type: Set(details.seed_type.name().to_owned()),
        value: Set(text.store(&details.value)),
        data_type: Set(details.data_type.name().to_owned()),
        sha256: Set(seed.sha256.as_bytes().to_vec()),
        name: Set(text.store_option(details.name.as_deref())),
        description: Set(text.store_option(details.description.as_deref())),
        source: Set(text.store_option(details.source.as_deref())),
        added_by: Set(text.store_option(details.added_by.as_deref())),
        sequence: Set(details.sequence),
        role: Set(details.role.map(|role| role.name().to_owned())),
        added_at: Set(time::stored(seed.added_at)),
    }
}

/// The tags.
pub(super) fn tags_of(resources: &TenantResources, seed: &Seed) -> Vec<tag::ActiveModel> {
    let (id, details) = (seed.id.0, &seed.details);
    let mut all = Vec::new();
    for (kind, values) in [
        (Kind::SeedHarm, &details.harm_categories),
        (Kind::SeedAuthor, &details.authors),
        (Kind::SeedAuthorGroup, &details.author_groups),
        (Kind::SeedParameter, &details.parameters),
    ] {
        all.extend(tags::rows(resources, id, kind, values.iter().map(|value| ("", value.as_str()))));
    }
    let metadata: Vec<(&str, String)> =
        details.metadata.iter().map(|(name, value)| (name.as_str(), value.to_string())).collect();
    let metadata: Vec<_> = metadata.iter().map(|(name, value)| (*name, value.as_str())).collect();
    all.extend(tags::rows(resources, id, Kind::SeedMetadata, metadata));
    all
}

/// The seed of a row and its tags.
///
/// # Errors
/// `Corrupt` for what was never written so.
pub(super) fn loaded(resources: &TenantResources, row: seed::Model, tags: &Tags) -> Result<Seed> {
    let text = resources.text();
    let at = |column| Place { table: "seed", column, key: row.id };
    let role = row
        .role
        .as_deref()
        .map(|name| ChatRole::from_name(name).ok_or_else(|| at("role").corrupt("there is an unknown role")));
    let metadata = tags::of_kind(tags, Kind::SeedMetadata)
        .map(|tag| Ok((tag.name.clone(), documents::read::<Value, _>(at("metadata"), &tag.value)?)));
    Ok(Seed {
        id: SeedId(row.id),
        group: row.group_id.map(SeedGroupId),
        sha256: Sha256::from_slice(&row.sha256).ok_or_else(|| at("sha256").corrupt("there is no SHA-256"))?,
        added_at: time::loaded(row.added_at),
        details: SeedDetails {
            value: text.load(at("value"), row.value)?,
            data_type: DataType::from_name(&row.data_type)
                .ok_or_else(|| at("data_type").corrupt("there is an unknown kind of data"))?,
            seed_type: SeedType::from_name(&row.seed_type)
                .ok_or_else(|| at("seed_type").corrupt("there is an unknown type of seed"))?,
            dataset: text.load_option(at("dataset"), row.dataset)?,
            name: text.load_option(at("name"), row.name)?,
            description: text.load_option(at("description"), row.description)?,
            source: text.load_option(at("source"), row.source)?,
            added_by: text.load_option(at("added_by"), row.added_by)?,
            harm_categories: tags::values_of(tags, Kind::SeedHarm),
            authors: tags::values_of(tags, Kind::SeedAuthor),
            author_groups: tags::values_of(tags, Kind::SeedAuthorGroup),
            parameters: tags::values_of(tags, Kind::SeedParameter),
            metadata: metadata.collect::<Result<_>>()?,
            sequence: row.sequence,
            role: role.transpose()?,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_the_same_by_its_hash_within_its_dataset() {
        let seed = |dataset: Option<&str>, value: &str| {
            let details =
                SeedDetails { dataset: dataset.map(str::to_owned), ..SeedDetails::prompt("", value) };
            once(&NewSeed::from(details))
        };
        assert_eq!(seed(Some("a"), "v"), seed(Some("a"), "v"));
        let others = [seed(Some("b"), "v"), seed(Some("a"), "w"), seed(None, "v"), seed(Some(""), "v")];
        assert!(!others.contains(&seed(Some("a"), "v")));
        assert_ne!(others[2], others[3]);
    }

    #[test]
    fn a_group_is_the_same_by_all_that_it_says_in_order() {
        let group = |turns: &[(&str, i32)]| {
            let seeds: Vec<NewSeed> = turns
                .iter()
                .map(|(value, turn)| {
                    SeedDetails { sequence: Some(*turn), ..SeedDetails::prompt("d", *value) }.into()
                })
                .collect();
            once_in_group(&seeds)
        };
        assert_eq!(group(&[("a", 0), ("a", 1)]), group(&[("a", 0), ("a", 1)]));
        assert_ne!(group(&[("a", 0), ("a", 1)])[0], group(&[("a", 0), ("a", 2)])[0]);
        assert_ne!(group(&[("a", 0), ("a", 1)])[0], group(&[("a", 0)])[0]);
        let same = group(&[("a", 0), ("a", 0)]);
        assert_ne!(same[0], same[1]);
    }
}
