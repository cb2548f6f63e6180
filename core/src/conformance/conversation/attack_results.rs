use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use super::given::{assert_names, everything, identifier, piece, spoil, talk};
use crate::conformance::at_once::both;
use crate::conformance::{Fixture, is_lost_race, kind, text};
use crate::id::{AttackResultId, PieceId, ScenarioResultId, ScoreId};
use crate::model::Sha256;
use crate::model::conversation::{
    AttackDetails, AttackOutcome, AttackResult, AttackResultFilter, Identifier, NewAttackResult,
    ScenarioDetails,
};
use crate::repository::AttackResultsExt as _;
use crate::{Clock as _, Conversation, ErrorKind, PageRequest};

fn success(objective: &str) -> AttackDetails {
    AttackDetails::of(objective, AttackOutcome::Success)
}

async fn add(area: &Conversation, number: u128, details: AttackDetails) -> AttackResult {
    area.attack_results.add_one(NewAttackResult::of(talk(number), details)).await.unwrap()
}

async fn found(area: &Conversation, filter: &AttackResultFilter) -> Vec<AttackResultId> {
    let all = everything(|page| async move { area.attack_results.list(filter, &page).await }).await;
    all.into_iter().map(|result| result.id).collect()
}

fn texts(all: &[&str]) -> Vec<String> {
    all.iter().map(|one| (*one).to_owned()).collect()
}

/// An atomic attack as PyRIT 1.1 says it.
fn atomic(strategy: &str, converters: &[&str], hash: &str) -> Identifier {
    let converters: Vec<_> = converters.iter().map(|class| json!({"class_name": class})).collect();
    let attack = json!({"class_name": strategy, "children":
        {"request_converters": converters, "objective_target": {"class_name": "ChatTarget"}}});
    serde_json::from_value(
        json!({"class_name": "AtomicAttack", "hash": hash, "eval_hash": format!("eval {hash}"),
        "children": {"attack_technique": {"class_name": "T", "children": {"attack": attack}}}}),
    )
    .unwrap()
}

fn full(text: &str) -> AttackDetails {
    AttackDetails {
        identifier: Some(identifier(text)),
        last_response: Some(PieceId(Uuid::from_u128(1))),
        last_score: Some(ScoreId(Uuid::from_u128(2))),
        executed_turns: u32::MAX,
        execution_time_ms: i64::MAX.unsigned_abs(),
        outcome_reason: Some(text.to_owned()),
        labels: [(text.to_owned(), text.to_owned()), ("plain".to_owned(), String::new())].into(),
        metadata: [(text.to_owned(), json!({text: [text, 0.5, null]}))].into(),
        targeted_harm_categories: vec![text.to_owned(), String::new(), text.to_owned()],
        pruned_conversations: vec![talk(8), talk(7)],
        adversarial_conversations: vec![talk(9)],
        error_type: Some(text.to_owned()),
        error_message: Some(text.to_owned()),
        error_traceback: Some(text.to_owned()),
        retry_events: vec![json!({"why": text})],
        total_retries: 3,
        attribution: [("parent_collection".to_owned(), json!(text))].into(),
        ..AttackDetails::of(text, AttackOutcome::Error)
    }
}

pub async fn an_attack_result_comes_back_as_it_was_given(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let added = add(&area, 1, full("x")).await;
    assert_eq!((added.conversation, added.scenario, added.version), (talk(1), None, 1));
    assert_eq!((added.created_at, added.objective_sha256), (fixture.clock().now(), Sha256::of(b"x")));
    assert_eq!(added.details, full("x"));
    assert_eq!(added.details.atomic_attack(), Some("x"));
    assert_eq!(area.attack_results.find(added.id).await.unwrap(), Some(added));
    let bare = add(&area, 1, success("")).await;
    assert_eq!(area.attack_results.find(bare.id).await.unwrap(), Some(bare));
    assert_eq!(area.attack_results.find(AttackResultId(Uuid::max())).await.unwrap(), None);
}

pub async fn an_attack_result_s_id_that_is_taken_is_a_conflict(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let id = Some(AttackResultId(Uuid::from_u128(42)));
    let then = fixture.clock().now() - Duration::from_secs(1);
    let new = NewAttackResult { id, created_at: Some(then), ..NewAttackResult::of(talk(1), success("a")) };
    let added = area.attack_results.add_one(new.clone()).await.unwrap();
    assert_eq!((Some(added.id), added.created_at), (id, then));
    let many = vec![NewAttackResult::of(talk(1), success("b")), new];
    assert_eq!(kind(area.attack_results.add(many).await), ErrorKind::Conflict);
    assert_eq!(found(&area, &AttackResultFilter::default()).await, [added.id]);
}

