//! Stores that are newer, changed, or somebody else's.

use trimaran_core::{Engine, ErrorKind};

use super::cases;
use super::fixture::{Fixture, NOTE, STARS, book};
use crate::schema::{Book, Migration, Standing};

cases! {
    a_newer_store_is_used_by_a_program_that_may_read_it
    a_newer_store_is_refused_by_a_program_that_may_not_read_it
    a_released_migration_that_was_changed_is_refused
    a_database_of_another_application_is_left_untouched
    other_tables_stand_in_the_way_only_in_a_file_or_by_their_names
}

async fn a_newer_store_is_used_by_a_program_that_may_read_it(fixture: Fixture) {
    let newer = book([NOTE]);
    fixture.runner(&newer).up().await.unwrap();
    let older = Book::new();
    let status = fixture.runner(&older).status().await.unwrap();
    status.accept().unwrap();
    assert_eq!(status.applied.last().unwrap().standing, Standing::Newer);
    assert!(fixture.runner(&older).up().await.unwrap().is_empty());
}

async fn a_newer_store_is_refused_by_a_program_that_may_not_read_it(fixture: Fixture) {
    let newer = book([NOTE, STARS]);
    fixture.runner(&newer).up().await.unwrap();
    let older = book([NOTE]);
    let error = fixture.runner(&older).up().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let report = error.report();
    for said in ["app_0002_stars", "app_0001_note", env!("CARGO_PKG_VERSION")] {
        assert!(report.contains(said), "{report}");
    }
    assert!(error.next_step().is_some());
    assert!(fixture.runner(&newer).status().await.unwrap().is_current());
}

async fn a_released_migration_that_was_changed_is_refused(fixture: Fixture) {
    let released = book([NOTE]);
    fixture.runner(&released).up().await.unwrap();
    let changed =
        book([Migration { up: |_| vec!["CREATE TABLE note (id bigint)".to_owned()], ..NOTE }, STARS]);
    let error = fixture.runner(&changed).up().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.report().contains("app_0001_note is not what it was"), "{}", error.report());
    assert_eq!(fixture.runner(&released).status().await.unwrap().version(), Some("app_0001_note"));
}

async fn a_database_of_another_application_is_left_untouched(fixture: Fixture) {
    fixture.run("CREATE TABLE note (id bigint)").await;
    fixture.run("CREATE TABLE invoice (id bigint)").await;
    let book = book([NOTE]);
    let error = fixture.runner(&book).up().await.unwrap_err();
    let expected = match fixture.db.engine() {
        Engine::Postgres => ErrorKind::Conflict,
        Engine::Sqlite | Engine::Duckdb => ErrorKind::Corrupt,
    };
    assert_eq!(error.kind(), expected, "{}", error.report());
    assert!(error.report().contains("note"), "{}", error.report());
    let tables: Vec<_> = fixture.catalog().await.tables.into_iter().map(|table| table.name.name).collect();
    assert_eq!(tables, ["invoice", "note"]);
}

async fn other_tables_stand_in_the_way_only_in_a_file_or_by_their_names(fixture: Fixture) {
    fixture.run("CREATE TABLE invoice (id bigint)").await;
    let book = book([NOTE]);
    let up = fixture.runner(&book).up().await;
    match fixture.db.engine() {
        Engine::Postgres => assert!(up.unwrap().contains(&"app_0001_note")),
        Engine::Sqlite | Engine::Duckdb => assert_eq!(up.unwrap_err().kind(), ErrorKind::Corrupt),
    }
}
