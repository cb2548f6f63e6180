use std::time::Duration;

use serde_json::{Value, json};

use crate::conformance::{Fixture, at_once, is_lost_race, kind, text};
use crate::id::DatasetId;
use crate::model::{Dataset, NewDataset, NewDatasetPrompt};
use crate::repository::DatasetsExt as _;
use crate::{Clock as _, Cursor, ErrorKind, PageRequest};

fn nobody() -> DatasetId {
    DatasetId(uuid::Uuid::max())
}

fn new(name: &str) -> NewDataset {
    NewDataset::named(name, "local")
}

pub async fn a_created_dataset_is_found_by_id_and_by_name(fixture: &dyn Fixture) {
    let datasets = fixture.configuration().datasets;
    let configuration = json!({ "url": "https://host", "rows": [1, 2.5, null] });
    let wanted = NewDataset { configuration: configuration.clone(), metadata: json!([1]), ..new("harm") };
    let created = datasets.create(wanted).await.unwrap();
    assert_eq!((created.version, created.status.as_str()), (1, "ready"));
    assert_eq!((&created.configuration, &created.metadata), (&configuration, &json!([1])));
    assert_eq!((created.created_at, created.updated_at), (fixture.clock().now(), fixture.clock().now()));
    assert_eq!(datasets.find(created.id).await.unwrap(), Some(created.clone()));
    assert_eq!(datasets.find_by_name("harm").await.unwrap(), Some(created.clone()));
    assert_eq!(datasets.require(created.id).await.unwrap(), created);
    assert_eq!(datasets.find_by_name("Harm").await.unwrap(), None);
}

pub async fn a_dataset_that_is_not_there_is_none(fixture: &dyn Fixture) {
    let datasets = fixture.configuration().datasets;
    let page = PageRequest::first(1).unwrap();
    assert_eq!(datasets.find(nobody()).await.unwrap(), None);
    assert!(!datasets.delete(nobody()).await.unwrap());
    assert_eq!(datasets.count_prompts(nobody()).await.unwrap(), 0);
    assert!(datasets.prompts(nobody(), &page).await.unwrap().items.is_empty());
    assert_eq!(kind(datasets.require(nobody()).await), ErrorKind::NotFound);
    assert_eq!(kind(datasets.copy(nobody(), "copy").await), ErrorKind::NotFound);
    let prompts = vec![NewDatasetPrompt::of("x")];
    assert_eq!(kind(datasets.append_prompts(nobody(), prompts).await), ErrorKind::NotFound);
    assert_eq!(kind(datasets.reorder_prompts(nobody(), &[]).await), ErrorKind::NotFound);
}