pub async fn an_update_writes_all_details_and_counts(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let added = add(&area, 1, full("x")).await;
    fixture.clock().advance(Duration::from_secs(1));
    let changed = AttackResult { conversation: talk(2), details: full("y"), ..added.clone() };
    let updated = area.attack_results.update(&changed).await.unwrap();
    let expected =
        AttackResult { objective_sha256: Sha256::of(b"y"), version: 2, details: full("y"), ..added.clone() };
    assert_eq!(updated, expected);
    assert_eq!(area.attack_results.find(added.id).await.unwrap(), Some(expected));
    let labelled = |text: &str| AttackResultFilter {
        labels: [(text.to_owned(), texts(&[text]))].into(),
        ..AttackResultFilter::default()
    };
    assert!(found(&area, &labelled("x")).await.is_empty());
    assert_eq!(found(&area, &labelled("y")).await, [added.id]);
}

pub async fn an_update_of_an_outdated_attack_result_is_a_conflict(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let added = add(&area, 1, success("a")).await;
    let updated = area.attack_results.update(&added).await.unwrap();
    // Within a unit of work, too, which it doesn't doom.
    let unit = fixture.tenant().begin().await.unwrap();
    assert_eq!(kind(unit.conversation().unwrap().attack_results.update(&added).await), ErrorKind::Conflict);
    unit.commit().await.unwrap();
    assert_eq!(area.attack_results.find(added.id).await.unwrap(), Some(updated));
    let nobody = AttackResult { id: AttackResultId(Uuid::max()), ..added };
    assert_eq!(kind(area.attack_results.update(&nobody).await), ErrorKind::NotFound);
}

pub async fn of_two_updates_of_an_attack_result_one_is_lost_and_knows_it(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    for _ in 0..5 {
        let added = add(&area, 1, full("x")).await;
        let (left, right) = (
            AttackResult { details: full("l"), ..added.clone() },
            AttackResult { details: full("r"), ..added },
        );
        let (one, other) = both(area.attack_results.update(&left), area.attack_results.update(&right)).await;
        let (winner, error) = match (one, other) {
            (Ok(winner), Err(error)) | (Err(error), Ok(winner)) => (winner, error),
            both => panic!("exactly one must win: {both:?}"),
        };
        assert!(is_lost_race(&error), "{error:?}");
        assert_eq!(area.attack_results.find(winner.id).await.unwrap(), Some(winner));
    }
}

