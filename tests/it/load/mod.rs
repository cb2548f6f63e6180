//! Many users at once over the whole API, and what is left when the server is restarted or the process is killed: every acknowledged write,
//! once, and nothing else.
//!
//! As tests, few users do few things. `make load` sets `TRIMARAN_LOAD_SECONDS`: then 64 users work for so long on each engine, and what they
//! did is told.

mod found;
mod journal;
mod places;
mod state;
mod user;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use trimaran::secret::PasswordParameters;
use trimaran::{Config, Opener, Stores};
use trimaran_backends::testing::{TestDatabase, TestRoles, TestServer, postgres};

use journal::Journal;
use places::Places;
use state::State;
use user::{Tally, User};

use crate::stores::url_of;

/// No run takes longer, but one that hangs.
const PATIENCE: Duration = Duration::from_secs(600);

type Keys = Vec<(String, String)>;

/// How long users work.
#[derive(Clone)]
enum Until {
    Steps(u32),
    Time(Instant),
    Told(Arc<AtomicBool>),
}

impl Until {
    fn is_over(&self, steps: u32) -> bool {
        match self {
            Self::Steps(most) => steps >= *most,
            Self::Time(end) => Instant::now() >= *end,
            Self::Told(told) => told.load(Ordering::SeqCst),
        }
    }
}

fn seconds() -> Option<u64> {
    std::env::var("TRIMARAN_LOAD_SECONDS").ok().map(|text| text.parse().expect("a number of seconds"))
}

fn users() -> usize {
    if seconds().is_some() { 64 } else { 12 }
}

fn until() -> Until {
    seconds().map_or(Until::Steps(10), |seconds| Until::Time(Instant::now() + Duration::from_secs(seconds)))
}

