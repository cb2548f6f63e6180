//! Permissions: names such as `identity.users:read`.

use std::fmt;
use std::str::FromStr;

use crate::{Error, ErrorKind, Result};

/// What somebody may do, or an API key's scope. There are no wildcards: a permission permits what it names, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Permission(String);

impl Permission {
    /// The greatest length, in bytes.
    pub const MAX_BYTES: usize = 255;

    /// A permission of this name.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] unless it is 1 to [`Self::MAX_BYTES`] ASCII letters, digits and `.`, `:`, `/`, `-`, `_`.
    pub fn new(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".:/-_".contains(&byte);
        if (1..=Self::MAX_BYTES).contains(&name.len()) && name.bytes().all(allowed) {
            return Ok(Self(name));
        }
        Err(Error::new(ErrorKind::Invalid, "accept a permission").context("its name is not one").hint(
            "give 1 to 255 ASCII letters, digits and `.`, `:`, `/`, `-`, `_`, as in identity.users:read",
        ))
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Permission {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::new(name)
    }
}

impl TryFrom<String> for Permission {
    type Error = Error;

    fn try_from(name: String) -> Result<Self> {
        Self::new(name)
    }
}

impl From<Permission> for String {
    fn from(permission: Permission) -> Self {
        permission.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_is_a_plain_name() {
        assert_eq!(Permission::new("identity.users:read").unwrap().to_string(), "identity.users:read");
        for wrong in ["", "two words", "nul\0", "é", "*", &"x".repeat(256)] {
            assert_eq!(Permission::new(wrong).unwrap_err().kind(), ErrorKind::Invalid);
        }
    }
}
