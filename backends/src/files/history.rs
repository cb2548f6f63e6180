//! A change of an object: one more writing in its entry, if the entry is still the one that was read.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use trimaran_core::{Error, ErrorKind, Result};
use uuid::Uuid;

use super::content::{ObjectContent, Subject};
use super::entries::Found;
use super::entry::{BodyInfo, Entry, Writing};

/// How often a change is tried again that lost to another one. Of those that try at the same moment one succeeds.
const ATTEMPTS: usize = 50;
const FIRST_DELAY: Duration = Duration::from_millis(2);
const LONGEST_DELAY: Duration = Duration::from_millis(250);

/// A writing to be.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) id: Uuid,
    /// `None`: a deletion.
    pub(super) body: Option<BodyInfo>,
}

impl ObjectContent {
    /// Makes a change take effect while `holds` allows it, and removes what it puts out of reach. `found` is what the caller
    /// saw last.
    pub(super) async fn change(
        &self,
        subject: &Subject<'_>,
        mut found: Option<Found>,
        change: Change,
        holds: impl Fn(Option<&Found>) -> Result<()> + Send,
    ) -> Result<Writing> {
        let operation = format!("put {}", subject.what());
        let path = self.scope.entry(subject.namespace, &subject.key);
        let mut delays = ExponentialBuilder::default()
            .with_min_delay(FIRST_DELAY)
            .with_max_delay(LONGEST_DELAY)
            .with_max_times(ATTEMPTS)
            .with_jitter()
            .build();
        loop {
            holds(found.as_ref())?;
            let (entry, writing, out_of_reach) = self.next(subject, found.as_ref(), &change);
            if self.entries.replace(&path, found.as_ref(), &entry, &operation).await? {
                self.remove_bodies(subject, out_of_reach).await;
                return Ok(writing);
            }
            found = self.find(subject).await?;
            // A request that is sent again because its answer was lost finds its own work.
            let own =
                found.as_ref().and_then(|found| found.entry.writings.iter().find(|w| w.id == change.id));
            if let Some(own) = own {
                return Ok(own.clone());
            }
            let Some(delay) = delays.next() else {
                return Err(Error::new(ErrorKind::Aborted, operation)
                    .context(format!("{ATTEMPTS} times somebody else was faster"))
                    .hint("try again"));
            };
            tokio::time::sleep(delay).await;
        }
    }

    /// The entry after a change, the change as a writing, and the bodies that nobody will find any more.
    fn next(
        &self,
        subject: &Subject<'_>,
        found: Option<&Found>,
        change: &Change,
    ) -> (Entry, Writing, Vec<Uuid>) {
        let before = found.map(|found| found.entry.writings.as_slice()).unwrap_or_default();
        let writing = Writing {
            id: change.id,
            version: before.last().map_or(1, |last| last.version + 1),
            at: self.clock.now(),
            body: change.body.clone(),
        };
        let kept = if subject.namespace.keeps_versions() { self.keep_versions.saturating_sub(1) } else { 0 };
        let (gone, kept) = before.split_at(before.len().saturating_sub(kept));
        let out_of_reach =
            gone.iter().filter(|writing| writing.body.is_some()).map(|writing| writing.id).collect();
        let mut writings = kept.to_vec();
        writings.push(writing.clone());
        let (name, owner) = (subject.name.to_owned(), Some(self.entries.owner.to_string()));
        (Entry { name, owner, writings }, writing, out_of_reach)
    }

    /// Makes a deletion the newest version; says whether there was anything to delete.
    pub(super) async fn mark_deleted(&self, subject: &Subject<'_>) -> Result<bool> {
        let is_there =
            |found: Option<&Found>| found.is_some_and(|f| f.entry.info(subject.namespace).is_some());
        let found = self.find(subject).await?;
        if !is_there(found.as_ref()) {
            return Ok(false);
        }
        let gone = || Error::new(ErrorKind::NotFound, format!("delete {}", subject.what()));
        let holds = |found: Option<&Found>| if is_there(found) { Ok(()) } else { Err(gone()) };
        let change = Change { id: self.ids.next(), body: None };
        match self.change(subject, found, change, holds).await {
            Ok(_) => Ok(true),
            // Somebody else deleted it first.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.within(format!("delete {}", subject.what()))),
        }
    }
}
