//! What one tenant tries on another's objects: nothing of the other's comes back, and nothing of it changes.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use super::{ContentFixture, all};
use crate::conformance::isolation::{INJECTIONS, MARK, brings_nothing};
use crate::conformance::kind;
use crate::model::{ETag, Namespace, NewObject};
use crate::repository::{Content, ContentExt as _, Resources};
use crate::{Cursor, ErrorKind, PageRequest, Result};

/// Names that the other tenant's objects have.
fn their_names() -> [String; 2] {
    [format!("{MARK} plan.txt"), format!("{MARK} second.txt")]
}

/// Gives the other tenant objects of every kind, with a history.
async fn of_the_other(fixture: &dyn ContentFixture) -> Arc<dyn Content> {
    let content = fixture.other_tenant();
    for namespace in Namespace::ALL {
        for name in their_names() {
            for text in ["first", "second"] {
                let object = NewObject::new(format!("{MARK} {text}"))
                    .content_type(format!("text/{MARK}"))
                    .metadata(format!("{MARK} key"), format!("{MARK} value"));
                content.put(namespace, &name, object).await.unwrap();
            }
        }
    }
    content
}

/// All of a tenant's objects, with their histories and bytes.
async fn look(content: &Arc<dyn Content>) -> String {
    let mut seen = Vec::new();
    for namespace in Namespace::ALL {
        for info in all(content, namespace, "", 9).await {
            seen.push(format!("{:?}", content.read(namespace, &info.name).await.unwrap()));
        }
    }
    for name in their_names() {
        for version in content.versions(&name).await.unwrap() {
            let object = content.get_version(&name, version.version).await.unwrap().unwrap();
            seen.push(format!("{version:?} {:?}", object.bytes().await.unwrap()));
        }
    }
    seen.join("\n")
}

/// Asserts that a call found nothing.
#[track_caller]
fn finds_nothing<T: Debug>(call: &str, outcome: Result<Option<T>>) {
    assert!(outcome.as_ref().is_ok_and(Option::is_none), "{call}: {outcome:?}");
}

/// Makes every call of the trait with a name that the tenant itself has no object of.
async fn every_call_finds_nothing(content: &Arc<dyn Content>, namespace: Namespace, name: &str) {
    let page = PageRequest::first(9).unwrap();
    finds_nothing(name, content.get(namespace, name).await);
    finds_nothing(name, content.get_range(namespace, name, 0..4).await);
    finds_nothing(name, content.head(namespace, name).await);
    assert_eq!(content.list(namespace, name, &page).await.unwrap().items, [], "{name:?}");
    assert!(!content.delete(namespace, name).await.unwrap(), "{name:?}");
    assert!(!content.purge(namespace, name).await.unwrap(), "{name:?}");
    if !namespace.keeps_versions() {
        return;
    }
    finds_nothing(name, content.get_version(name, 1).await);
    assert_eq!(content.versions(name).await.unwrap(), [], "{name:?}");
    assert_eq!(kind(content.diff(name, 1, 2).await), ErrorKind::NotFound, "{name:?}");
    assert_eq!(kind(content.restore(name, 1).await), ErrorKind::NotFound, "{name:?}");
}

pub async fn no_call_of_content_reaches_another_tenant_s(fixture: &dyn ContentFixture) {
    let theirs = of_the_other(fixture).await;
    let before = look(&theirs).await;
    let content = fixture.tenant();
    for namespace in Namespace::ALL {
        for name in their_names() {
            every_call_finds_nothing(&content, namespace, &name).await;
            let tag = theirs.head(namespace, &name).await.unwrap().unwrap().etag;
            // Their tag is none of an object that isn't there, nor of one's own of the same name.
            let put = || NewObject::new("mine").if_unchanged(tag.clone());
            assert_eq!(kind(content.put(namespace, &name, put()).await), ErrorKind::Conflict);
            let put_first = content.put(namespace, &name, NewObject::new("mine").if_absent()).await;
            assert_eq!(put_first.unwrap().version, 1, "it is another object");
            assert_eq!(kind(content.put(namespace, &name, put()).await), ErrorKind::Conflict);
            assert_eq!(content.read(namespace, &name).await.unwrap().unwrap().1.as_ref(), b"mine");
        }
        assert_eq!(all(&content, namespace, "", 9).await.len(), 2);
    }
    assert_eq!(look(&theirs).await, before);
    // Whatever removes much removes nothing of the other's.
    let [first, second] = their_names();
    for namespace in Namespace::ALL {
        assert!(content.delete(namespace, &first).await.unwrap());
        assert!(content.purge(namespace, &second).await.unwrap());
    }
    content.sweep(Duration::ZERO).await.unwrap();
    assert_eq!(look(&theirs).await, before);
    content.erase().await.unwrap();
    assert_eq!(look(&theirs).await, before);
}

pub async fn a_writing_of_another_tenant_s_cannot_be_guessed(fixture: &dyn ContentFixture) {
    let theirs = of_the_other(fixture).await;
    let content = fixture.tenant();
    let [name, _] = their_names();
    content.put(Namespace::Configuration, &name, NewObject::new("mine")).await.unwrap();
    // Their versions have the numbers 1 and 2; of one's own file there is one.
    finds_nothing("version 2", content.get_version(&name, 2).await);
    let first = content.get_version(&name, 1).await.unwrap().unwrap();
    assert_eq!(first.bytes().await.unwrap().as_ref(), b"mine");
    for tag in ["", "0", "*", "' OR '1'='1", "00000000000000000000000000000000"] {
        let put = NewObject::new("guessed").if_unchanged(ETag::new(tag));
        assert_eq!(kind(content.put(Namespace::Reports, &name, put).await), ErrorKind::Conflict, "{tag}");
    }
    assert!(look(&theirs).await.matches("second").count() > 1);
}

