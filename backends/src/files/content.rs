//! The trait over a store: what is asked is checked, and each call goes to the part that does it.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use object_store::ObjectStore;
use trimaran_core::model::{
    Condition, Namespace, NewObject, Object, ObjectInfo, ObjectVersion, Swept, content::rules, name,
};
use trimaran_core::repository::Content;
use trimaran_core::{Clock, Error, ErrorKind, IdSource, Page, PageRequest, Result};

use super::entries::{Entries, Found};
use super::entry::{BodyInfo, Entry, Writing};
use super::history::Change;
use super::key::{Key, Scope};
use super::{read, upload};

/// How often a reader looks again when what it was about to read is replaced under its hands.
const READ_ATTEMPTS: u32 = 20;

/// The content of one scope over any `object_store` that knows conditional writes.
#[derive(Debug, Clone)]
pub struct ObjectContent {
    pub(super) entries: Entries,
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) scope: Scope,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdSource>,
    pub(super) keep_versions: usize,
}

/// One object: what a call is about.
#[derive(Debug, Clone)]
pub(super) struct Subject<'a> {
    pub(super) namespace: Namespace,
    pub(super) name: &'a str,
    pub(super) key: Key,
}

impl<'a> Subject<'a> {
    pub(super) fn new(namespace: Namespace, name: &'a str) -> Result<Self> {
        name::check("the object's name", name)?;
        Ok(Self { namespace, name, key: Key::of(name) })
    }

    /// Its name in errors.
    pub(super) fn what(&self) -> String {
        format!("the object {:?} of {}", self.name, self.namespace)
    }
}

impl ObjectContent {
    pub(super) async fn find(&self, subject: &Subject<'_>) -> Result<Option<Found>> {
        let path = self.scope.entry(subject.namespace, &subject.key);
        self.entries.find(&path, &subject.key, &subject.what()).await
    }

    /// Opens the body of the writing that `pick` takes. It looks again if the body goes away between the two looks.
    async fn open(
        &self,
        subject: &Subject<'_>,
        range: Option<Range<u64>>,
        pick: impl Fn(&Entry) -> Option<&Writing> + Send,
    ) -> Result<Option<Object>> {
        let mut missing = None;
        for _ in 0..READ_ATTEMPTS {
            let Some(found) = self.find(subject).await? else { return Ok(None) };
            let Some(writing) = pick(&found.entry) else { return Ok(None) };
            let Some(info) = writing.info(subject.namespace, subject.name) else { return Ok(None) };
            if missing == Some(writing.id) {
                return Err(read::damaged(&info, "its bytes are missing"));
            }
            let range = range.clone().map(|range| within(&range, &info)).transpose()?;
            let path = self.scope.body(subject.namespace, &subject.key, writing.id);
            if let Some(object) = read::open(&self.store, &path, info, range).await? {
                return Ok(Some(object));
            }
            missing = Some(writing.id);
        }
        Err(Error::new(ErrorKind::Aborted, format!("read {}", subject.what()))
            .context("it was replaced each time that it was about to be read")
            .hint("try again"))
    }
}

/// As much of a range as there is.
fn within(range: &Range<u64>, info: &ObjectInfo) -> Result<Range<u64>> {
    if range.start <= range.end && range.start <= info.size {
        return Ok(range.start..range.end.min(info.size));
    }
    Err(Error::new(ErrorKind::Invalid, "read a range of an object")
        .context(format!("{}..{} of {} bytes", range.start, range.end, info.size))
        .hint("begin at the object's length or before, and not after the range's end"))
}

/// Fails with `Conflict` unless the condition holds for what was found.
fn check(condition: &Condition, found: Option<&Found>, subject: &Subject<'_>) -> Result<()> {
    let now = found.and_then(|found| found.entry.info(subject.namespace));
    let why = match (condition, &now) {
        (Condition::None, _) | (Condition::Absent, None) => return Ok(()),
        (Condition::Unchanged(etag), Some(now)) if now.etag == *etag => return Ok(()),
        (Condition::Absent, Some(_)) => "there is one already",
        (Condition::Unchanged(_), Some(_)) => "it was changed meanwhile",
        (Condition::Unchanged(_), None) => "it is gone",
    };
    Err(Error::new(ErrorKind::Conflict, format!("put {}", subject.what()))
        .context(why)
        .hint("read it again, and put with the tag that it has now"))
}

