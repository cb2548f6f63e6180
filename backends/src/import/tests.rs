use std::io::Read;
use std::path::Path;

use futures_util::StreamExt as _;
use serde_json::json;
use trimaran_core::conformance::text;
use trimaran_core::model::NewDatasetPrompt;
use trimaran_core::{Error, ErrorKind, Result};

use super::*;

fn mapping() -> Mapping {
    Mapping::of("prompt").with_metadata(["tag"])
}

fn lines(text: impl AsRef<[u8]>) -> Vec<Result<NewDatasetPrompt>> {
    json_lines(text.as_ref(), mapping()).collect()
}

fn table(text: impl AsRef<[u8]>) -> Result<Vec<NewDatasetPrompt>> {
    csv(text.as_ref(), b',', mapping())?.collect()
}

/// The only error, which comes last.
#[track_caller]
fn fault(prompts: Vec<Result<NewDatasetPrompt>>) -> Error {
    let (last, before) = prompts.split_last().unwrap();
    assert!(before.iter().all(Result::is_ok));
    let error = last.as_ref().unwrap_err();
    Error::new(error.kind(), error.to_string()).hint(error.next_step().unwrap())
}

#[test]
fn json_lines_give_text_and_metadata() {
    let text = "\u{feff}{\"prompt\": \"a\", \"tag\": [1, null], \"other\": 1}\r\n\n  \n{\"prompt\": \"\"}";
    let prompts: Vec<_> = lines(text).into_iter().map(Result::unwrap).collect();
    let first = NewDatasetPrompt { text: "a".to_owned(), metadata: json!({ "tag": [1, null] }) };
    assert_eq!(prompts, [first, NewDatasetPrompt::of("")]);
    let all = json_lines(
        "{\"prompt\":\"a\",\"x\":1,\"y\":{}}".as_bytes(),
        Mapping::of("prompt").with_all_metadata(),
    );
    assert_eq!(all.map(|prompt| prompt.unwrap().metadata).collect::<Vec<_>>(), [json!({ "x": 1, "y": {} })]);
    assert!(lines("").is_empty());
}

#[test]
fn what_is_wrong_in_json_lines_is_named_by_its_line_and_not_shown() {
    let cases: [(&[u8], ErrorKind, &str); 8] = [
        (b"{\"prompt\": \"hunter2}", ErrorKind::Corrupt, "line 2, column 20"),
        (b"{\"prompt\": \"\xff hunter2\"}", ErrorKind::Corrupt, "line 2, byte 13: it is not UTF-8"),
        (b"[\"hunter2\"]", ErrorKind::Corrupt, "line 2, column"),
        (b"{\"prompt\": 7}", ErrorKind::Invalid, "line 2: the column \"prompt\" is no text"),
        (b"{\"prompt\": null}", ErrorKind::Invalid, "line 2: the column \"prompt\" is null"),
        (b"{\"Prompt\": \"hunter2\"}", ErrorKind::Invalid, "line 2: there is no column \"prompt\""),
        (b"{\"prompt\": \"\\ud800\"}", ErrorKind::Corrupt, "line 2"),
        (b"{\"prompt\": \"a\"} {\"prompt\": \"b\"}", ErrorKind::Corrupt, "line 2"),
    ];
    for (wrong, kind, expected) in cases {
        let text = [b"{\"prompt\": \"a\"}\n".as_slice(), wrong, b"\n{\"prompt\": \"c\"}\n"].concat();
        let error = fault(lines(text));
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!error.report().contains("hunter2"), "{error}");
    }
}

#[test]
fn a_line_without_an_end_is_refused_before_it_fills_the_memory() {
    let endless = std::io::repeat(b'x').take(MAX_RECORD_BYTES * 3);
    let error = fault(json_lines(endless, mapping()).collect());
    assert!(
        error.kind() == ErrorKind::Invalid && error.to_string().contains("line 1: it is longer"),
        "{error}"
    );
    let open_quote = "prompt,tag\n\"".as_bytes().chain(std::io::repeat(b'x').take(MAX_RECORD_BYTES * 3));
    let error = fault(csv(open_quote, b',', mapping()).unwrap().collect());
    assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains("it is longer"), "{error}");
}

#[test]
fn csv_gives_text_and_metadata() {
    let text = "\u{feff}id,prompt,tag\r\n1,\"a \"\"quoted\"\",\nline\",x\r\n\r\n2,,\n";
    let prompts = table(text).unwrap();
    let prompt =
        |text: &str, tag: &str| NewDatasetPrompt { text: text.to_owned(), metadata: json!({ "tag": tag }) };
    assert_eq!(prompts, [prompt("a \"quoted\",\nline", "x"), prompt("", "")]);
    let tabs = csv("prompt\ttag\na,b\tc\n".as_bytes(), b'\t', mapping()).unwrap();
    assert_eq!(tabs.map(Result::unwrap).collect::<Vec<_>>(), [prompt("a,b", "c")]);
}

