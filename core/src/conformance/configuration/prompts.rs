use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use serde_json::json;

use crate::conformance::{Fixture, at_once, kind, text};
use crate::id::{DatasetId, DatasetPromptId};
use crate::model::{DatasetPrompt, NewDataset, NewDatasetPrompt, PromptPlace};
use crate::{Clock as _, Error, ErrorKind, PageRequest, Result};

fn nobody() -> DatasetPromptId {
    DatasetPromptId(uuid::Uuid::max())
}

async fn dataset(fixture: &dyn Fixture, name: &str) -> DatasetId {
    fixture.configuration().datasets.create(NewDataset::named(name, "local")).await.unwrap().id
}

async fn filled(fixture: &dyn Fixture, texts: &[&str]) -> (DatasetId, Vec<DatasetPromptId>) {
    let id = dataset(fixture, "d").await;
    let prompts = texts.iter().map(|text| NewDatasetPrompt::of(*text)).collect();
    let ids = fixture.configuration().datasets.append_prompts(id, prompts).await.unwrap();
    (id, ids)
}

async fn all(fixture: &dyn Fixture, id: DatasetId, limit: u32) -> Vec<DatasetPrompt> {
    let (mut prompts, mut request) = (Vec::new(), PageRequest::first(limit).unwrap());
    loop {
        let page = fixture.configuration().datasets.prompts(id, &request).await.unwrap();
        prompts.extend(page.items);
        let Some(next) = page.next else { return prompts };
        request = PageRequest::first(limit).unwrap().after(next);
    }
}

async fn texts(fixture: &dyn Fixture, id: DatasetId) -> Vec<String> {
    all(fixture, id, 2).await.into_iter().map(|prompt| prompt.text).collect()
}

fn stream(prompts: Vec<Result<NewDatasetPrompt>>) -> BoxStream<'static, Result<NewDatasetPrompt>> {
    stream::iter(prompts).boxed()
}

pub async fn appended_prompts_stand_in_their_order(fixture: &dyn Fixture) {
    let datasets = fixture.configuration().datasets;
    let id = dataset(fixture, "d").await;
    let metadata = json!({ "category": "x", "n": [1, null] });
    let prompt = NewDatasetPrompt { metadata: metadata.clone(), ..NewDatasetPrompt::of("b") };
    let first = datasets.append_prompts(id, vec![NewDatasetPrompt::of("c"), prompt]).await.unwrap();
    let second = datasets.append_prompts(id, vec![NewDatasetPrompt::of("a")]).await.unwrap();
    assert!(datasets.append_prompts(id, Vec::new()).await.unwrap().is_empty());
    let prompts = all(fixture, id, 10).await;
    assert_eq!(prompts.iter().map(|prompt| prompt.id).collect::<Vec<_>>(), [first, second].concat());
    assert_eq!(prompts.iter().map(|prompt| prompt.text.as_str()).collect::<Vec<_>>(), ["c", "b", "a"]);
    assert!(prompts.iter().all(|prompt| prompt.dataset == id && prompt.created_at == fixture.clock().now()));
    assert_eq!((&prompts[0].metadata, &prompts[1].metadata), (&json!({}), &metadata));
    assert_eq!(datasets.find_prompt(prompts[1].id).await.unwrap().as_ref(), Some(&prompts[1]));
    assert_eq!(datasets.count_prompts(id).await.unwrap(), 3);
}

