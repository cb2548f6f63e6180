//! Parameters of components: JSON with secrets in it that don't get out by accident.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

use super::document;
use crate::secret::places::{self, MARK};
use crate::{Error, ErrorKind, Result};

const ACCEPT: &str = "accept the component's parameters";

/// A component's parameters: a JSON object, and apart from it the secrets that belong into it.
///
/// Where a secret is, the object has the [mark](MARK) `[redacted]`, so that `Debug`, serialisation and logs never show one. Secrets
/// are known by their names and their looks ([`places`]) or by being [marked](Self::with_secret_at). They are found by JSON Pointers
/// (RFC 6901).
///
/// What a repository reads has secrets that are *kept*: it doesn't say what they are, only that they are there. Writing such parameters
/// back keeps them as they are; so does JSON that a client had from here and sends back, with the mark in their
/// places. So the mark itself can't be a parameter's value.
///
/// ```
/// use serde_json::json;
/// use trimaran_core::model::Parameters;
///
/// let parameters = Parameters::from_json(json!({ "model": "gpt-4o", "api_key": "sk-1234" }))?;
/// assert_eq!(parameters.redacted(), &json!({ "model": "gpt-4o", "api_key": "[redacted]" }));
/// assert_eq!(parameters.expose()?["api_key"], "sk-1234");
/// # Ok::<(), trimaran_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Parameters {
    /// An object, with the mark wherever a secret is.
    document: Value,
    secrets: BTreeMap<String, Secret>,
}

/// A secret in parameters.
#[derive(Clone)]
enum Secret {
    /// The one that is stored.
    Kept,
    /// This one, as JSON text.
    Given(SecretString),
}

impl Parameters {
    /// Parameters from a JSON object: secrets are taken out of it, and where it has the mark the stored secret is kept.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if it is no object, or nested [too deep](document::MAX_DEPTH).
    pub fn from_json(document: Value) -> Result<Self> {
        if !document.is_object() {
            return Err(Error::new(ErrorKind::Invalid, ACCEPT)
                .context("they are no JSON object")
                .hint("give an object, { } if there are none"));
        }
        document::check("the component's parameters", &document)?;
        let mut parameters = Self { document, secrets: BTreeMap::new() };
        let secrets = &mut parameters.secrets;
        places::take(&mut parameters.document, &mut |pointer, value| {
            secrets.insert(pointer.to_owned(), Secret::of(&value));
        });
        Ok(parameters)
    }

    /// Parameters as they are stored: `document` has the mark at each of `places`. `None` if it hasn't.
    pub fn stored(document: Value, places: impl IntoIterator<Item = String>) -> Option<Self> {
        let secrets: BTreeMap<_, _> = places.into_iter().map(|place| (place, Secret::Kept)).collect();
        let marked = |place: &String| document.pointer(place).is_some_and(|value| value == MARK);
        (document.is_object() && secrets.keys().all(marked)).then_some(Self { document, secrets })
    }

    /// The same with whatever stands at `pointer` as a secret.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if there is nothing, or if it contains a secret that is kept.
    pub fn with_secret_at(mut self, pointer: &str) -> Result<Self> {
        let wrong = |why: &str| Error::new(ErrorKind::Invalid, "mark a parameter as a secret").context(why);
        if self.secrets.contains_key(pointer) {
            return Ok(self);
        }
        let inside = format!("{pointer}/");
        let within: Vec<_> =
            self.secrets.keys().filter(|place| place.starts_with(&inside)).cloned().collect();
        for place in within {
            match self.secrets.remove(&place) {
                Some(Secret::Given(secret)) => put(&mut self.document, &place, &secret)?,
                _ => return Err(wrong("a kept secret is inside").hint("give that secret anew")),
            }
        }
        match self.document.pointer_mut(pointer) {
            Some(place) if !pointer.is_empty() => {
                let value = std::mem::replace(place, Value::String(MARK.to_owned()));
                self.secrets.insert(pointer.to_owned(), Secret::of(&value));
                Ok(self)
            }
            _ => Err(wrong("there is no such parameter")
                .hint("give a JSON Pointer (RFC 6901) into the parameters, such as /headers/X-Session")),
        }
    }

    /// The object, with the mark in the place of each secret.
    pub fn redacted(&self) -> &Value {
        &self.document
    }

    /// Where the secrets are: JSON Pointers.
    pub fn secret_places(&self) -> impl Iterator<Item = &str> {
        self.secrets.keys().map(String::as_str)
    }

    /// The secret at `pointer` if it is a given one: the text itself of a text, else the JSON.
    pub fn secret(&self, pointer: &str) -> Option<SecretString> {
        let json = self.given(pointer)?;
        Some(match serde_json::from_str::<String>(json.expose_secret()) {
            Ok(text) => SecretString::from(text),
            Err(_) => json.clone(),
        })
    }

    /// The secret at `pointer` as JSON text, if it is a given one.
    pub fn given(&self, pointer: &str) -> Option<&SecretString> {
        match self.secrets.get(pointer) {
            Some(Secret::Given(secret)) => Some(secret),
            _ => None,
        }
    }

