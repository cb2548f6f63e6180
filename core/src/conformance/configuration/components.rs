use std::time::Duration;

use serde_json::json;

use crate::conformance::{Fixture, at_once, is_lost_race, kind, text};
use crate::id::ComponentId;
use crate::model::{
    Component, ComponentFilter, ComponentKind, NewComponent, Parameters, TestOutcome, TestResult,
};
use crate::repository::{Components, ComponentsExt as _};
use crate::{Clock as _, Cursor, ErrorKind, PageRequest};

fn nobody() -> ComponentId {
    ComponentId(uuid::Uuid::max())
}

fn new(kind: ComponentKind, name: &str) -> NewComponent {
    NewComponent::named(kind, name, "OpenAIChatTarget")
}

fn generator(name: &str) -> NewComponent {
    new(ComponentKind::Generator, name)
}

async fn all(components: &dyn Components, filter: &ComponentFilter) -> Vec<String> {
    let (mut names, mut request) = (Vec::new(), PageRequest::first(2).unwrap());
    loop {
        let page = components.list(filter, &request).await.unwrap();
        names.extend(page.items.into_iter().map(|component| component.name));
        let Some(next) = page.next else { return names };
        request = PageRequest::first(2).unwrap().after(next);
    }
}

pub async fn a_created_component_is_found_by_id_and_by_kind_and_name(fixture: &dyn Fixture) {
    let components = fixture.configuration().components;
    let parameters =
        Parameters::from_json(json!({ "model": "m", "nested": [1, null, { "z": 0.1 }] })).unwrap();
    let created = components.create(generator("gpt").with(parameters.clone())).await.unwrap();
    assert_eq!((created.version, created.status.as_str()), (1, "ready"));
    assert_eq!((created.created_at, created.updated_at), (fixture.clock().now(), fixture.clock().now()));
    assert_eq!((&created.parameters, &created.last_test), (&parameters, &None));
    assert_eq!(components.find(created.id).await.unwrap(), Some(created.clone()));
    let by_name = components.find_by_name(ComponentKind::Generator, "gpt").await.unwrap();
    assert_eq!(by_name, Some(created.clone()));
    assert_eq!(components.require(created.id).await.unwrap(), created);
    assert_eq!(components.find_by_name(ComponentKind::Scorer, "gpt").await.unwrap(), None);
    assert_eq!(components.find_by_name(ComponentKind::Generator, "GPT").await.unwrap(), None);
}

pub async fn a_component_that_is_not_there_is_none(fixture: &dyn Fixture) {
    let components = fixture.configuration().components;
    assert_eq!(components.find(nobody()).await.unwrap(), None);
    assert_eq!(components.reveal(nobody()).await.unwrap(), None);
    assert!(!components.delete(nobody()).await.unwrap());
    assert_eq!(kind(components.require(nobody()).await), ErrorKind::NotFound);
    assert_eq!(kind(components.set_status(nobody(), "ready").await), ErrorKind::NotFound);
    assert_eq!(kind(components.record_test(nobody(), TestOutcome::default()).await), ErrorKind::NotFound);
    assert_eq!(components.rotate_secrets().await.unwrap(), 0);
}

pub async fn a_component_s_name_is_taken_once_per_kind(fixture: &dyn Fixture) {
    let components = fixture.configuration().components;
    for kind in ComponentKind::ALL {
        components.create(new(kind, "same")).await.unwrap();
    }
    let error = components.create(generator("same")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error:?}");
    assert!(error.next_step().is_some());
    let other = components.create(generator("other")).await.unwrap();
    let error = components.update(&Component { name: "same".to_owned(), ..other.clone() }).await;
    assert_eq!(kind(error), ErrorKind::Conflict);
    assert_eq!(components.find(other.id).await.unwrap(), Some(other));
}

pub async fn an_update_of_a_component_writes_counts_and_notices_another(fixture: &dyn Fixture) {
    let components = fixture.configuration().components;
    let created = components.create(generator("a")).await.unwrap();
    fixture.clock().advance(Duration::from_micros(1));
    let parameters = Parameters::from_json(json!({ "temperature": 0.5 })).unwrap();
    let wanted = Component {
        name: "b".to_owned(),
        type_name: "Other".to_owned(),
        parameters,
        status: "broken".to_owned(),
        ..created.clone()
    };
    let updated = components.update(&wanted).await.unwrap();
    assert_eq!(updated, Component { version: 2, updated_at: fixture.clock().now(), ..wanted.clone() });
    assert_eq!(components.find(created.id).await.unwrap(), Some(updated.clone()));
    assert_eq!(kind(components.update(&wanted).await), ErrorKind::Conflict);
    let gone = Component { id: nobody(), ..updated.clone() };
    assert_eq!(kind(components.update(&gone).await), ErrorKind::NotFound);
    // The name of before is free, and the kind never changes.
    components.create(generator("a")).await.unwrap();
    let other_kind = Component { kind: ComponentKind::Scorer, ..updated };
    assert_eq!(components.update(&other_kind).await.unwrap().kind, ComponentKind::Generator);
}

