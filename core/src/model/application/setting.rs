//! Settings: JSON values under a key.

use crate::Timestamp;

/// A setting.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Setting {
    /// Its key, at most [`MAX_BYTES`](crate::model::name::MAX_BYTES) long.
    pub key: String,
    /// Its value.
    pub value: serde_json::Value,
    /// 1 at first, one more with every change. A key that was deleted and put again begins at 1.
    pub version: i64,
    /// When it was changed last.
    pub updated_at: Timestamp,
}
