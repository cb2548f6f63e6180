use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::given::{assert_names, everything, spoil};
use crate::conformance::at_once::both;
use crate::conformance::{Fixture, kind, text};
use crate::id::{SeedGroupId, SeedId};
use crate::model::Sha256;
use crate::model::conversation::{
    ChatRole, DataType, NamePattern, NewSeed, NewSeedGroup, Seed, SeedDetails, SeedFilter, SeedGroup,
    SeedType,
};
use crate::{Clock as _, Conversation, ErrorKind, PageRequest};

fn prompt(dataset: &str, value: &str) -> NewSeed {
    SeedDetails::prompt(dataset, value).into()
}

fn turn(value: &str, sequence: i32, role: ChatRole) -> SeedDetails {
    SeedDetails { sequence: Some(sequence), role: Some(role), ..SeedDetails::prompt("d", value) }
}

fn one(text: &str) -> Option<Vec<String>> {
    Some(vec![text.to_owned()])
}

async fn add(area: &Conversation, seed: impl Into<NewSeed>) -> SeedId {
    let added = area.seeds.add(vec![seed.into()]).await.unwrap();
    assert!(added[0].is_new);
    added[0].id
}

async fn listed(area: &Conversation, filter: &SeedFilter) -> Vec<Seed> {
    everything(|page| async move { area.seeds.list(filter, &page).await }).await
}

async fn found(area: &Conversation, filter: &SeedFilter) -> Vec<SeedId> {
    listed(area, filter).await.into_iter().map(|seed| seed.id).collect()
}

async fn values(area: &Conversation, filter: &SeedFilter) -> Vec<String> {
    listed(area, filter).await.into_iter().map(|seed| seed.details.value).collect()
}

async fn groups(area: &Conversation, filter: &SeedFilter) -> Vec<SeedGroup> {
    everything(|page| async move { area.seeds.list_groups(filter, &page).await }).await
}

fn full(text: &str) -> SeedDetails {
    let texts = || vec![text.to_owned(), String::new(), format!("{text} again")];
    SeedDetails {
        data_type: DataType::ImagePath,
        seed_type: SeedType::Objective,
        name: Some(text.to_owned()),
        description: Some(text.to_owned()),
        source: Some(text.to_owned()),
        added_by: Some(text.to_owned()),
        harm_categories: texts(),
        authors: texts(),
        author_groups: texts(),
        parameters: texts(),
        metadata: [(text.to_owned(), json!([text, 1, 1.5, null])), ("number".to_owned(), json!(7))].into(),
        sequence: Some(-3),
        role: Some(ChatRole::SimulatedAssistant),
        ..SeedDetails::prompt(text, text)
    }
}

pub async fn a_seed_comes_back_as_it_was_given(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let id = add(&area, full("x")).await;
    let read = area.seeds.find(id).await.unwrap().unwrap();
    assert_eq!((read.group, read.sha256), (None, Sha256::of(b"x")));
    assert_eq!((read.added_at, &read.details), (fixture.clock().now(), &full("x")));
    let bare = SeedDetails { dataset: None, ..SeedDetails::prompt("", "") };
    let id = add(&area, bare.clone()).await;
    assert_eq!(area.seeds.find(id).await.unwrap().unwrap().details, bare);
    assert_eq!(area.seeds.find(SeedId(Uuid::max())).await.unwrap(), None);
}

pub async fn a_seed_brings_its_id_hash_and_time_if_it_has_them(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let (id, sha256) = (SeedId(Uuid::from_u128(42)), Sha256::of(b"the image"));
    let then = fixture.clock().now() - Duration::from_secs(1);
    let brought = |value: &str| NewSeed {
        id: Some(id),
        sha256: Some(sha256),
        added_at: Some(then),
        details: SeedDetails::prompt("d", value),
    };
    assert_eq!(add(&area, brought("a.png")).await, id);
    let read = area.seeds.find(id).await.unwrap().unwrap();
    assert_eq!((read.sha256, read.added_at), (sha256, then));
    // The same image elsewhere is the same seed.
    assert!(!area.seeds.add(vec![brought("b.png")]).await.unwrap()[0].is_new);
    let other = NewSeed { sha256: None, ..brought("c.png") };
    assert_eq!(kind(area.seeds.add(vec![other]).await), ErrorKind::Conflict);
}

