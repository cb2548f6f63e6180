//! Nested types: as JSON, or as the lists that they are.
//!
//! DuckDB's `to_json` says most values exactly: whole numbers of any size in all their digits, reals with the fewest digits
//! that read back as the same, moments, UUIDs and intervals as it writes them, bytes as `\\xAB` and text, a STRUCT and a MAP
//! as an object, a UNION as an object of its one member. It rounds DECIMAL and JSON's own numbers to binary64, so that
//! these are cast to text first, and are JSON strings of their exact text. NaN and the infinities become words that are no
//! JSON, which the migrator finds as a hazard.

use super::declared::{SCALARS, scalar};
use super::sql_text;

/// The type, as DuckDB declares it, that values are cast to before `to_json` says them; `None` if some of it does not move
/// (VARIANT, GEOMETRY).
pub(super) fn before_json(declared: &str) -> Option<String> {
    let declared = declared.trim();
    if let Some((element, dimension)) = dimension(declared) {
        return Some(format!("{}{dimension}", before_json(element)?));
    }
    for kind in ["STRUCT", "UNION"] {
        if let Some(members) = arguments(declared, kind) {
            let members = sql_text::split_list(members)
                .into_iter()
                .map(|member| {
                    let (name, of) = sql_text::identifier(member)?;
                    Some(format!("\"{}\" {}", name.replace('"', "\"\""), before_json(of)?))
                })
                .collect::<Option<Vec<_>>>()?;
            return Some(format!("{kind}({})", members.join(", ")));
        }
    }
    if let Some(of) = arguments(declared, "MAP") {
        let [key, value] = sql_text::split_list(of).try_into().ok()?;
        return Some(format!("MAP({}, {})", before_json(key)?, before_json(value)?));
    }
    let rounded =
        ["JSON", "BIGNUM", "VARINT"].contains(&declared) || arguments(declared, "DECIMAL").is_some();
    if rounded || arguments(declared, "ENUM").is_some() {
        return Some("VARCHAR".to_owned());
    }
    SCALARS.iter().any(|(name, ..)| *name == declared).then(|| declared.to_owned())
}

/// The type that the elements of a list are cast to text in, all its dimensions kept.
pub(super) fn as_text(declared: &str) -> String {
    match dimension(declared.trim()) {
        Some((element, dimension)) => format!("{}{dimension}", as_text(element)),
        None => "VARCHAR".to_owned(),
    }
}

/// Whether a type is a STRUCT, a MAP, a UNION, or a list of them.
pub(super) fn is_nested(declared: &str) -> bool {
    let declared = declared.trim();
    match dimension(declared) {
        Some((element, _)) => is_nested(element),
        None => scalar(declared).is_none() && before_json(declared).is_some(),
    }
}

/// What a list is of, and its last pair of brackets.
pub(super) fn dimension(declared: &str) -> Option<(&str, &str)> {
    let (element, length) = declared.strip_suffix(']')?.rsplit_once('[')?;
    length.bytes().all(|b| b.is_ascii_digit()).then(|| (element, &declared[element.len()..]))
}

/// What stands in the parentheses of a type of this kind.
fn arguments<'t>(declared: &'t str, kind: &str) -> Option<&'t str> {
    declared.strip_prefix(kind)?.strip_prefix('(')?.strip_suffix(')')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_json_would_round_is_text_before() {
        let cases = [
            (
                "STRUCT(a HUGEINT, \"b \"\"q\" DECIMAL(38,10))",
                Some("STRUCT(\"a\" HUGEINT, \"b \"\"q\" VARCHAR)"),
            ),
            ("MAP(VARCHAR, JSON)", Some("MAP(VARCHAR, VARCHAR)")),
            ("UNION(i INTEGER, s VARCHAR)[]", Some("UNION(\"i\" INTEGER, \"s\" VARCHAR)[]")),
            (
                "STRUCT(\"a)\" MAP(VARCHAR, STRUCT(y BLOB)))[2]",
                Some("STRUCT(\"a)\" MAP(VARCHAR, STRUCT(\"y\" BLOB)))[2]"),
            ),
            ("STRUCT(e ENUM('a,)', 'b'))", Some("STRUCT(\"e\" VARCHAR)")),
            ("INTEGER[2][]", Some("INTEGER[2][]")),
            ("STRUCT(v VARIANT)", None),
            ("GEOMETRY[]", None),
        ];
        for (declared, expected) in cases {
            assert_eq!(before_json(declared).as_deref(), expected, "{declared}");
        }
        assert_eq!(as_text("DECIMAL(3,1)[2][]"), "VARCHAR[2][]");
        assert!(is_nested("MAP(INTEGER, VARCHAR)[]") && !is_nested("INTEGER[][]") && !is_nested("GEOMETRY"));
    }
}