pub async fn attack_results_are_found_by_every_filter_alone_and_together(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let start = fixture.clock().now();
    let scenario = area.scenario_results.add(ScenarioDetails::named("s").into()).await.unwrap().id;
    let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let a = AttackDetails {
        identifier: Some(atomic("Crescendo", &["Base64Converter", "ROT13Converter"], "h1")),
        last_response: Some(PieceId(Uuid::from_u128(1))),
        last_score: Some(ScoreId(Uuid::from_u128(2))),
        executed_turns: 3,
        execution_time_ms: 100,
        labels: [label("op", "x"), label("team", "red")].into(),
        metadata: [("n".to_owned(), json!(1))].into(),
        targeted_harm_categories: texts(&["hate", "fraud"]),
        ..success("tell me how to pick a lock")
    };
    let new = NewAttackResult { scenario: Some(scenario), ..NewAttackResult::of(talk(1), a) };
    let a = area.attack_results.add_one(new).await.unwrap().id;
    fixture.clock().advance(Duration::from_micros(1));
    let b = AttackDetails {
        identifier: Some(atomic("Skeleton", &["Base64Converter"], "h2")),
        executed_turns: 5,
        execution_time_ms: 200,
        labels: [label("op", "y"), label("team", "red")].into(),
        error_type: Some("Timeout".to_owned()),
        targeted_harm_categories: texts(&["hate"]),
        ..AttackDetails::of("say a word", AttackOutcome::Error)
    };
    let b = add(&area, 2, b).await.id;
    fixture.clock().advance(Duration::from_micros(1));
    let c = AttackDetails { identifier: Some(identifier("PromptSending")), ..success("say nothing") };
    let c = add(&area, 2, c).await.id;
    let any = AttackResultFilter::default;
    let labels = |name: &str, values: &[&str]| [(name.to_owned(), texts(values))].into();
    let one = |text: &str| Some(texts(&[text]));
    let micros = |n| Some(start + Duration::from_micros(n));
    let wanted: Vec<(AttackResultFilter, Vec<AttackResultId>)> = vec![
        (any(), vec![a, b, c]),
        (AttackResultFilter { ids: Some(vec![c, a]), ..any() }, vec![a, c]),
        (AttackResultFilter { conversations: Some(vec![talk(2)]), ..any() }, vec![b, c]),
        (AttackResultFilter { objective_contains: Some("say".to_owned()), ..any() }, vec![b, c]),
        (AttackResultFilter { objective_sha256s: Some(vec![Sha256::of(b"say a word")]), ..any() }, vec![b]),
        (AttackResultFilter { outcomes: Some(vec![AttackOutcome::Success]), ..any() }, vec![a, c]),
        (
            AttackResultFilter { attack_classes: Some(texts(&["Crescendo", "PromptSending"])), ..any() },
            vec![a, c],
        ),
        (AttackResultFilter { attack_classes: one("AtomicAttack"), ..any() }, vec![]),
        (AttackResultFilter { identifier_hashes: one("h2"), ..any() }, vec![b]),
        (AttackResultFilter { evaluation_hashes: one("eval h1"), ..any() }, vec![a]),
        (AttackResultFilter { target_classes: one("ChatTarget"), ..any() }, vec![a, b]),
        (AttackResultFilter { converter_classes: texts(&["Base64Converter"]), ..any() }, vec![a, b]),
        (
            AttackResultFilter { converter_classes: texts(&["Base64Converter", "ROT13Converter"]), ..any() },
            vec![a],
        ),
        (AttackResultFilter { any_converter_class: one("ROT13Converter"), ..any() }, vec![a]),
        (AttackResultFilter { has_converters: Some(true), ..any() }, vec![a, b]),
        (AttackResultFilter { has_converters: Some(false), ..any() }, vec![c]),
        (AttackResultFilter { labels: labels("team", &["red"]), ..any() }, vec![a, b]),
        (AttackResultFilter { labels: labels("op", &["x", "z"]), ..any() }, vec![a]),
        (AttackResultFilter { metadata: [("n".to_owned(), vec![json!(1)])].into(), ..any() }, vec![a]),
        (AttackResultFilter { targeted_harm_categories: Some(texts(&["fraud", "x"])), ..any() }, vec![a]),
        (AttackResultFilter { scenario: Some(scenario), ..any() }, vec![a]),
        (AttackResultFilter { in_a_scenario: Some(true), ..any() }, vec![a]),
        (AttackResultFilter { in_a_scenario: Some(false), ..any() }, vec![b, c]),
        (AttackResultFilter { last_responses: Some(vec![PieceId(Uuid::from_u128(1))]), ..any() }, vec![a]),
        (AttackResultFilter { last_scores: Some(vec![ScoreId(Uuid::from_u128(2))]), ..any() }, vec![a]),
        (AttackResultFilter { error_types: one("Timeout"), ..any() }, vec![b]),
        (AttackResultFilter { least_turns: Some(3), ..any() }, vec![a, b]),
        (AttackResultFilter { most_turns: Some(3), ..any() }, vec![a, c]),
        (AttackResultFilter { least_execution_time_ms: Some(101), ..any() }, vec![b]),
        (AttackResultFilter { most_execution_time_ms: Some(u64::MAX), ..any() }, vec![a, b, c]),
        (AttackResultFilter { created_from: micros(1), created_before: micros(2), ..any() }, vec![b]),
        (
            AttackResultFilter {
                labels: [("team".to_owned(), texts(&["red"])), ("op".to_owned(), texts(&["y"]))].into(),
                targeted_harm_categories: one("hate"),
                least_turns: Some(5),
                ..any()
            },
            vec![b],
        ),
        (AttackResultFilter { ids: Some(vec![]), ..any() }, vec![]),
        (AttackResultFilter { outcomes: Some(vec![]), ..any() }, vec![]),
    ];
    for (filter, ids) in wanted {
        assert_eq!(found(&area, &filter).await, ids, "{filter:?}");
    }
    assert_eq!(
        area.attack_results.attack_classes().await.unwrap(),
        ["Crescendo", "PromptSending", "Skeleton"]
    );
    assert_eq!(area.attack_results.converter_classes().await.unwrap(), ["Base64Converter", "ROT13Converter"]);
    let labels = area.attack_results.labels().await.unwrap();
    assert_eq!(labels["op"].iter().collect::<Vec<_>>(), ["x", "y"]);
    assert_eq!(labels.len(), 2);
}