pub async fn a_dataset_has_a_seed_once(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let first = area.seeds.add(vec![prompt("d", "a"), prompt("d", "b"), prompt("d", "a")]).await.unwrap();
    assert_eq!(first.iter().map(|seed| seed.is_new).collect::<Vec<_>>(), [true, true, false]);
    assert_eq!(first[0].id, first[2].id);
    let nowhere = NewSeed::from(SeedDetails { dataset: None, ..SeedDetails::prompt("", "a") });
    let again = area
        .seeds
        .add(vec![prompt("d", "b"), prompt("e", "a"), prompt("d", "A"), nowhere.clone(), nowhere])
        .await
        .unwrap();
    assert_eq!(again.iter().map(|seed| seed.is_new).collect::<Vec<_>>(), [false, true, true, true, false]);
    assert_eq!(again[0].id, first[1].id);
    assert_eq!(listed(&area, &SeedFilter::default()).await.len(), 5);
    assert!(area.seeds.add(Vec::new()).await.unwrap().is_empty());
}

pub async fn two_that_add_the_same_seeds_at_once_leave_one_of_each(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    for round in 0..5 {
        let dataset = round.to_string();
        let seeds = || (0..20).map(|n| prompt(&dataset, &n.to_string())).collect::<Vec<_>>();
        let (left, right) = both(area.seeds.add(seeds()), area.seeds.add(seeds())).await;
        let (left, right) = (left.unwrap(), right.unwrap());
        for (left, right) in left.iter().zip(&right) {
            assert_eq!(left.id, right.id);
            assert!(left.is_new != right.is_new);
        }
        assert_eq!(listed(&area, &SeedFilter::of_dataset(dataset)).await.len(), 20);
    }
}

pub async fn seeds_are_found_by_every_filter_alone_and_together(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let start = fixture.clock().now();
    let texts = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    let a = SeedDetails {
        name: Some("first".to_owned()),
        added_by: Some("ann".to_owned()),
        source: Some("paper".to_owned()),
        harm_categories: texts(&["hate", "fraud"]),
        authors: texts(&["Ann", "Bob"]),
        author_groups: texts(&["red"]),
        parameters: texts(&["name"]),
        metadata: [("n".to_owned(), json!(1)), ("m".to_owned(), json!("x"))].into(),
        ..SeedDetails::prompt("harm one", "say {{ name }}")
    };
    let a = add(&area, a).await;
    fixture.clock().advance(Duration::from_micros(1));
    let b = SeedDetails {
        data_type: DataType::ImagePath,
        seed_type: SeedType::Objective,
        harm_categories: texts(&["hate"]),
        metadata: [("n".to_owned(), json!(2))].into(),
        sequence: Some(4),
        role: Some(ChatRole::System),
        ..SeedDetails::prompt("harm two", "say it")
    };
    let b = add(&area, b).await;
    fixture.clock().advance(Duration::from_micros(1));
    let grouped = NewSeedGroup::of([turn("hello", 0, ChatRole::User)]);
    let group = area.seeds.add_groups(vec![grouped]).await.unwrap()[0].id;
    let any = SeedFilter::default;
    let c = found(&area, &SeedFilter { in_a_group: Some(true), ..any() }).await[0];
    let metadata = |n: &[Value]| BTreeMap::from([("n".to_owned(), n.to_vec())]);
    let micros = |n| Some(start + Duration::from_micros(n));
    let wanted: Vec<(SeedFilter, Vec<SeedId>)> = vec![
        (any(), vec![a, b, c]),
        (SeedFilter { ids: Some(vec![a, c]), ..any() }, vec![a, c]),
        (SeedFilter { value: Some("say it".to_owned()), ..any() }, vec![b]),
        (SeedFilter { value_contains: Some("say".to_owned()), ..any() }, vec![a, b]),
        (SeedFilter { value_contains: Some("Say".to_owned()), ..any() }, vec![]),
        (SeedFilter { value_contains: Some(String::new()), ..any() }, vec![a, b, c]),
        (SeedFilter { sha256s: Some(vec![Sha256::of(b"hello")]), ..any() }, vec![c]),
        (SeedFilter::of_dataset("harm one"), vec![a]),
        (SeedFilter { datasets: Some(texts(&["harm one", "d"])), ..any() }, vec![a, c]),
        (SeedFilter { dataset_pattern: Some(NamePattern::new("harm%")), ..any() }, vec![a, b]),
        (SeedFilter { dataset_pattern: Some(NamePattern::new("HARM%")), ..any() }, vec![]),
        (SeedFilter { names: one("first"), ..any() }, vec![a]),
        (SeedFilter { data_types: Some(vec![DataType::ImagePath]), ..any() }, vec![b]),
        (SeedFilter { seed_types: Some(vec![SeedType::Prompt]), ..any() }, vec![a, c]),
        (SeedFilter { harm_categories: texts(&["hate"]), ..any() }, vec![a, b]),
        (SeedFilter { harm_categories: texts(&["hate", "fraud"]), ..any() }, vec![a]),
        (SeedFilter { any_harm_category: Some(texts(&["fraud", "x"])), ..any() }, vec![a]),
        (SeedFilter { authors: texts(&["Bob", "Ann"]), ..any() }, vec![a]),
        (SeedFilter { author_groups: texts(&["red"]), ..any() }, vec![a]),
        (SeedFilter { parameters: texts(&["name"]), ..any() }, vec![a]),
        (SeedFilter { metadata: metadata(&[json!(2)]), ..any() }, vec![b]),
        (SeedFilter { metadata: metadata(&[json!(1), json!(2)]), ..any() }, vec![a, b]),
        (SeedFilter { metadata: metadata(&[json!("1")]), ..any() }, vec![]),
        (SeedFilter { added_by: one("ann"), ..any() }, vec![a]),
        (SeedFilter { sources: one("paper"), ..any() }, vec![a]),
        (SeedFilter { group_ids: Some(vec![group]), ..any() }, vec![c]),
        (SeedFilter { in_a_group: Some(false), ..any() }, vec![a, b]),
        (SeedFilter { roles: Some(vec![ChatRole::System]), ..any() }, vec![b]),
        (SeedFilter { sequences: Some(vec![4, 0]), ..any() }, vec![b, c]),
        (SeedFilter { created_from: micros(1), ..any() }, vec![b, c]),
        (SeedFilter { created_before: micros(1), ..any() }, vec![a]),
        (SeedFilter { harm_categories: texts(&["hate"]), sequences: Some(vec![4]), ..any() }, vec![b]),
        (SeedFilter { ids: Some(vec![]), ..any() }, vec![]),
        (SeedFilter { datasets: Some(vec![]), ..any() }, vec![]),
    ];
    for (filter, ids) in wanted {
        assert_eq!(found(&area, &filter).await, ids, "{filter:?}");
    }
}