pub async fn pages_of_prompts_give_everyone_once(fixture: &dyn Fixture) {
    let names: Vec<_> = (0..7).map(|n| n.to_string()).collect();
    let (id, _) = filled(fixture, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for limit in [1, 2, 3, 7, 8] {
        let read: Vec<_> = all(fixture, id, limit).await.into_iter().map(|prompt| prompt.text).collect();
        assert_eq!(read, names, "{limit}");
    }
}

pub async fn prompts_that_come_go_or_move_elsewhere_leave_pages_whole(fixture: &dyn Fixture) {
    let datasets = fixture.configuration().datasets;
    let (id, ids) = filled(fixture, &["0", "1", "2", "3", "4", "5"]).await;
    let request = PageRequest::first(3).unwrap();
    let page = datasets.prompts(id, &request).await.unwrap();
    // One that was read, the one that the cursor names, and one that is still to come.
    datasets.delete_prompt(ids[0]).await.unwrap();
    datasets.move_prompt(ids[2], PromptPlace::First).await.unwrap();
    datasets.delete_prompt(ids[3]).await.unwrap();
    datasets.append_prompts(id, vec![NewDatasetPrompt::of("6")]).await.unwrap();
    let rest = datasets.prompts(id, &request.after(page.next.unwrap())).await.unwrap();
    assert_eq!(rest.items.iter().map(|prompt| prompt.text.as_str()).collect::<Vec<_>>(), ["4", "5", "6"]);
}

pub async fn a_prompt_is_replaced_in_its_place(fixture: &dyn Fixture) {
    let datasets = fixture.configuration().datasets;
    let (id, ids) = filled(fixture, &["a", "b", "c"]).await;
    let before = datasets.find_prompt(ids[1]).await.unwrap().unwrap();
    fixture.clock().advance(Duration::from_secs(1));
    let new = NewDatasetPrompt { text: "x".to_owned(), metadata: json!([1]) };
    let replaced = datasets.replace_prompt(ids[1], new.clone()).await.unwrap();
    assert_eq!(replaced, DatasetPrompt { text: new.text, metadata: new.metadata, ..before });
    assert_eq!(datasets.find_prompt(ids[1]).await.unwrap(), Some(replaced));
    assert_eq!(texts(fixture, id).await, ["a", "x", "c"]);
    assert_eq!(kind(datasets.replace_prompt(nobody(), NewDatasetPrompt::of("y")).await), ErrorKind::NotFound);
}

pub async fn a_deleted_prompt_is_gone(fixture: &dyn Fixture) {
    let datasets = fixture.configuration().datasets;
    let (id, ids) = filled(fixture, &["a", "b", "c"]).await;
    assert!(datasets.delete_prompt(ids[1]).await.unwrap());
    assert!(!datasets.delete_prompt(ids[1]).await.unwrap());
    assert_eq!(datasets.find_prompt(ids[1]).await.unwrap(), None);
    assert_eq!(texts(fixture, id).await, ["a", "c"]);
}

pub async fn a_prompt_moves_to_any_place(fixture: &dyn Fixture) {
    let datasets = fixture.configuration().datasets;
    let (id, ids) = filled(fixture, &["a", "b", "c", "d"]).await;
    for (prompt, to, expected) in [
        (3, PromptPlace::First, "dabc"),
        (3, PromptPlace::First, "dabc"),
        (0, PromptPlace::Last, "dbca"),
        (2, PromptPlace::Before(ids[1]), "dcba"),
        (3, PromptPlace::After(ids[1]), "cbda"),
        (2, PromptPlace::After(ids[0]), "bdac"),
        (2, PromptPlace::Before(ids[1]), "cbda"),
        (1, PromptPlace::After(ids[1]), "cbda"),
        (1, PromptPlace::Before(ids[1]), "cbda"),
        (2, PromptPlace::Before(ids[1]), "cbda"),
    ] {
        let moved = datasets.move_prompt(ids[prompt], to).await.unwrap();
        assert_eq!(datasets.find_prompt(ids[prompt]).await.unwrap(), Some(moved));
        assert_eq!(texts(fixture, id).await.concat(), expected);
    }
}

pub async fn a_prompt_moves_only_within_its_dataset(fixture: &dyn Fixture) {
    let datasets = fixture.configuration().datasets;
    let (_, ids) = filled(fixture, &["a", "b"]).await;
    let other = dataset(fixture, "other").await;
    let stranger = datasets.append_prompts(other, vec![NewDatasetPrompt::of("x")]).await.unwrap()[0];
    for to in [PromptPlace::Before(stranger), PromptPlace::After(stranger), PromptPlace::After(nobody())] {
        assert_eq!(kind(datasets.move_prompt(ids[0], to).await), ErrorKind::NotFound);
    }
    assert_eq!(kind(datasets.move_prompt(nobody(), PromptPlace::First).await), ErrorKind::NotFound);
}

pub async fn any_number_of_moves_into_one_gap_keeps_the_order(fixture: &dyn Fixture) {
    let datasets = fixture.configuration().datasets;
    let (id, ids) = filled(fixture, &["a", "b", "c", "d"]).await;
    // Each move halves the gap behind `a`, until there is none left.
    for n in 0..50 {
        let (mover, expected) = if n % 2 == 0 { (3, "adbc") } else { (2, "acdb") };
        datasets.move_prompt(ids[mover], PromptPlace::After(ids[0])).await.unwrap();
        if n < 2 {
            continue;
        }
        let expected = if n % 2 == 0 { "adcb" } else { expected };
        assert_eq!(texts(fixture, id).await.concat(), expected, "{n}");
    }
    for n in 0..50 {
        datasets.move_prompt(ids[n % 2], PromptPlace::First).await.unwrap();
    }
    assert_eq!(texts(fixture, id).await.concat(), "bacd");
    datasets.append_prompts(id, vec![NewDatasetPrompt::of("e")]).await.unwrap();
    assert_eq!(texts(fixture, id).await.concat(), "bacde");
}

pub async fn a_whole_order_is_given_at_once(fixture: &dyn Fixture) {
    let datasets = fixture.configuration().datasets;
    let (id, ids) = filled(fixture, &["a", "b", "c", "d"]).await;
    let before = datasets.find_prompt(ids[0]).await.unwrap().unwrap();
    let order = [ids[2], ids[0], ids[3], ids[1]];
    let request = PageRequest::first(2).unwrap();
    let page = datasets.prompts(id, &request).await.unwrap();
    fixture.clock().advance(Duration::from_secs(1));
    datasets.reorder_prompts(id, &order).await.unwrap();
    assert_eq!(texts(fixture, id).await.concat(), "cadb");
    let after = datasets.find_prompt(ids[0]).await.unwrap().unwrap();
    assert_eq!(DatasetPrompt { position: before.position, ..after }, before);
    // A page of the order before has none after it.
    assert_eq!(kind(datasets.prompts(id, &request.after(page.next.unwrap())).await), ErrorKind::Conflict);
    datasets.reorder_prompts(id, &ids).await.unwrap();
    assert_eq!(texts(fixture, id).await.concat(), "abcd");
}

pub async fn an_order_that_is_not_of_all_prompts_is_refused(fixture: &dyn Fixture) {
    let datasets = fixture.configuration().datasets;
    let (id, ids) = filled(fixture, &["a", "b", "c"]).await;
    let twice = [ids[0], ids[1], ids[2], ids[0]];
    assert_eq!(kind(datasets.reorder_prompts(id, &twice).await), ErrorKind::Invalid);
    for wrong in [vec![], ids[..2].to_vec(), vec![ids[0], ids[1], nobody()], [&ids[..], &[nobody()]].concat()]
    {
        assert_eq!(kind(datasets.reorder_prompts(id, &wrong).await), ErrorKind::Conflict);
    }
    assert_eq!(texts(fixture, id).await.concat(), "abc");
}

pub async fn an_import_takes_effect_as_a_whole(fixture: &dyn Fixture) {
    let datasets = fixture.configuration().datasets;
    let (id, _) = filled(fixture, &["a"]).await;
    let prompts: Vec<_> = (0..4_500).map(|n| Ok(NewDatasetPrompt::of(format!("p{n}")))).collect();
    assert_eq!(datasets.import_prompts(id, stream(prompts)).await.unwrap(), 4_500);
    let read = all(fixture, id, 1_000).await;
    assert_eq!(read.len(), 4_501);
    assert!(read[1..].iter().enumerate().all(|(n, prompt)| prompt.text == format!("p{n}")));
    assert_eq!(datasets.import_prompts(id, stream(Vec::new())).await.unwrap(), 0);
}

pub async fn an_import_that_fails_anywhere_imports_nothing(fixture: &dyn Fixture) {
    let datasets = fixture.configuration().datasets;
    let (id, _) = filled(fixture, &["a"]).await;
    let good = |count: usize| (0..count).map(|_| Ok(NewDatasetPrompt::of("x"))).collect::<Vec<_>>();
    for count in [0, 1, 2_500] {
        let mut prompts = good(count);
        prompts.push(Err(Error::new(ErrorKind::Corrupt, "read line 7")));
        let error = datasets.import_prompts(id, stream(prompts)).await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Corrupt, "read line 7"));
        assert_eq!(datasets.count_prompts(id).await.unwrap(), 1);
    }
    let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
    let mut prompts = good(3);
    prompts.push(Ok(NewDatasetPrompt { metadata: deep, ..NewDatasetPrompt::of("x") }));
    let error = datasets.import_prompts(id, stream(prompts)).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains("prompt 4"), "{error:?}");
    let nowhere = DatasetId(uuid::Uuid::max());
    assert_eq!(kind(datasets.import_prompts(nowhere, stream(good(1))).await), ErrorKind::NotFound);
    assert_eq!(texts(fixture, id).await, ["a"]);
}