/// What the program finds; `embedded` names the engine where there is no server.
fn keys(folder: &Path, more: &[(&str, String)]) -> Keys {
    let text = |path: PathBuf| path.to_str().unwrap().to_owned();
    let mut keys = vec![
        ("data_directory".to_owned(), text(folder.join("data"))),
        (
            "tenants.key".to_owned(),
            "e60d57c05a60acf1347ff75ccc9180d10bf7b9a128b20f9944f27a7e68c38af2".to_owned(),
        ),
        (
            "secrets.key".to_owned(),
            "5b1e0c6d9a7f48321c0de4f7a6b95d8370f1e2c4b6a8d9e0f3b5c7a9d1e2f405".to_owned(),
        ),
        // Fewer than users: files are closed and opened again all the time.
        ("tenants.open_files".to_owned(), "8".to_owned()),
        ("tenants.memory".to_owned(), "64MiB".to_owned()),
        ("cache.memory".to_owned(), "16MiB".to_owned()),
    ];
    keys.extend(more.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
    keys
}

fn on_sqlite(folder: &Path) -> Keys {
    let url = format!("sqlite://{}", folder.join("tenants").display());
    keys(folder, &["configuration", "conversation"].map(|area| (key_of(area, "url"), url.clone())))
}

fn on_duckdb(folder: &Path) -> Keys {
    let url = format!("duckdb://{}", folder.join("app.duckdb").display());
    keys(folder, &["identity", "application"].map(|area| (key_of(area, "url"), url.clone())))
}

fn on_postgres(folder: &Path, roles: &Roles, more: &[(&'static str, &str)]) -> Keys {
    let mut set = Vec::new();
    for area in ["identity", "application", "configuration", "conversation"] {
        set.push((key_of(area, "url"), url_of(&roles.application())));
        set.push((key_of(area, "owner_url"), url_of(&roles.owner())));
        set.extend(more.iter().map(|(key, value)| (key_of(area, key), (*value).to_owned())));
    }
    keys(folder, &set)
}

fn key_of(area: &str, key: &str) -> &'static str {
    Box::leak(format!("stores.{area}.{key}").into_boxed_str())
}

type Roles = TestRoles<Arc<TestDatabase>>;

async fn roles(database: impl FnOnce() -> TestDatabase + Send + 'static) -> Roles {
    // Servers are spoken to with calls that block.
    tokio::task::spawn_blocking(|| TestRoles::create(Arc::new(database()))).await.unwrap()
}

async fn opened(keys: &Keys) -> Stores {
    let mut builder = Config::builder().environment([]);
    for (key, value) in keys {
        builder = builder.set(key, value.as_str());
    }
    Opener::new(&builder.load().unwrap()).passwords(PasswordParameters::LEAST).open().await.unwrap()
}

/// Lets users work and gives them back with what they know. `known` is what they have already.
async fn work(
    stores: &Stores,
    mut known: BTreeMap<usize, State>,
    journal: &Arc<Journal>,
    until: &Until,
    tally: &Arc<Tally>,
) -> Vec<User> {
    let mut working = Vec::new();
    for number in 0..users() {
        let places = loop {
            match Places::of(stores, number).await {
                Ok(places) => break places,
                Err(error) => assert!(error.is_retryable(), "{error:?}"),
            }
        };
        let mut user = User::new(number, places, known.remove(&number).unwrap_or_default(), journal, tally);
        let until = until.clone();
        working.push(tokio::spawn(async move {
            let mut steps = 0;
            while !until.is_over(steps) {
                user.step().await;
                steps += 1;
            }
            (user, steps)
        }));
    }
    let (mut users, mut steps) = (Vec::new(), 0);
    for user in working {
        let (user, done) = user.await.unwrap();
        users.push(user);
        steps += done;
    }
    if seconds().is_some() {
        eprintln!("{} users did {steps} things; tried again after {:?}", users.len(), tally.counts());
    }
    users
}

/// Every acknowledged write is there, once, and nothing else.
async fn check(stores: &Stores, users: &[User]) {
    let (mut certain, mut uncertain) = (0, 0);
    for user in users {
        let found = user.places.observe().await.unwrap();
        assert_eq!(user.known.explained(&[], &found), Some(Vec::new()), "user {}: {found:#?}", user.number);
        certain += user.known.counted;
        uncertain += user.uncertain_counts;
    }
    let counted = found::counted(stores).await.unwrap();
    assert!(
        (certain..=certain + uncertain).contains(&counted),
        "{counted}, not {certain} to {uncertain} more"
    );
}

async fn many_users(keys: &Keys) -> Arc<Tally> {
    let (stores, tally, journal) = (opened(keys).await, Arc::default(), Arc::new(Journal::none()));
    let until = until();
    let working = work(&stores, BTreeMap::new(), &journal, &until, &tally);
    let users = tokio::time::timeout(PATIENCE, working).await.expect("nothing hangs");
    check(&stores, &users).await;
    drop(users);
    stores.close().await.unwrap();
    // What was known to one process is in the files for the next.
    tally
}

#[tokio::test(flavor = "multi_thread")]
async fn many_users_at_once_lose_and_double_nothing_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    many_users(&on_sqlite(folder.path())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_users_at_once_lose_and_double_nothing_on_duckdb() {
    let folder = tempfile::tempdir().unwrap();
    many_users(&on_duckdb(folder.path())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_users_at_once_lose_and_double_nothing_on_postgres() {
    let (folder, roles) = (tempfile::tempdir().unwrap(), roles(postgres::database).await);
    many_users(&on_postgres(folder.path(), &roles, &[])).await;
    tokio::task::spawn_blocking(move || drop(roles)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_too_small_for_its_users_gives_time_outs_and_loses_nothing() {
    let (folder, roles) = (tempfile::tempdir().unwrap(), roles(postgres::database).await);
    let small = [("max_connections", "1"), ("acquire_timeout", "5ms")];
    let tally = many_users(&on_postgres(folder.path(), &roles, &small)).await;
    let counts = tally.counts();
    assert!(counts.keys().all(|kind| *kind == "timed out") && !counts.is_empty(), "{counts:?}");
    tokio::task::spawn_blocking(move || drop(roles)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn while_postgres_is_killed_and_started_again_nothing_acknowledged_is_lost() {
    let server = tokio::task::spawn_blocking(|| Arc::new(TestServer::dedicated(&[]))).await.unwrap();
    let of_server = Arc::clone(&server);
    let (folder, roles) = (tempfile::tempdir().unwrap(), roles(move || of_server.database()).await);
    let keys = on_postgres(folder.path(), &roles, &[("connect_timeout", "2s"), ("acquire_timeout", "2s")]);
    let (stores, tally) = (opened(&keys).await, Arc::new(Tally::default()));
    let enough = Arc::new(AtomicBool::new(false));
    let restarts = {
        let (server, enough) = (Arc::clone(&server), Arc::clone(&enough));
        let rounds = seconds().map_or(2, |seconds| seconds.div_ceil(15));
        tokio::task::spawn_blocking(move || {
            for _ in 0..rounds {
                std::thread::sleep(Duration::from_secs(2));
                server.kill();
                server.restart();
            }
            std::thread::sleep(Duration::from_secs(1));
            enough.store(true, Ordering::SeqCst);
        })
    };
    let journal = Arc::new(Journal::none());
    let until = Until::Told(enough);
    let working = work(&stores, BTreeMap::new(), &journal, &until, &tally);
    let users = tokio::time::timeout(PATIENCE, working).await.expect("nothing hangs");
    restarts.await.unwrap();
    check(&stores, &users).await;
    assert!(tally.counts().contains_key("unavailable"), "{:?}", tally.counts());
    drop(users);
    stores.close().await.unwrap();
    tokio::task::spawn_blocking(move || drop((roles, server))).await.unwrap();
}

/// What [`the_process_that_is_killed`] is told by.
const CHILD: &str = "TRIMARAN_LOAD_CHILD";

fn child(folder: &Path, keys: &Keys) -> Child {
    let told = folder.join("child.json");
    std::fs::write(&told, serde_json::to_vec(&(keys, folder.join("journal"))).unwrap()).unwrap();
    Command::new(std::env::current_exe().unwrap())
        .args(["load::the_process_that_is_killed", "--exact", "--ignored", "--nocapture"])
        .env(CHILD, told)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "not a test: the tests that kill a process start it"]
async fn the_process_that_is_killed() {
    let told = std::env::var_os(CHILD).expect("this is started by the tests that kill it");
    let (keys, journal): (Keys, PathBuf) = serde_json::from_slice(&std::fs::read(told).unwrap()).unwrap();
    let known = match journal.exists() {
        true => journal::read(&journal).into_iter().map(|(user, known)| (user, known.state)).collect(),
        false => BTreeMap::new(),
    };
    let stores = opened(&keys).await;
    let (journal, until) = (Arc::new(Journal::at(&journal)), Until::Time(Instant::now() + PATIENCE));
    work(&stores, known, &journal, &until, &Arc::default()).await;
}

/// Kills a process in the middle of its work, three times, and each time looks at what it left.
async fn killed(folder: &Path, keys: &Keys) {
    let journal_path = folder.join("journal");
    let rounds = if seconds().is_some() { 10 } else { 3 };
    let mut before = 0;
    for round in 0..rounds {
        let mut process = child(folder, keys);
        let deadline = Instant::now() + PATIENCE;
        // A different number of changes each time, so that it is killed in the middle of different things.
        let wanted = before + 60 + 17 * round;
        while !journal_path.exists() || acknowledged(&journal_path) < wanted {
            assert!(process.try_wait().unwrap().is_none(), "it ended by itself");
            assert!(Instant::now() < deadline, "it does nothing");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        process.kill().unwrap();
        process.wait().unwrap();
        look(keys, &journal_path).await;
        before = acknowledged(&journal_path);
    }
}

fn acknowledged(journal: &Path) -> usize {
    journal::read(journal).values().map(|known| known.acknowledged).sum()
}

/// What a process that was killed has left is what it acknowledged, and of what it had begun all or nothing.
async fn look(keys: &Keys, journal_path: &Path) {
    let stores = opened(keys).await;
    let journal = Journal::at(journal_path);
    let (mut certain, mut uncertain) = (0, 0);
    for (number, known) in journal::read(journal_path) {
        let found = Places::of(&stores, number).await.unwrap().observe().await.unwrap();
        let applied = known.state.explained(&known.pending, &found).unwrap_or_else(|| {
            panic!(
                "user {number}: after {:?} there is {found:#?}, and before was {:#?}",
                known.pending, known.state
            )
        });
        certain += known.state.counted;
        uncertain += i64::from(known.pending == [state::Change::Count]);
        journal.resolved(number, &applied);
    }
    let counted = found::counted(&stores).await.unwrap();
    assert!(counted >= certain, "{counted} of {certain} counts, {uncertain} uncertain");
    stores.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_loses_nothing_that_it_acknowledged_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    killed(folder.path(), &on_sqlite(folder.path())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_loses_nothing_that_it_acknowledged_on_duckdb() {
    let folder = tempfile::tempdir().unwrap();
    killed(folder.path(), &on_duckdb(folder.path())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_loses_nothing_that_it_acknowledged_on_postgres() {
    let (folder, roles) = (tempfile::tempdir().unwrap(), roles(postgres::database).await);
    killed(folder.path(), &on_postgres(folder.path(), &roles, &[])).await;
    tokio::task::spawn_blocking(move || drop(roles)).await.unwrap();
}
