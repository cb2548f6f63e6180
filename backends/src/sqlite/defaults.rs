//! Defaults as SQLite reads them, where that is not as the other engines do.

use crate::catalog::{DefaultValue, parse_default};

/// A default as SQLite reads it: a word or a text in double quotes is a text, for a default can't name a column.
pub(crate) fn parse(sql: &str) -> DefaultValue {
    const CONSTANTS: [&str; 6] =
        ["NULL", "TRUE", "FALSE", "CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME"];
    let sql = sql.trim();
    let is_word = |text: &str| {
        text.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && text.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    if is_word(sql) && !CONSTANTS.iter().any(|constant| constant.eq_ignore_ascii_case(sql)) {
        return DefaultValue::Text(sql.to_owned());
    }
    let quoted = sql.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    if let Some(text) = quoted.filter(|inner| !inner.replace("\"\"", "").contains('"')) {
        return DefaultValue::Text(text.replace("\"\"", "\""));
    }
    let plain: String = sql.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    match plain.trim_start_matches('(').trim_end_matches(')') {
        "datetime('now'" | "datetime(" => return DefaultValue::CurrentTimestamp,
        "date('now'" | "date(" => return DefaultValue::CurrentDate,
        "time('now'" | "time(" => return DefaultValue::CurrentTime,
        _ => {}
    }
    let hexadecimal = plain.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok());
    match hexadecimal {
        // SQLite reads 64 bits as a signed number.
        Some(number) => DefaultValue::Number(number.cast_signed().to_string()),
        None => parse_default(sql),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_read_as_sqlite_reads_them() {
        let cases = [
            ("ready", DefaultValue::Text("ready".into())),
            ("\"a \"\"b\"\"\"", DefaultValue::Text("a \"b\"".into())),
            ("'it''s'", DefaultValue::Text("it's".into())),
            ("true", DefaultValue::Bool(true)),
            ("localtimestamp", DefaultValue::Text("localtimestamp".into())),
            ("Current_Timestamp", DefaultValue::CurrentTimestamp),
            ("(datetime('now'))", DefaultValue::CurrentTimestamp),
            ("datetime('now')", DefaultValue::CurrentTimestamp),
            ("date ( 'now' )", DefaultValue::CurrentDate),
            ("0x10", DefaultValue::Number("16".into())),
            ("-1.5", DefaultValue::Number("-1.5".into())),
            ("datetime('now', '+1 day')", DefaultValue::Expression("datetime('now', '+1 day')".into())),
            ("x'00'", DefaultValue::Expression("x'00'".into())),
        ];
        for (sql, expected) in cases {
            assert_eq!(parse(sql), expected, "{sql}");
        }
    }
}