pub async fn a_status_is_set_and_counts_only_when_it_changes(fixture: &dyn Fixture) {
    let components = fixture.configuration().components;
    let created = components.create(generator("a")).await.unwrap();
    fixture.clock().advance(Duration::from_micros(1));
    let set = components.set_status(created.id, "disabled").await.unwrap();
    assert_eq!((set.status.as_str(), set.version, set.updated_at), ("disabled", 2, fixture.clock().now()));
    fixture.clock().advance(Duration::from_micros(1));
    assert_eq!(components.set_status(created.id, "disabled").await.unwrap(), set);
}

pub async fn the_last_test_is_recorded_and_counts_as_no_change(fixture: &dyn Fixture) {
    let components = fixture.configuration().components;
    let created = components.create(generator("a")).await.unwrap();
    for (passed, message, details) in
        [(false, Some("no\0answer".to_owned()), Some(json!({ "status": 500 }))), (true, None, None)]
    {
        fixture.clock().advance(Duration::from_secs(1));
        let outcome = TestOutcome { passed, message: message.clone(), details: details.clone() };
        let tested = components.record_test(created.id, outcome).await.unwrap();
        let result = TestResult { tested_at: fixture.clock().now(), passed, message, details };
        assert_eq!(tested, Component { last_test: Some(result), ..created.clone() });
        assert_eq!(components.find(created.id).await.unwrap(), Some(tested));
    }
    // Whoever read it before the test may still change it.
    let updated = components.update(&created).await.unwrap();
    assert!(updated.last_test.is_some_and(|test| test.passed));
}

pub async fn a_deleted_component_is_gone(fixture: &dyn Fixture) {
    let components = fixture.configuration().components;
    let (a, b) = (generator("a"), generator("b"));
    let (a, b) = (components.create(a).await.unwrap(), components.create(b).await.unwrap());
    assert!(components.delete(a.id).await.unwrap());
    assert!(!components.delete(a.id).await.unwrap());
    assert_eq!(components.find(a.id).await.unwrap(), None);
    assert_eq!(components.find(b.id).await.unwrap(), Some(b));
    components.create(generator("a")).await.unwrap();
}

pub async fn components_are_listed_by_kind_type_and_status(fixture: &dyn Fixture) {
    let components = fixture.configuration().components;
    for (kind, name, type_name, status) in [
        (ComponentKind::Generator, "1", "T", "ready"),
        (ComponentKind::Scorer, "2", "T", "ready"),
        (ComponentKind::Generator, "3", "U\0", "broken"),
        (ComponentKind::Converter, "4", "T", "broken"),
        (ComponentKind::Generator, "5", "T", "broken"),
    ] {
        let status = status.to_owned();
        components
            .create(NewComponent { status, ..NewComponent::named(kind, name, type_name) })
            .await
            .unwrap();
    }
    let filter = |kind, type_name: Option<&str>, status: Option<&str>| ComponentFilter {
        kind,
        type_name: type_name.map(str::to_owned),
        status: status.map(str::to_owned),
    };
    let generator = Some(ComponentKind::Generator);
    for (filter, expected) in [
        (filter(None, None, None), vec!["1", "2", "3", "4", "5"]),
        (filter(generator, None, None), vec!["1", "3", "5"]),
        (filter(None, Some("T"), None), vec!["1", "2", "4", "5"]),
        (filter(generator, Some("U\0"), Some("broken")), vec!["3"]),
        (filter(None, Some("T"), Some("broken")), vec!["4", "5"]),
        (filter(None, Some("t"), None), vec![]),
    ] {
        assert_eq!(all(components.as_ref(), &filter).await, expected, "{filter:?}");
    }
    for wrong in ["", "1", "not an id"].iter().chain(text::HOSTILE) {
        let page = PageRequest::first(1).unwrap().after(Cursor::new(*wrong));
        assert_eq!(kind(components.list(&ComponentFilter::default(), &page).await), ErrorKind::Invalid);
    }
}

pub async fn hostile_text_survives_in_every_field_of_a_component(fixture: &dyn Fixture) {
    let components = fixture.configuration().components;
    let texts = text::HOSTILE.iter().map(|text| (*text).to_owned()).chain(text::longest_names());
    for text in texts {
        let parameters = Parameters::from_json(json!({ "text": text, format!("x{text}"): [text] })).unwrap();
        let new = NewComponent {
            status: text.clone(),
            ..NewComponent::named(ComponentKind::Scorer, &text, &text).with(parameters)
        };
        let created = components.create(new).await.unwrap();
        let outcome = TestOutcome {
            passed: true,
            message: Some(text.clone()),
            details: Some(json!({ text.clone(): text })),
        };
        let tested = components.record_test(created.id, outcome).await.unwrap();
        let found = components.find_by_name(ComponentKind::Scorer, &text).await.unwrap();
        assert_eq!(found, Some(tested.clone()), "{text:?}");
        assert_eq!((&tested.name, &tested.type_name, &tested.status), (&text, &text, &text));
        assert_eq!(tested.parameters, created.parameters);
        let test = tested.last_test.unwrap();
        assert_eq!(
            (test.message.as_deref(), test.details),
            (Some(text.as_str()), Some(json!({ text.clone(): text })))
        );
    }
    let long = json!({ "text": text::megabyte() });
    let new = generator("long").with(Parameters::from_json(long.clone()).unwrap());
    let id = components.create(new).await.unwrap().id;
    assert!(components.find(id).await.unwrap().unwrap().parameters.redacted() == &long);
}

