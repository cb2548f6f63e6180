use std::sync::Arc;

use super::{ContentFixture, read};
use crate::ErrorKind;
use crate::conformance::{at_once, kind};
use crate::model::{Namespace, NewObject};
use crate::repository::{Content, ContentExt as _};

/// So many at the same moment.
const MANY: usize = 8;

pub async fn only_an_absent_object_is_put_if_absent(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    for namespace in Namespace::ALL {
        let put = content.put(namespace, "n", NewObject::new("first").if_absent()).await.unwrap();
        let again = content.put(namespace, "n", NewObject::new("second").if_absent()).await;
        assert_eq!(kind(again), ErrorKind::Conflict);
        assert_eq!(content.head(namespace, "n").await.unwrap(), Some(put));
        assert_eq!(read(&content, namespace, "n").await.as_ref(), b"first");
    }
}

pub async fn only_an_unchanged_object_is_replaced(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    for namespace in Namespace::ALL {
        let first = content.put(namespace, "n", NewObject::new("1")).await.unwrap();
        let replace = |etag, text| content.put(namespace, "n", NewObject::new(text).if_unchanged(etag));
        let second = replace(first.etag.clone(), "2").await.unwrap();
        assert_eq!(kind(replace(first.etag.clone(), "3").await), ErrorKind::Conflict);
        assert_eq!(content.head(namespace, "n").await.unwrap(), Some(second.clone()));
        content.delete(namespace, "n").await.unwrap();
        assert_eq!(kind(replace(second.etag, "4").await), ErrorKind::Conflict);
        assert!(content.head(namespace, "n").await.unwrap().is_none());
    }
}

pub async fn a_tag_is_never_that_of_another_writing(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    let first = content.put(Namespace::Reports, "n", NewObject::new("same")).await.unwrap();
    let second = content.put(Namespace::Reports, "n", NewObject::new("same")).await.unwrap();
    content.delete(Namespace::Reports, "n").await.unwrap();
    let third = content.put(Namespace::Reports, "n", NewObject::new("same")).await.unwrap();
    assert!(first.etag != second.etag && second.etag != third.etag && first.etag != third.etag);
    let stale = NewObject::new("lost").if_unchanged(first.etag);
    assert_eq!(kind(content.put(Namespace::Reports, "n", stale).await), ErrorKind::Conflict);
}

pub async fn of_many_that_put_if_absent_one_succeeds(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    for namespace in Namespace::ALL {
        let puts = (0..MANY).map(|n| content.put(namespace, "n", NewObject::new(n.to_string()).if_absent()));
        let outcomes = at_once::all(puts).await;
        let winners: Vec<usize> = (0..MANY).filter(|n| outcomes[*n].is_ok()).collect();
        assert_eq!(winners.len(), 1, "{outcomes:?}");
        assert!(outcomes.into_iter().filter_map(Result::err).all(|e| e.kind() == ErrorKind::Conflict));
        assert_eq!(read(&content, namespace, "n").await, winners[0].to_string());
    }
}

pub async fn of_many_that_replace_the_same_writing_one_succeeds(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    for namespace in Namespace::ALL {
        let first = content.put(namespace, "n", NewObject::new("x")).await.unwrap();
        let replace = |n: usize| NewObject::new(n.to_string()).if_unchanged(first.etag.clone());
        let outcomes = at_once::all((0..MANY).map(|n| content.put(namespace, "n", replace(n)))).await;
        let winners: Vec<usize> = (0..MANY).filter(|n| outcomes[*n].is_ok()).collect();
        assert_eq!(winners.len(), 1, "{outcomes:?}");
        assert!(outcomes.into_iter().filter_map(Result::err).all(|e| e.kind() == ErrorKind::Conflict));
        assert_eq!(read(&content, namespace, "n").await, winners[0].to_string());
    }
}

pub async fn writers_at_once_all_succeed_and_none_is_lost(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    for namespace in Namespace::ALL {
        let puts = (0..MANY).map(|n| content.put(namespace, "n", NewObject::new(n.to_string())));
        let mut versions: Vec<u64> =
            at_once::all(puts).await.into_iter().map(|outcome| outcome.unwrap().version).collect();
        versions.sort_unstable();
        assert_eq!(versions, (1..=MANY as u64).collect::<Vec<_>>());
        let now = content.head(namespace, "n").await.unwrap().unwrap();
        assert_eq!(now.version, MANY as u64);
    }
}

pub async fn a_reader_never_sees_one_writing_s_bytes_with_another_s_metadata(fixture: &dyn ContentFixture) {
    const ROUNDS: usize = 20;
    let content = fixture.tenant();
    let object = |n: usize| NewObject::new(n.to_string().repeat(100 + n)).metadata("n", n.to_string());
    content.put(Namespace::Reports, "n", object(0)).await.unwrap();
    let write = async {
        for n in 1..=ROUNDS {
            content.put(Namespace::Reports, "n", object(n)).await.unwrap();
        }
    };
    let reader = |content: Arc<dyn Content>| async move {
        for _ in 0..ROUNDS {
            let (info, bytes) = content.read(Namespace::Reports, "n").await.unwrap().unwrap();
            let n: usize = info.metadata["n"].parse().unwrap();
            assert_eq!(bytes, n.to_string().repeat(100 + n));
        }
    };
    let readers = at_once::all([reader(Arc::clone(&content)), reader(Arc::clone(&content))]);
    at_once::both(write, readers).await;
}
