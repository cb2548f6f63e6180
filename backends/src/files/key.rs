//! From names to keys. A key is made of hexadecimal digits, so that no name becomes a path, no two names become one on a file
//! system that folds case, and no name is one that a system keeps for itself.

use object_store::path::Path;
use trimaran_core::model::{Namespace, Sha256};
use trimaran_core::{TenantId, digest};
use uuid::Uuid;

/// So many bytes of a name can be seen in its key: what lists are ordered by. 128 digits, a dot, and the 64 of the SHA-256, and
/// for a body 33 more, stay below the 255 bytes of a file's name.
const SEEN_BYTES: usize = 64;

/// Whose objects they are: a folder of keys of its own.
#[derive(Debug, Clone)]
pub(super) struct Scope(Path);

impl Scope {
    pub(super) fn installation(root: &Path) -> Self {
        Self(root.clone().join("installation"))
    }

    pub(super) fn tenant(root: &Path, tenant: TenantId) -> Self {
        Self(root.clone().join("tenants").join(tenant.0.hyphenated().to_string()))
    }

    /// Whose it is: the last part of its path.
    pub(super) fn owner(&self) -> &str {
        self.0.filename().unwrap_or_default()
    }

    /// All that is kept for it.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Where the entries of a namespace are.
    pub(super) fn entries(&self, namespace: Namespace) -> Path {
        self.0.clone().join(namespace.name()).join("entries")
    }

    /// Where the bodies of a namespace are.
    pub(super) fn bodies(&self, namespace: Namespace) -> Path {
        self.0.clone().join(namespace.name()).join("bodies")
    }

    pub(super) fn entry(&self, namespace: Namespace, key: &Key) -> Path {
        self.entries(namespace).join(key.as_str())
    }

    pub(super) fn body(&self, namespace: Namespace, key: &Key, id: Uuid) -> Path {
        self.bodies(namespace).join(format!("{}.{}", key.as_str(), id.simple()))
    }
}

/// What an object is found by: the first bytes of its name, and the SHA-256 of the whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(String);

impl Key {
    pub(super) fn of(name: &str) -> Self {
        Self(format!("{}.{}", seen(name), Sha256::of(name.as_bytes())))
    }

    /// The one that stands in the last part of an entry's path; `None` if that is none.
    pub(super) fn of_entry(path: &Path) -> Option<Self> {
        Self::parse(path.filename()?)
    }

    /// The one that the last part of a body's path begins with, and the body's id; `None` if that is none.
    pub(super) fn of_body(path: &Path) -> Option<(Self, Uuid)> {
        let (key, id) = path.filename()?.rsplit_once('.')?;
        Some((Self::parse(key)?, Uuid::try_parse(id).ok()?))
    }

    /// The key of this text.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let is_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let (seen, digest) = text.split_once('.')?;
        let is_key = seen.len() <= 2 * SEEN_BYTES && is_hex(seen) && digest.len() == 64 && is_hex(digest);
        is_key.then(|| Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a name that begins with `prefix` may have this key.
    pub(super) fn may_begin_with(&self, prefix: &str) -> bool {
        self.0.starts_with(&seen(prefix))
    }
}

/// What of a name, or of its beginning, is in its key.
pub(super) fn seen(name: &str) -> String {
    digest::hex(&name.as_bytes()[..name.len().min(SEEN_BYTES)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_the_order_of_names_and_hold_nothing_of_their_text() {
        let names = ["", "\0", "../../etc/passwd", "CON", "a", "a.", "ab", "b", "con", "é"];
        let keys: Vec<Key> = names.into_iter().map(Key::of).collect();
        assert!(keys.is_sorted());
        for (name, key) in names.into_iter().zip(&keys) {
            assert_eq!(Key::parse(key.as_str()).as_ref(), Some(key));
            assert!(key.may_begin_with(name) && key.may_begin_with(""));
            assert!(key.as_str().bytes().all(|byte| byte == b'.' || byte.is_ascii_hexdigit()));
        }
        assert!(!Key::of("ab").may_begin_with("b"));
    }

    #[test]
    fn the_longest_name_leaves_room_for_the_rest_of_a_files_name() {
        let key = Key::of(&"\u{10ffff}".repeat(250));
        let scope = Scope::tenant(&Path::default(), TenantId(Uuid::nil()));
        let path = scope.body(Namespace::Configuration, &key, Uuid::nil());
        assert!(path.filename().unwrap().len() <= 255);
        assert!(path.as_ref().len() + 256 < 1024, "S3's keys have 1,024 bytes, the prefix included");
        assert_eq!(Key::of_body(&path), Some((key, Uuid::nil())));
    }

    #[test]
    fn what_is_no_key_is_known() {
        let digest = Sha256::of(b"");
        for wrong in
            ["", ".", "61", &format!("6A.{digest}"), &format!("{}.{digest}", "6".repeat(129)), "61.6"]
        {
            assert_eq!(Key::parse(wrong), None, "{wrong}");
        }
    }
}