#[test]
fn what_is_wrong_in_csv_is_named_by_its_line_and_not_shown() {
    let cases: [(&[u8], ErrorKind, &str); 3] = [
        (b"1,hunter2\n", ErrorKind::Corrupt, "line 3: it has 2 fields, and the header has 3"),
        (b"1,\xffhunter2,x\n", ErrorKind::Corrupt, "line 3, column \"prompt\", byte 1: it is not UTF-8"),
        (b"1,2,3,hunter2\n", ErrorKind::Corrupt, "line 3: it has 4 fields"),
    ];
    for (wrong, kind, expected) in cases {
        let text = [b"id,prompt,tag\n0,a,b\n".as_slice(), wrong, b"3,c,d\n"].concat();
        let error = fault(csv(text.as_slice(), b',', mapping()).unwrap().collect());
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!error.report().contains("hunter2"), "{error}");
    }
    for header in ["", "id,tag\n", "prompt\n", "prompt,tag,prompt\n", "prompt,tag,tag\n"] {
        assert_eq!(table(header).unwrap_err().kind(), ErrorKind::Invalid, "{header}");
    }
    assert_eq!(table(b"prompt,\xff\n").unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn hostile_text_comes_out_of_every_format_as_it_went_in() {
    let texts: Vec<_> =
        text::HOSTILE.iter().map(|text| (*text).to_owned()).chain([text::megabyte()]).collect();
    let expected: Vec<_> = texts
        .iter()
        .map(|text| NewDatasetPrompt { text: text.clone(), metadata: json!({ "tag": text }) })
        .collect();
    let json: String =
        texts.iter().map(|text| json!({ "prompt": text, "tag": text }).to_string() + "\n").collect();
    assert!(lines(json).into_iter().map(Result::unwrap).eq(expected.iter().cloned()));
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.write_record(["prompt", "tag"]).unwrap();
    for text in &texts {
        writer.write_record([text, text]).unwrap();
    }
    assert!(table(writer.into_inner().unwrap()).unwrap() == expected);
    #[cfg(feature = "parquet")]
    {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        let texts: Vec<_> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
        in_parquet::write(&path, "UTF8", &texts);
        assert!(in_parquet::read(&path, mapping()).unwrap() == expected);
    }
}

#[tokio::test]
async fn a_file_is_read_by_what_its_name_says() {
    let folder = tempfile::tempdir().unwrap();
    let read = async |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        file(path, mapping()).collect::<Vec<_>>().await.into_iter().collect::<Result<Vec<_>>>()
    };
    for (name, text) in [
        ("a.jsonl", "{\"prompt\": \"a\", \"tag\": \"b\"}\n"),
        ("a.NDJSON", "{\"prompt\": \"a\", \"tag\": \"b\"}\n"),
        ("a.csv", "prompt,tag\na,b\n"),
        ("a.tsv", "prompt\ttag\na\tb\n"),
    ] {
        assert_eq!(read(name, text).await.unwrap()[0].metadata, json!({ "tag": "b" }), "{name}");
    }
    let many: String = (0..5_000).map(|n| format!("{{\"prompt\": \"{n}\"}}\n")).collect();
    let read_back = read("many.jsonl", &many).await.unwrap();
    assert!(read_back.iter().enumerate().all(|(n, prompt)| prompt.text == n.to_string()));
    assert_eq!(read_back.len(), 5_000);
    assert_eq!(read("a.txt", "").await.unwrap_err().kind(), ErrorKind::Invalid);
    let error = read("b.jsonl", "{\"prompt\": \"a\"}\n{").await.unwrap_err();
    assert!(error.to_string().contains("b.jsonl") && error.to_string().contains("line 2"), "{error}");
    let missing: Vec<_> = file(folder.path().join("none.csv"), mapping()).collect().await;
    assert_eq!(missing[0].as_ref().unwrap_err().kind(), ErrorKind::NotFound);
    let kind = if cfg!(feature = "parquet") { ErrorKind::Corrupt } else { ErrorKind::Unsupported };
    assert_eq!(read("a.parquet", "no parquet").await.unwrap_err().kind(), kind);
}

