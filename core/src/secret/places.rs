//! Where the secrets are in a JSON document: by the name they stand under, and by what they look like.
//!
//! Whoever adds a provider adds a line to [`NAMES`] or [`ENDINGS`]. What is taken for a secret without being one is merely
//! encrypted and redacted; what is a secret and isn't recognised stands in the clear. So the tables lean to one side.

use serde_json::{Map, Value};

/// What stands in a secret's place where it isn't shown.
pub const MARK: &str = "[redacted]";

/// Names of secrets, as `normal` has them.
pub const NAMES: &[&str] = &[
    "auth",
    "bearer",
    "connstr",
    "dsn",
    "jwt",
    "pass",
    "pat",
    "pgpass",
    "pin",
    "pwd",
    "sas",
    "sig",
    "signature",
];

/// What names of secrets end in, as `normal` has them: `openai_api_key`, `X-Api-Key`, `Proxy-Authorization`.
pub const ENDINGS: &[&str] = &[
    "accesskey",
    "accountkey",
    "apikey",
    "authheader",
    "authkey",
    "authorization",
    "clientkey",
    "connectionstring",
    "connectionuri",
    "connectionurl",
    "cookie",
    "credential",
    "credentials",
    "databaseurl",
    "encryptionkey",
    "functionskey",
    "masterkey",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "secret",
    "secretkey",
    "secrets",
    "secretvalue",
    "securitytoken",
    "servicekey",
    "sharedkey",
    "signingkey",
    "subscriptionkey",
    "token",
];

/// Under which names a list of headers says a header's name, and under which its value.
const HEADER_NAMES: [&str; 4] = ["name", "key", "header", "field"];
const HEADER_VALUE: &str = "value";

/// A name without its separators, in lower case.
fn normal(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether what stands under this name is a secret: whatever its case and separators.
pub fn is_secret_name(name: &str) -> bool {
    let name = normal(name);
    NAMES.contains(&name.as_str()) || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Whether a text carries credentials whatever it is called: an authorization value or header, a URL with a password or a
/// key in it, a connection string, a private key, or a JSON document with a secret in it.
pub fn holds_credentials(text: &str) -> bool {
    is_authorization(text)
        || is_url_with_credentials(text)
        || is_assignment(text)
        || text.lines().any(is_header)
        || text.contains("-----BEGIN") && text.contains("PRIVATE KEY-----")
        || is_document_with_secrets(text)
}

/// `Bearer …` and `Basic …`, with one word after them.
fn is_authorization(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let (scheme, credentials, more) = (words.next(), words.next(), words.next());
    scheme.is_some_and(|scheme| {
        ["bearer", "basic", "digest", "apikey", "token"].contains(&normal(scheme).as_str())
    }) && credentials.is_some()
        && more.is_none()
}

/// `scheme://user:password@host`, and over HTTP `https://token@host`. Passwords are often written without the escapes that they
/// need, so that everything up to the last `@` is taken for credentials.
fn is_url_with_credentials(text: &str) -> bool {
    text.split_whitespace().any(|word| {
        let Some((scheme, rest)) = word.split_once("://") else { return false };
        let Some((before, _)) = rest.rsplit_once('@') else { return false };
        let is_http =
            scheme.to_ascii_lowercase().ends_with("http") || scheme.to_ascii_lowercase().ends_with("https");
        before.contains(':') || is_http && !before.is_empty() && !before.contains('/')
    })
}

/// `Password=…;`, `host=… password=…`, `?api-key=…&sig=…`.
fn is_assignment(text: &str) -> bool {
    text.split([';', '&', '?', '#', ',', '\n', '\r', '\t', ' ']).any(|part| {
        part.split_once('=').is_some_and(|(name, value)| !value.is_empty() && is_secret_name(name))
    })
}

/// `Authorization: …`.
fn is_header(line: &str) -> bool {
    line.split_once(':').is_some_and(|(name, value)| {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        !value.trim().is_empty() && name.trim().chars().all(is_name) && is_secret_name(name)
    })
}

/// Headers are often kept as JSON in a text.
fn is_document_with_secrets(text: &str) -> bool {
    if !text.trim_start().starts_with(['{', '[', '"']) {
        return false;
    }
    let Ok(mut document) = serde_json::from_str::<Value>(text) else { return false };
    let mut found = false;
    take(&mut document, &mut |_, _| found = true);
    found
}

/// Puts the [mark](MARK) into the place of every secret in `document`, and hands each with its JSON Pointer (RFC 6901) to
/// `taken`. A place that holds the mark already is handed out, too.
pub fn take(document: &mut Value, taken: &mut impl FnMut(&str, Value)) {
    descend(document, &mut String::new(), taken);
}

fn descend(value: &mut Value, pointer: &mut String, taken: &mut impl FnMut(&str, Value)) {
    match value {
        Value::String(text) if text == MARK || holds_credentials(text) => cut(value, pointer, taken),
        Value::Object(map) => members(map, pointer, taken),
        // A header as a pair: ["Authorization", "Bearer …"].
        Value::Array(items) if is_pair(items) => at(&mut items[1], "1", true, pointer, taken),
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                at(item, &index.to_string(), false, pointer, taken);
            }
        }
        _ => {}
    }
}

