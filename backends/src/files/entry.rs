//! What an entry says: an object's writings, the newest last, as far as they are kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trimaran_core::model::{ETag, Namespace, ObjectInfo, ObjectVersion, Sha256};
use trimaran_core::{Error, ErrorKind, Result, Timestamp};
use uuid::Uuid;

/// What an entry begins with: the format's name and number, then the SHA-256 of the JSON that follows the line's end.
const MAGIC: &str = "trimaran-content 1 ";

/// An object, present or deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Its name: the key holds only the digest.
    pub(super) name: String,
    /// Whose it is: `installation`, or a tenant's id. An entry in another's place is refused, so that files that somebody exchanged
    /// between tenants are noticed. Entries of before have none until they are written again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) owner: Option<String>,
    /// At least one.
    pub(super) writings: Vec<Writing>,
}

/// One writing of an object: where versions are kept, a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Writing {
    /// Which it is: never given twice. Its body, if it has one, is found by it.
    pub(super) id: Uuid,
    pub(super) version: u64,
    pub(super) at: Timestamp,
    /// `None`: the object was deleted.
    pub(super) body: Option<BodyInfo>,
}

/// What a body must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BodyInfo {
    pub(super) size: u64,
    pub(super) sha256: Sha256,
    pub(super) content_type: String,
    pub(super) metadata: BTreeMap<String, String>,
}

impl Entry {
    /// Its bytes: a line with their checksum, and JSON.
    pub(super) fn encode(&self) -> Result<Vec<u8>> {
        let json = serde_json::to_vec(self)
            .map_err(|error| Error::new(ErrorKind::Invalid, "write an object's entry").source(error))?;
        let mut bytes = format!("{MAGIC}{}\n", Sha256::of(&json)).into_bytes();
        bytes.extend_from_slice(&json);
        Ok(bytes)
    }

    /// The entry of these bytes; `what` names the object in the error.
    pub(super) fn decode(bytes: &[u8], what: &str) -> Result<Self> {
        let corrupt = |why: &str| {
            Error::new(ErrorKind::Corrupt, format!("read {what}"))
                .context(format!("its entry {why}"))
                .hint("bring the entry back from a backup, or purge the object")
        };
        let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(|| corrupt("has no first line"))?;
        let (line, json) = (&bytes[..end], &bytes[end + 1..]);
        let line = std::str::from_utf8(line).map_err(|_| corrupt("has no first line"))?;
        let expected =
            line.strip_prefix(MAGIC).ok_or_else(|| corrupt("is not of this format, or of a newer one"))?;
        if expected != Sha256::of(json).to_string() {
            return Err(corrupt("is damaged: its checksum is another one"));
        }
        let entry: Entry = serde_json::from_slice(json)
            .map_err(|error| corrupt("is not what it should be").source(error))?;
        if entry.writings.is_empty() {
            return Err(corrupt("says nothing"));
        }
        Ok(entry)
    }

    /// The last writing.
    pub(super) fn last(&self) -> Option<&Writing> {
        self.writings.last()
    }

    /// What the object is; `None` if it was deleted.
    pub(super) fn info(&self, namespace: Namespace) -> Option<ObjectInfo> {
        self.last().and_then(|writing| writing.info(namespace, &self.name))
    }

    /// Its history, newest first.
    pub(super) fn history(&self, namespace: Namespace) -> Vec<ObjectVersion> {
        let version = |writing: &Writing| ObjectVersion {
            version: writing.version,
            at: writing.at,
            object: writing.info(namespace, &self.name),
        };
        self.writings.iter().rev().map(version).collect()
    }

    /// The ids of all its bodies.
    pub(super) fn bodies(&self) -> impl Iterator<Item = Uuid> + '_ {
        self.writings.iter().filter(|writing| writing.body.is_some()).map(|writing| writing.id)
    }
}

impl Writing {
    pub(super) fn info(&self, namespace: Namespace, name: &str) -> Option<ObjectInfo> {
        let body = self.body.as_ref()?;
        Some(ObjectInfo {
            namespace,
            name: name.to_owned(),
            etag: ETag::new(self.id.simple().to_string()),
            version: self.version,
            size: body.size,
            sha256: body.sha256,
            content_type: body.content_type.clone(),
            metadata: body.metadata.clone(),
            modified_at: self.at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        let body = BodyInfo {
            size: 1,
            sha256: Sha256::of(b"x"),
            content_type: "text/plain".to_owned(),
            metadata: BTreeMap::from([("\0".to_owned(), "\u{10ffff}".to_owned())]),
        };
        let at = Timestamp::from_timestamp_micros(1).unwrap();
        Entry {
            name: "a\0b".to_owned(),
            owner: Some("installation".to_owned()),
            writings: vec![Writing { id: Uuid::from_u128(7), version: 1, at, body: Some(body) }],
        }
    }

    #[test]
    fn an_entry_is_read_as_it_was_written() {
        let entry = entry();
        assert_eq!(Entry::decode(&entry.encode().unwrap(), "it").unwrap(), entry);
    }

    #[test]
    fn any_changed_or_missing_byte_is_noticed() {
        let bytes = entry().encode().unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(Entry::decode(&changed, "it").unwrap_err().kind(), ErrorKind::Corrupt, "byte {at}");
            assert_eq!(
                Entry::decode(&bytes[..at], "it").unwrap_err().kind(),
                ErrorKind::Corrupt,
                "{at} bytes"
            );
        }
    }
}