#[tokio::test]
async fn a_reader_that_panics_does_not_look_like_the_end_of_a_file() {
    let prompts = streamed(|| {
        let mut left = 3;
        Ok(Box::new(std::iter::from_fn(move || {
            left -= 1;
            assert!(left > 0, "the reader's own fault");
            Some(Ok(NewDatasetPrompt::of("a")))
        })))
    });
    let read: Vec<_> = prompts.collect().await;
    assert_eq!(read.last().unwrap().as_ref().unwrap_err().kind(), ErrorKind::Corrupt);
}

#[cfg(feature = "parquet")]
mod in_parquet {
    use std::sync::Arc;

    use ::parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
    use ::parquet::file::writer::SerializedFileWriter;
    use ::parquet::schema::parser::parse_message_type;

    use super::*;

    pub(super) fn read(path: &Path, mapping: Mapping) -> Result<Vec<NewDatasetPrompt>> {
        parquet(std::fs::File::open(path).unwrap(), mapping)?.collect()
    }

    /// A file with two columns of the same texts, said to be of `kind`, and a row group for each thousand of them.
    pub(super) fn write(path: &Path, kind: &str, texts: &[Vec<u8>]) {
        let kind = if kind.is_empty() { String::new() } else { format!(" ({kind})") };
        let schema = format!("message m {{ required binary prompt{kind}; required binary tag{kind}; }}");
        let schema = Arc::new(parse_message_type(&schema).unwrap());
        let file = std::fs::File::create(path).unwrap();
        let mut writer = SerializedFileWriter::new(file, schema, Arc::default()).unwrap();
        for group in texts.chunks(1_000) {
            let values: Vec<_> = group.iter().map(|text| ByteArray::from(text.clone())).collect();
            let mut row_group = writer.next_row_group().unwrap();
            while let Some(mut column) = row_group.next_column().unwrap() {
                column.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap();
                column.close().unwrap();
            }
            row_group.close().unwrap();
        }
        writer.close().unwrap();
    }

    #[test]
    fn rows_of_all_row_groups_come_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        let texts: Vec<_> = (0..2_500).map(|n| n.to_string().into_bytes()).collect();
        for kind in ["UTF8", ""] {
            write(&path, kind, &texts);
            let prompts = read(&path, Mapping::of("prompt")).unwrap();
            assert_eq!(prompts.len(), 2_500);
            assert!(
                prompts.iter().enumerate().all(|(n, prompt)| *prompt == NewDatasetPrompt::of(n.to_string()))
            );
        }
        let missing = read(&path, Mapping::of("none")).unwrap_err();
        assert!(missing.to_string().contains("\"none\""), "{missing}");
    }

    #[test]
    fn a_text_that_is_not_utf_8_is_named_by_its_row_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        for kind in ["UTF8", ""] {
            write(&path, kind, &[b"good".to_vec(), b"hunter2\xff".to_vec(), b"good".to_vec()]);
            let error = read(&path, mapping()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(error.to_string().contains("row 2: it is not UTF-8"), "{error}");
            assert!(!error.report().contains("104, 117"), "{}", error.report());
        }
    }

    #[test]
    fn metadata_of_every_type_becomes_json() {
        let schema = "message m { required binary prompt (UTF8); required int64 at (TIMESTAMP_MICROS); required int64 n; \
                      required double x; optional int64 none; }";
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        let write = |x: f64| {
            let file = std::fs::File::create(&path).unwrap();
            let schema = Arc::new(parse_message_type(schema).unwrap());
            let mut writer = SerializedFileWriter::new(file, schema, Arc::default()).unwrap();
            let mut row_group = writer.next_row_group().unwrap();
            for column in 0..5 {
                let mut open = row_group.next_column().unwrap().unwrap();
                match column {
                    0 => open.typed::<ByteArrayType>().write_batch(&[ByteArray::from("p")], None, None),
                    1 => open.typed::<Int64Type>().write_batch(&[1_500_000], None, None),
                    2 => open.typed::<Int64Type>().write_batch(&[i64::MIN], None, None),
                    3 => open.typed::<DoubleType>().write_batch(&[x], None, None),
                    _ => open.typed::<Int64Type>().write_batch(&[], Some(&[0]), None),
                }
                .unwrap();
                open.close().unwrap();
            }
            row_group.close().unwrap();
            writer.close().unwrap();
            read(&path, Mapping::of("prompt").with_all_metadata())
        };
        let expected = |x| json!({ "at": "1970-01-01T00:00:01.500Z", "n": i64::MIN, "x": x, "none": null });
        assert_eq!(write(0.1).unwrap()[0].metadata, expected(json!(0.1)));
        assert_eq!(write(f64::NAN).unwrap()[0].metadata, expected(json!(null)));
        let error = write(f64::INFINITY).unwrap_err();
        assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains("row 1"), "{error}");
    }
}
