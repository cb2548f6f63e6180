//! Files of one tenant in another's place, exchanged or linked: nothing of the other's comes back, and nothing of it changes.

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload};
use trimaran_core::model::{Namespace, NewObject};
use trimaran_core::repository::{Content, ContentExt as _};
use trimaran_core::{Error, ErrorKind, PageRequest, Result, TenantId};
use uuid::Uuid;

use super::fixtures::over;

const REPORTS: Namespace = Namespace::Reports;
const MINE: TenantId = TenantId(Uuid::from_u128(1));
const THEIRS: TenantId = TenantId(Uuid::from_u128(2));

/// Asserts that the call fails because something is not what was written, and says nothing of the other's.
#[track_caller]
fn is_corrupt<T: std::fmt::Debug>(outcome: Result<T>) {
    let error: Error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{}", error.report());
    assert!(!error.report().contains("theirs"), "{}", error.report());
}

/// Two tenants with an object of the same name and namespace.
async fn two(store: &Arc<dyn ObjectStore>) -> [Arc<dyn Content>; 2] {
    let store = over(Arc::clone(store), Path::default());
    let both = [store.tenant(MINE), store.tenant(THEIRS)];
    for (content, text) in both.iter().zip(["mine", "theirs"]) {
        content.put(REPORTS, "n", NewObject::new(text)).await.unwrap();
    }
    both
}

async fn keys(store: &Arc<dyn ObjectStore>, tenant: TenantId, kind: &str) -> Vec<Path> {
    let prefix = Path::from(format!("tenants/{tenant}/reports/{kind}"));
    store.list(Some(&prefix)).map_ok(|meta| meta.location).try_collect().await.unwrap()
}

/// Puts all of the other tenant's files into one's own folder, where one's own were.
async fn exchanged_files_are_noticed(store: Arc<dyn ObjectStore>) {
    let [mine, theirs] = two(&store).await;
    for kind in ["bodies", "entries"] {
        for key in keys(&store, THEIRS, kind).await {
            let bytes = store.get(&key).await.unwrap().bytes().await.unwrap();
            let place = Path::from(format!("tenants/{MINE}/reports/{kind}/{}", key.filename().unwrap()));
            store.put(&place, PutPayload::from(bytes)).await.unwrap();
        }
    }
    let page = PageRequest::first(9).unwrap();
    is_corrupt(mine.read(REPORTS, "n").await);
    is_corrupt(mine.get_range(REPORTS, "n", 0..1).await);
    is_corrupt(mine.head(REPORTS, "n").await);
    is_corrupt(mine.list(REPORTS, "", &page).await);
    is_corrupt(mine.put(REPORTS, "n", NewObject::new("over it")).await);
    assert_eq!(theirs.read(REPORTS, "n").await.unwrap().unwrap().1.as_ref(), b"theirs");
    // The way out that the error names.
    assert!(mine.purge(REPORTS, "n").await.unwrap());
    mine.put(REPORTS, "n", NewObject::new("mine again")).await.unwrap();
    assert_eq!(mine.read(REPORTS, "n").await.unwrap().unwrap().1.as_ref(), b"mine again");
    assert_eq!(theirs.read(REPORTS, "n").await.unwrap().unwrap().1.as_ref(), b"theirs");
}

#[tokio::test]
async fn isolation_notices_exchanged_objects_in_memory() {
    exchanged_files_are_noticed(Arc::new(InMemory::new())).await;
}

#[cfg(unix)]
mod in_folder {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    use super::*;
    use crate::files::folder::FolderStore;

    fn fresh() -> (tempfile::TempDir, PathBuf, Arc<dyn ObjectStore>) {
        let outside = tempfile::tempdir().unwrap();
        let folder = outside.path().join("content");
        let store = Arc::new(FolderStore::open(&folder).unwrap());
        (outside, folder, store)
    }

    #[tokio::test]
    async fn isolation_notices_exchanged_objects_in_a_folder() {
        let (_outside, _, store) = fresh();
        exchanged_files_are_noticed(store).await;
    }

    #[tokio::test]
    async fn isolation_holds_where_files_and_folders_are_links_to_another_tenant_s() {
        let (outside, folder, store) = fresh();
        let [mine, theirs] = two(&store).await;
        let page = PageRequest::first(9).unwrap();
        let mut places: Vec<(PathBuf, PathBuf)> = Vec::new();
        for kind in ["bodies", "entries"] {
            let (own, other) = (keys(&store, MINE, kind).await, keys(&store, THEIRS, kind).await);
            places.push((folder.join(own[0].as_ref()), folder.join(other[0].as_ref())));
        }
        for inner in ["reports/entries", "reports/bodies", "reports", "."] {
            let of = |tenant: TenantId| folder.join("tenants").join(tenant.to_string()).join(inner);
            places.push((of(MINE), of(THEIRS)));
        }
        for (place, target) in places {
            // Without a dot at the end: it is the link that is to be renamed.
            let place: PathBuf = place.components().collect();
            let kept = outside.path().join("kept");
            fs::rename(&place, &kept).unwrap();
            symlink(&target, &place).unwrap();
            is_corrupt(mine.read(REPORTS, "n").await);
            if !place.to_string_lossy().contains("bodies") {
                is_corrupt(mine.head(REPORTS, "n").await);
                is_corrupt(mine.list(REPORTS, "", &page).await);
                is_corrupt(mine.put(REPORTS, "n", NewObject::new("through the link")).await);
            }
            fs::remove_file(&place).unwrap();
            fs::rename(&kept, &place).unwrap();
            assert_eq!(theirs.read(REPORTS, "n").await.unwrap().unwrap().1.as_ref(), b"theirs");
            assert_eq!(mine.read(REPORTS, "n").await.unwrap().unwrap().1.as_ref(), b"mine");
        }
    }
}