#[async_trait]
impl Content for ObjectContent {
    async fn put(&self, namespace: Namespace, name: &str, object: NewObject) -> Result<ObjectInfo> {
        let subject = Subject::new(namespace, name)?;
        let NewObject { body, content_type, metadata, condition } = object;
        rules::check_metadata(&metadata)?;
        let content_type = content_type.unwrap_or_else(|| {
            mime_guess::from_path(name).first_raw().unwrap_or(rules::UNKNOWN_CONTENT_TYPE).to_owned()
        });
        rules::check_content_type(&content_type)?;

        // Looked at before the bytes are written, too: what can't succeed should not cost their transfer.
        let found = self.find(&subject).await?;
        check(&condition, found.as_ref(), &subject)?;
        let id = self.ids.next();
        let path = self.scope.body(namespace, &subject.key, id);
        let written = upload::write(&self.store, &path, body).await?;
        let info = BodyInfo { size: written.size, sha256: written.sha256, content_type, metadata };
        let change = Change { id, body: Some(info) };
        let outcome = self.change(&subject, found, change, |found| check(&condition, found, &subject)).await;
        match outcome {
            Ok(writing) => writing
                .info(namespace, name)
                .ok_or_else(|| Error::new(ErrorKind::Corrupt, format!("put {}", subject.what()))),
            Err(error) => {
                // Nobody refers to these bytes for certain. After any other error somebody might.
                if error.kind() == ErrorKind::Conflict {
                    self.remove_bodies(&subject, [id]).await;
                }
                Err(error)
            }
        }
    }

    async fn get(&self, namespace: Namespace, name: &str) -> Result<Option<Object>> {
        self.open(&Subject::new(namespace, name)?, None, Entry::last).await
    }

    async fn get_range(&self, namespace: Namespace, name: &str, range: Range<u64>) -> Result<Option<Object>> {
        self.open(&Subject::new(namespace, name)?, Some(range), Entry::last).await
    }

    async fn head(&self, namespace: Namespace, name: &str) -> Result<Option<ObjectInfo>> {
        let found = self.find(&Subject::new(namespace, name)?).await?;
        Ok(found.and_then(|found| found.entry.info(namespace)))
    }

    async fn list(&self, namespace: Namespace, prefix: &str, page: &PageRequest) -> Result<Page<ObjectInfo>> {
        self.page(namespace, prefix, page).await
    }

    async fn delete(&self, namespace: Namespace, name: &str) -> Result<bool> {
        let subject = Subject::new(namespace, name)?;
        if namespace.keeps_versions() {
            self.mark_deleted(&subject).await
        } else {
            self.remove(&subject).await
        }
    }

    async fn versions(&self, name: &str) -> Result<Vec<ObjectVersion>> {
        let found = self.find(&Subject::new(Namespace::Configuration, name)?).await?;
        Ok(found.map(|found| found.entry.history(Namespace::Configuration)).unwrap_or_default())
    }

    async fn get_version(&self, name: &str, version: u64) -> Result<Option<Object>> {
        let subject = Subject::new(Namespace::Configuration, name)?;
        self.open(&subject, None, |entry| entry.writings.iter().find(|writing| writing.version == version))
            .await
    }

    async fn purge(&self, namespace: Namespace, name: &str) -> Result<bool> {
        self.remove_for_good(&Subject::new(namespace, name)?).await
    }

    async fn sweep(&self, older_than: Duration) -> Result<Swept> {
        self.remove_remnants(older_than).await
    }

    async fn erase(&self) -> Result<u64> {
        self.remove_all().await
    }
}