pub async fn a_text_within_a_value_is_found_byte_for_byte(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    for hostile in text::HOSTILE {
        area.seeds.add(vec![prompt("d", &format!("before{hostile}after"))]).await.unwrap();
    }
    let all = values(&area, &SeedFilter::default()).await;
    for wanted in text::HOSTILE.iter().copied().chain(["0", "1", "0after", "1\u{1a}", "%", "_", ".", "(?i)A"])
    {
        let filter = SeedFilter { value_contains: Some(wanted.to_owned()), ..SeedFilter::default() };
        let expected: Vec<_> = all.iter().filter(|value| value.contains(wanted)).cloned().collect();
        assert_eq!(values(&area, &filter).await, expected, "{wanted:?}");
    }
}

pub async fn hostile_text_survives_in_every_field_of_a_seed(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    for hostile in text::HOSTILE {
        let id = add(&area, full(hostile)).await;
        let read = area.seeds.find(id).await.unwrap().unwrap();
        assert_eq!(read.details, full(hostile));
        let any = SeedFilter::default;
        for filter in [
            SeedFilter::of_dataset(*hostile),
            SeedFilter { names: one(hostile), ..any() },
            SeedFilter { sources: one(hostile), ..any() },
            SeedFilter { added_by: one(hostile), ..any() },
            SeedFilter { value: Some((*hostile).to_owned()), ..any() },
            SeedFilter { authors: vec![(*hostile).to_owned()], ..any() },
            SeedFilter { any_harm_category: one(hostile), ..any() },
        ] {
            assert_eq!(found(&area, &filter).await, [id], "{filter:?}");
        }
    }
    let mut names: Vec<String> = text::HOSTILE.iter().map(|name| (*name).to_owned()).collect();
    names.sort();
    assert_eq!(area.seeds.dataset_names().await.unwrap(), names);
}