fn members(map: &mut Map<String, Value>, pointer: &mut String, taken: &mut impl FnMut(&str, Value)) {
    let is_header =
        HEADER_NAMES.iter().any(|name| map.get(*name).and_then(Value::as_str).is_some_and(is_secret_name));
    for (name, value) in map {
        let is_secret = is_secret_name(name) || is_header && normal(name) == HEADER_VALUE;
        at(value, name, is_secret, pointer, taken);
    }
}

fn is_pair(items: &[Value]) -> bool {
    matches!(items, [Value::String(name), Value::String(_)] if is_secret_name(name))
}

fn at(
    value: &mut Value,
    step: &str,
    is_secret: bool,
    pointer: &mut String,
    taken: &mut impl FnMut(&str, Value),
) {
    let length = pointer.len();
    pointer.push('/');
    pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
    // That there is none, or whether there is one, is no secret.
    match is_secret && !matches!(value, Value::Null | Value::Bool(_)) {
        true => cut(value, pointer, taken),
        false => descend(value, pointer, taken),
    }
    pointer.truncate(length);
}

fn cut(value: &mut Value, pointer: &str, taken: &mut impl FnMut(&str, Value)) {
    taken(pointer, std::mem::replace(value, Value::String(MARK.to_owned())));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn places(mut document: Value) -> Vec<String> {
        let mut found = Vec::new();
        take(&mut document, &mut |pointer, _| found.push(pointer.to_owned()));
        found.sort();
        found
    }

    #[test]
    fn names_are_known_whatever_their_case_and_separators() {
        for name in [
            "api_key",
            "apiKey",
            "API-KEY",
            "openai.api.key",
            "x-api-key",
            "Authorization",
            "Proxy-Authorization",
            "password",
            "db_password",
            "client_secret",
            "aws_secret_access_key",
            "access_token",
            "connection_string",
            "ConnectionString",
            "Set-Cookie",
            "Ocp-Apim-Subscription-Key",
            "private_key",
            "credentials",
            "pwd",
            "DSN",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in
            ["", "name", "max_tokens", "key", "endpoint", "token_count", "author", "temperature", "passes"]
        {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn values_are_known_by_what_they_look_like() {
        for text in [
            "postgres://me:pw@host/db",
            "redis://:pw@host",
            "https://ghp_x@host/x",
            "postgres://me:p/w@host/db",
            "Bearer abc",
            "basic dTpw",
            "Server=a;Password=b;",
            "host=a password=b",
            "https://h/x?api-key=1&b=2",
            "https://h/x?sv=1&sig=abc",
            "Authorization: Bearer abc def ghi",
            "Accept: x\nX-Api-Key: abc",
            r#"{"Authorization": "x"}"#,
            r#"[{"a": {"api_key": 1}}]"#,
            "-----BEGIN PRIVATE KEY-----\nx",
            "AccountName=a;AccountKey=b==;EndpointSuffix=c",
        ] {
            assert!(holds_credentials(text), "{text}");
        }
        for text in [
            "",
            "plain",
            "https://host:8080/path?x=1",
            "postgres://me@host/db",
            "Bearer of bad news",
            "a@b.c",
            "{\"a\": 1}",
            "{not json",
            "temperature=1",
            "note: nothing",
        ] {
            assert!(!holds_credentials(text), "{text}");
        }
    }

    #[test]
    fn secrets_are_found_at_every_depth_and_in_every_form_of_headers() {
        assert_eq!(
            places(json!({
                "api_key": "k", "a/b~c": { "Token": { "any": [1] } }, "temperature": 1,
                "headers": [{ "name": "X-Api-Key", "value": "v" }, ["Authorization", "v"], ["Accept", "json"]],
                "backup": ["postgres://a:b@c/d", "plain"], "password": null, "has_secret": true, "pin": 1234,
            })),
            ["/api_key", "/a~1b~0c/Token", "/backup/0", "/headers/0/value", "/headers/1/1", "/pin",]
                .map(str::to_owned)
                .into_iter()
                .collect::<std::collections::BTreeSet<_>>()
                .into_iter()
                .collect::<Vec<_>>()
        );
    }
}
