//! Points in time between the model (UTC) and the entities (with an offset, which is that of UTC).

use sea_orm::prelude::DateTimeWithTimeZone;
use trimaran_core::Timestamp;

/// For an entity.
pub(super) fn stored(time: Timestamp) -> DateTimeWithTimeZone {
    time.fixed_offset()
}

/// For the model: the same moment, whatever the offset.
pub(super) fn loaded(time: DateTimeWithTimeZone) -> Timestamp {
    time.to_utc()
}
