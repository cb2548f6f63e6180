//! The fixture itself: other tests rely on what it promises.

use super::admin;
use super::postgres::{TestServer, database, server};

const MIB: u64 = 1024 * 1024;

#[test]
fn each_test_has_a_database_of_its_own_and_dropped_it_is_gone() {
    let (one, two) = (database(), database());
    one.execute("CREATE TABLE t (a int)");
    assert_eq!(two.value("SELECT to_regclass('t')"), None);
    assert_eq!(one.value("SELECT count(*) FROM t").as_deref(), Some("0"));
    let (name, url) = (one.name().to_owned(), one.url().to_owned());
    assert_eq!(url, server().url_of(&name));
    drop(one);
    assert!(admin::value(&url, "SELECT 1").is_err());
    let found = two.value(&format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'"));
    assert_eq!(found.as_deref(), Some("0"));
}

#[test]
fn a_password_is_asked_for() {
    let wrong = server().url_of("postgres").replace(super::server::PASSWORD, "wrong");
    if wrong != server().url_of("postgres") {
        let error = admin::value(&wrong, "SELECT 1").unwrap_err();
        assert!(error.report().contains("password authentication failed"), "{}", error.report());
    }
}

#[test]
fn a_dedicated_server_comes_back_at_the_same_address_with_every_commit_after_stop_and_kill() {
    let server = TestServer::dedicated(&[("log_min_messages", "log"), ("work_mem", "1234kB")]);
    let database = server.database();
    assert_eq!(database.value("SHOW work_mem").as_deref(), Some("1234kB"));
    database.execute("CREATE TABLE t (a int)");
    for (row, end) in [TestServer::kill as fn(&TestServer), TestServer::stop].into_iter().enumerate() {
        database.execute(&format!("INSERT INTO t VALUES ({row})"));
        end(&server);
        assert!(admin::value(database.url(), "SELECT 1").is_err(), "it still answers");
        server.restart();
        assert_eq!(database.value("SELECT count(*) FROM t"), Some((row + 1).to_string()));
    }
}

#[test]
fn a_full_disk_is_an_error_that_the_server_survives_and_freed_it_goes_on() {
    let server = TestServer::with_disk(64 * MIB, &[]);
    let database = server.database();
    database.execute("CREATE TABLE t (a text)");
    server.occupy_disk(48 * MIB);
    let fill = "INSERT INTO t SELECT repeat(md5(n::text), 10) FROM generate_series(1, 60000) n";
    let error = admin::value(database.url(), fill).unwrap_err();
    assert!(error.report().contains("No space left on device"), "{}", error.report());
    server.free_disk();
    database.execute(fill);
    assert_eq!(database.value("SELECT count(*) FROM t").as_deref(), Some("60000"));
}
