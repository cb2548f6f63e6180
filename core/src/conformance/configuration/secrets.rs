use serde_json::{Value, json};

use crate::ErrorKind;
use crate::conformance::{Fixture, kind, text};
use crate::model::{Component, ComponentFilter, ComponentKind, NewComponent, Parameters};
use crate::secret::places::MARK;
use crate::{PageRequest, Result};

fn given() -> Value {
    json!({
        "endpoint": "https://host/v1",
        "api_key": "hunter2",
        "headers": { "Authorization": "Bearer hunter3", "Accept": "json" },
        "store": "postgres://me:hunter4@host/db",
        "fallbacks": [{ "host": "a", "token": "hunter5" }, { "host": "b", "token": "hunter6" }],
        "pin": 1234,
    })
}

async fn create(fixture: &dyn Fixture, parameters: Value) -> Result<Component> {
    let new = NewComponent::named(ComponentKind::Generator, "g", "T");
    fixture.configuration().components.create(new.with(Parameters::from_json(parameters)?)).await
}

async fn revealed(fixture: &dyn Fixture, component: &Component) -> Value {
    let parameters = fixture.configuration().components.reveal(component.id).await.unwrap().unwrap();
    parameters.expose().unwrap()
}

pub async fn reading_a_component_shows_no_secret(fixture: &dyn Fixture) {
    let components = fixture.configuration().components;
    let created = create(fixture, given()).await.unwrap();
    let page = PageRequest::first(1).unwrap();
    let read = [
        created.clone(),
        components.find(created.id).await.unwrap().unwrap(),
        components.find_by_name(created.kind, "g").await.unwrap().unwrap(),
        components.list(&ComponentFilter::default(), &page).await.unwrap().items.remove(0),
        components.set_status(created.id, "ready").await.unwrap(),
    ];
    for component in read {
        let shown = format!("{component:?} {}", serde_json::to_string(&component).unwrap());
        assert!(!shown.contains("hunter") && !shown.contains("1234"), "{shown}");
        assert_eq!(component.parameters.redacted()["api_key"], MARK);
        assert_eq!(component.parameters.redacted()["headers"]["Accept"], "json");
        assert_eq!(kind(component.parameters.expose()), ErrorKind::Invalid);
        assert_eq!(component, created);
    }
}

pub async fn revealing_gives_every_secret_as_it_was(fixture: &dyn Fixture) {
    let created = create(fixture, given()).await.unwrap();
    assert_eq!(revealed(fixture, &created).await, given());
    let plain = NewComponent::named(ComponentKind::Generator, "plain", "T");
    let plain = fixture.configuration().components.create(plain).await.unwrap();
    assert_eq!(revealed(fixture, &plain).await, json!({}));
}

pub async fn hostile_secrets_at_hostile_places_come_back(fixture: &dyn Fixture) {
    let mut parameters =
        json!({ "token": text::megabyte(), "secret": { "a": [1, null, { "": "x" }] }, "password": "" });
    for (n, text) in text::HOSTILE.iter().enumerate() {
        parameters[format!("a/b~{text}")] = json!({ "api_key": text });
        parameters[format!("{text}{n}_password")] = json!(text);
    }
    let created = create(fixture, parameters.clone()).await.unwrap();
    assert!(revealed(fixture, &created).await == parameters);
}

pub async fn an_update_of_what_was_read_keeps_the_secrets(fixture: &dyn Fixture) {
    let components = fixture.configuration().components;
    let created = create(fixture, given()).await.unwrap();
    let renamed = components.update(&Component { name: "h".to_owned(), ..created }).await.unwrap();
    assert_eq!(revealed(fixture, &renamed).await, given());
    // By way of a client's JSON, which changes, adds and removes.
    let mut json = serde_json::to_value(&renamed.parameters).unwrap();
    json["endpoint"] = json!("https://other/v1");
    json["headers"]["X-Api-Key"] = json!("hunter7");
    json.as_object_mut().unwrap().remove("store");
    let parameters = Parameters::from_json(json).unwrap();
    let updated = components.update(&Component { parameters, ..renamed }).await.unwrap();
    let mut expected = given();
    expected["endpoint"] = json!("https://other/v1");
    expected["headers"]["X-Api-Key"] = json!("hunter7");
    expected.as_object_mut().unwrap().remove("store");
    assert_eq!(revealed(fixture, &updated).await, expected);
    assert_eq!(updated.parameters.redacted()["headers"]["X-Api-Key"], MARK);
}

pub async fn a_new_secret_replaces_the_old_one(fixture: &dyn Fixture) {
    let components = fixture.configuration().components;
    let created = create(fixture, json!({ "api_key": "old", "token": "t" })).await.unwrap();
    let parameters = Parameters::from_json(json!({ "api_key": "new", "token": MARK })).unwrap();
    let updated = components.update(&Component { parameters, ..created }).await.unwrap();
    assert_eq!(revealed(fixture, &updated).await, json!({ "api_key": "new", "token": "t" }));
    let none = Component { parameters: Parameters::default(), ..updated };
    let updated = components.update(&none).await.unwrap();
    assert_eq!(revealed(fixture, &updated).await, json!({}));
}

pub async fn the_mark_is_refused_where_no_secret_is_stored(fixture: &dyn Fixture) {
    let components = fixture.configuration().components;
    assert_eq!(kind(create(fixture, json!({ "api_key": MARK })).await), ErrorKind::Invalid);
    let created = create(fixture, given()).await.unwrap();
    let mut elsewhere = given();
    elsewhere["other_key"] = json!({ "api_key": MARK });
    let mut moved = given();
    moved["fallbacks"] = json!([{ "host": "b", "token": MARK }]);
    for wrong in [elsewhere, moved] {
        let parameters = Parameters::from_json(wrong).unwrap();
        let error = components.update(&Component { parameters, ..created.clone() }).await;
        assert_eq!(kind(error), ErrorKind::Invalid);
    }
    assert_eq!(components.find(created.id).await.unwrap(), Some(created));
}

pub async fn what_is_marked_as_a_secret_stays_one(fixture: &dyn Fixture) {
    let components = fixture.configuration().components;
    let parameters = Parameters::from_json(json!({ "seed": { "words": ["hunter2"] } })).unwrap();
    let new = NewComponent::named(ComponentKind::Converter, "c", "T");
    let created = components.create(new.with(parameters.with_secret_at("/seed").unwrap())).await.unwrap();
    assert_eq!(created.parameters.redacted(), &json!({ "seed": MARK }));
    assert_eq!(revealed(fixture, &created).await, json!({ "seed": { "words": ["hunter2"] } }));
    let parameters = Parameters::from_json(json!({ "seed": "hunter3" })).unwrap();
    let updated = components.update(&Component { parameters, ..created }).await.unwrap();
    assert_eq!(updated.parameters.redacted(), &json!({ "seed": MARK }));
    assert_eq!(revealed(fixture, &updated).await, json!({ "seed": "hunter3" }));
}

pub async fn secrets_under_the_active_key_are_not_rotated(fixture: &dyn Fixture) {
    let created = create(fixture, given()).await.unwrap();
    assert_eq!(fixture.configuration().components.rotate_secrets().await.unwrap(), 0);
    assert_eq!(revealed(fixture, &created).await, given());
}