pub async fn hostile_text_survives_in_prompts(fixture: &dyn Fixture) {
    let datasets = fixture.configuration().datasets;
    let id = dataset(fixture, "d").await;
    let mut prompts: Vec<_> = text::HOSTILE
        .iter()
        .map(|text| NewDatasetPrompt { text: (*text).to_owned(), metadata: json!({ *text: text }) })
        .collect();
    prompts.push(NewDatasetPrompt::of(""));
    prompts.push(NewDatasetPrompt::of(text::megabyte()));
    datasets.append_prompts(id, prompts.clone()).await.unwrap();
    datasets.import_prompts(id, stream(prompts.iter().cloned().map(Ok).collect())).await.unwrap();
    let read = all(fixture, id, 100).await;
    let expected: Vec<_> = prompts.iter().chain(&prompts).collect();
    assert_eq!(read.len(), expected.len());
    for (prompt, expected) in read.iter().zip(expected) {
        assert!(prompt.text == expected.text && prompt.metadata == expected.metadata);
    }
    for text in text::HOSTILE {
        let new = NewDatasetPrompt { text: (*text).to_owned(), metadata: json!(text) };
        let replaced = datasets.replace_prompt(read[0].id, new.clone()).await.unwrap();
        assert_eq!((replaced.text, replaced.metadata), (new.text, new.metadata));
    }
}