pub async fn a_dataset_s_name_is_taken_once(fixture: &dyn Fixture) {
    let datasets = fixture.configuration().datasets;
    let a = datasets.create(new("a")).await.unwrap();
    let b = datasets.create(new("b")).await.unwrap();
    let error = datasets.create(new("a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error:?}");
    assert!(error.next_step().is_some());
    assert_eq!(
        kind(datasets.update(&Dataset { name: "a".to_owned(), ..b.clone() }).await),
        ErrorKind::Conflict
    );
    assert_eq!(kind(datasets.copy(b.id, "a").await), ErrorKind::Conflict);
    assert_eq!(datasets.find(a.id).await.unwrap(), Some(a));
    assert_eq!(datasets.find(b.id).await.unwrap(), Some(b));
}

pub async fn an_update_of_a_dataset_writes_counts_and_notices_another(fixture: &dyn Fixture) {
    let datasets = fixture.configuration().datasets;
    let created = datasets.create(new("a")).await.unwrap();
    fixture.clock().advance(Duration::from_micros(1));
    let wanted = Dataset {
        name: "b".to_owned(),
        source_type: "huggingface".to_owned(),
        configuration: json!({ "path": "x" }),
        metadata: json!(null),
        status: "stale".to_owned(),
        ..created.clone()
    };
    let updated = datasets.update(&wanted).await.unwrap();
    assert_eq!(updated, Dataset { version: 2, updated_at: fixture.clock().now(), ..wanted.clone() });
    assert_eq!(datasets.find(created.id).await.unwrap(), Some(updated.clone()));
    assert_eq!(kind(datasets.update(&wanted).await), ErrorKind::Conflict);
    assert_eq!(kind(datasets.update(&Dataset { id: nobody(), ..updated }).await), ErrorKind::NotFound);
    datasets.create(new("a")).await.unwrap();
}

pub async fn a_deleted_dataset_is_gone_with_its_prompts(fixture: &dyn Fixture) {
    let datasets = fixture.configuration().datasets;
    let a = datasets.create(new("a")).await.unwrap().id;
    let b = datasets.create(new("b")).await.unwrap().id;
    let prompt = datasets.append_prompts(a, vec![NewDatasetPrompt::of("x")]).await.unwrap()[0];
    datasets.append_prompts(b, vec![NewDatasetPrompt::of("y")]).await.unwrap();
    assert!(datasets.delete(a).await.unwrap());
    assert!(!datasets.delete(a).await.unwrap());
    assert_eq!(datasets.find_prompt(prompt).await.unwrap(), None);
    assert_eq!((datasets.count_prompts(a).await.unwrap(), datasets.count_prompts(b).await.unwrap()), (0, 1));
    datasets.create(new("a")).await.unwrap();
}

pub async fn datasets_are_paged_in_the_order_of_creation(fixture: &dyn Fixture) {
    let datasets = fixture.configuration().datasets;
    let mut created = Vec::new();
    for name in ["c", "a", "b"] {
        created.push(datasets.create(new(name)).await.unwrap());
    }
    let first = PageRequest::first(2).unwrap();
    let page = datasets.list(&first).await.unwrap();
    assert_eq!(page.items, created[..2]);
    let rest = datasets.list(&first.after(page.next.unwrap())).await.unwrap();
    assert_eq!((rest.items.as_slice(), rest.next), (&created[2..], None));
    for wrong in ["", "1", "not an id"].iter().chain(text::HOSTILE) {
        let page = PageRequest::first(1).unwrap().after(Cursor::new(*wrong));
        assert_eq!(kind(datasets.list(&page).await), ErrorKind::Invalid);
        assert_eq!(kind(datasets.prompts(created[0].id, &page).await), ErrorKind::Invalid);
    }
}

pub async fn a_copy_has_all_prompts_and_a_life_of_its_own(fixture: &dyn Fixture) {
    let datasets = fixture.configuration().datasets;
    let configuration = json!({ "a": 1 });
    let original = datasets.create(NewDataset { configuration, ..new("a") }).await.unwrap();
    let prompts = ["1", "2", "3"].map(NewDatasetPrompt::of).to_vec();
    let ids = datasets.append_prompts(original.id, prompts).await.unwrap();
    datasets.move_prompt(ids[2], crate::model::PromptPlace::First).await.unwrap();
    fixture.clock().advance(Duration::from_secs(1));
    let copy = datasets.copy(original.id, "b").await.unwrap();
    assert_eq!((copy.name.as_str(), copy.version, copy.created_at), ("b", 1, fixture.clock().now()));
    assert_eq!((&copy.configuration, &copy.source_type), (&original.configuration, &original.source_type));
    assert_eq!(datasets.find(copy.id).await.unwrap(), Some(copy.clone()));
    let page = PageRequest::first(10).unwrap();
    let (of_original, of_copy) = (
        datasets.prompts(original.id, &page).await.unwrap().items,
        datasets.prompts(copy.id, &page).await.unwrap().items,
    );
    let texts = |prompts: &[crate::model::DatasetPrompt]| -> Vec<String> {
        prompts.iter().map(|prompt| prompt.text.clone()).collect()
    };
    assert_eq!(texts(&of_original), ["3", "1", "2"]);
    assert_eq!(texts(&of_copy), texts(&of_original));
    assert!(of_copy.iter().all(|prompt| prompt.dataset == copy.id && !ids.contains(&prompt.id)));
    datasets.delete(original.id).await.unwrap();
    datasets.append_prompts(copy.id, vec![NewDatasetPrompt::of("4")]).await.unwrap();
    assert_eq!(texts(&datasets.prompts(copy.id, &page).await.unwrap().items), ["3", "1", "2", "4"]);
}

pub async fn hostile_text_survives_in_every_field_of_a_dataset(fixture: &dyn Fixture) {
    let datasets = fixture.configuration().datasets;
    let texts = text::HOSTILE.iter().map(|text| (*text).to_owned()).chain(text::longest_names());
    for text in texts {
        let json = json!({ text.clone(): [text] });
        let new = NewDataset {
            configuration: json.clone(),
            metadata: json.clone(),
            status: text.clone(),
            ..NewDataset::named(&text, &text)
        };
        let created = datasets.create(new).await.unwrap();
        assert_eq!(datasets.find_by_name(&text).await.unwrap(), Some(created.clone()), "{text:?}");
        assert_eq!((&created.name, &created.source_type, &created.status), (&text, &text, &text));
        assert_eq!((&created.configuration, &created.metadata), (&json, &json));
        assert_eq!(datasets.update(&created).await.unwrap(), Dataset { version: 2, ..created });
    }
    let long = Value::String(text::megabyte());
    let id = datasets.create(NewDataset { metadata: long.clone(), ..new("long") }).await.unwrap().id;
    assert!(datasets.find(id).await.unwrap().unwrap().metadata == long);
}

pub async fn what_a_dataset_can_t_keep_is_refused(fixture: &dyn Fixture) {
    let datasets = fixture.configuration().datasets;
    let created = datasets.create(new("a")).await.unwrap();
    let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
    let long = "n".repeat(1_001);
    for wrong in [
        new(""),
        new(&long),
        NewDataset::named("b", ""),
        NewDataset { status: long.clone(), ..new("b") },
        NewDataset { configuration: deep.clone(), ..new("b") },
        NewDataset { metadata: deep.clone(), ..new("b") },
    ] {
        assert_eq!(kind(datasets.create(wrong).await), ErrorKind::Invalid);
    }
    assert_eq!(kind(datasets.copy(created.id, "").await), ErrorKind::Invalid);
    assert_eq!(
        kind(datasets.update(&Dataset { metadata: deep.clone(), ..created.clone() }).await),
        ErrorKind::Invalid
    );
    let prompt = NewDatasetPrompt { metadata: deep, ..NewDatasetPrompt::of("x") };
    let prompts = vec![NewDatasetPrompt::of("y"), prompt];
    assert_eq!(kind(datasets.append_prompts(created.id, prompts).await), ErrorKind::Invalid);
    assert_eq!(datasets.count_prompts(created.id).await.unwrap(), 0);
}

pub async fn another_tenant_neither_sees_nor_changes_a_dataset(fixture: &dyn Fixture) {
    let mine = fixture.configuration().datasets;
    let other = fixture.other_tenant().configuration().unwrap().datasets;
    let created = mine.create(new("a")).await.unwrap();
    let (id, page) = (created.id, PageRequest::first(10).unwrap());
    let prompts = ["1", "2"].map(NewDatasetPrompt::of).to_vec();
    let ids = mine.append_prompts(id, prompts.clone()).await.unwrap();
    let before = mine.prompts(id, &page).await.unwrap();
    assert_eq!(other.find(id).await.unwrap(), None);
    assert_eq!(other.find_by_name("a").await.unwrap(), None);
    assert!(other.list(&page).await.unwrap().items.is_empty());
    assert!(other.prompts(id, &page).await.unwrap().items.is_empty());
    assert_eq!(other.count_prompts(id).await.unwrap(), 0);
    assert_eq!(other.find_prompt(ids[0]).await.unwrap(), None);
    assert_eq!(kind(other.update(&created).await), ErrorKind::NotFound);
    assert_eq!(kind(other.copy(id, "b").await), ErrorKind::NotFound);
    assert_eq!(kind(other.append_prompts(id, prompts).await), ErrorKind::NotFound);
    assert_eq!(kind(other.replace_prompt(ids[0], NewDatasetPrompt::of("x")).await), ErrorKind::NotFound);
    assert_eq!(kind(other.move_prompt(ids[0], crate::model::PromptPlace::Last).await), ErrorKind::NotFound);
    assert_eq!(kind(other.reorder_prompts(id, &[ids[1], ids[0]]).await), ErrorKind::NotFound);
    assert!(!other.delete_prompt(ids[0]).await.unwrap());
    assert!(!other.delete(id).await.unwrap());
    other.create(new("a")).await.unwrap();
    assert_eq!(mine.find(id).await.unwrap(), Some(created));
    assert_eq!(mine.prompts(id, &page).await.unwrap(), before);
}

pub async fn of_datasets_of_one_name_at_once_one_is_created(fixture: &dyn Fixture) {
    let datasets = fixture.configuration().datasets;
    let outcomes = at_once::all((0..4).map(|_| datasets.create(new("same")))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    assert!(outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).all(is_lost_race));
}

pub async fn no_prompt_outlives_a_dataset_that_is_deleted_meanwhile(fixture: &dyn Fixture) {
    let datasets = fixture.configuration().datasets;
    for n in 0..5 {
        let id = datasets.create(new(&format!("d{n}"))).await.unwrap().id;
        let append = datasets.append_prompts(id, vec![NewDatasetPrompt::of("x")]);
        let (appended, deleted) = at_once::both(append, datasets.delete(id)).await;
        assert!(deleted.unwrap());
        if let Err(error) = appended {
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
        }
        assert_eq!(datasets.count_prompts(id).await.unwrap(), 0);
    }
}
