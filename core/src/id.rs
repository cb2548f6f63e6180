//! Ids made by the application: UUIDv7 (RFC 9562, section 5.7), which sort by the time they were made. There are no serial columns.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use crate::clock::Clock;

/// Makes ids.
pub trait IdSource: fmt::Debug + Send + Sync {
    /// An id that was never given before.
    fn next(&self) -> Uuid;
}

/// UUIDv7 from the machine's clock and its randomness; within one process each is greater than the one before.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomIds;

impl IdSource for RandomIds {
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}

/// UUIDv7 from a given clock and a counter in place of randomness, for tests: the same calls give the same ids.
#[derive(Debug)]
pub struct SequentialIds {
    clock: Arc<dyn Clock>,
    given: AtomicU64,
}

impl SequentialIds {
    /// Ids of `clock`'s time.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, given: AtomicU64::new(0) }
    }
}

impl IdSource for SequentialIds {
    fn next(&self) -> Uuid {
        let count = self.given.fetch_add(1, Ordering::Relaxed);
        let millis = u64::try_from(self.clock.now().timestamp_millis()).unwrap_or_default();
        let mut tail = [0; 10];
        tail[2..].copy_from_slice(&count.to_be_bytes());
        uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid()
    }
}

/// The first id of the millisecond in which `time` lies: every UUIDv7 made later is greater.
pub fn first_id_at(time: crate::clock::Timestamp) -> Uuid {
    let millis = u64::try_from(time.timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}

/// Declares newtypes over [`Uuid`], one per kind of thing, so that one is never passed for another.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )*};
}

ids! {
    /// A user.
    UserId;
    /// A role.
    RoleId;
    /// A group of users.
    GroupId;
    /// An API key: the part of it that is no secret.
    ApiKeyId;
    /// A session: the part of its token that is no secret.
    SessionId;
    /// Whose data it is. Every call for per-user data is scoped by one.
    TenantId;
    /// A component: a generator, a scorer or a converter.
    ComponentId;
    /// A dataset of prompts.
    DatasetId;
    /// A prompt of a dataset.
    DatasetPromptId;
    /// A conversation.
    ConversationId;
    /// A prompt piece: one part of one message.
    PieceId;
    /// A score.
    ScoreId;
    /// A seed prompt.
    SeedId;
    /// Seed prompts that are sent together.
    SeedGroupId;
    /// The result of an attack.
    AttackResultId;
    /// The result of a scenario.
    ScenarioResultId;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn sequential_ids_are_version_7_rise_and_repeat() {
        let clock = ManualClock::default();
        let ids = SequentialIds::new(Arc::new(clock.clone()));
        let (first, second) = (ids.next(), ids.next());
        assert_eq!(first.get_version_num(), 7);
        assert!(first < second);
        assert!(first_id_at(clock.now()) <= first);
        clock.advance(std::time::Duration::from_secs(1));
        assert!(second < ids.next());
        assert_eq!(SequentialIds::new(Arc::new(ManualClock::default())).next(), first);
    }
}
