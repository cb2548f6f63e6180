//! Text that has broken programs.

/// Short hostile texts: control characters, the text codec's own mark, what looks like a lone surrogate, both directions of
/// writing, SQL, wildcards, placeholders, and pairs that careless comparison takes for one.
pub const HOSTILE: &[&str] = &[
    "\0",
    "in\0side",
    "\u{1a}",
    "\u{1a}0\u{1a}1\u{1a}x00",
    "\u{1}\u{2}\u{8}\u{b}\u{1b}[31m\u{7f}\u{80}\u{9f}",
    "\u{d7ff}\u{e000}\u{fffd}\u{fffe}\u{ffff}",
    r"\ud800 \u0000 \x00",
    "\u{202e}txt.exe\u{202c} \u{5d0}\u{5d1} \u{627}",
    "'; DROP TABLE user_account; --",
    "\" OR \"1\"=\"1",
    "$1 ?1 :name @p {0} %s",
    r"100%_\",
    " both ends \r\n\t",
    "e\u{301}",
    "\u{e9}",
    "ß",
    "SS",
    "İstanbul",
    "i\u{307}stanbul",
    "\u{feff}mark",
    "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
    "\u{10ffff}",
    "NULL",
    "0",
    r#"{"a":1,"a":2}"#,
];

/// A text of about a megabyte, with U+0000 in it.
pub fn megabyte() -> String {
    "a\0\u{65e5}\u{672c}\u{1a}' ".repeat(100_000)
}

/// The longest names that are accepted: one of plain text, one that needs the most room in every encoding.
pub fn longest_names() -> [String; 2] {
    let length = crate::model::name::MAX_BYTES;
    ["n".repeat(length), "\0".repeat(length)]
}
