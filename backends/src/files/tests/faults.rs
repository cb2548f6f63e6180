//! A crash at every step of every change leaves what was there or what was put, and nothing that a sweep doesn't remove.

use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStore;
use object_store::memory::InMemory;
use object_store::path::Path;
use trimaran_core::TenantId;
use trimaran_core::model::{Namespace, NewObject, Swept};
use trimaran_core::repository::{Content, ContentExt as _};
use uuid::Uuid;

use super::faulty::{Faulty, Side};
use super::fixtures::over;

const TENANT: TenantId = TenantId(Uuid::from_u128(1));

fn content(store: Arc<dyn ObjectStore>) -> Arc<dyn Content> {
    over(store, Path::default()).tenant(TENANT)
}

/// What stands in the store: text and its mark.
async fn state(content: &Arc<dyn Content>, namespace: Namespace) -> Option<(usize, String)> {
    let (info, bytes) = content.read(namespace, "n").await.unwrap()?;
    assert_eq!(info.size, bytes.len() as u64);
    Some((bytes.len(), info.metadata["mark"].clone()))
}

fn object(length: usize, mark: &str) -> NewObject {
    NewObject::new(vec![b'x'; length]).metadata("mark", mark)
}

/// Does `change` over a store that holds an object, failing at every step in turn, until it comes through.
async fn at_every_step<C>(
    namespace: Namespace,
    store: impl Fn() -> Arc<dyn ObjectStore>,
    change: C,
    after: Option<(usize, String)>,
) where
    C: AsyncFn(&Arc<dyn Content>) -> trimaran_core::Result<()>,
{
    let before = Some((3, "old".to_owned()));
    for side in [Side::Before, Side::After] {
        let mut steps = 0;
        for at in 0.. {
            let inner = store();
            content(Arc::clone(&inner)).put(namespace, "n", object(3, "old")).await.unwrap();
            let faulty = Faulty::new(Arc::clone(&inner), at, side);
            let outcome = change(&content(Arc::new(faulty.clone()))).await;
            let now = state(&content(Arc::clone(&inner)), namespace).await;
            if !faulty.has_failed() {
                assert!(outcome.is_ok(), "{outcome:?}");
                assert_eq!(now, after);
                break;
            }
            steps += 1;
            assert!(now == before || now == after, "step {at}, {side:?}: {now:?}");
            if outcome.is_ok() {
                assert_eq!(now, after, "step {at}, {side:?}: what succeeded is there");
            }
            // What the crash left is removed, and nothing else; then the change is made again.
            let again = content(Arc::clone(&inner));
            again.sweep(Duration::ZERO).await.unwrap();
            assert_eq!(again.sweep(Duration::ZERO).await.unwrap(), Swept::default());
            assert_eq!(state(&again, namespace).await, now, "step {at}, {side:?}: a sweep changes nothing");
            change(&again).await.unwrap();
            assert_eq!(state(&again, namespace).await, after, "step {at}, {side:?}: it can be done again");
        }
        assert!(steps >= 2, "only {steps} steps were tried");
    }
}

fn in_memory() -> Arc<dyn ObjectStore> {
    Arc::new(InMemory::new())
}

#[tokio::test]
async fn a_crash_at_any_step_of_a_put_leaves_the_old_or_the_new() {
    for namespace in [Namespace::Reports, Namespace::Configuration] {
        let put =
            async |content: &Arc<dyn Content>| content.put(namespace, "n", object(5, "new")).await.map(drop);
        at_every_step(namespace, in_memory, put, Some((5, "new".to_owned()))).await;
    }
}

#[tokio::test]
async fn a_crash_at_any_step_of_a_long_put_leaves_the_old_or_the_new() {
    const LENGTH: usize = (16 << 20) + 1;
    let put = async |content: &Arc<dyn Content>| {
        content.put(Namespace::Datasets, "n", object(LENGTH, "new")).await.map(drop)
    };
    at_every_step(Namespace::Datasets, in_memory, put, Some((LENGTH, "new".to_owned()))).await;
}

#[tokio::test]
async fn a_crash_at_any_step_of_a_deletion_leaves_the_object_or_nothing() {
    for namespace in [Namespace::Reports, Namespace::Configuration] {
        let delete = async |content: &Arc<dyn Content>| content.delete(namespace, "n").await.map(drop);
        at_every_step(namespace, in_memory, delete, None).await;
        let purge = async |content: &Arc<dyn Content>| content.purge(namespace, "n").await.map(drop);
        at_every_step(namespace, in_memory, purge, None).await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_crash_at_any_step_of_a_put_into_a_folder_leaves_the_old_or_the_new() {
    let folder = tempfile::tempdir().unwrap();
    let count = std::sync::atomic::AtomicUsize::new(0);
    let fresh = || -> Arc<dyn ObjectStore> {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let path = folder.path().join(number.to_string());
        Arc::new(crate::files::folder::FolderStore::open(&path).unwrap())
    };
    let put = async |content: &Arc<dyn Content>| {
        content.put(Namespace::Configuration, "n", object(5, "new")).await.map(drop)
    };
    at_every_step(Namespace::Configuration, fresh, put, Some((5, "new".to_owned()))).await;
}

#[tokio::test]
async fn a_put_whose_answer_was_lost_is_found_by_the_next_look() {
    // The entry is written, and the store answers "precondition failed": what S3 does to a request that was sent twice.
    let inner = in_memory();
    let content = content(Arc::new(super::faulty::ForgetfulOnce::new(inner)));
    let put = content.put(Namespace::Reports, "n", object(3, "new").if_absent()).await.unwrap();
    assert_eq!(put.version, 1);
    assert_eq!(state(&content, Namespace::Reports).await, Some((3, "new".to_owned())));
}