pub async fn another_tenant_s_cursor_gives_one_s_own_objects_alone(fixture: &dyn ContentFixture) {
    let theirs = of_the_other(fixture).await;
    let before = look(&theirs).await;
    let content = fixture.tenant();
    let (one, most) = (PageRequest::first(1).unwrap(), PageRequest::first(9).unwrap());
    for namespace in Namespace::ALL {
        let cursor = theirs.list(namespace, "", &one).await.unwrap().next.unwrap();
        let request = most.clone().after(cursor.clone());
        assert_eq!(content.list(namespace, "", &request).await.unwrap().items, []);
        for name in ["\u{10ffff} after all of theirs", "\0 before all of theirs"] {
            content.put(namespace, name, NewObject::new("mine")).await.unwrap();
        }
        let items = content.list(namespace, "", &request).await.unwrap().items;
        let names: Vec<_> = items.iter().map(|info| info.name.as_str()).collect();
        assert_eq!(names, ["\u{10ffff} after all of theirs"]);
        // Nor does a cursor lead out of the tenant's folder.
        let other = fixture.other_id();
        for path in [
            format!("../../../{other}/{namespace}/entries/{}", cursor.as_str()),
            format!("{other}/{}", cursor.as_str()),
            format!("{}/..", cursor.as_str()),
        ] {
            let request = most.clone().after(Cursor::new(path));
            assert_eq!(kind(content.list(namespace, "", &request).await), ErrorKind::Invalid);
        }
    }
    let resources = Resources::new(Arc::clone(&theirs)).page_size(1);
    let cursor = resources.list(None).await.unwrap().next_cursor.unwrap();
    let listed = Resources::new(Arc::clone(&content)).list(Some(&cursor)).await;
    brings_nothing("resources/list", &listed);
    assert_eq!(look(&theirs).await, before);
}

pub async fn a_name_that_looks_like_a_way_to_another_tenant_is_a_name(fixture: &dyn ContentFixture) {
    let theirs = of_the_other(fixture).await;
    let before = look(&theirs).await;
    let content = fixture.tenant();
    let (other, [name, _]) = (fixture.other_id(), their_names());
    for namespace in Namespace::ALL {
        let mut tricks = vec![
            format!("../../{other}/{namespace}/{name}"),
            format!("../../../tenants/{other}/{namespace}/entries/{name}"),
            format!("/tenants/{other}/{namespace}/{name}"),
            format!("tenants/{other}/{namespace}/{name}"),
            format!("..\\..\\{other}\\{namespace}\\{name}"),
            format!("%2e%2e%2f%2e%2e%2f{other}%2f{namespace}%2f{name}"),
            format!("trimaran://{namespace}/{name}"),
            format!("file:///tenants/{other}/{namespace}/{name}"),
            format!("{name}\0"),
            format!("./{name}"),
            format!("{name}/"),
            format!("{name}/."),
            name.to_uppercase(),
            format!(" {name}"),
            format!("{other}"),
            ".".to_owned(),
            "..".to_owned(),
            "*".to_owned(),
        ];
        tricks.extend(INJECTIONS.iter().map(|sql| (*sql).to_owned()));
        for trick in &tricks {
            every_call_finds_nothing(&content, namespace, trick).await;
        }
        for trick in &tricks {
            let object = NewObject::new("mine").metadata(trick.as_str(), trick.as_str()).if_absent();
            content.put(namespace, trick, object).await.unwrap();
            assert_eq!(content.read(namespace, trick).await.unwrap().unwrap().1.as_ref(), b"mine");
        }
        let mine = all(&content, namespace, "", 7).await;
        assert_eq!(mine.len(), tricks.len(), "each is an object of its own");
        assert_eq!(all(&theirs, namespace, "", 9).await.len(), 2);
        for trick in &tricks {
            assert!(content.purge(namespace, trick).await.unwrap(), "{trick:?}");
        }
    }
    assert_eq!(look(&theirs).await, before);
}

pub async fn another_tenant_s_uri_leads_to_nothing(fixture: &dyn ContentFixture) {
    let theirs = of_the_other(fixture).await;
    let other = fixture.other_id();
    let mine = Resources::new(fixture.tenant());
    let listed = Resources::new(Arc::clone(&theirs)).list(None).await.unwrap().resources;
    assert_eq!(listed.len(), 8);
    for resource in listed {
        let (_, path) = resource.uri.split_once("://").unwrap();
        for uri in [
            resource.uri.clone(),
            format!("trimaran://../{other}/{path}"),
            format!("trimaran://reports/../../{other}/{path}"),
            format!("trimaran://{other}/{path}"),
            format!("trimaran://tenants/{other}/{path}"),
        ] {
            assert_eq!(kind(mine.read(&uri).await), ErrorKind::NotFound, "{uri}");
        }
    }
    assert!(mine.list(None).await.unwrap().resources.is_empty());
}
