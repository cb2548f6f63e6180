//! The folder: who may look into it, what is in it, and strangers.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use trimaran_core::clock::SystemClock;
use trimaran_core::config::{ContentPlace, ContentSettings};
use trimaran_core::id::RandomIds;
use trimaran_core::model::{Namespace, NewObject};
use trimaran_core::repository::{Content, ContentExt as _};
use trimaran_core::{ErrorKind, PageRequest, Result, TenantId};
use uuid::Uuid;

use crate::files::ContentStore;

const REPORTS: Namespace = Namespace::Reports;

fn open(folder: &Path) -> Result<ContentStore> {
    let settings = ContentSettings { place: ContentPlace::Folder(folder.to_owned()), keep_versions: 5 };
    ContentStore::open(&settings, Arc::new(SystemClock), Arc::new(RandomIds))
}

fn fresh() -> (TempDir, PathBuf, Arc<dyn Content>) {
    let outside = tempfile::tempdir().unwrap();
    let folder = outside.path().join("content");
    let content = open(&folder).unwrap().tenant(TenantId(Uuid::nil()));
    (outside, folder, content)
}

/// All paths in a folder, with their permissions.
fn everything(folder: &Path) -> BTreeMap<PathBuf, u32> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let known = fs::symlink_metadata(&path).unwrap();
        found.insert(path.clone(), known.permissions().mode() & 0o7777);
        if known.is_dir() {
            found.append(&mut everything(&path));
        }
    }
    found
}

/// The one file in a folder of the tenant.
fn the_file(folder: &Path, kind: &str) -> PathBuf {
    let folder = folder.join("tenants").join(Uuid::nil().to_string()).join("reports").join(kind);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    files.remove(0)
}

#[tokio::test]
async fn files_are_their_owners_alone_and_no_name_is_a_path() {
    let (outside, folder, content) = fresh();
    for name in ["../../../escaped", "/escaped", "CON", "con", "x\0y", &"ü".repeat(500)] {
        content.put(REPORTS, name, NewObject::new("x")).await.unwrap();
    }
    let long = NewObject::new(vec![0; 20 << 20]);
    content.put(Namespace::Datasets, "long", long).await.unwrap();
    let all = everything(&folder);
    for (path, mode) in &all {
        assert_eq!(*mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
        let name = path.file_name().unwrap().to_str().unwrap();
        let is_plain =
            name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-');
        assert!(is_plain && !name.starts_with('.') && name.len() <= 255, "{name}");
    }
    let folded: std::collections::BTreeSet<_> =
        all.keys().map(|p| p.to_str().unwrap().to_lowercase()).collect();
    assert_eq!(folded.len(), all.len(), "no two names differ in case alone");
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1, "nothing is beside the folder");
}

#[tokio::test]
async fn a_link_in_place_of_a_file_is_neither_read_nor_written_through() {
    let (outside, folder, content) = fresh();
    content.put(REPORTS, "n", NewObject::new("inside")).await.unwrap();
    for kind in ["bodies", "entries"] {
        let (file, kept) = (the_file(&folder, kind), outside.path().join("kept"));
        let target = outside.path().join(kind);
        fs::rename(&file, &kept).unwrap();
        // What the link leads to would even be right.
        fs::copy(&kept, &target).unwrap();
        symlink(&target, &file).unwrap();
        let before = fs::read(&target).unwrap();
        assert_eq!(content.read(REPORTS, "n").await.unwrap_err().kind(), ErrorKind::Corrupt);
        let page = PageRequest::first(9).unwrap();
        if kind == "entries" {
            assert_eq!(content.list(REPORTS, "", &page).await.unwrap_err().kind(), ErrorKind::Corrupt);
            let put = content.put(REPORTS, "n", NewObject::new("through the link")).await;
            assert_eq!(put.unwrap_err().kind(), ErrorKind::Corrupt);
        }
        assert_eq!(fs::read(&target).unwrap(), before, "nothing was written through the link");
        fs::remove_file(&file).unwrap();
        fs::rename(&kept, &file).unwrap();
        assert_eq!(content.read(REPORTS, "n").await.unwrap().unwrap().1.as_ref(), b"inside");
    }
}