    /// Whether there are secrets that are kept.
    pub fn keeps_any(&self) -> bool {
        self.secrets.values().any(|secret| matches!(secret, Secret::Kept))
    }

    /// The object with its secrets in the clear: for whoever sets up the component, and nobody else.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if a secret is kept: [`reveal`](crate::repository::Components::reveal) gives all.
    pub fn expose(&self) -> Result<Value> {
        self.require_given()?;
        let mut document = self.document.clone();
        for (place, secret) in &self.secrets {
            if let Secret::Given(secret) = secret {
                put(&mut document, place, secret)?;
            }
        }
        Ok(document)
    }

    /// Makes sure that every secret is a given one.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] naming the place of one that isn't.
    pub fn require_given(&self) -> Result<()> {
        match self.secrets.iter().find(|(_, secret)| matches!(secret, Secret::Kept)) {
            None => Ok(()),
            Some((place, _)) => Err(not_kept(place, "no secret is stored that could be kept")),
        }
    }

    /// The same with each kept secret from `stored`, all of whose secrets are given: what an update writes.
    ///
    /// In a list a secret is kept only if the list is as it was, secrets aside: an item that moved would be given another
    /// one's secret.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] naming the place, if nothing is stored there or the list around it has changed.
    pub fn completed_from(mut self, stored: &Parameters) -> Result<Self> {
        for place in self.secrets.keys() {
            if matches!(self.secrets[place], Secret::Kept)
                && let Some(list) = list_around(&self.document, place)
                && self.document.pointer(list) != stored.document.pointer(list)
            {
                return Err(not_kept(place, "the list that it is in has changed"));
            }
        }
        for (place, secret) in &mut self.secrets {
            if let Secret::Kept = secret {
                let Some(Secret::Given(known)) = stored.secrets.get(place) else {
                    return Err(not_kept(place, "no secret is stored there"));
                };
                *secret = Secret::Given(known.clone());
            }
        }
        Ok(self)
    }

    /// The same with a secret wherever `stored` has one and these have anything: once a secret, always a secret, until
    /// the parameter is removed or null.
    ///
    /// # Errors
    /// As for [`Self::with_secret_at`].
    pub fn secret_where(self, stored: &Parameters) -> Result<Self> {
        stored.secret_places().try_fold(self, |parameters, place| match parameters.document.pointer(place) {
            None | Some(Value::Null) => Ok(parameters),
            Some(_) => parameters.with_secret_at(place),
        })
    }

    /// The same with the secrets that `reveal` says, as JSON text, in the place of the kept ones.
    ///
    /// # Errors
    /// The first that `reveal` returns.
    pub fn revealed(mut self, mut reveal: impl FnMut(&str) -> Result<SecretString>) -> Result<Self> {
        for (place, secret) in &mut self.secrets {
            if let Secret::Kept = secret {
                *secret = Secret::Given(reveal(place)?);
            }
        }
        Ok(self)
    }
}

impl Secret {
    fn of(value: &Value) -> Self {
        match value {
            Value::String(text) if text == MARK => Secret::Kept,
            value => Secret::Given(SecretString::from(value.to_string())),
        }
    }
}

/// Puts a secret into its place.
fn put(document: &mut Value, place: &str, secret: &SecretString) -> Result<()> {
    let broken = || Error::new(ErrorKind::Corrupt, "put a secret into its place");
    let slot = document.pointer_mut(place).ok_or_else(broken)?;
    // The error would quote the secret.
    *slot = serde_json::from_str(secret.expose_secret()).map_err(|_| broken().context("it is no JSON"))?;
    Ok(())
}

/// The outermost list that `place` is in.
fn list_around<'p>(document: &Value, place: &'p str) -> Option<&'p str> {
    place
        .char_indices()
        .filter(|(_, c)| *c == '/')
        .map(|(at, _)| &place[..at])
        .find(|prefix| document.pointer(prefix).is_some_and(Value::is_array))
}

fn not_kept(place: &str, why: &str) -> Error {
    Error::new(ErrorKind::Invalid, ACCEPT)
        .context(format!("{place} says {MARK}, which keeps the stored secret, but {why}"))
        .hint("give the secret itself")
}

impl Default for Parameters {
    /// None.
    fn default() -> Self {
        Self { document: Value::Object(Map::new()), secrets: BTreeMap::new() }
    }
}

impl PartialEq for Parameters {
    fn eq(&self, other: &Self) -> bool {
        let same = |(a, b): (&Secret, &Secret)| match (a, b) {
            (Secret::Kept, Secret::Kept) => true,
            (Secret::Given(a), Secret::Given(b)) => a.expose_secret() == b.expose_secret(),
            _ => false,
        };
        self.document == other.document
            && self.secrets.keys().eq(other.secrets.keys())
            && self.secrets.values().zip(other.secrets.values()).all(same)
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parameters({})", self.document)
    }
}

impl serde::Serialize for Parameters {
    /// Redacted.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.document.serialize(serializer)
    }
}

impl<'de> serde::Deserialize<'de> for Parameters {
    /// As [`Parameters::from_json`].
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let document = Value::deserialize(deserializer)?;
        Parameters::from_json(document).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
