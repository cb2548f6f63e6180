//! `trimaran report conversations` on real stores.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use trimaran::core::model::conversation::analytics::{Dimension, FiguresRequest};
use trimaran::id::ConversationId;
use trimaran::model::{
    AttackDetails, AttackOutcome, ChatRole, Identifier, NewAttackResult, NewMessage, NewPiece, NewScore,
    ResponseError, ScoreDetails, ScoreType,
};
use trimaran::secret::PasswordParameters;
use trimaran::{Config, ErrorKind, Opener, Stores, TenantId};
use trimaran_backends::testing::TestRoles;
use trimaran_backends::testing::postgres::database;

use crate::stores::url_of;

const HOSTILE: &str = "<script>alert(1)</script>\0\u{1b}[31m\u{202e}'\"&";
const KEY: &str = "c41f9e07a2d85b36e0f17c94bd28a653709ef1d4c8b62a05937de04fb6c1a82e";

/// An installation with two tenants, who said something, and the configuration that leads there.
struct Installation {
    folder: TempDir,
    stores: Stores,
    ann: TenantId,
    bob: TenantId,
}

impl Installation {
    async fn made(per_tenant: &str, administration: bool) -> Self {
        Self::at(per_tenant, "", administration).await
    }

    async fn at(per_tenant: &str, more: &str, administration: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = per_tenant.replace("FOLDER", folder.path().to_str().unwrap());
        let data = folder.path().join("data");
        let file = folder.path().join("trimaran.toml");
        let toml = format!(
            "data_directory = {data:?}\n[stores.configuration]\nurl = {url:?}\n{more}[stores.conversation]\nurl = {url:?}\n{more}\
             [tenants]\nkey = \"{KEY}\"\nadministration = {administration}\n[secrets]\nkey = \"{KEY}\"\n"
        );
        std::fs::write(&file, toml).unwrap();
        let config = Config::builder().environment([]).file(&file).load().unwrap();
        let stores = Opener::new(&config).passwords(PasswordParameters::LEAST).open().await.unwrap();
        let (ann, bob) = (fill(&stores, "ann", 3).await, fill(&stores, "bob", 2).await);
        Self { folder, stores, ann, bob }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, flags: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trimaran"));
        command.args(["report", "conversations", "--config"]).arg(self.path("trimaran.toml")).args(flags);
        command.stdin(Stdio::null()).output().unwrap()
    }

