use super::{ContentFixture, all, metadata, read};
use crate::ErrorKind;
use crate::conformance::{kind, text};
use crate::model::content::rules;
use crate::model::{Namespace, NewObject, Sha256};
use crate::repository::ContentExt as _;

/// Names that have led programs astray.
const ASTRAY: &[&str] = &[
    "../../etc/passwd",
    "/etc/passwd",
    "..",
    ".",
    "a/../b",
    "a//b",
    "C:\\Windows\\win.ini",
    "CON",
    "nul.txt",
    "dots...",
    "space ",
    "readme",
    "README",
    "Readme",
    "%2e%2e%2f",
    "a#1",
    "drafts",
    "locks",
    "installation/reports/entries",
    ".hidden",
    "-rf",
    "*?<>|\"",
];

pub async fn an_object_comes_back_as_it_was_put(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    let object = NewObject::new(b"a\0b\xff".as_slice()).content_type("text/x-own").metadata("by", "ann");
    let put = content.put(Namespace::Reports, "weekly", object).await.unwrap();
    assert_eq!((put.namespace, put.name.as_str()), (Namespace::Reports, "weekly"));
    assert_eq!((put.version, put.size, put.content_type.as_str()), (1, 4, "text/x-own"));
    assert_eq!((put.sha256, &put.metadata), (Sha256::of(b"a\0b\xff"), &metadata([("by", "ann")])));
    let (info, bytes) = content.read(Namespace::Reports, "weekly").await.unwrap().unwrap();
    assert_eq!((&info, bytes.as_ref()), (&put, b"a\0b\xff".as_slice()));
    assert_eq!(content.head(Namespace::Reports, "weekly").await.unwrap(), Some(put));
}

pub async fn an_object_that_is_not_there_is_none(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    for namespace in Namespace::ALL {
        assert!(content.get(namespace, "nothing").await.unwrap().is_none());
        assert!(content.get_range(namespace, "nothing", 0..1).await.unwrap().is_none());
        assert!(content.head(namespace, "nothing").await.unwrap().is_none());
        assert!(!content.delete(namespace, "nothing").await.unwrap());
        assert!(!content.purge(namespace, "nothing").await.unwrap());
        assert!(all(&content, namespace, "", 10).await.is_empty());
    }
    assert!(content.versions("nothing").await.unwrap().is_empty());
    assert!(content.get_version("nothing", 1).await.unwrap().is_none());
}

pub async fn a_put_replaces_bytes_and_metadata_together(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    let first = content.put(Namespace::Reports, "r", NewObject::new("one").metadata("n", "1")).await.unwrap();
    let second = content.put(Namespace::Reports, "r", NewObject::new("second")).await.unwrap();
    assert_ne!(first.etag, second.etag);
    assert_eq!((second.version, second.size), (2, 6));
    let (info, bytes) = content.read(Namespace::Reports, "r").await.unwrap().unwrap();
    assert_eq!((info, bytes.as_ref()), (second, b"second".as_slice()));
}

pub async fn an_empty_object_is_an_object(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    let put = content.put(Namespace::Templates, "empty", NewObject::new("")).await.unwrap();
    assert_eq!((put.size, put.sha256), (0, Sha256::of(b"")));
    assert!(read(&content, Namespace::Templates, "empty").await.is_empty());
    let range = content.get_range(Namespace::Templates, "empty", 0..9).await.unwrap().unwrap();
    assert_eq!(range.range, 0..0);
    assert!(range.bytes().await.unwrap().is_empty());
}

pub async fn a_mime_type_is_told_by_the_name_unless_it_is_given(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    for (name, expected) in
        [("a.csv", "text/csv"), ("a.json", "application/json"), ("a", rules::UNKNOWN_CONTENT_TYPE)]
    {
        let put = content.put(Namespace::Datasets, name, NewObject::new("x")).await.unwrap();
        assert_eq!(put.content_type, expected);
    }
    let given = NewObject::new("x").content_type("text/plain");
    assert_eq!(content.put(Namespace::Datasets, "b.csv", given).await.unwrap().content_type, "text/plain");
}

pub async fn what_breaks_a_rule_is_refused_and_changes_nothing(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    for name in [String::new(), "n".repeat(1_001), "n".repeat(10_000)] {
        assert_eq!(
            kind(content.put(Namespace::Reports, &name, NewObject::new("x")).await),
            ErrorKind::Invalid
        );
        assert_eq!(kind(content.get(Namespace::Reports, &name).await), ErrorKind::Invalid);
        assert_eq!(kind(content.delete(Namespace::Reports, &name).await), ErrorKind::Invalid);
    }
    let long = NewObject::new("x").metadata("k", "v".repeat(rules::MAX_METADATA_BYTES));
    assert_eq!(kind(content.put(Namespace::Reports, "n", long).await), ErrorKind::Invalid);
    let nameless = NewObject::new("x").content_type("text\r\nx-header: y/z");
    assert_eq!(kind(content.put(Namespace::Reports, "n", nameless).await), ErrorKind::Invalid);
    assert!(all(&content, Namespace::Reports, "", 10).await.is_empty());
}

pub async fn a_deleted_object_is_gone_and_can_be_put_again(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    for namespace in Namespace::ALL {
        content.put(namespace, "n", NewObject::new("old")).await.unwrap();
        assert!(content.delete(namespace, "n").await.unwrap());
        assert!(content.get(namespace, "n").await.unwrap().is_none());
        assert!(content.head(namespace, "n").await.unwrap().is_none());
        assert!(all(&content, namespace, "", 10).await.is_empty());
        assert!(!content.delete(namespace, "n").await.unwrap());
        content.put(namespace, "n", NewObject::new("new").if_absent()).await.unwrap();
        assert_eq!(read(&content, namespace, "n").await.as_ref(), b"new");
    }
}

pub async fn namespaces_do_not_share_names(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    for namespace in Namespace::ALL {
        content.put(namespace, "same", NewObject::new(namespace.name()).if_absent()).await.unwrap();
    }
    for namespace in Namespace::ALL {
        assert_eq!(read(&content, namespace, "same").await.as_ref(), namespace.name().as_bytes());
    }
}

pub async fn hostile_names_are_names_like_any_other(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    let mut names: Vec<String> = text::HOSTILE.iter().chain(ASTRAY).map(|&name| name.to_owned()).collect();
    names.extend(text::longest_names());
    for name in &names {
        let object = NewObject::new(name.clone()).if_absent();
        let put = content.put(Namespace::Configuration, name, object).await.unwrap();
        assert_eq!(&put.name, name);
    }
    for name in &names {
        assert_eq!(read(&content, Namespace::Configuration, name).await.as_ref(), name.as_bytes());
    }
    let mut listed: Vec<String> =
        all(&content, Namespace::Configuration, "", 7).await.into_iter().map(|info| info.name).collect();
    listed.sort_unstable();
    names.sort_unstable();
    assert_eq!(listed, names);
    assert!(fixture.other_tenant().head(Namespace::Configuration, "a/../b").await.unwrap().is_none());
    for name in &names {
        assert!(content.delete(Namespace::Configuration, name).await.unwrap());
    }
}

pub async fn hostile_text_survives_in_metadata(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    let mut object = NewObject::new("x");
    for text in text::HOSTILE {
        object = object.metadata(*text, *text);
    }
    object = object.metadata("", "");
    let put = content.put(Namespace::Reports, "n", object).await.unwrap();
    assert_eq!(put.metadata.len(), text::HOSTILE.len() + 1);
    assert_eq!(content.head(Namespace::Reports, "n").await.unwrap(), Some(put));
}
