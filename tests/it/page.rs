//! `trimaran migrate … --report FILE`: a page that stands alone and does no harm.

use std::path::Path;

use trimaran_backends::testing::postgres::database;

use crate::cli::{migrate, sqlite_url};
use crate::hazards::write_sqlite;

const HOSTILE: &str = "<script>alert(1)</script>";

/// Two tables, one with a hostile name and a hostile key whose row has a NUL byte, and a view.
fn source(folder: &Path) -> String {
    let file = folder.join("source.sqlite");
    write_sqlite(
        &file,
        &format!(
            "CREATE TABLE \"{HOSTILE}\" (\"<b>\" TEXT PRIMARY KEY, v TEXT);
             INSERT INTO \"{HOSTILE}\" VALUES ('{HOSTILE}\u{202e}', 'a' || char(0) || 'b'), ('x', 'y');
             CREATE TABLE plain (id INTEGER PRIMARY KEY, v TEXT);
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
             INSERT INTO plain SELECT i, 'row ' || i FROM n;
             CREATE VIEW \"<i>\" AS SELECT 1;"
        ),
    );
    sqlite_url(&file)
}

fn page(path: &Path) -> String {
    let page = std::fs::read_to_string(path).unwrap();
    for harm in ["<script", "<b>\"", "<i>", "javascript:", "\u{202e}", "src=", "href=", "@import", "url("] {
        assert!(!page.contains(harm), "{harm} is in the page");
    }
    assert!(page.contains("default-src 'none'"));
    page
}

#[test]
fn a_run_s_page_has_all_that_a_reader_asks_for_and_no_harm_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (source(folder.path()), database());
    let file = folder.path().join("report.html");
    let report = ["--report", file.to_str().unwrap()];
    let flags = [&["--on-hazard", "quarantine"][..], &report].concat();

    migrate("check", &from, to.url(), &flags).expect(0);
    let checked = page(&file);
    assert!(checked.contains("can be moved, with hazards provided for"));
    assert!(checked.contains("&lt;script&gt;alert(1)&lt;&#x2f;script&gt;\\u{202e}"), "{checked}");

    // It is there: nothing is done before that is settled.
    let refused = migrate("run", &from, to.url(), &flags).expect(2);
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    assert_eq!(page(&file), checked);

    let ran = migrate("run", &from, to.url(), &[&flags[..], &["--force"]].concat()).expect(5);
    let text = page(&file);
    assert!(text.contains("complete and proved; rows were put aside"));
    for verified in ran.json["verified"].as_array().unwrap() {
        assert!(text.contains(verified["source_digest"].as_str().unwrap()));
    }
    assert!(text.contains("1\u{202f}000"), "rows of a table");
    assert!(text.contains("<rect class=\"copy\""), "a timeline");
    assert!(text.contains("U+0000") || text.contains("NUL"), "the hazard");
    assert!(text.contains("&lt;i&gt;"), "the view that does not move");
    assert!(text.contains("on_hazard = &quot;quarantine&quot;"), "the plan");
    let timeline = ran.json["timeline"].as_array().unwrap();
    for phase in ["check", "copy", "keys", "verify", "statistics"] {
        assert!(timeline.iter().any(|span| span["phase"] == phase), "{phase}");
    }
    assert!(timeline.iter().any(|span| span["table"] == "plain" && span["rows"] == 1_000));

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_difference_stands_at_the_top_of_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (source(folder.path()), database());
    migrate("run", &from, to.url(), &["--on-hazard", "quarantine"]).expect(5);
    crate::cli::execute(&to, "DELETE FROM plain WHERE id = 7");
    let file = folder.path().join("report.html");
    migrate("verify", &from, to.url(), &["--report", file.to_str().unwrap()]).expect(6);
    let text = page(&file);
    assert!(text.contains("plain differs"));
    assert!(text.contains("missing on the target"));
    assert!(text.find("plain differs") < text.find("<h2>Tables</h2>"));
}

#[cfg(feature = "testing")]
#[test]
fn a_run_that_ends_with_an_error_has_a_page_too_and_the_next_one_replaces_it() {
    use crate::cli::migrate_in;
    use crate::faults::{CHUNK_ROWS, FLAGS, duckdb_source};

    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (duckdb_source(&folder.path().join("source.db")), database());
    let file = folder.path().join("report.html");
    let flags = [&FLAGS[..], &["--report", file.to_str().unwrap()]].concat();
    let log = folder.path().join("writes");
    let elsewhere = database();
    migrate_in(
        &[CHUNK_ROWS, ("TRIMARAN_FAULT_LOG", log.to_str().unwrap())],
        "run",
        &from,
        elsewhere.url(),
        &FLAGS,
    )
    .expect(5);
    let writes = std::fs::read_to_string(log).unwrap();
    let keys = writes.lines().position(|line| line.contains("ALTER")).unwrap() + 1;

    // The rows are all there, and the first key can't be made.
    let fault = format!("fail:before:{keys}");
    let failed =
        migrate_in(&[CHUNK_ROWS, ("TRIMARAN_FAULT", &fault)], "run", &from, to.url(), &flags).expect(7);
    let text = page(&file);
    assert!(text.contains("stopped on the way; the same command goes on"));
    assert!(text.contains("committed by then") && text.contains("5\u{202f}006"), "{text}");
    assert!(text.contains("<rect class=\"copy\""), "a timeline");
    let error = failed.json["error"].as_str().unwrap();
    assert_eq!(failed.json["outcome"], error);
    assert!(failed.stderr.contains(error), "{}", failed.stderr);
    let written = |table: &serde_json::Value| table["rows_written"].as_u64().unwrap();
    assert_eq!(failed.json["copied"].as_array().unwrap().iter().map(written).sum::<u64>(), 5_006);
    assert_eq!((&failed.json["exit_code"], &failed.json["command"]), (&7.into(), &"run".into()));

    migrate_in(&[CHUNK_ROWS], "run", &from, to.url(), &flags).expect(5);
    assert!(page(&file).contains("complete and proved"));
    migrate("verify", &from, to.url(), &flags[4..]).expect(2);
}

#[test]
fn a_server_that_is_not_there_is_told_on_a_page_with_the_next_step() {
    let folder = tempfile::tempdir().unwrap();
    let from = source(folder.path());
    let file = folder.path().join("report.html");
    let nobody = "postgres://me@127.0.0.1:1/app";
    let failed = migrate("check", &from, nobody, &["--report", file.to_str().unwrap()]).expect(3);
    let text = page(&file);
    assert!(text.contains("ended with an error") && text.contains("Next: "), "{text}");
    assert!(text.contains("127.0.0.1:1") && text.contains("source.sqlite"), "{text}");
    assert_eq!((&failed.json["kind"], &failed.json["exit_code"]), (&"unavailable".into(), &3.into()));
    assert_eq!(failed.json["next"].as_str().is_some(), text.contains("Next: "));
}