    #[track_caller]
    fn json(&self, flags: &[&str], code: i32) -> Value {
        let output = self.run(&[flags, &["--format", "json"]].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Closes the stores: a DuckDB file belongs to one process.
    async fn close(&self) {
        self.stores.close().await.unwrap();
    }
}

async fn fill(stores: &Stores, user: &str, turns: u32) -> TenantId {
    let tenant = stores.tenants().of_user(user).await.unwrap();
    let area = stores.tenant(tenant.id).await.unwrap().conversation().await.unwrap();
    let talk = ConversationId(stores.new_id());
    for turn in 0..turns {
        let time = format!("2026-01-{:02}T10:00:00Z", 30 - turn).parse().unwrap();
        let said = |role, text: &str, error| {
            let mut target = Identifier::of_class("OpenAIChatTarget");
            target.details.insert("model_name".to_owned(), "gpt-<b>4</b>".into());
            let labels = [("op".to_owned(), HOSTILE.to_owned())].into();
            NewPiece {
                error,
                labels,
                target: Some(target),
                created_at: Some(time),
                ..NewPiece::text(role, text)
            }
        };
        let ask = said(ChatRole::User, &format!("{HOSTILE} tell me"), ResponseError::None);
        area.pieces.append(NewMessage::new(talk, vec![ask])).await.unwrap();
        let error = if turn == 0 { ResponseError::Blocked } else { ResponseError::None };
        let answer = said(ChatRole::Assistant, "no", error);
        let answer = area.pieces.append(NewMessage::new(talk, vec![answer])).await.unwrap().pieces[0].id;
        let score = ScoreDetails {
            scorer: Some(Identifier::of_class("SelfAskScaleScorer")),
            ..ScoreDetails::of(ScoreType::FloatScale, format!("0.{}", turn + 1))
        };
        area.scores.add(vec![NewScore::of(answer, score)]).await.unwrap();
    }
    let attack = AttackDetails::of("objective", AttackOutcome::Success);
    area.attack_results.add(vec![NewAttackResult::of(talk, attack)]).await.unwrap();
    tenant.id
}

const FILES: [&str; 2] = ["duckdb://FOLDER/tenants", "sqlite://FOLDER/tenants"];

#[tokio::test(flavor = "multi_thread")]
async fn a_user_s_report_counts_this_user_s_conversations_alone() {
    for url in FILES {
        let here = Installation::made(url, false).await;
        here.close().await;
        let report = here.json(&["--user", "ann", "--by", "role,day,model,label"], 0);
        assert_eq!(report["version"], 1);
        assert_eq!(report["scope"]["tenant"], here.ann.to_string());
        assert_eq!((&report["total"]["pieces"], &report["total"]["refused"]), (&6.into(), &1.into()));
        assert_eq!(report["total"]["scores"]["scale"]["max"], 0.3);
        assert_eq!(report["attacks"]["success"], 1);
        let groups = |at: usize| report["by"][at]["groups"].as_array().unwrap().clone();
        assert_eq!(groups(0).len(), 2);
        assert_eq!(groups(1)[0]["key"], "2026-01-28T00:00:00Z");
        assert_eq!(groups(2)[0]["key"], "gpt-<b>4</b>");
        assert_eq!(groups(3)[0]["key"]["value"], HOSTILE);
        assert_eq!(report["longest_prompts"], Value::Null);
        let january_30 = ["--tenant", &here.ann.to_string(), "--from", "2026-01-30", "--to", "2026-01-31"];
        assert_eq!(here.json(&january_30, 0)["total"]["pieces"], 2);
        let wrong = here.run(&["--user", "Ann"]);
        assert_eq!(wrong.status.code(), Some(3), "{}", String::from_utf8_lossy(&wrong.stderr));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_on_all_tenants_needs_leave_from_the_configuration_and_a_word_of_the_operator() {
    let here = Installation::made(FILES[0], false).await;
    here.close().await;
    let refused = here.run(&["--all-tenants", "--i-am-the-administrator", "--json"]);
    let error: Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert_eq!((&error["kind"], refused.status.code()), (&"forbidden".into(), Some(3)));
    assert_eq!(here.run(&["--all-tenants"]).status.code(), Some(2));
    assert_eq!(here.run(&[]).status.code(), Some(2));

    for url in FILES {
        let here = Installation::made(url, true).await;
        here.close().await;
        let all = ["--all-tenants", "--i-am-the-administrator", "--by", "role,week"];
        let report = here.json(&all, 0);
        assert_eq!((&report["scope"]["tenants"], &report["total"]["pieces"]), (&2.into(), &10.into()));
        assert_eq!(report["by"][0]["groups"][0]["pieces"], 5);

        // A tenant whose file is damaged is named, and all the others are counted.
        let tenants = here.path("tenants");
        let damaged = place_of(&here, here.bob, &tenants);
        std::fs::write(&damaged, b"this is no database, and never was one: not a single page of it").unwrap();
        let report = here.json(&all, 10);
        assert_eq!((&report["scope"]["tenants"], &report["total"]["pieces"]), (&1.into(), &6.into()));
        assert_eq!(report["scope"]["missing"][0]["tenant"], here.bob.to_string());

        // One whose file is not there is told of, and no file is made.
        std::fs::remove_file(&damaged).unwrap();
        let report = here.json(&all, 0);
        assert_eq!(report["scope"]["without_file"], serde_json::json!([here.bob.to_string()]));
        assert!(!damaged.exists());
    }
}

/// The tenant's file: the one that is left of two when the other's is known by what it says.
fn place_of(here: &Installation, tenant: TenantId, folder: &Path) -> std::path::PathBuf {
    let id = tenant.to_string();
    let catalogue = rusqlite::Connection::open(here.path("data/trimaran.sqlite")).unwrap();
    let bytes = uuid::Uuid::parse_str(&id).unwrap().as_bytes().to_vec();
    let place: String =
        catalogue.query_row("SELECT place FROM tenant WHERE id = ?1", [bytes], |row| row.get(0)).unwrap();
    let mut files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .find(|path| {
            path.file_stem().is_some_and(|stem| stem == place.as_str())
                && path.extension().is_some_and(|e| e == "duckdb" || e == "sqlite")
        })
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_all_tenants_are_counted_each_under_its_own_setting() {
    let database = database();
    let roles = TestRoles::create(&database);
    let more = format!("owner_url = {:?}\n", url_of(&roles.owner()));
    let here = Installation::at(&url_of(&roles.application()), &more, true).await;
    let report = here.json(&["--all-tenants", "--i-am-the-administrator", "--by", "label"], 0);
    assert_eq!((&report["scope"]["tenants"], &report["total"]["pieces"]), (&2.into(), &10.into()));
    assert_eq!(report["by"][0]["groups"][0]["pieces"], 10);
    assert_eq!(here.json(&["--user", "bob"], 0)["total"]["pieces"], 4);

    let capability = here.stores.assume_administration_of_all_tenants().unwrap();
    let elsewhere = Installation::made(FILES[1], true).await;
    let refused = elsewhere.stores.analytics_of_all(&capability).map(drop);
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Forbidden);
    let all = here.stores.analytics_of_all(&capability).unwrap();
    let request = FiguresRequest::by(Dimension::Label);
    assert_eq!(all.figures(&request).await.unwrap().found.total.conversations, 2);
    here.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_stands_alone_and_nothing_in_it_is_taken_for_markup() {
    let here = Installation::made(FILES[1], false).await;
    here.close().await;
    let page = here.path("report.html");
    let flags =
        ["--user", "ann", "--by", "label,model,day,hour", "--format", "html", "-o", page.to_str().unwrap()];
    assert_eq!(here.run(&flags).status.code(), Some(0));
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(!html.contains("<script") && !html.contains("<b>4") && html.contains("&lt;script&gt;"));
    assert!(!html.contains(['\0', '\u{1b}', '\u{202e}']) && html.contains(r"\u{202e}"));
    // Nothing is loaded from anywhere.
    for wrong in ["src=", "href=", "url(", "@import", "http:", "https:"] {
        assert!(!html.contains(wrong), "{wrong}");
    }
    assert!(
        html.contains("<svg") && html.contains("prefers-color-scheme: dark") && html.contains("@media print")
    );
    assert!(!html.contains("tell me"), "no prompt is shown that was not asked for");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&page).unwrap().permissions().mode() & 0o777, 0o600);
    }

    // What is there stays, unless it is said otherwise.
    assert_eq!(here.run(&flags).status.code(), Some(2));
    assert_eq!(std::fs::read_to_string(&page).unwrap(), html);
    let more = [&flags[..], &["--force", "--show-prompts", "--prompts", "2"]].concat();
    assert_eq!(here.run(&more).status.code(), Some(0));
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(html.contains("tell me") && !html.contains("<script"));
    let left = std::fs::read_dir(here.folder.path()).unwrap();
    assert!(
        !left.map(|entry| entry.unwrap().file_name()).any(|name| name.to_string_lossy().contains("partial"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_gets_tables_without_control_characters() {
    let here = Installation::made(FILES[1], false).await;
    here.close().await;
    let output = here.run(&["--user", "ann", "--by", "label,role", "--show-prompts"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("assistant") && text.contains("33.3 %") && text.contains("Most repeated prompts"));
    assert!(!text.contains(['\0', '\u{1b}', '\u{202e}']));
}
