use std::sync::Arc;

use super::{ContentFixture, all, read};
use crate::ErrorKind;
use crate::conformance::kind;
use crate::model::{Namespace, NewObject};
use crate::repository::content::Diff;
use crate::repository::{Content, ContentExt as _};

const FILES: Namespace = Namespace::Configuration;

async fn put(content: &Arc<dyn Content>, name: &str, text: &'static str) -> u64 {
    content.put(FILES, name, NewObject::new(text)).await.unwrap().version
}

async fn version(content: &Arc<dyn Content>, name: &str, version: u64) -> Option<String> {
    let object = content.get_version(name, version).await.unwrap()?;
    Some(String::from_utf8(object.bytes().await.unwrap().to_vec()).unwrap())
}

/// The numbers of the versions, newest first, those of deletions with a minus.
async fn numbers(content: &Arc<dyn Content>, name: &str) -> Vec<i64> {
    let versions = content.versions(name).await.unwrap();
    let number = |version: u64| i64::try_from(version).unwrap();
    versions.iter().map(|v| if v.object.is_some() { number(v.version) } else { -number(v.version) }).collect()
}

pub async fn every_put_of_a_configuration_file_is_a_version(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    for (n, text) in ["one", "two", "three"].into_iter().enumerate() {
        let object = NewObject::new(text).metadata("n", n.to_string()).content_type(format!("text/x-{n}"));
        content.put(FILES, "app.toml", object).await.unwrap();
    }
    assert_eq!(numbers(&content, "app.toml").await, [3, 2, 1]);
    for (n, text) in ["one", "two", "three"].into_iter().enumerate() {
        let object = content.get_version("app.toml", n as u64 + 1).await.unwrap().unwrap();
        assert_eq!(
            (object.info.metadata["n"].clone(), &object.info.content_type),
            (n.to_string(), &format!("text/x-{n}"))
        );
        assert_eq!(object.bytes().await.unwrap(), text);
    }
    let history = content.versions("app.toml").await.unwrap();
    assert_eq!(history[0].object, content.head(FILES, "app.toml").await.unwrap());
    assert!(
        version(&content, "app.toml", 4).await.is_none() && version(&content, "app.toml", 0).await.is_none()
    );
}

pub async fn a_deletion_is_a_version_and_what_was_there_can_be_restored(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    put(&content, "f", "kept").await;
    assert!(content.delete(FILES, "f").await.unwrap());
    assert_eq!(numbers(&content, "f").await, [-2, 1]);
    assert!(all(&content, FILES, "", 9).await.is_empty());
    assert!(content.get_version("f", 2).await.unwrap().is_none());
    assert_eq!(content.restore("f", 1).await.unwrap().version, 3);
    assert_eq!(read(&content, FILES, "f").await.as_ref(), b"kept");
    assert_eq!(numbers(&content, "f").await, [3, -2, 1]);
}

pub async fn a_restored_version_is_a_new_one(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    let first = NewObject::new("one").metadata("by", "ann").content_type("text/x-one");
    let first = content.put(FILES, "f", first).await.unwrap();
    put(&content, "f", "two").await;
    let restored = content.restore("f", 1).await.unwrap();
    assert_eq!((restored.version, restored.sha256), (3, first.sha256));
    assert_eq!((restored.metadata, restored.content_type), (first.metadata, first.content_type));
    assert_eq!(version(&content, "f", 2).await.as_deref(), Some("two"));
    assert_eq!(version(&content, "f", 1).await.as_deref(), Some("one"));
}

pub async fn a_version_that_is_not_there_is_not_restored(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    assert_eq!(kind(content.restore("f", 1).await), ErrorKind::NotFound);
    put(&content, "f", "one").await;
    content.delete(FILES, "f").await.unwrap();
    for wrong in [0, 2, 3] {
        assert_eq!(kind(content.restore("f", wrong).await), ErrorKind::NotFound);
    }
    assert!(content.head(FILES, "f").await.unwrap().is_none());
}

pub async fn no_more_versions_are_kept_than_are_wanted(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    for text in ["1", "2", "3", "4", "5", "6", "7"] {
        put(&content, "f", text).await;
    }
    assert_eq!(numbers(&content, "f").await, [7, 6, 5, 4, 3]);
    assert!(version(&content, "f", 2).await.is_none());
    assert_eq!(version(&content, "f", 3).await.as_deref(), Some("3"));
    content.restore("f", 3).await.unwrap();
    assert_eq!(numbers(&content, "f").await, [8, 7, 6, 5, 4]);
    assert_eq!(read(&content, FILES, "f").await.as_ref(), b"3");
}

pub async fn what_changed_is_shown_line_by_line(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    put(&content, "f", "a\nb\nc\n").await;
    put(&content, "f", "a\nB\nc\n").await;
    content.delete(FILES, "f").await.unwrap();
    content.put(FILES, "f", NewObject::new(b"\xff\0".as_slice())).await.unwrap();
    let changed = "--- version 1\n+++ version 2\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n";
    assert_eq!(content.diff("f", 1, 2).await.unwrap(), Diff::Text(changed.to_owned()));
    let removed = "--- version 2\n+++ version 3\n@@ -1,3 +0,0 @@\n-a\n-B\n-c\n";
    assert_eq!(content.diff("f", 2, 3).await.unwrap(), Diff::Text(removed.to_owned()));
    assert_eq!(content.diff("f", 2, 4).await.unwrap(), Diff::Binary { old: 6, new: 2 });
    assert_eq!(content.diff("f", 2, 2).await.unwrap(), Diff::Same);
    assert_eq!(kind(content.diff("f", 1, 9).await), ErrorKind::NotFound);
}

pub async fn other_namespaces_keep_no_versions(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    for namespace in [Namespace::Datasets, Namespace::Templates, Namespace::Reports] {
        content.put(namespace, "f", NewObject::new("1")).await.unwrap();
        content.put(namespace, "f", NewObject::new("2")).await.unwrap();
        assert!(content.versions("f").await.unwrap().is_empty());
        assert!(content.get_version("f", 1).await.unwrap().is_none());
    }
}

pub async fn a_purged_file_is_gone_with_its_history(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    for _ in 0..2 {
        put(&content, "f", "1").await;
        put(&content, "f", "2").await;
        content.delete(FILES, "f").await.unwrap();
        put(&content, "g", "other").await;
        assert!(content.purge(FILES, "f").await.unwrap());
        assert!(content.versions("f").await.unwrap().is_empty());
        assert!(!content.purge(FILES, "f").await.unwrap());
        assert_eq!(read(&content, FILES, "g").await.as_ref(), b"other");
    }
}
