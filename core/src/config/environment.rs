//! Settings from environment variables.
//!
//! `TRIMARAN_STORES__IDENTITY__MAX_CONNECTIONS=20` sets `stores.identity.max_connections`: `__` separates the parts of
//! a key. Only names with a `__` are settings, so that `TRIMARAN_CONFIG` and other variables are not.
//!
//! Values are taken as they are. (figment's own provider reads `0123456` as a number and `1.10` as 1.1, which ruins
//! passwords.)

use figment::value::{Dict, Value};

use super::layer::insert;

const PREFIX: &str = "TRIMARAN_";
const SEPARATOR: &str = "__";

/// The settings among `variables`.
pub(super) fn read(variables: impl IntoIterator<Item = (String, String)>) -> Dict {
    let mut values = Dict::new();
    let mut settings: Vec<_> = variables
        .into_iter()
        .filter_map(|(name, value)| {
            let name = name.strip_prefix(PREFIX)?;
            name.contains(SEPARATOR).then(|| (name.to_ascii_lowercase().replace(SEPARATOR, "."), value))
        })
        .collect();
    // The environment has no order: let the result not depend on it.
    settings.sort();
    for (key, value) in settings {
        insert(&mut values, &key, Value::from(value));
    }
    values
}

/// The variable that sets the key made of `parts`.
pub(super) fn variable(parts: &[&str]) -> String {
    format!("{PREFIX}{}", parts.join(SEPARATOR).to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_two_underscores_are_settings_and_values_stay_as_they_are() {
        let values = read([
            ("TRIMARAN_CONFIG".to_owned(), "x".to_owned()),
            ("TRIMARAN_STORES__IDENTITY__PASSWORD".to_owned(), "0123456".to_owned()),
            ("PATH".to_owned(), "/bin".to_owned()),
        ]);
        let all = Value::from(values);
        assert_eq!(all.find_ref("stores.identity.password").and_then(Value::as_str), Some("0123456"));
        assert_eq!(all.as_dict().map(|d| d.len()), Some(1));
        assert_eq!(variable(&["stores", "identity", "url"]), "TRIMARAN_STORES__IDENTITY__URL");
    }
}