#[tokio::test]
async fn a_link_in_place_of_a_folder_leads_nowhere() {
    let (outside, folder, content) = fresh();
    content.put(REPORTS, "n", NewObject::new("inside")).await.unwrap();
    let tenant = folder.join("tenants").join(Uuid::nil().to_string());
    for inner in ["reports/entries", "reports/bodies", "reports", ""] {
        let place = if inner.is_empty() { tenant.clone() } else { tenant.join(inner) };
        let moved = outside.path().join("moved");
        fs::rename(&place, &moved).unwrap();
        symlink(&moved, &place).unwrap();
        let before = everything(&moved);
        assert_eq!(content.read(REPORTS, "n").await.unwrap_err().kind(), ErrorKind::Corrupt, "{inner}");
        let put = content.put(REPORTS, "other", NewObject::new("x")).await;
        assert_eq!(put.unwrap_err().kind(), ErrorKind::Corrupt, "{inner}");
        assert_eq!(everything(&moved), before, "nothing was written behind the link {inner}");
        fs::remove_file(&place).unwrap();
        fs::rename(&moved, &place).unwrap();
    }
    assert_eq!(content.read(REPORTS, "n").await.unwrap().unwrap().1.as_ref(), b"inside");
}

#[tokio::test]
async fn a_folder_whose_own_parts_are_links_is_not_opened() {
    for part in ["drafts", "locks"] {
        let outside = tempfile::tempdir().unwrap();
        let folder = outside.path().join("content");
        fs::create_dir(&folder).unwrap();
        fs::create_dir(outside.path().join("elsewhere")).unwrap();
        symlink(outside.path().join("elsewhere"), folder.join(part)).unwrap();
        assert_eq!(open(&folder).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}

#[tokio::test]
async fn a_folder_that_is_a_file_is_refused_with_the_next_step() {
    let outside = tempfile::tempdir().unwrap();
    let file = outside.path().join("content");
    fs::write(&file, "x").unwrap();
    let error = open(&file).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error:?}");
    assert!(error.next_step().is_some());
}

#[tokio::test]
async fn drafts_of_the_dead_are_removed_and_those_of_the_living_are_not() {
    let (_outside, folder, content) = fresh();
    fs::write(folder.join("drafts/abandoned"), "half of it").unwrap();
    let living = fs::File::create(folder.join("drafts/living")).unwrap();
    living.lock().unwrap();
    open(&folder).unwrap();
    let left: Vec<_> = fs::read_dir(folder.join("drafts")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["living"]);
    content.put(REPORTS, "n", NewObject::new("x")).await.unwrap();
    assert_eq!(fs::read_dir(folder.join("drafts")).unwrap().count(), 1, "a put leaves no draft");
}

#[tokio::test]
async fn what_is_being_read_stays_readable_while_it_is_replaced_and_deleted() {
    use futures_util::TryStreamExt as _;

    let (_outside, _folder, content) = fresh();
    let long = vec![7_u8; 3 << 20];
    content.put(REPORTS, "n", NewObject::new(long.clone())).await.unwrap();
    let mut body = content.get(REPORTS, "n").await.unwrap().unwrap().body;
    let mut read = body.try_next().await.unwrap().unwrap().to_vec();
    content.put(REPORTS, "n", NewObject::new("other")).await.unwrap();
    content.delete(REPORTS, "n").await.unwrap();
    while let Some(chunk) = body.try_next().await.unwrap() {
        read.extend_from_slice(&chunk);
    }
    assert!(read == long);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_stores_over_one_folder_do_not_lose_each_other_s_writings() {
    const EACH: usize = 20;
    let (_outside, folder, _) = fresh();
    let write = |folder: PathBuf| async move {
        let content = open(&folder).unwrap().installation();
        for _ in 0..EACH {
            content.put(Namespace::Configuration, "n", NewObject::new("x")).await.unwrap();
        }
    };
    let writers: Vec<_> = (0..4).map(|_| tokio::spawn(write(folder.clone()))).collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let now = open(&folder).unwrap().installation().head(Namespace::Configuration, "n").await.unwrap();
    assert_eq!(now.unwrap().version, 4 * EACH as u64);
}