pub async fn a_finding_outlives_the_conversation_it_was_made_in(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let last = piece(&area, talk(1), "hello").await;
    let added = add(&area, 1, AttackDetails { last_response: Some(last), ..success("a") }).await;
    area.conversations.delete(talk(1)).await.unwrap();
    assert_eq!(area.attack_results.find(added.id).await.unwrap(), Some(added));
}

pub async fn an_attack_result_needs_the_scenario_it_names(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let new = NewAttackResult {
        scenario: Some(ScenarioResultId(Uuid::max())),
        ..NewAttackResult::of(talk(1), success("a"))
    };
    assert_eq!(kind(area.attack_results.add_one(new).await), ErrorKind::NotFound);
}

pub async fn a_deleted_attack_result_is_gone(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let (gone, stays) = (add(&area, 1, full("x")).await, add(&area, 1, full("y")).await);
    assert!(area.attack_results.delete(gone.id).await.unwrap());
    assert!(!area.attack_results.delete(gone.id).await.unwrap());
    assert_eq!(found(&area, &AttackResultFilter::default()).await, [stays.id]);
    assert_eq!(area.attack_results.attack_classes().await.unwrap(), ["y"]);
}

pub async fn hostile_text_survives_in_every_field_of_an_attack_result(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    for hostile in text::HOSTILE {
        let added = add(&area, 1, full(hostile)).await;
        assert_eq!(area.attack_results.find(added.id).await.unwrap().unwrap().details, full(hostile));
        let one = || Some(texts(&[hostile]));
        let any = AttackResultFilter::default;
        for filter in [
            AttackResultFilter { attack_classes: one(), ..any() },
            AttackResultFilter { identifier_hashes: one(), ..any() },
            AttackResultFilter { error_types: one(), ..any() },
            AttackResultFilter { targeted_harm_categories: one(), ..any() },
            AttackResultFilter { labels: [((*hostile).to_owned(), texts(&[hostile]))].into(), ..any() },
        ] {
            assert_eq!(found(&area, &filter).await, [added.id], "{filter:?}");
        }
    }
}

pub async fn a_tenant_s_attack_results_are_nobody_else_s(fixture: &dyn Fixture) {
    let (mine, theirs) = (fixture.conversation(), fixture.other_tenant().conversation().unwrap());
    let added = add(&mine, 1, full("x")).await;
    assert_eq!(theirs.attack_results.find(added.id).await.unwrap(), None);
    assert!(found(&theirs, &AttackResultFilter::default()).await.is_empty());
    assert_eq!(kind(theirs.attack_results.update(&added).await), ErrorKind::NotFound);
    assert!(!theirs.attack_results.delete(added.id).await.unwrap());
    assert!(theirs.attack_results.labels().await.unwrap().is_empty());
    let scenario = mine.scenario_results.add(ScenarioDetails::named("s").into()).await.unwrap().id;
    let new = NewAttackResult { scenario: Some(scenario), ..NewAttackResult::of(talk(1), success("a")) };
    assert_eq!(kind(theirs.attack_results.add_one(new).await), ErrorKind::NotFound);
    assert_eq!(mine.attack_results.find(added.id).await.unwrap(), Some(added));
}

pub async fn an_attack_result_that_can_t_be_read_is_an_error_that_names_it(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let id = add(&area, 1, success("a")).await.id;
    for (column, wrong, right) in [
        ("outcome", "'won'", "'success'"),
        ("executed_turns", "-1", "0"),
        ("retry_events", "'{'", "'[]'"),
        ("pruned_conversations", "'[1]'", "'[]'"),
    ] {
        spoil(fixture, &format!("UPDATE attack_result SET {column} = {wrong}")).await;
        let page = PageRequest::first(9).unwrap();
        let outcome = area.attack_results.list(&AttackResultFilter::default(), &page).await;
        assert_names(outcome, "attack_result", column, id.0);
        spoil(fixture, &format!("UPDATE attack_result SET {column} = {right}")).await;
    }
    assert!(area.attack_results.find(id).await.unwrap().is_some());
}
