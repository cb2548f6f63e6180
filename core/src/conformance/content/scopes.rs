use std::time::Duration;

use super::{ContentFixture, all, read};
use crate::model::{Namespace, NewObject, Swept};

pub async fn a_tenant_s_objects_are_its_own(fixture: &dyn ContentFixture) {
    let scopes = [fixture.installation(), fixture.tenant(), fixture.other_tenant()];
    for namespace in Namespace::ALL {
        for (n, content) in scopes.iter().enumerate() {
            assert!(content.head(namespace, "same").await.unwrap().is_none());
            content.put(namespace, "same", NewObject::new(n.to_string()).if_absent()).await.unwrap();
        }
        for (n, content) in scopes.iter().enumerate() {
            assert_eq!(read(content, namespace, "same").await, n.to_string());
            assert_eq!(all(content, namespace, "", 9).await.len(), 1);
        }
        assert!(scopes[1].delete(namespace, "same").await.unwrap());
        assert!(scopes[1].head(namespace, "same").await.unwrap().is_none());
        assert_eq!(read(&scopes[0], namespace, "same").await.as_ref(), b"0");
        assert_eq!(read(&scopes[2], namespace, "same").await.as_ref(), b"2");
    }
}

pub async fn erasing_a_tenant_leaves_the_others(fixture: &dyn ContentFixture) {
    let scopes = [fixture.installation(), fixture.tenant(), fixture.other_tenant()];
    for content in &scopes {
        for namespace in Namespace::ALL {
            content.put(namespace, "a", NewObject::new("1")).await.unwrap();
            content.put(namespace, "b", NewObject::new("2")).await.unwrap();
        }
    }
    assert_eq!(scopes[1].erase().await.unwrap(), 8);
    assert_eq!(scopes[1].erase().await.unwrap(), 0);
    for namespace in Namespace::ALL {
        assert!(all(&scopes[1], namespace, "", 9).await.is_empty());
        assert_eq!(all(&scopes[0], namespace, "", 9).await.len(), 2);
        assert_eq!(read(&scopes[2], namespace, "b").await.as_ref(), b"2");
    }
    assert!(scopes[1].versions("a").await.unwrap().is_empty());
}

pub async fn nothing_is_swept_that_an_object_refers_to(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    for namespace in Namespace::ALL {
        for text in ["one", "two", "three"] {
            content.put(namespace, "kept", NewObject::new(text)).await.unwrap();
            content.put(namespace, text, NewObject::new(text)).await.unwrap();
        }
        content.delete(namespace, "two").await.unwrap();
    }
    assert_eq!(content.sweep(Duration::ZERO).await.unwrap(), Swept::default());
    for namespace in Namespace::ALL {
        assert_eq!(read(&content, namespace, "kept").await.as_ref(), b"three");
        assert_eq!(read(&content, namespace, "one").await.as_ref(), b"one");
    }
    let first = content.get_version("kept", 1).await.unwrap().unwrap();
    assert_eq!(first.bytes().await.unwrap().as_ref(), b"one");
}