pub async fn appends_at_once_lose_nothing_and_keep_together(fixture: &dyn Fixture) {
    let datasets = fixture.configuration().datasets;
    let id = dataset(fixture, "d").await;
    let batch = |n: usize| (0..3).map(|k| NewDatasetPrompt::of(format!("{n}.{k}"))).collect::<Vec<_>>();
    let outcomes = at_once::all((0..4).map(|n| datasets.append_prompts(id, batch(n)))).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let read = texts(fixture, id).await;
    assert_eq!(read.len(), 12);
    for three in read.chunks(3) {
        let of = three[0].split('.').next().unwrap();
        assert_eq!(three, [format!("{of}.0"), format!("{of}.1"), format!("{of}.2")]);
    }
}

pub async fn moves_at_once_lose_no_prompt(fixture: &dyn Fixture) {
    let datasets = fixture.configuration().datasets;
    let (id, ids) = filled(fixture, &["a", "b", "c", "d"]).await;
    let to = PromptPlace::After(ids[0]);
    let outcomes = at_once::all([1, 2, 3].map(|n| datasets.move_prompt(ids[n], to))).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let mut read = texts(fixture, id).await;
    assert_eq!(read[0], "a");
    read.sort();
    assert_eq!(read.concat(), "abcd");
}

pub async fn prompts_take_part_in_a_unit_of_work(fixture: &dyn Fixture) {
    let (id, ids) = filled(fixture, &["a", "b"]).await;
    for commit in [false, true] {
        let unit = fixture.tenant().begin().await.unwrap();
        let datasets = unit.configuration().unwrap().datasets;
        datasets.import_prompts(id, stream(vec![Ok(NewDatasetPrompt::of("c"))])).await.unwrap();
        datasets.move_prompt(ids[1], PromptPlace::First).await.unwrap();
        datasets.move_prompt(ids[1], PromptPlace::Last).await.unwrap();
        datasets.move_prompt(ids[0], PromptPlace::Last).await.unwrap();
        datasets.replace_prompt(ids[0], NewDatasetPrompt::of("A")).await.unwrap();
        if commit {
            unit.commit().await.unwrap();
        } else {
            unit.rollback().await.unwrap();
            assert_eq!(texts(fixture, id).await.concat(), "ab");
        }
    }
    assert_eq!(texts(fixture, id).await.concat(), "cbA");
}
