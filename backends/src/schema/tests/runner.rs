//! Up, down, and up again.

use trimaran_core::ErrorKind;
use trimaran_core::config::Area;

use super::cases;
use super::fixture::{AREAS, Fixture, INSERT_NOTE, NOTE, STARS, book};
use crate::schema::{Book, Migration, Runner, Standing};

cases! {
    up_applies_what_is_pending_once_and_in_order
    a_store_gets_the_migrations_of_its_areas_alone
    up_down_and_up_again_on_a_filled_database
    a_backfill_sees_every_row
    a_migration_that_fails_is_undone_and_those_before_it_stay
    two_at_once_apply_each_migration_once
    down_to_nothing_leaves_a_store_that_up_fills_again
    down_to_what_was_never_applied_is_refused
    down_asks_for_a_program_that_knows_the_migration
}

async fn up_applies_what_is_pending_once_and_in_order(fixture: Fixture) {
    let book = book([NOTE]);
    let all: Vec<_> = book.all().iter().map(|migration| migration.name).collect();
    let runner = fixture.runner(&book);
    assert_eq!(runner.status().await.unwrap().pending, all);
    assert_eq!(runner.up().await.unwrap(), all);
    assert!(runner.up().await.unwrap().is_empty());

    let status = runner.status().await.unwrap();
    assert!(status.is_current());
    assert_eq!(status.version(), Some("app_0001_note"));
    assert!(status.applied.iter().all(|applied| applied.standing == Standing::Known));
    assert_eq!(status.applied[0].at.to_rfc3339(), "2026-01-01T00:00:00+00:00");
    let tables = fixture.catalog().await.tables;
    for table in book.all().iter().flat_map(|migration| migration.tables) {
        assert!(tables.iter().any(|found| found.name.name == *table), "{table}");
    }
}

async fn a_store_gets_the_migrations_of_its_areas_alone(fixture: Fixture) {
    let book = Book::new();
    let areas = [Area::Configuration];
    let runner = Runner::new(&fixture.db, &book, &areas, &fixture.clock);
    assert_eq!(runner.up().await.unwrap(), ["0004_tenant_mark", "0005_configuration"]);
    // Another area moves in later: what is missing comes, although it is older.
    assert!(fixture.runner(&book).up().await.unwrap().contains(&"0003_tenant_catalogue"));
    assert!(runner.status().await.unwrap().is_current());
}

async fn up_down_and_up_again_on_a_filled_database(fixture: Fixture) {
    let book = book([NOTE, STARS]);
    let own = Book::new();
    let newest = own.all().last().map(|migration| migration.name);
    let runner = fixture.runner(&book);
    runner.up().await.unwrap();
    fixture.run(INSERT_NOTE).await;

    let losses = runner.losses(newest).await.unwrap();
    let losses: Vec<_> = losses.iter().map(|loss| (loss.table.as_str(), loss.rows)).collect();
    assert_eq!(losses, [("note", 1)]);
    assert_eq!(fixture.number("SELECT count(*) AS number FROM note").await, 1);

    assert_eq!(runner.down(Some("app_0001_note")).await.unwrap(), ["app_0002_stars"]);
    assert_eq!(runner.down(newest).await.unwrap(), ["app_0001_note"]);
    assert_eq!(runner.status().await.unwrap().pending, ["app_0001_note", "app_0002_stars"]);
    assert_eq!(runner.up().await.unwrap(), ["app_0001_note", "app_0002_stars"]);
    fixture.run(INSERT_NOTE).await;
}

async fn a_backfill_sees_every_row(fixture: Fixture) {
    let before = book([NOTE]);
    fixture.runner(&before).up().await.unwrap();
    fixture.run(INSERT_NOTE).await;
    let after = book([NOTE, STARS]);
    assert_eq!(fixture.runner(&after).up().await.unwrap(), ["app_0002_stars"]);
    assert_eq!(fixture.number("SELECT CAST(stars AS bigint) AS number FROM note").await, 4);
}

async fn a_migration_that_fails_is_undone_and_those_before_it_stay(fixture: Fixture) {
    const BROKEN: Migration = Migration {
        name: "app_0003_broken",
        readable_from: "app_0001_note",
        tables: &["half"],
        up: |_| vec!["CREATE TABLE half (id bigint)".to_owned(), "INSERT INTO nowhere VALUES (1)".to_owned()],
        ..STARS
    };
    let book = book([NOTE, BROKEN]);
    let runner = fixture.runner(&book);
    let error = runner.up().await.unwrap_err();
    assert!(error.report().contains("app_0003_broken"), "{}", error.report());

    let status = runner.status().await.unwrap();
    assert_eq!(status.version(), Some("app_0001_note"));
    assert_eq!(status.pending, ["app_0003_broken"]);
    assert!(fixture.catalog().await.tables.iter().all(|table| table.name.name != "half"));
}

async fn two_at_once_apply_each_migration_once(fixture: Fixture) {
    let book = book([NOTE, STARS]);
    let (one, other) = (fixture.runner(&book), fixture.runner(&book));
    let (first, second) = tokio::join!(one.up(), other.up());
    let mut applied = [first.unwrap(), second.unwrap()].concat();
    applied.sort_unstable();
    let all: Vec<_> = book.all().iter().map(|migration| migration.name).collect();
    assert_eq!(applied, all);
}

async fn down_to_nothing_leaves_a_store_that_up_fills_again(fixture: Fixture) {
    let book = book([NOTE]);
    let runner = fixture.runner(&book);
    let applied = runner.up().await.unwrap();
    let mut undone = runner.down(None).await.unwrap();
    undone.reverse();
    assert_eq!(undone, applied);
    let tables: Vec<_> = fixture.catalog().await.tables.into_iter().map(|table| table.name.name).collect();
    assert_eq!(tables, ["trimaran_migration"]);
    assert_eq!(runner.up().await.unwrap(), applied);
}

async fn down_to_what_was_never_applied_is_refused(fixture: Fixture) {
    let book = book([NOTE]);
    let runner = fixture.runner(&book);
    runner.up().await.unwrap();
    let error = runner.down(Some("0099_elsewhere")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.next_step().is_some());
    assert!(runner.status().await.unwrap().is_current());
}

async fn down_asks_for_a_program_that_knows_the_migration(fixture: Fixture) {
    let newer = book([NOTE]);
    fixture.runner(&newer).up().await.unwrap();
    let older = Book::new();
    let runner = Runner::new(&fixture.db, &older, AREAS, &fixture.clock);
    let error = runner.down(None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.report().contains("app_0001_note"), "{}", error.report());
    // What lies behind it can be undone only after it.
    assert!(fixture.runner(&newer).status().await.unwrap().is_current());
}
