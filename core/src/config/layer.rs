//! One layer of settings, and what it calls itself when a value of it is wrong.

use figment::value::{Dict, Map, Value};
use figment::{Error, Metadata, Profile, Provider};

/// Values with one origin.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    /// As an error message says it: `trimaran.toml`, `the default`, `code`.
    origin: String,
    /// Whether a value's origin is a variable of its own, named by its key.
    variables: bool,
    values: Dict,
}

impl Layer {
    pub(super) fn new(origin: impl Into<String>, values: Dict) -> Self {
        Self { origin: origin.into(), variables: false, values }
    }

    /// A layer whose every value has its own environment variable.
    pub(super) fn of_variables(values: Dict) -> Self {
        Self { origin: "environment".into(), variables: true, values }
    }

    /// Sets the value at a dotted key.
    pub(super) fn set(&mut self, key: &str, value: impl Into<Value>) {
        insert(&mut self.values, key, value.into());
    }
}

/// Puts a value at a dotted key, making tables on the way. A plain value in the way gives way to a table.
pub(super) fn insert(values: &mut Dict, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            values.insert(key.to_owned(), value);
        }
        Some((table, rest)) => {
            let entry = values.entry(table.to_owned()).or_insert_with(|| Value::from(Dict::new()));
            if entry.as_dict().is_none() {
                *entry = Value::from(Dict::new());
            }
            if let Value::Dict(_, inner) = entry {
                insert(inner, rest, value);
            }
        }
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        let (origin, variables) = (self.origin.clone(), self.variables);
        Metadata::named(origin.clone()).interpolater(move |_, keys| {
            if variables { super::environment::variable(keys) } else { origin.clone() }
        })
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}