pub async fn a_group_is_read_whole_and_in_order(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let objective = SeedDetails { seed_type: SeedType::Objective, ..SeedDetails::prompt("d", "goal") };
    let seeds = [
        turn("b", 1, ChatRole::Assistant),
        turn("a", 0, ChatRole::User),
        turn("c", 2, ChatRole::User),
        objective,
    ];
    let id = area.seeds.add_groups(vec![NewSeedGroup::of(seeds)]).await.unwrap()[0].id;
    let group = area.seeds.find_group(id).await.unwrap().unwrap();
    let said: Vec<_> = group.seeds.iter().map(|seed| seed.details.value.as_str()).collect();
    assert_eq!(said, ["goal", "a", "b", "c"]);
    assert!(group.seeds.iter().all(|seed| seed.group == Some(id)));
    // One that is let through brings the others.
    let filter = SeedFilter { value: Some("b".to_owned()), ..SeedFilter::default() };
    assert_eq!(groups(&area, &filter).await, [group]);
    assert_eq!(area.seeds.find_group(SeedGroupId(Uuid::max())).await.unwrap(), None);
}

pub async fn a_group_is_added_once_and_a_value_as_often_as_groups_say_it(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let twice = || NewSeedGroup::of([turn("go on", 0, ChatRole::User), turn("go on", 1, ChatRole::User)]);
    let once = || NewSeedGroup::of([turn("go on", 0, ChatRole::User)]);
    let added = area.seeds.add_groups(vec![twice(), once(), twice()]).await.unwrap();
    assert_eq!(added.iter().map(|group| group.is_new).collect::<Vec<_>>(), [true, true, false]);
    assert_eq!(added[0].id, added[2].id);
    assert!(!area.seeds.add_groups(vec![once()]).await.unwrap()[0].is_new);
    let brought = NewSeedGroup { id: Some(added[0].id), ..NewSeedGroup::of([turn("x", 0, ChatRole::User)]) };
    assert_eq!(kind(area.seeds.add_groups(vec![brought]).await), ErrorKind::Conflict);
    assert_eq!(found(&area, &SeedFilter::default()).await.len(), 3);
    // A seed by itself is another thing than one of a group.
    assert!(area.seeds.add(vec![prompt("d", "go on")]).await.unwrap()[0].is_new);
}

pub async fn a_group_that_is_none_is_refused(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let good = NewSeedGroup::of([turn("a", 0, ChatRole::User)]);
    let wrong = [
        NewSeedGroup { id: None, seeds: Vec::new() },
        NewSeedGroup::of([SeedDetails::prompt("d", "a"), SeedDetails::prompt("e", "a")]),
        NewSeedGroup::of([turn("a", 0, ChatRole::User), turn("b", 0, ChatRole::Assistant)]),
    ];
    for group in wrong {
        assert_eq!(kind(area.seeds.add_groups(vec![good.clone(), group]).await), ErrorKind::Invalid);
    }
    assert!(found(&area, &SeedFilter::default()).await.is_empty());
}

pub async fn a_dataset_is_replaced_as_a_whole(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    area.seeds.add(vec![prompt("d", "old"), prompt("d", "kept"), prompt("other", "old")]).await.unwrap();
    let group = || NewSeedGroup::of([turn("x", 0, ChatRole::User), turn("y", 1, ChatRole::Assistant)]);
    area.seeds.add_groups(vec![group()]).await.unwrap();
    let kept = SeedDetails { harm_categories: vec!["new".to_owned()], ..SeedDetails::prompt("d", "kept") };
    let removed =
        area.seeds.replace_dataset("d", vec![kept.into(), prompt("d", "new")], vec![group()]).await.unwrap();
    assert_eq!(removed, 4);
    let mut now = values(&area, &SeedFilter::of_dataset("d")).await;
    now.sort();
    assert_eq!(now, ["kept", "new", "x", "y"]);
    let about = SeedFilter { any_harm_category: one("new"), ..SeedFilter::default() };
    assert_eq!(values(&area, &about).await, ["kept"]);
    assert_eq!(values(&area, &SeedFilter::of_dataset("other")).await, ["old"]);
    let refused = [
        (vec![], vec![]),
        (vec![prompt("other", "a")], vec![]),
        (vec![prompt("d", "a")], vec![NewSeedGroup::of([SeedDetails::prompt("other", "a")])]),
    ];
    for (seeds, groups) in refused {
        assert_eq!(kind(area.seeds.replace_dataset("d", seeds, groups).await), ErrorKind::Invalid);
    }
    assert_eq!(found(&area, &SeedFilter::of_dataset("d")).await.len(), 4);
}

