//! Identifiers: which target, attack, converter or scorer it was, as PyRIT says it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::{Error, ErrorKind, Result};

/// Which component it was: a JSON object.
///
/// Two forms are read, and the second is written:
///
/// - PyRIT 0.8: `{"__type__": class, "__module__": module, "id": …, …}`;
/// - PyRIT 1.1: `{"class_name": class, "class_module": module, "hash": …, …}`.
///
/// Everything else in the object is kept in `details`, so that nothing of an identifier is lost.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Identifier {
    /// The name of its class.
    pub class_name: String,
    /// The module of its class.
    #[serde(rename = "class_module", skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// Which instance it was (PyRIT 0.8).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The hash over its parameters (PyRIT 1.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// What else is said of it: parameters, children, versions.
    #[serde(flatten)]
    pub details: BTreeMap<String, Value>,
}

impl Identifier {
    /// The component of this class, and nothing else said of it.
    pub fn of_class(class_name: impl Into<String>) -> Self {
        Self { class_name: class_name.into(), ..Self::default() }
    }

    /// The same with an id.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The same with a hash.
    #[must_use]
    pub fn with_hash(mut self, hash: impl Into<String>) -> Self {
        self.hash = Some(hash.into());
        self
    }

    /// Whether it comes back as it is: nothing in `details` has the name of a field that is set.
    ///
    /// # Errors
    /// `Invalid` if something has.
    pub fn check(&self) -> Result<()> {
        let fields = [
            ("class_name", true),
            ("class_module", self.module.is_some()),
            ("id", self.id.is_some()),
            ("hash", self.hash.is_some()),
        ];
        match fields.into_iter().find(|(name, set)| *set && self.details.contains_key(*name)) {
            None => Ok(()),
            Some((name, _)) => Err(Error::new(ErrorKind::Invalid, "write an identifier")
                .context(format!("its details have a member {name}, which is a field of its own"))
                .hint("set the field, and remove the member from the details")),
        }
    }
}

impl<'de> Deserialize<'de> for Identifier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut details = BTreeMap::<String, Value>::deserialize(deserializer)?;
        // A newer identifier may have members named as the older form's: they are details of it.
        let (class, module) = match details.contains_key("class_name") {
            true => ("class_name", "class_module"),
            false => ("__type__", "__module__"),
        };
        // What is no text stays where it is: a parameter may have any name.
        let mut text = |name: &str| match details.get_mut(name).map(Value::take) {
            Some(Value::String(text)) => {
                details.remove(name);
                Some(text)
            }
            Some(other) => {
                details.insert(name.to_owned(), other);
                None
            }
            None => None,
        };
        let class_name =
            text(class).ok_or_else(|| serde::de::Error::custom("an identifier names no class"))?;
        let (module, id, hash) = (text(module), text("id"), text("hash"));
        Ok(Self { class_name, module, id, hash, details })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_forms_are_read_and_the_newer_is_written() {
        let old = json!({"__type__": "Base64Converter", "__module__": "pyrit.prompt_converter", "id": "7", "k": [1]});
        let identifier: Identifier = serde_json::from_value(old).unwrap();
        assert_eq!(identifier.class_name, "Base64Converter");
        assert_eq!(identifier.module.as_deref(), Some("pyrit.prompt_converter"));
        assert_eq!(identifier.id.as_deref(), Some("7"));
        let new = json!({"class_name": "Base64Converter", "class_module": "pyrit.prompt_converter", "id": "7", "k": [1]});
        assert_eq!(serde_json::to_value(&identifier).unwrap(), new);
        assert_eq!(serde_json::from_value::<Identifier>(new).unwrap(), identifier);
    }

    #[test]
    fn nothing_of_an_identifier_is_lost() {
        let given = json!({"class_name": "T", "hash": "ab", "pyrit_version": "1.1.0", "__type__": "x",
            "children": {"target": {"class_name": "U"}}, "temperature": 0.5, "id": 7});
        let identifier: Identifier = serde_json::from_value(given.clone()).unwrap();
        identifier.check().unwrap();
        assert_eq!(serde_json::to_value(&identifier).unwrap(), given);
    }

    #[test]
    fn what_names_no_class_is_no_identifier() {
        for wrong in [json!({}), json!([]), json!({"class_name": 1}), json!({"__type__": null})] {
            assert!(serde_json::from_value::<Identifier>(wrong.clone()).is_err(), "{wrong}");
        }
        let mut twice = Identifier::of_class("T").with_hash("ab");
        twice.details.insert("hash".to_owned(), json!(1));
        assert_eq!(twice.check().unwrap_err().kind(), ErrorKind::Invalid);
    }
}