pub async fn a_component_s_name_type_and_status_have_a_length(fixture: &dyn Fixture) {
    let components = fixture.configuration().components;
    let created = components.create(generator("a")).await.unwrap();
    for wrong in [String::new(), "n".repeat(1_001)] {
        for new in [
            NewComponent { name: wrong.clone(), ..generator("b") },
            NewComponent { type_name: wrong.clone(), ..generator("b") },
            NewComponent { status: wrong.clone(), ..generator("b") },
        ] {
            assert_eq!(kind(components.create(new).await), ErrorKind::Invalid);
        }
        let renamed = Component { name: wrong.clone(), ..created.clone() };
        assert_eq!(kind(components.update(&renamed).await), ErrorKind::Invalid);
        assert_eq!(kind(components.set_status(created.id, &wrong).await), ErrorKind::Invalid);
    }
    assert_eq!(components.find(created.id).await.unwrap(), Some(created));
}

pub async fn another_tenant_neither_sees_nor_changes_a_component(fixture: &dyn Fixture) {
    let mine = fixture.configuration().components;
    let other = fixture.other_tenant().configuration().unwrap().components;
    let parameters = Parameters::from_json(json!({ "api_key": "hunter2" })).unwrap();
    let created = mine.create(generator("a").with(parameters)).await.unwrap();
    assert_eq!(other.find(created.id).await.unwrap(), None);
    assert_eq!(other.find_by_name(created.kind, "a").await.unwrap(), None);
    assert_eq!(other.reveal(created.id).await.unwrap(), None);
    assert!(all(other.as_ref(), &ComponentFilter::default()).await.is_empty());
    assert_eq!(kind(other.update(&created).await), ErrorKind::NotFound);
    assert_eq!(kind(other.set_status(created.id, "x").await), ErrorKind::NotFound);
    assert_eq!(kind(other.record_test(created.id, TestOutcome::default()).await), ErrorKind::NotFound);
    assert!(!other.delete(created.id).await.unwrap());
    // The name is free for the other one.
    other.create(generator("a")).await.unwrap();
    assert_eq!(mine.find(created.id).await.unwrap(), Some(created));
}

pub async fn of_two_updates_of_a_component_at_once_one_is_lost_and_knows_it(fixture: &dyn Fixture) {
    let components = fixture.configuration().components;
    let created = components.create(generator("a")).await.unwrap();
    let change = |status: &str| Component { status: status.to_owned(), ..created.clone() };
    let (left, right) = (change("left"), change("right"));
    let outcomes = at_once::both(components.update(&left), components.update(&right)).await;
    let (won, lost) = match outcomes {
        (Ok(won), Err(lost)) | (Err(lost), Ok(won)) => (won, lost),
        other => panic!("{other:?}"),
    };
    assert!(is_lost_race(&lost), "{lost:?}");
    assert_eq!(components.find(created.id).await.unwrap(), Some(won));
}

pub async fn of_components_of_one_name_at_once_one_is_created(fixture: &dyn Fixture) {
    let components = fixture.configuration().components;
    let outcomes = at_once::all((0..4).map(|_| components.create(generator("same")))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    assert!(outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).all(is_lost_race));
    assert_eq!(all(components.as_ref(), &ComponentFilter::default()).await, ["same"]);
}

pub async fn tests_recorded_and_statuses_set_at_once_all_take_effect(fixture: &dyn Fixture) {
    let components = fixture.configuration().components;
    let id = components.create(generator("a")).await.unwrap().id;
    let test = async {
        components.record_test(id, TestOutcome { passed: true, ..TestOutcome::default() }).await.unwrap();
    };
    let status = async {
        components.set_status(id, "tested").await.unwrap();
    };
    at_once::both(test, status).await;
    let found = components.require(id).await.unwrap();
    assert_eq!((found.status.as_str(), found.last_test.is_some()), ("tested", true));
}

pub async fn components_take_part_in_a_unit_of_work(fixture: &dyn Fixture) {
    let unit = fixture.tenant().begin().await.unwrap();
    let components = unit.configuration().unwrap().components;
    let created = components.create(generator("a")).await.unwrap();
    let named = Component { name: "b".to_owned(), ..created.clone() };
    let updated = components.update(&named).await.unwrap();
    components.set_status(created.id, "x").await.unwrap();
    assert_eq!(updated.version, 2);
    unit.rollback().await.unwrap();
    assert_eq!(fixture.configuration().components.find(created.id).await.unwrap(), None);
}