pub async fn seeds_are_removed_by_a_filter_that_says_something(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    area.seeds.add(vec![prompt("d", "a"), prompt("d", "b"), full("x").into()]).await.unwrap();
    let pair = NewSeedGroup::of([turn("c", 0, ChatRole::User), turn("e", 1, ChatRole::User)]);
    area.seeds.add_groups(vec![pair]).await.unwrap();
    for outcome in [
        area.seeds.remove(&SeedFilter::default()).await,
        area.seeds.remove_groups(&SeedFilter::default()).await,
    ] {
        assert_eq!(kind(outcome), ErrorKind::Invalid);
    }
    assert_eq!(
        area.seeds.remove(&SeedFilter { ids: Some(vec![]), ..SeedFilter::default() }).await.unwrap(),
        0
    );
    assert_eq!(
        area.seeds
            .remove(&SeedFilter { value: Some("a".to_owned()), ..SeedFilter::default() })
            .await
            .unwrap(),
        1
    );
    let of_pair = SeedFilter { value: Some("e".to_owned()), ..SeedFilter::default() };
    assert_eq!(area.seeds.remove_groups(&of_pair).await.unwrap(), 2);
    assert_eq!(area.seeds.remove_groups(&SeedFilter::of_dataset("d")).await.unwrap(), 0);
    assert_eq!(values(&area, &SeedFilter::default()).await, ["b", "x"]);
    assert_eq!(area.seeds.remove(&SeedFilter::of_dataset("x")).await.unwrap(), 1);
    // What is removed can be added again, and has none of its old tags.
    add(&area, SeedDetails::prompt("x", "x")).await;
    assert!(
        found(&area, &SeedFilter { authors: vec!["x".to_owned()], ..SeedFilter::default() }).await.is_empty()
    );
    assert_eq!(area.seeds.dataset_names().await.unwrap(), ["d", "x"]);
}

pub async fn groups_are_paged_in_the_order_of_their_ids(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let new = |n: i32| NewSeedGroup::of([turn("a", n, ChatRole::User), turn("b", n, ChatRole::User)]);
    let added = area.seeds.add_groups((0..5).map(new).collect()).await.unwrap();
    let all: Vec<_> = groups(&area, &SeedFilter::default()).await.into_iter().map(|group| group.id).collect();
    assert_eq!(all, added.iter().map(|group| group.id).collect::<Vec<_>>());
}

pub async fn a_tenant_s_seeds_are_nobody_else_s(fixture: &dyn Fixture) {
    let (mine, theirs) = (fixture.conversation(), fixture.other_tenant().conversation().unwrap());
    let id = add(&mine, full("x")).await;
    let group =
        mine.seeds.add_groups(vec![NewSeedGroup::of([turn("a", 0, ChatRole::User)])]).await.unwrap()[0].id;
    assert_eq!(theirs.seeds.find(id).await.unwrap(), None);
    assert_eq!(theirs.seeds.find_group(group).await.unwrap(), None);
    assert!(theirs.seeds.dataset_names().await.unwrap().is_empty());
    assert_eq!(theirs.seeds.remove(&SeedFilter::of_dataset("x")).await.unwrap(), 0);
    // What one has the other may have, too.
    assert!(theirs.seeds.add(vec![full("x").into()]).await.unwrap()[0].is_new);
    assert_eq!(theirs.seeds.replace_dataset("x", vec![prompt("x", "y")], vec![]).await.unwrap(), 1);
    assert_eq!(mine.seeds.find(id).await.unwrap().unwrap().details, full("x"));
}

pub async fn a_seed_that_can_t_be_read_is_an_error_that_names_it(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let id = add(&area, SeedDetails::prompt("d", "a")).await;
    for (column, right) in [("data_type", "'text'"), ("seed_type", "'prompt'"), ("role", "NULL")] {
        spoil(fixture, &format!("UPDATE seed SET {column} = 'no such'")).await;
        let page = PageRequest::first(9).unwrap();
        assert_names(area.seeds.list(&SeedFilter::default(), &page).await, "seed", column, id.0);
        spoil(fixture, &format!("UPDATE seed SET {column} = {right}")).await;
    }
    assert!(area.seeds.find(id).await.unwrap().is_some());
}
