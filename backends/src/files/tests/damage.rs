//! What is not what was written is an error that names the object, never a shorter list or other bytes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload};
use trimaran_core::model::{Namespace, NewObject};
use trimaran_core::repository::{Content, ContentExt as _};
use trimaran_core::{Error, ErrorKind, PageRequest};

use super::fixtures::over;

struct Store {
    inner: Arc<InMemory>,
    content: Arc<dyn Content>,
}

impl Store {
    async fn with_objects(names: &[&str]) -> Self {
        let inner = Arc::new(InMemory::new());
        let content = over(Arc::clone(&inner) as Arc<dyn ObjectStore>, Path::default()).installation();
        for name in names {
            content.put(Namespace::Reports, name, NewObject::new(format!("bytes of {name}"))).await.unwrap();
        }
        Self { inner, content }
    }

    /// The keys of all entries, or of all bodies, in their order.
    async fn keys(&self, kind: &str) -> Vec<Path> {
        let prefix = Path::from(format!("installation/reports/{kind}"));
        self.inner.list(Some(&prefix)).map_ok(|meta| meta.location).try_collect().await.unwrap()
    }

    async fn bytes(&self, key: &Path) -> Vec<u8> {
        self.inner.get(key).await.unwrap().bytes().await.unwrap().to_vec()
    }

    async fn write(&self, key: &Path, bytes: Vec<u8>) {
        self.inner.put(key, PutPayload::from(bytes)).await.unwrap();
    }

    async fn corrupt(&self, name: &str) -> Error {
        let error = self.content.read(Namespace::Reports, name).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert!(error.to_string().contains(&format!("{name:?}")), "{error}");
        error
    }
}

#[tokio::test]
async fn a_changed_byte_of_a_body_is_corrupt_and_the_object_named() {
    let store = Store::with_objects(&["secret plan"]).await;
    let key = store.keys("bodies").await.remove(0);
    let right = store.bytes(&key).await;
    for at in 0..right.len() {
        let mut wrong = right.clone();
        wrong[at] ^= 1;
        store.write(&key, wrong).await;
        let error = store.corrupt("secret plan").await;
        assert!(!error.report().contains("bytes of"), "{}", error.report());
    }
    store.write(&key, right).await;
    assert!(store.content.read(Namespace::Reports, "secret plan").await.unwrap().is_some());
}

#[tokio::test]
async fn a_shorter_longer_or_missing_body_is_corrupt() {
    let store = Store::with_objects(&["n"]).await;
    let key = store.keys("bodies").await.remove(0);
    for wrong in ["", "bytes of", "bytes of n and more"] {
        store.write(&key, wrong.into()).await;
        store.corrupt("n").await;
        let range = store.content.get_range(Namespace::Reports, "n", 0..3).await;
        assert_eq!(range.unwrap_err().kind(), ErrorKind::Corrupt);
    }
    store.inner.delete(&key).await.unwrap();
    let error = store.corrupt("n").await;
    assert!(error.to_string().contains("missing"), "{error}");
}

#[tokio::test]
async fn a_damaged_entry_is_an_error_for_readers_and_lists_and_can_be_purged() {
    let store = Store::with_objects(&["a", "b"]).await;
    let key = store.keys("entries").await.remove(0);
    let mut bytes = store.bytes(&key).await;
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    store.write(&key, bytes).await;
    store.corrupt("a").await;
    let page = PageRequest::first(9).unwrap();
    let listed = store.content.list(Namespace::Reports, "", &page).await;
    assert_eq!(listed.unwrap_err().kind(), ErrorKind::Corrupt);
    let put = store.content.put(Namespace::Reports, "a", NewObject::new("x")).await;
    assert_eq!(put.unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(store.content.sweep(Duration::ZERO).await.unwrap_err().kind(), ErrorKind::Corrupt);

    assert!(store.content.purge(Namespace::Reports, "a").await.unwrap());
    assert_eq!(store.content.list(Namespace::Reports, "", &page).await.unwrap().items.len(), 1);
    assert_eq!(store.content.sweep(Duration::ZERO).await.unwrap().bodies, 1);
    assert!(store.content.read(Namespace::Reports, "b").await.unwrap().is_some());
}

#[tokio::test]
async fn entries_that_changed_places_are_noticed() {
    let store = Store::with_objects(&["a", "b"]).await;
    let keys = store.keys("entries").await;
    let (a, b) = (store.bytes(&keys[0]).await, store.bytes(&keys[1]).await);
    store.write(&keys[0], b).await;
    store.write(&keys[1], a).await;
    store.corrupt("a").await;
    store.corrupt("b").await;
}

#[tokio::test]
async fn a_body_that_nobody_refers_to_is_swept_once_it_is_old_enough() {
    let store = Store::with_objects(&["a"]).await;
    let key = store.keys("bodies").await.remove(0);
    let (name, _) = key.as_ref().rsplit_once('.').unwrap();
    let remnant = Path::from(format!("{name}.{}", uuid::Uuid::nil().simple()));
    store.write(&remnant, b"left behind".to_vec()).await;
    assert_eq!(store.content.sweep(Duration::from_secs(3_600)).await.unwrap().bodies, 0);
    let swept = store.content.sweep(Duration::ZERO).await.unwrap();
    assert_eq!((swept.bodies, swept.bytes), (1, 11));
    assert_eq!(store.keys("bodies").await, [key]);
}
