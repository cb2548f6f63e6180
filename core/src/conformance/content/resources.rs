use std::sync::Arc;

use serde_json::json;

use super::ContentFixture;
use crate::ErrorKind;
use crate::conformance::kind;
use crate::model::{Namespace, NewObject};
use crate::repository::Resources;

pub async fn resources_are_listed_a_page_at_a_time_across_namespaces(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    for (namespace, name) in [
        (Namespace::Configuration, "app.toml"),
        (Namespace::Configuration, "../x"),
        (Namespace::Datasets, "d.jsonl"),
        (Namespace::Reports, "weekly summary.html"),
    ] {
        content.put(namespace, name, NewObject::new("text")).await.unwrap();
    }
    fixture.other_tenant().put(Namespace::Reports, "hidden", NewObject::new("x")).await.unwrap();
    for size in [1, 2, 3, 4, 100] {
        let resources = Resources::new(Arc::clone(&content)).page_size(size);
        let (mut uris, mut cursor) = (Vec::new(), None);
        loop {
            let page = resources.list(cursor.as_deref()).await.unwrap();
            assert!(page.resources.len() <= size as usize);
            uris.extend(page.resources.into_iter().map(|resource| resource.uri));
            match page.next_cursor {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        let expected = [
            "trimaran://configuration/..%2Fx",
            "trimaran://configuration/app.toml",
            "trimaran://datasets/d.jsonl",
            "trimaran://reports/weekly%20summary.html",
        ];
        assert_eq!(uris, expected, "pages of {size}");
    }
    let resources = Resources::new(content).page_size(1);
    assert_eq!(kind(resources.list(Some("nonsense")).await), ErrorKind::Invalid);
    let page = serde_json::to_value(resources.list(None).await.unwrap()).unwrap();
    let resource = &page["resources"][0];
    assert!(page["nextCursor"].is_string());
    assert_eq!((&resource["name"], &resource["size"]), (&json!("../x"), &json!(4)));
    assert_eq!(resource["mimeType"], "application/octet-stream");
    assert!(resource["annotations"]["lastModified"].as_str().unwrap().ends_with('Z'));
}

pub async fn a_resource_is_read_as_text_or_as_a_blob(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    let put = |name, object| content.put(Namespace::Reports, name, object);
    put("a.txt", NewObject::new("grüße\0")).await.unwrap();
    put("b.json", NewObject::new("{}")).await.unwrap();
    put("c.png", NewObject::new("\u{89}PNG")).await.unwrap();
    put("d.txt", NewObject::new(b"\xff".as_slice())).await.unwrap();
    let resources = Resources::new(Arc::clone(&content));
    let read = |name: &str| {
        let (resources, uri) = (resources.clone(), format!("trimaran://reports/{name}"));
        async move { serde_json::to_value(resources.read(&uri).await.unwrap()).unwrap() }
    };
    let contents = |name: &str, mime: &str, key: &str, value: &str| {
        let uri = format!("trimaran://reports/{name}");
        json!({ "contents": [{ "uri": uri, "mimeType": mime, key: value }] })
    };
    assert_eq!(read("a%2Etxt").await, contents("a.txt", "text/plain", "text", "grüße\0"));
    assert_eq!(read("b.json").await, contents("b.json", "application/json", "text", "{}"));
    assert_eq!(read("c%2Epng").await, contents("c.png", "image/png", "blob", "wolQTkc="));
    assert_eq!(read("d%2Etxt").await, contents("d.txt", "text/plain", "blob", "/w=="));
}

pub async fn a_resource_that_is_not_there_or_too_long_is_refused(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    content.put(Namespace::Reports, "long", NewObject::new("12345")).await.unwrap();
    let resources = Resources::new(content).max_bytes(4);
    for missing in [
        "trimaran://reports/none",
        "trimaran://elsewhere/long",
        "file:///etc/passwd",
        "",
        "trimaran://reports/",
    ] {
        assert_eq!(kind(resources.read(missing).await), ErrorKind::NotFound, "{missing}");
    }
    assert_eq!(kind(resources.read("trimaran://reports/long").await), ErrorKind::Invalid);
}
