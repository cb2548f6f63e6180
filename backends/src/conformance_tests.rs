//! The conformance suite on the three engines; on one of them also through the access decorator, over stores that keep results. Neither knows an engine.

use trimaran_core::conformance_suite;

mod fixtures;

conformance_suite! { #[tokio::test(flavor = "multi_thread")] mod postgres = fixtures::postgres }
conformance_suite! {
    #[tokio::test(flavor = "multi_thread")] mod sqlite = fixtures::sqlite;
    ignore {
        writers_of_different_rows_do_not_wait_for_one_another: "SQLite has one writer at a time",
    }
}
conformance_suite! {
    #[tokio::test(flavor = "multi_thread")] mod sqlite_decorated = fixtures::sqlite_decorated;
    ignore {
        writers_of_different_rows_do_not_wait_for_one_another: "SQLite has one writer at a time",
    }
}
conformance_suite! {
    #[tokio::test(flavor = "multi_thread")] mod duckdb = fixtures::duckdb;
    ignore {
        a_savepoint_can_be_rolled_back_to: "DuckDB has no savepoints",
        the_engine_itself_refuses_a_child_without_its_parent:
            "DuckDB's foreign keys forbid to update a parent, so that none is declared",
        serializable_units_allow_no_write_skew: "DuckDB has snapshots, in which write skew can happen",
    }
}
/// What each engine can do, as `docs/capabilities.md` shows it.
#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_capabilities_in_the_documentation_is_up_to_date() {
    use trimaran_core::conformance::Fixture as _;
    let stores = [fixtures::postgres().await, fixtures::sqlite().await, fixtures::duckdb().await];
    let stores = stores.map(|fixture| fixture.store());
    let mut page = "# What each engine can do\n\nMade from the engines' own answers by the test suite, which holds them to \
        these: don't edit it. Whatever isn't listed is the same on all engines.\n\n|"
        .to_owned();
    let column = |page: &mut String, text: &str| page.push_str(&format!(" {text} |"));
    column(&mut page, "");
    for store in &stores {
        column(&mut page, &store.engine().to_string());
    }
    page.push_str("\n|---|---|---|---|");
    for (row, (ability, _)) in stores[0].capabilities().answers().into_iter().enumerate() {
        page.push_str("\n|");
        column(&mut page, ability);
        for store in &stores {
            column(&mut page, if store.capabilities().answers()[row].1 { "yes" } else { "no" });
        }
    }
    page.push_str("\n\nPostgres behind a pooler in transaction mode doesn't interrupt dropped queries.\n");
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/capabilities.md");
    if std::env::var_os("TRIMARAN_UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/capabilities.md is stale: run this test with TRIMARAN_UPDATE_DOCS=1, commit the file"
    );
}
