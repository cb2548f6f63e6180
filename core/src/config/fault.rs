//! What is wrong with a setting, said with its key and its origin, and never with its value.

use figment::Figment;

use crate::{Error, ErrorKind};

pub(super) fn configuration() -> Error {
    Error::new(ErrorKind::Configuration, "use the configuration")
}

/// Where the value at `key` comes from: a file, a variable, code, or the default.
pub(super) fn origin(figment: &Figment, key: &str) -> String {
    let parts: Vec<_> = key.split('.').collect();
    figment
        .find_metadata(key)
        .map_or_else(|| "default".to_owned(), |metadata| metadata.interpolate(figment.profile(), &parts))
}

/// The value at `key` is wrong: `what` says how, without the value.
pub(super) fn wrong(figment: &Figment, key: &str, what: impl std::fmt::Display) -> Error {
    configuration().context(format!("{key} ({}): {what}", origin(figment, key)))
}

/// There is no such key; `known` are those there are.
pub(super) fn unknown<'a>(key: &str, origin: &str, known: impl Iterator<Item = &'a str>) -> Error {
    // Less alike than this, a guess misleads more than it helps.
    const LIKENESS: f64 = 0.8;
    let error = configuration().context(format!("{key} ({origin}): there is no such setting"));
    let nearest = known
        .map(|candidate| (strsim::jaro_winkler(key, candidate), candidate))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(likeness, _)| *likeness >= LIKENESS);
    match nearest {
        Some((_, candidate)) => error.hint(format!("did you mean {candidate}?")),
        None => error.hint("`trimaran config show` lists every setting"),
    }
}
