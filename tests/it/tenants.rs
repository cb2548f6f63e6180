//! `trimaran tenant` on real installations, killed on the way and gone on with.

use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use trimaran::model::{ChatRole, NewMessage, PieceFilter};
use trimaran::secret::PasswordParameters;
use trimaran::{Area, Config, Opener, PageRequest, Stores, TenantId};
use trimaran_backends::testing::postgres;
use trimaran_core::digest;
use trimaran_core::id::ConversationId;

/// A key for tests.
fn key(seed: &str) -> String {
    digest::hex(&digest::sha256(format!("a key of a program's test: {seed}").as_bytes()))
}

/// A configuration in a folder of its own.
pub(crate) struct Installation {
    folder: TempDir,
    _database: Option<trimaran_backends::testing::TestDatabase>,
}

impl Installation {
    pub(crate) fn new(scheme: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = (scheme == "postgres").then(postgres::database);
        let url = match &database {
            Some(database) => database.url().to_owned(),
            None => format!("{scheme}://{}", folder.path().join("tenants").display()),
        };
        let here = folder.path().display();
        let settings = format!(
            "data_directory = '{here}/data'\n\
             [stores.configuration]\nurl = '{url}'\n[stores.conversation]\nurl = '{url}'\n\
             [tenants]\nkey_file = '{here}/tenants.key'\n\
             [tenants.places.eu]\nurl = 'sqlite://{here}/eu'\n\
             [secrets]\nkey_file = '{here}/secrets.key'\n"
        );
        std::fs::write(folder.path().join("trimaran.toml"), settings).unwrap();
        let installation = Self { folder, _database: database };
        installation.key_file("secrets");
        installation.key_file("tenants");
        installation
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a key into a file.
    pub(crate) fn key_file(&self, name: &str) -> PathBuf {
        let path = self.path().join(format!("{name}.key"));
        std::fs::write(&path, key(name)).unwrap();
        path
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trimaran"));
        command.args(arguments).arg("--config").arg(self.path().join("trimaran.toml"));
        command.env_remove("TRIMARAN_PROFILE").stdin(Stdio::null());
        command
    }

    /// Runs `trimaran tenant …` to its end, and gives what it printed as JSON.
    #[track_caller]
    pub(crate) fn tenant(&self, arguments: &[&str], code: i32) -> Value {
        let all: Vec<_> = ["tenant"].iter().chain(arguments).chain(&["--json"]).copied().collect();
        ended(&self.command(&all).output().unwrap(), code)
    }

    fn config(&self) -> Config {
        Config::builder().environment([]).file(self.path().join("trimaran.toml")).load().unwrap()
    }

    async fn open(&self) -> Stores {
        Opener::new(&self.config()).passwords(PasswordParameters::LEAST).open().await.unwrap()
    }

    /// Gives each of these users a conversation that says whose it is.
    pub(crate) async fn fill(&self, users: &[String]) -> Vec<TenantId> {
        let stores = self.open().await;
        let mut ids = Vec::new();
        for user in users {
            let record = stores.tenants().of_user(user).await.unwrap();
            let memory = stores.tenant(record.id).await.unwrap().conversation().await.unwrap();
            let talk = ConversationId(stores.new_id());
            memory.pieces.append(NewMessage::text(talk, ChatRole::User, user.as_str())).await.unwrap();
            ids.push(record.id);
        }
        stores.close().await.unwrap();
        ids
    }

    /// What each of these tenants' conversations say.
    async fn told(&self, ids: &[TenantId]) -> Vec<Vec<String>> {
        let stores = self.open().await;
        let mut told = Vec::new();
        for id in ids {
            let memory = stores.tenant(*id).await.unwrap().conversation().await.unwrap();
            let page =
                memory.pieces.list(&PieceFilter::default(), &PageRequest::first(9).unwrap()).await.unwrap();
            told.push(page.items.iter().map(|piece| piece.original.value.clone()).collect());
        }
        stores.close().await.unwrap();
        told
    }
}

#[track_caller]
pub(crate) fn ended(output: &Output, code: i32) -> Value {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "stderr:\n{stderr}");
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}

pub(crate) fn users(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("user {n}")).collect()
}

