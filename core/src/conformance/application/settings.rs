use std::time::Duration;

use serde_json::{Value, json};

use crate::conformance::{Fixture, kind, text};
use crate::repository::SettingsExt as _;
use crate::{Clock as _, ErrorKind, PageRequest};

async fn keys(fixture: &dyn Fixture, prefix: &str) -> Vec<String> {
    let (mut keys, mut request) = (Vec::new(), PageRequest::first(3).unwrap());
    loop {
        let page = fixture.application().settings.list(prefix, &request).await.unwrap();
        keys.extend(page.items.into_iter().map(|setting| setting.key));
        let Some(next) = page.next else { return keys };
        request = PageRequest::first(3).unwrap().after(next);
    }
}

pub async fn a_setting_is_put_and_got(fixture: &dyn Fixture) {
    let settings = fixture.application().settings;
    assert_eq!(settings.get("colour").await.unwrap(), None);
    let put = settings.put("colour", json!("red")).await.unwrap();
    assert_eq!((put.key.as_str(), &put.value, put.version), ("colour", &json!("red"), 1));
    assert_eq!(put.updated_at, fixture.clock().now());
    assert_eq!(settings.get("colour").await.unwrap(), Some(put));
    assert_eq!(settings.get("Colour").await.unwrap(), None);
}

pub async fn putting_again_replaces_and_counts(fixture: &dyn Fixture) {
    let settings = fixture.application().settings;
    settings.put("colour", json!("red")).await.unwrap();
    settings.put("size", json!(1)).await.unwrap();
    fixture.clock().advance(Duration::from_micros(1));
    let put = settings.put("colour", json!("blue")).await.unwrap();
    assert_eq!((&put.value, put.version, put.updated_at), (&json!("blue"), 2, fixture.clock().now()));
    assert_eq!(settings.get("colour").await.unwrap(), Some(put));
    assert_eq!(settings.get("size").await.unwrap().unwrap().version, 1);
}

pub async fn compare_and_set_sets_what_is_as_expected(fixture: &dyn Fixture) {
    let settings = fixture.application().settings;
    let first = settings.compare_and_set("leader", None, json!("a")).await.unwrap();
    assert_eq!(settings.get("leader").await.unwrap(), Some(first.clone()));
    let second = settings.compare_and_set("leader", Some(first.version), json!("b")).await.unwrap();
    assert_eq!((&second.value, second.version), (&json!("b"), 2));
    assert_eq!(settings.get("leader").await.unwrap(), Some(second));
}

pub async fn compare_and_set_refuses_what_is_not_as_expected(fixture: &dyn Fixture) {
    let settings = fixture.application().settings;
    assert_eq!(kind(settings.compare_and_set("leader", Some(1), json!("a")).await), ErrorKind::Conflict);
    let put = settings.put("leader", json!("a")).await.unwrap();
    for expected in [None, Some(0), Some(2), Some(i64::MAX), Some(-1)] {
        assert_eq!(kind(settings.compare_and_set("leader", expected, json!("b")).await), ErrorKind::Conflict);
    }
    assert_eq!(settings.get("leader").await.unwrap(), Some(put));
}

pub async fn a_deleted_setting_is_gone(fixture: &dyn Fixture) {
    let settings = fixture.application().settings;
    settings.put("a", json!(1)).await.unwrap();
    settings.put("b", json!(2)).await.unwrap();
    assert!(settings.delete("a").await.unwrap());
    assert!(!settings.delete("a").await.unwrap());
    assert_eq!(settings.get("a").await.unwrap(), None);
    assert_eq!(keys(fixture, "").await, ["b"]);
    assert_eq!(settings.compare_and_set("a", None, json!(3)).await.unwrap().version, 1);
}

pub async fn settings_are_listed_by_prefix_byte_for_byte(fixture: &dyn Fixture) {
    let settings = fixture.application().settings;
    let all = [
        "ui/colour",
        "ui/size",
        "ui",
        "UI/colour",
        "ui%",
        "u_",
        "uix",
        "ui\0a",
        "ui\0b",
        "ui\u{1}",
        "ui\u{1a}0",
        "ui\u{10ffff}",
        "ui\u{10ffff}z",
        "ü",
        "u\u{308}",
    ];
    for key in all {
        settings.put(key, json!(key)).await.unwrap();
    }
    let prefixes =
        ["", "u", "ui", "ui/", "ui%", "u_", "UI", "ui\0", "ui\u{1a}", "ui\u{10ffff}", "ü", "\0", "zz"];
    for prefix in prefixes {
        let expected: Vec<_> = all.into_iter().filter(|key| key.starts_with(prefix)).collect();
        assert_eq!(keys(fixture, prefix).await, expected, "{prefix:?}");
    }
}

pub async fn hostile_text_survives_in_keys_and_values(fixture: &dyn Fixture) {
    let settings = fixture.application().settings;
    let texts = text::HOSTILE.iter().map(|text| (*text).to_owned()).chain(text::longest_names());
    for text in texts {
        let value = json!({ "text": text, text.clone(): [text] });
        settings.put(&text, value.clone()).await.unwrap();
        assert_eq!(settings.get(&text).await.unwrap().unwrap().value, value);
        let set = settings.compare_and_set(&text, Some(1), json!(text)).await.unwrap();
        assert_eq!(settings.get(&text).await.unwrap(), Some(set), "{text:?}");
        assert!(settings.delete(&text).await.unwrap());
    }
    let long = Value::String(text::megabyte());
    settings.put("long", long.clone()).await.unwrap();
    assert!(settings.get("long").await.unwrap().unwrap().value == long);
}

pub async fn every_json_value_comes_back_as_it_was(fixture: &dyn Fixture) {
    let settings = fixture.application().settings;
    let values = [
        json!(null),
        json!(true),
        json!(""),
        json!("null"),
        json!([]),
        json!({}),
        json!(0),
        json!(-0.0),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(f64::MAX),
        json!(5e-324),
        json!(0.1),
        json!(1e23),
        json!({ "z": 1, "a": { "b": [null, [[]], { "": {} }] } }),
    ];
    for value in values {
        settings.put("value", value.clone()).await.unwrap();
        let got = settings.get("value").await.unwrap().unwrap().value;
        assert_eq!(got, value);
        assert_eq!(got.to_string(), value.to_string());
    }
}

pub async fn a_value_is_read_as_the_type_it_has(fixture: &dyn Fixture) {
    let settings = fixture.application().settings;
    settings.put("sizes", json!([1, 2])).await.unwrap();
    assert_eq!(settings.get_as::<Vec<u8>>("sizes").await.unwrap(), Some(vec![1, 2]));
    assert_eq!(settings.get_as::<Vec<u8>>("none").await.unwrap(), None);
    let error = settings.get_as::<bool>("sizes").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

pub async fn a_setting_s_key_has_a_length(fixture: &dyn Fixture) {
    let settings = fixture.application().settings;
    for wrong in [String::new(), "k".repeat(1_001)] {
        assert_eq!(kind(settings.put(&wrong, json!(1)).await), ErrorKind::Invalid);
        assert_eq!(kind(settings.compare_and_set(&wrong, None, json!(1)).await), ErrorKind::Invalid);
        assert_eq!(settings.get(&wrong).await.unwrap(), None);
        assert!(!settings.delete(&wrong).await.unwrap());
    }
}
