//! The quarantine's rows as JSON Lines or CSV, every value exact.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::{Map, json};
use trimaran_core::{Error, ErrorKind, Result, Value, digest};

use super::{Opened, Report, Which};
use crate::exit::Exit;
use crate::journal::Entry;
use crate::meaning;
use crate::plan::TablePlan;

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// One JSON object a row.
    #[default]
    Jsonl,
    /// One line a value: the rows of several tables have different columns.
    Csv,
}

/// What marks bytes in CSV, and texts that begin like the mark.
const MARK: &str = "base64:";

/// Writes the quarantine's rows to a new file, or to standard output.
///
/// # Errors
/// [`ErrorKind::Configuration`] if the file is there already or can't be written; else the target's, classified.
pub fn export(which: &Which, format: Format, output: Option<&Path>) -> Result<Report> {
    let opened = Opened::new(which)?;
    let failed = |error: std::io::Error| {
        let shown = output.map_or("standard output".to_owned(), |path| path.display().to_string());
        let there = error.kind() == std::io::ErrorKind::AlreadyExists;
        Error::new(ErrorKind::Configuration, format!("write the export to {shown}")).source(error).hint(
            if there {
                "it is there already and stays as it is: name a new file"
            } else {
                "name a file in a folder that you may write to and that has room"
            },
        )
    };
    let mut sink: Box<dyn Write> = match output {
        None => Box::new(std::io::stdout().lock()),
        Some(path) => {
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            Box::new(BufWriter::new(options.open(path).map_err(failed)?))
        }
    };
    if format == Format::Csv {
        sink.write_all(b"table,key,hazard_column,hazard,row,column,value\n").map_err(failed)?;
    }
    let mut rows = 0u64;
    opened.journal.entries(opened.session()?.as_mut(), &opened.run.id, &mut |entry| {
        let planned = opened.plan.table(&entry.table.schema, &entry.table.name);
        let values = digest::decode_row(&mut entry.bytes.as_slice())?;
        rows += 1;
        let lines = match format {
            Format::Jsonl => json_line(&entry, planned, &values),
            Format::Csv => csv_lines(&entry, planned, &values, rows),
        };
        sink.write_all(lines.as_bytes()).map_err(failed)
    })?;
    sink.flush().map_err(failed)?;
    let outcome = format!("{rows} row(s) exported");
    Ok(Report { outcome, exit_code: Exit::Complete.code(), ..Report::new("export", &opened) })
}

fn column(planned: Option<&TablePlan>, at: usize) -> String {
    planned.and_then(|table| table.columns.get(at)).map_or_else(|| format!("#{}", at + 1), |c| c.name.clone())
}

fn json_line(entry: &Entry, planned: Option<&TablePlan>, values: &[Value<'_>]) -> String {
    let cells: Map<String, serde_json::Value> =
        values.iter().enumerate().map(|(at, value)| (column(planned, at), json_value(value))).collect();
    let line = json!({
        "table": entry.table.to_string(),
        "key": entry.key,
        "column": entry.column,
        "hazard": entry.reason,
        "values": cells,
    });
    format!("{line}\n")
}

/// Integers, finite reals and booleans as JSON has them; bytes, and text that is no UTF-8, as `{"base64": …}`; all else as
/// the text of it, so that no reader rounds it.
fn json_value(value: &Value<'_>) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(v) => json!(v),
        Value::Int(v) => json!(v),
        Value::Float64(v) if v.is_finite() => json!(v),
        Value::Text(v) | Value::Json(v) => match std::str::from_utf8(v) {
            Ok(text) => json!(text),
            Err(_) => json!({ "base64": base64(v) }),
        },
        Value::Bytes(v) => json!({ "base64": base64(v) }),
        Value::List(values) => values.iter().map(json_value).collect(),
        other => json!(meaning::written(other)),
    }
}

fn csv_lines(entry: &Entry, planned: Option<&TablePlan>, values: &[Value<'_>], row: u64) -> String {
    let mut lines = String::new();
    for (at, value) in values.iter().enumerate() {
        let fields = [&entry.table.to_string(), &entry.key, &entry.column, &entry.reason, &row.to_string()]
            .map(|field| quoted(field))
            .join(",");
        // NULL is a field without quotes, the empty text one with them.
        let cell = match value {
            Value::Null => String::new(),
            Value::Bytes(v) => quoted(&format!("{MARK}{}", base64(v))),
            Value::Text(v) | Value::Json(v) => match std::str::from_utf8(v) {
                Ok(text) if !text.starts_with(MARK) => quoted(text),
                _ => quoted(&format!("{MARK}{}", base64(v))),
            },
            Value::List(_) => quoted(&json_value(value).to_string()),
            other => quoted(&meaning::written(other).unwrap_or_default()),
        };
        lines.push_str(&format!("{fields},{},{cell}\n", quoted(&column(planned, at))));
    }
    lines
}

fn quoted(field: &str) -> String {
    format!("\"{}\"", field.replace('"', "\"\""))
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0u32, |bits, at| bits << 8 | u32::from(group.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * at) & 63) as usize] as char;
            out.push(if at <= group.len() { digit } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_base64_as_the_standard_has_it() {
        // The examples of RFC 4648, section 10.
        let cases = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (bytes, expected) in cases {
            assert_eq!(base64(bytes.as_bytes()), expected);
        }
        assert_eq!(base64(&[0xff, 0xfe]), "//4=");
    }

    #[test]
    fn values_are_told_apart_in_csv() {
        let entry = Entry {
            table: trimaran_backends::catalog::TableName::new("main", "t"),
            chunk: 0,
            entry: 0,
            key: "1".to_owned(),
            column: "v".to_owned(),
            reason: "nul-in-text".to_owned(),
            bytes: Vec::new(),
        };
        let values = [Value::Null, Value::text(""), Value::text("say \"a\""), Value::text("base64:eA==")];
        let lines = csv_lines(&entry, None, &values, 1);
        let last: Vec<&str> = lines.lines().map(|line| line.splitn(7, ',').last().unwrap_or("")).collect();
        assert_eq!(last, ["", "\"\"", "\"say \"\"a\"\"\"", "\"base64:YmFzZTY0OmVBPT0=\""]);
    }
}
