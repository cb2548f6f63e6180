//! A writer that is killed leaves, of each object, the old or the new, and nothing that isn't removed.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use trimaran_core::clock::SystemClock;
use trimaran_core::config::{ContentPlace, ContentSettings};
use trimaran_core::id::RandomIds;
use trimaran_core::model::{Namespace, NewObject, Swept};
use trimaran_core::repository::ContentExt as _;

use crate::files::ContentStore;

/// The folder of the process that is to be killed.
const FOLDER: &str = "TRIMARAN_TEST_KILLED_WRITER";

fn open(folder: &Path) -> ContentStore {
    let settings = ContentSettings { place: ContentPlace::Folder(folder.to_owned()), keep_versions: 3 };
    ContentStore::open(&settings, Arc::new(SystemClock), Arc::new(RandomIds)).unwrap()
}

/// Writes until it is killed: not a test of its own.
#[tokio::test]
#[ignore = "the process that the test below starts and kills"]
async fn writer_to_be_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let content = open(Path::new(&folder)).installation();
    for n in 0_usize.. {
        // Some in one piece, some in parts.
        let length = if n % 5 == 4 { (8 << 20) + n } else { 1_000 + n };
        let object = NewObject::new(vec![n.to_le_bytes()[0]; length]).metadata("n", n.to_string());
        content.put(Namespace::Configuration, "n", object).await.unwrap();
    }
}

#[tokio::test]
async fn a_killed_writer_leaves_the_old_or_the_new() {
    let outside = tempfile::tempdir().unwrap();
    let folder = outside.path().join("content");
    let mut last = 0;
    for round in 0..12_u64 {
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "--nocapture", "files::tests::killed::writer_to_be_killed"])
            .env(FOLDER, &folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // At other moments each time: where exactly it is then makes no difference to what must hold.
        let content = open(&folder).installation();
        for _ in 0..3_000 {
            let now = content.head(Namespace::Configuration, "n").await.unwrap();
            if now.is_some_and(|now| now.version > last) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_millis(7 * round)).await;
        writer.kill().unwrap();
        writer.wait().unwrap();

        let content = open(&folder).installation();
        let (info, bytes) = content.read(Namespace::Configuration, "n").await.unwrap().unwrap();
        assert!(info.version > last, "round {round}: the writer came to write");
        last = info.version;
        let n: usize = info.metadata["n"].parse().unwrap();
        let length = if n % 5 == 4 { (8 << 20) + n } else { 1_000 + n };
        assert!(bytes == vec![n.to_le_bytes()[0]; length], "round {round}");
        assert_eq!(std::fs::read_dir(folder.join("drafts")).unwrap().count(), 0, "round {round}");
        content.sweep(Duration::ZERO).await.unwrap();
        assert_eq!(content.sweep(Duration::ZERO).await.unwrap(), Swept::default());
        for version in content.versions("n").await.unwrap() {
            let object = content.get_version("n", version.version).await.unwrap().unwrap();
            object.bytes().await.unwrap();
        }
    }
}