fn one_each(users: &[String]) -> Vec<Vec<String>> {
    users.iter().map(|user| vec![user.clone()]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_are_listed_made_shown_renamed_and_deleted() {
    for scheme in ["sqlite", "duckdb", "postgres"] {
        let installation = Installation::new(scheme);
        assert_eq!(installation.tenant(&["list"], 0)["tenants"], serde_json::json!([]));
        assert!(!installation.path().join("data").exists(), "to list makes nothing");
        installation.tenant(&["show", "alice"], 2);

        let made = installation.tenant(&["create", "alice"], 0);
        assert_eq!((&made["tenant"]["place"], &made["done"]), (&"default".into(), &"made".into()));
        installation.tenant(&["create", "alice"], 2);
        installation.tenant(&["create", "Alice", "--place", "eu"], 0);
        installation.tenant(&["create", "bob", "--place", "mars"], 2);
        let ids = installation.fill(&["alice".to_owned(), "Alice".to_owned()]).await;

        let shown = installation.tenant(&["show", "Alice"], 0);
        assert_eq!(shown["tenant"]["place"], "eu");
        let file = &shown["tenant"]["stores"][0]["files"][0];
        assert_eq!(file["mode"], "0600", "{shown}");
        assert!(file["bytes"].as_u64().unwrap() > 0);
        assert!(shown["tenant"]["stores"][0]["version"].as_str().unwrap().starts_with("0007"));
        let by_id = installation.tenant(&["show", "--id", &ids[1].to_string()], 0);
        assert_eq!(by_id, shown);
        assert_eq!(installation.tenant(&["list"], 0)["tenants"].as_array().unwrap().len(), 2);

        installation.tenant(&["rename", "alice", "Alice"], 2);
        installation.tenant(&["rename", "alice"], 2);
        let renamed = installation.tenant(&["rename", "alice", "Zoë"], 0);
        assert_eq!(renamed["tenant"]["user"], "Zoë");
        installation.tenant(&["rename", "alice", "Zoë"], 2);
        installation.tenant(&["rename", "--id", &ids[1].to_string(), "x"], 0);
        assert_eq!(installation.told(&ids).await, [["alice"], ["Alice"]]);

        // Neither said nor typed.
        let refused = installation.tenant(&["delete", "Zoë"], 2);
        assert!(refused["next"].as_str().unwrap().contains("--yes"), "{refused}");
        let mut child = installation
            .command(&["tenant", "delete", "Zoë"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all("Zoë\n".as_bytes()).unwrap();
        ended(&child.wait_with_output().unwrap(), 0);
        installation.tenant(&["delete", "Zoë", "--yes"], 2);
        installation.tenant(&["delete", "x", "--yes"], 0);
        assert_eq!(installation.tenant(&["list"], 0)["tenants"], serde_json::json!([]));
        for folder in ["tenants", "eu"] {
            let left = std::fs::read_dir(installation.path().join(folder)).map_or(0, Iterator::count);
            assert_eq!(left, 0, "{scheme} {folder}");
        }
    }
}

#[test]
fn names_that_are_not_seen_are_shown_escaped() {
    let installation = Installation::new("sqlite");
    installation.tenant(&["create", "a\u{1b}[2J\n\u{202e}b"], 0);
    let output = installation.command(&["tenant", "list"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(r"a\u{1b}[2J\n\u{202e}b"), "{text}");
    let quiet = installation.command(&["tenant", "list", "--quiet"]).output().unwrap();
    assert!(quiet.status.success() && quiet.stdout.is_empty() && quiet.stderr.is_empty());
}

#[test]
fn weak_keys_are_refused_by_every_command_and_not_shown() {
    let installation = Installation::new("sqlite");
    for weak in
        ["changeme", &"0123456789abcdef".repeat(4), &"x".repeat(64), &digest::hex(&digest::sha256(b""))]
    {
        let file = installation.path().join("tenants.key");
        std::fs::write(&file, weak).unwrap();
        for arguments in [&["config", "check", "--json"][..], &["tenant", "list", "--json"]] {
            let output = installation.command(arguments).output().unwrap();
            let said = String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat())
                .into_owned();
            let refused = ended(&output, 2);
            assert!(refused["error"].as_str().unwrap().contains("tenants.key_file"), "{refused}");
            assert!(refused["next"].as_str().unwrap().contains("openssl rand -hex 32"), "{refused}");
            assert!(!said.contains(weak), "{said}");
        }
        installation.key_file("tenants");
        installation.tenant(&["rekey", "--new-key-file", file.to_str().unwrap()], 0);
        std::fs::write(&file, weak).unwrap();
        let new = installation.path().join("new.key");
        std::fs::write(&new, weak).unwrap();
        installation.key_file("tenants");
        installation.tenant(&["rekey", "--new-key-file", new.to_str().unwrap()], 2);
    }
}

/// Moments at which a program is killed, in milliseconds after its start: the same in every run.
fn moments(seed: &str, most: u64) -> impl Iterator<Item = Duration> {
    let seed = seed.to_owned();
    (0u64..).map(move |n| {
        let bytes = digest::sha256(format!("{seed} {n}").as_bytes());
        Duration::from_millis(u64::from(u16::from_le_bytes([bytes[0], bytes[1]])) % most)
    })
}

/// Starts the command and kills it, again and again, and lets it end at last.
fn killed_until_done(installation: &Installation, arguments: &[&str], kills: usize, most: u64) -> Output {
    for moment in moments(&arguments.join(" "), most).take(kills) {
        let mut child =
            installation.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(moment);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    installation.command(arguments).output().unwrap()
}

/// Starts the command and kills it when it has told of so many tenants.
fn killed_after_lines(installation: &Installation, arguments: &[&str], lines: usize) {
    let mut child =
        installation.command(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let told = std::io::BufReader::new(child.stderr.take().unwrap()).lines().take(lines);
    assert_eq!(told.map(Result::unwrap).filter(|line| line.ends_with(": done")).count(), lines);
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_keys_that_is_killed_again_and_again_loses_nothing() {
    for scheme in ["sqlite", "duckdb", "postgres"] {
        let installation = Installation::new(scheme);
        let users = users(8);
        let ids = installation.fill(&users).await;
        let new = installation.key_file("new");
        let arguments = ["tenant", "rekey", "--json", "--new-key-file", new.to_str().unwrap()];
        // In the middle, for certain: after so many tenants.
        for tenants in [1, 2] {
            killed_after_lines(&installation, &arguments, tenants);
        }
        ended(&killed_until_done(&installation, &arguments, 6, 700), 0);
        // The configuration names the key of before still.
        let refused = Opener::new(&installation.config()).open().await.unwrap_err();
        assert!(refused.next_step().unwrap().contains("trimaran tenant rekey"), "{}", refused.report());
        std::fs::copy(&new, installation.path().join("tenants.key")).unwrap();
        assert_eq!(installation.told(&ids).await, one_each(&users), "{scheme}");
        let listed = installation.tenant(&["list"], 0);
        for tenant in listed["tenants"].as_array().unwrap() {
            assert_eq!(
                (&tenant["key_id"], &tenant["operation"]),
                (&listed["tenants"][0]["key_id"], &Value::Null)
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn renamings_and_deletions_that_are_killed_are_gone_on_with() {
    for scheme in ["sqlite", "duckdb", "postgres"] {
        let installation = Installation::new(scheme);
        let users = users(4);
        let ids = installation.fill(&users).await;
        for at in 0..2 {
            let new = format!("{} renamed", users[at]);
            // By id it can be said again after it is done.
            let id = ids[at].to_string();
            let arguments = ["tenant", "rename", "--json", "--id", &id, &new];
            ended(&killed_until_done(&installation, &arguments, 4, 500), 0);
        }
        assert_eq!(installation.told(&ids).await, one_each(&users), "{scheme}");
        let id = ids[3].to_string();
        let output =
            killed_until_done(&installation, &["tenant", "delete", "--yes", "--json", "--id", &id], 6, 500);
        // If it was done before it was killed, there is no such tenant.
        assert!(matches!(output.status.code(), Some(0 | 2)), "{}", String::from_utf8_lossy(&output.stderr));
        installation.tenant(&["show", "--id", &id], 2);
        assert_eq!(installation.told(&ids[..3]).await, one_each(&users[..3]), "{scheme}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_in_use_by_an_application_is_left_alone() {
    for scheme in ["sqlite", "duckdb"] {
        let installation = Installation::new(scheme);
        let ids = installation.fill(&["alice".to_owned()]).await;
        let stores = installation.open().await;
        let used = stores.tenant(ids[0]).await.unwrap().connection(Area::Conversation).await.unwrap();
        used.ping().await.unwrap();
        for arguments in [&["rename", "alice", "bob"][..], &["delete", "alice", "--yes"]] {
            let refused = installation.tenant(arguments, 3);
            assert_eq!(refused["kind"], "locked", "{refused}");
        }
        drop(used);
        stores.close().await.unwrap();
        drop(stores);
        assert_eq!(installation.told(&ids).await, [["alice"]]);
        installation.tenant(&["rename", "alice", "bob"], 0);
        assert_eq!(installation.told(&ids).await, [["alice"]]);
    }
}
