use serde_json::json;

use super::*;

fn parameters(document: Value) -> Parameters {
    Parameters::from_json(document).unwrap()
}

fn kind<T: fmt::Debug>(outcome: Result<T>) -> ErrorKind {
    outcome.unwrap_err().kind()
}

/// What a repository would read of these.
fn read(parameters: &Parameters) -> Parameters {
    let places = parameters.secret_places().map(str::to_owned);
    Parameters::stored(parameters.redacted().clone(), places).unwrap()
}

#[test]
fn secrets_are_shown_by_nothing_and_exposed_on_request() {
    let document = json!({ "model": "m", "headers": { "Authorization": "Bearer hunter2" }, "pin": 1234 });
    let given = parameters(document.clone());
    let shown = format!("{given:?} {}", serde_json::to_string(&given).unwrap());
    assert!(!shown.contains("hunter2") && !shown.contains("1234"), "{shown}");
    assert_eq!(given.expose().unwrap(), document);
    let secret = |place| given.secret(place).map(|secret| secret.expose_secret().to_owned());
    assert_eq!(secret("/headers/Authorization").as_deref(), Some("Bearer hunter2"));
    assert_eq!(secret("/pin").as_deref(), Some("1234"));
    assert_eq!(secret("/model"), None);
}

#[test]
fn what_was_read_keeps_its_secrets_and_exposes_none() {
    let stored = parameters(json!({ "api_key": "k", "url": "postgres://a:b@c/d", "size": 1 }));
    let read = read(&stored);
    assert_eq!(kind(read.expose()), ErrorKind::Invalid);
    assert_eq!(read.clone().completed_from(&stored).unwrap(), stored);
    // A client has it as JSON, changes something else, and sends it back.
    let mut json = serde_json::to_value(&read).unwrap();
    json["size"] = json!(2);
    let back: Parameters = serde_json::from_value(json).unwrap();
    let expected = json!({ "api_key": "k", "url": "postgres://a:b@c/d", "size": 2 });
    assert_eq!(back.completed_from(&stored).unwrap().expose().unwrap(), expected);
}

#[test]
fn the_mark_never_becomes_a_secret() {
    let stored = parameters(json!({ "api_key": "k" }));
    let moved = parameters(json!({ "token": MARK }));
    assert_eq!(kind(moved.clone().completed_from(&stored)), ErrorKind::Invalid);
    assert_eq!(kind(moved.require_given()), ErrorKind::Invalid);
    assert_eq!(kind(parameters(json!({ "note": MARK })).completed_from(&stored)), ErrorKind::Invalid);
}

#[test]
fn a_secret_in_a_list_is_kept_only_if_the_list_is_as_it_was() {
    let item = |host: &str, key: &str| json!({ "host": host, "api_key": key });
    let stored = parameters(json!({ "targets": [item("a", "1"), item("b", "2")] }));
    let changed = |targets| parameters(json!({ "targets": targets })).completed_from(&stored);
    let same = changed(json!([item("a", MARK), item("b", "3")])).unwrap();
    assert_eq!(same.expose().unwrap(), json!({ "targets": [item("a", "1"), item("b", "3")] }));
    for moved in [json!([item("b", MARK)]), json!([item("b", MARK), item("a", MARK)])] {
        assert_eq!(kind(changed(moved)), ErrorKind::Invalid);
    }
}

#[test]
fn anything_can_be_marked_and_stays_so() {
    let document = json!({ "session": { "id": "s", "api_key": "k" }, "size": 1 });
    let stored = parameters(document.clone()).with_secret_at("/session").unwrap();
    assert_eq!(stored.redacted(), &json!({ "session": MARK, "size": 1 }));
    assert_eq!(stored.expose().unwrap(), document);
    let renewed = parameters(json!({ "session": "t" })).secret_where(&read(&stored)).unwrap();
    assert_eq!(renewed.secret_places().collect::<Vec<_>>(), ["/session"]);
    let gone = parameters(json!({ "session": null })).secret_where(&read(&stored)).unwrap();
    assert_eq!(gone.secret_places().count(), 0);
    for wrong in ["", "/none", "session", "/session/id/x"] {
        assert_eq!(kind(parameters(document.clone()).with_secret_at(wrong)), ErrorKind::Invalid);
    }
    assert_eq!(kind(read(&parameters(document)).with_secret_at("/session")), ErrorKind::Invalid);
}

#[test]
fn parameters_are_an_object_of_a_depth_that_can_be_read_back() {
    let deep = (0..200).fold(json!(1), |inner, _| json!({ "a": inner }));
    for wrong in [json!([]), json!(null), json!("text"), deep] {
        assert_eq!(kind(Parameters::from_json(wrong)), ErrorKind::Invalid);
    }
}

#[test]
fn what_is_stored_must_have_the_mark_at_every_place() {
    assert!(Parameters::stored(json!({ "a": "x" }), ["/a".to_owned()]).is_none());
    assert!(Parameters::stored(json!([]), []).is_none());
    assert!(Parameters::stored(json!({ "a": MARK }), ["/a".to_owned()]).is_some());
}
