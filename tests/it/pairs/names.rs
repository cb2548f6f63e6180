//! Names that need quotes, and more than quotes.

use std::collections::HashSet;

use super::seed::Seed;

const NAMES: [&str; 46] = [
    "plain",
    "Order",
    "select",
    "Mixed Case",
    "a\"b",
    "\"quoted\"",
    "it's",
    "dotted.name",
    "x.y.z",
    ".",
    "日本",
    "naïve É",
    "Ünï",
    "100%_done",
    "back\\slash",
    "🦑",
    " leading",
    "trailing ",
    "semi;colon",
    "(paren)",
    "[bracket]",
    "a--b",
    "/*c*/",
    "0digit",
    "$1",
    "?",
    ":name",
    "@at",
    "{brace}",
    "a,b",
    "=",
    "new\nline",
    "tab\there",
    "user",
    "group",
    "table",
    "rowid",
    "oid",
    "_rowid_",
    "null",
    "true",
    "'",
    "main",
    "public",
    "e\u{301}",
    "x'00'",
];

/// Names that are given once each, whatever case an engine tells apart.
#[derive(Default)]
pub(super) struct Names(HashSet<String>);

impl Names {
    pub(super) fn draw(&mut self, seed: &mut Seed) -> String {
        loop {
            let mut name = seed.pick(&NAMES).to_owned();
            if seed.one_in(3) {
                name = format!("{name}{}", seed.below(100));
            }
            if self.0.insert(name.to_lowercase()) {
                return name;
            }
        }
    }
}

/// A name in quotes, as all three engines have them.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub(super) fn list(names: &[String]) -> String {
    names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}
