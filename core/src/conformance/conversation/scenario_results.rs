use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use super::given::{assert_names, everything, identifier, spoil, talk};
use crate::conformance::at_once::{all, both};
use crate::conformance::{Fixture, is_lost_race, kind, text};
use crate::id::{AttackResultId, ScenarioResultId};
use crate::model::conversation::{
    AttackDetails, AttackOutcome, AttackResult, AttackResultFilter, Identifier, Metadata, NewAttackResult,
    NewScenarioResult, ScenarioDetails, ScenarioProgress, ScenarioResult, ScenarioResultFilter,
    ScenarioState, ScenarioTransition,
};
use crate::repository::AttackResultsExt as _;
use crate::{Clock as _, Conversation, ErrorKind, PageRequest};

use ScenarioState::{Cancelled, Completed, Created, Failed, InProgress};

async fn add(area: &Conversation, details: ScenarioDetails) -> ScenarioResult {
    area.scenario_results.add(details.into()).await.unwrap()
}

async fn named(area: &Conversation, name: &str) -> ScenarioResult {
    add(area, ScenarioDetails::named(name)).await
}

async fn attack(area: &Conversation, outcome: AttackOutcome) -> AttackResult {
    let details = AttackDetails { total_retries: 2, ..AttackDetails::of("a", outcome) };
    area.attack_results.add_one(NewAttackResult::of(talk(1), details)).await.unwrap()
}

async fn found(area: &Conversation, filter: &ScenarioResultFilter) -> Vec<ScenarioResultId> {
    let all = everything(|page| async move { area.scenario_results.list(filter, &page).await }).await;
    all.into_iter().map(|result| result.id).collect()
}

fn texts(all: &[&str]) -> Vec<String> {
    all.iter().map(|one| (*one).to_owned()).collect()
}

fn full(text: &str) -> ScenarioDetails {
    ScenarioDetails {
        description: Some(text.to_owned()),
        scenario_version: -7,
        software_version: Some(text.to_owned()),
        identifier: Some(identifier(text)),
        target: Some(identifier(text)),
        scorer: Some(identifier(text)),
        labels: [(text.to_owned(), text.to_owned()), ("plain".to_owned(), String::new())].into(),
        metadata: [(text.to_owned(), json!({text: [text, 0.5, null]}))].into(),
        display_groups: [(text.to_owned(), text.to_owned())].into(),
        ..ScenarioDetails::named(text)
    }
}

pub async fn a_scenario_result_comes_back_as_it_was_given(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let added = add(&area, full("x")).await;
    assert_eq!((added.state, added.tries, added.version), (Created, 0, 1));
    assert_eq!((added.created_at, added.completed_at), (fixture.clock().now(), None));
    assert_eq!(added.details, full("x"));
    assert_eq!(area.scenario_results.find(added.id).await.unwrap(), Some(added.clone()));
    assert_eq!(area.scenario_results.find(ScenarioResultId(Uuid::max())).await.unwrap(), None);
    let then = fixture.clock().now() - Duration::from_secs(9);
    let new = NewScenarioResult {
        id: Some(ScenarioResultId(Uuid::from_u128(42))),
        state: Failed,
        tries: 3,
        error_type: Some("E".to_owned()),
        error_message: Some("m".to_owned()),
        created_at: Some(then),
        completed_at: Some(then + Duration::from_secs(1)),
        details: ScenarioDetails::named("old"),
    };
    let old = area.scenario_results.add(new.clone()).await.unwrap();
    assert_eq!((old.tries, old.created_at, old.error_message.as_deref()), (3, then, Some("m")));
    assert_eq!(area.scenario_results.find(old.id).await.unwrap(), Some(old));
    assert_eq!(kind(area.scenario_results.add(new).await), ErrorKind::Conflict);
}

pub async fn a_scenario_goes_from_state_to_state(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let id = named(&area, "s").await.id;
    let runs = area.scenario_results.change_state(id, &[Created], InProgress.into()).await.unwrap();
    assert_eq!((runs.state, runs.tries, runs.completed_at), (InProgress, 1, None));
    fixture.clock().advance(Duration::from_secs(1));
    let failure = ScenarioTransition {
        to: Failed,
        error_type: Some("E".to_owned()),
        error_message: Some("in\0side".to_owned()),
    };
    let failed = area.scenario_results.change_state(id, &[Created, InProgress], failure).await.unwrap();
    assert_eq!((failed.state, failed.completed_at), (Failed, Some(fixture.clock().now())));
    assert_eq!(
        (failed.error_type.as_deref(), failed.error_message.as_deref()),
        (Some("E"), Some("in\0side"))
    );
    let again = area.scenario_results.change_state(id, &[Failed], InProgress.into()).await.unwrap();
    assert_eq!((again.tries, again.error_type.clone(), again.error_message.clone()), (2, None, None));
    let done = area.scenario_results.change_state(id, &[InProgress], Completed.into()).await.unwrap();
    assert_eq!((done.state, done.version), (Completed, 5));
    assert_eq!(area.scenario_results.find(id).await.unwrap(), Some(done));
}

pub async fn a_state_that_was_not_expected_is_a_conflict(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let added = named(&area, "s").await;
    let states = area.scenario_results;
    let error = states.change_state(added.id, &[InProgress, Failed], Completed.into()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.report().contains("CREATED"), "{error:?}");
    assert_eq!(kind(states.change_state(added.id, &[], Completed.into()).await), ErrorKind::Invalid);
    let nobody = ScenarioResultId(Uuid::max());
    assert_eq!(kind(states.change_state(nobody, &[Created], Completed.into()).await), ErrorKind::NotFound);
    let unit = fixture.tenant().begin().await.unwrap();
    let within = unit.conversation().unwrap().scenario_results;
    assert_eq!(kind(within.change_state(added.id, &[Failed], Completed.into()).await), ErrorKind::Conflict);
    unit.commit().await.unwrap();
    assert_eq!(states.find(added.id).await.unwrap(), Some(added));
}

pub async fn of_many_that_begin_a_scenario_one_does(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let id = named(&area, "s").await.id;
    let begun =
        all((0..6).map(|_| area.scenario_results.change_state(id, &[Created], InProgress.into()))).await;
    let (won, lost): (Vec<_>, Vec<_>) = begun.into_iter().partition(|outcome| outcome.is_ok());
    assert_eq!(won.len(), 1);
    for error in lost.into_iter().filter_map(Result::err) {
        assert!(is_lost_race(&error), "{error:?}");
    }
    let found = area.scenario_results.find(id).await.unwrap().unwrap();
    assert_eq!((found.state, found.tries), (InProgress, 1));
}

pub async fn an_update_writes_what_a_scenario_is_and_leaves_its_state(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let added = add(&area, full("x")).await;
    let runs = area.scenario_results.change_state(added.id, &[Created], InProgress.into()).await.unwrap();
    let stale = ScenarioResult { details: full("y"), ..added.clone() };
    assert_eq!(kind(area.scenario_results.update(&stale).await), ErrorKind::Conflict);
    let changed = ScenarioResult { state: Cancelled, tries: 9, details: full("y"), ..runs.clone() };
    let updated = area.scenario_results.update(&changed).await.unwrap();
    assert_eq!(updated, ScenarioResult { version: runs.version + 1, details: full("y"), ..runs });
    let labelled = |text: &str| ScenarioResultFilter {
        labels: [(text.to_owned(), texts(&[text]))].into(),
        ..ScenarioResultFilter::default()
    };
    assert!(found(&area, &labelled("x")).await.is_empty());
    assert_eq!(found(&area, &labelled("y")).await, [added.id]);
    let nobody = ScenarioResult { id: ScenarioResultId(Uuid::max()), ..added };
    assert_eq!(kind(area.scenario_results.update(&nobody).await), ErrorKind::NotFound);
}

pub async fn scenario_results_are_found_by_every_filter_alone_and_together(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let start = fixture.clock().now();
    let target = |endpoint: &str, model: &str| {
        let said = [("endpoint".to_owned(), json!(endpoint)), ("model_name".to_owned(), json!(model))];
        Some(Identifier { details: said.into(), ..Identifier::of_class("ChatTarget") })
    };
    let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let a = ScenarioDetails {
        software_version: Some("1.1.0".to_owned()),
        target: target("https://One.example/v1", "GPT-X"),
        scorer: Some(Identifier::of_class("Refusal")),
        labels: [label("team", "red"), label("op", "x")].into(),
        ..ScenarioDetails::named("ContentHarms")
    };
    let a = add(&area, a).await.id;
    fixture.clock().advance(Duration::from_micros(1));
    let b = ScenarioDetails {
        scenario_version: 2,
        target: target("https://two.example/v1", "gpt-y"),
        labels: [label("team", "red"), label("op", "y")].into(),
        ..ScenarioDetails::named("Foundry")
    };
    let b = add(&area, b).await.id;
    area.scenario_results.change_state(b, &[Created], Completed.into()).await.unwrap();
    let any = ScenarioResultFilter::default;
    let one = |text: &str| Some(texts(&[text]));
    let text = |text: &str| Some(text.to_owned());
    let micros = |n| Some(start + Duration::from_micros(n));
    let wanted: Vec<(ScenarioResultFilter, Vec<ScenarioResultId>)> = vec![
        (any(), vec![a, b]),
        (ScenarioResultFilter { ids: Some(vec![b]), ..any() }, vec![b]),
        (ScenarioResultFilter { names: one("ContentHarms"), ..any() }, vec![a]),
        (ScenarioResultFilter { name_contains: text("Harm"), ..any() }, vec![a]),
        (ScenarioResultFilter { scenario_versions: Some(vec![2, 3]), ..any() }, vec![b]),
        (ScenarioResultFilter { software_versions: one("1.1.0"), ..any() }, vec![a]),
        (ScenarioResultFilter { states: Some(vec![Completed, Failed]), ..any() }, vec![b]),
        (ScenarioResultFilter { labels: [("team".to_owned(), texts(&["red"]))].into(), ..any() }, vec![a, b]),
        (ScenarioResultFilter { labels: [("op".to_owned(), texts(&["y", "z"]))].into(), ..any() }, vec![b]),
        (ScenarioResultFilter { target_classes: one("ChatTarget"), ..any() }, vec![a, b]),
        (ScenarioResultFilter { target_endpoint_contains: text("ONE.example"), ..any() }, vec![a]),
        (ScenarioResultFilter { target_endpoint_contains: text("%"), ..any() }, vec![]),
        (ScenarioResultFilter { target_model_contains: text("gpt"), ..any() }, vec![a, b]),
        (ScenarioResultFilter { scorer_classes: one("Refusal"), ..any() }, vec![a]),
        (ScenarioResultFilter { created_from: micros(1), ..any() }, vec![b]),
        (ScenarioResultFilter { created_before: micros(1), ..any() }, vec![a]),
        (ScenarioResultFilter { completed_from: micros(1), ..any() }, vec![b]),
        (ScenarioResultFilter { completed_before: micros(1), ..any() }, vec![]),
        (ScenarioResultFilter { states: Some(vec![Completed]), names: one("Foundry"), ..any() }, vec![b]),
        (ScenarioResultFilter { states: Some(vec![Completed]), names: one("ContentHarms"), ..any() }, vec![]),
        (ScenarioResultFilter { ids: Some(vec![]), ..any() }, vec![]),
    ];
    for (filter, ids) in wanted {
        assert_eq!(found(&area, &filter).await, ids, "{filter:?}");
    }
    assert_eq!(area.scenario_results.names().await.unwrap(), ["ContentHarms", "Foundry"]);
    let labels = area.scenario_results.labels().await.unwrap();
    assert_eq!(labels["op"].iter().collect::<Vec<_>>(), ["x", "y"]);
}

pub async fn attacks_are_a_scenario_s_and_tell_how_far_it_is(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let id = named(&area, "s").await.id;
    assert_eq!(area.scenario_results.progress(id).await.unwrap(), ScenarioProgress::default());
    let won = attack(&area, AttackOutcome::Success).await;
    fixture.clock().advance(Duration::from_secs(1));
    let lost = attack(&area, AttackOutcome::Failure).await;
    attack(&area, AttackOutcome::Error).await;
    let attribution: Metadata = [("parent_collection".to_owned(), json!("base64"))].into();
    area.scenario_results.attribute(id, &[won.id, lost.id], &attribution).await.unwrap();
    area.scenario_results.attribute(id, &[lost.id], &attribution).await.unwrap();
    let read = area.attack_results.find(won.id).await.unwrap().unwrap();
    assert_eq!((read.scenario, read.details.atomic_attack(), read.version), (Some(id), Some("base64"), 2));
    let progress = area.scenario_results.progress(id).await.unwrap();
    assert_eq!((progress.results, progress.total_retries), (2, 4));
    assert_eq!(progress.latest_at, Some(lost.created_at));
    assert_eq!(progress.by_outcome, [(AttackOutcome::Success, 1), (AttackOutcome::Failure, 1)].into());
    // An update leaves the scenario.
    let updated = area.attack_results.update(&AttackResult { scenario: None, ..read }).await.unwrap();
    assert_eq!(updated.scenario, Some(id));
}

pub async fn an_attack_is_one_scenario_s(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let (mine, other) = (named(&area, "mine").await.id, named(&area, "other").await.id);
    let (first, second) =
        (attack(&area, AttackOutcome::Success).await.id, attack(&area, AttackOutcome::Error).await.id);
    let none = Metadata::new();
    area.scenario_results.attribute(mine, &[first], &none).await.unwrap();
    let taken = area.scenario_results.attribute(other, &[second, first], &none).await;
    assert_eq!(kind(taken), ErrorKind::Conflict);
    let missing = [second, AttackResultId(Uuid::max())];
    assert_eq!(kind(area.scenario_results.attribute(other, &missing, &none).await), ErrorKind::NotFound);
    let nowhere = ScenarioResultId(Uuid::max());
    assert_eq!(kind(area.scenario_results.attribute(nowhere, &[second], &none).await), ErrorKind::NotFound);
    assert_eq!(area.attack_results.find(second).await.unwrap().unwrap().scenario, None);
}

pub async fn a_deleted_scenario_leaves_its_attacks_to_nobody(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let scenario = add(&area, full("x")).await.id;
    let result = attack(&area, AttackOutcome::Success).await.id;
    let attribution: Metadata = [("parent_collection".to_owned(), json!("base64"))].into();
    area.scenario_results.attribute(scenario, &[result], &attribution).await.unwrap();
    assert!(area.scenario_results.delete(scenario).await.unwrap());
    assert!(!area.scenario_results.delete(scenario).await.unwrap());
    let left = area.attack_results.find(result).await.unwrap().unwrap();
    assert_eq!((left.scenario, left.details.atomic_attack()), (None, Some("base64")));
    assert!(area.scenario_results.labels().await.unwrap().is_empty());
    assert!(area.scenario_results.names().await.unwrap().is_empty());
}

pub async fn no_attack_is_a_scenario_s_that_is_deleted_meanwhile(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    for _ in 0..5 {
        let scenario = named(&area, "s").await.id;
        let details = AttackDetails::of("a", AttackOutcome::Success);
        let new = NewAttackResult { scenario: Some(scenario), ..NewAttackResult::of(talk(1), details) };
        let (added, deleted) =
            both(area.attack_results.add_one(new), area.scenario_results.delete(scenario)).await;
        if let Err(error) = added {
            assert!(error.kind() == ErrorKind::NotFound || is_lost_race(&error), "{error:?}");
        }
        if deleted.is_err() {
            area.scenario_results.delete(scenario).await.unwrap();
        }
    }
    let filter = AttackResultFilter { in_a_scenario: Some(true), ..AttackResultFilter::default() };
    let page = PageRequest::first(9).unwrap();
    assert!(area.attack_results.list(&filter, &page).await.unwrap().items.is_empty());
}

pub async fn hostile_text_survives_in_every_field_of_a_scenario_result(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    for hostile in text::HOSTILE {
        let id = add(&area, full(hostile)).await.id;
        assert_eq!(area.scenario_results.find(id).await.unwrap().unwrap().details, full(hostile));
        let one = || Some(texts(&[hostile]));
        let any = ScenarioResultFilter::default;
        for filter in [
            ScenarioResultFilter { names: one(), ..any() },
            ScenarioResultFilter { software_versions: one(), ..any() },
            ScenarioResultFilter { target_classes: one(), ..any() },
            ScenarioResultFilter { scorer_classes: one(), ..any() },
            ScenarioResultFilter { labels: [((*hostile).to_owned(), texts(&[hostile]))].into(), ..any() },
        ] {
            assert_eq!(found(&area, &filter).await, [id], "{filter:?}");
        }
    }
}

pub async fn a_tenant_s_scenario_results_are_nobody_else_s(fixture: &dyn Fixture) {
    let (mine, theirs) = (fixture.conversation(), fixture.other_tenant().conversation().unwrap());
    let added = add(&mine, full("x")).await;
    let id = added.id;
    let states = &theirs.scenario_results;
    assert_eq!(states.find(id).await.unwrap(), None);
    assert!(found(&theirs, &ScenarioResultFilter::default()).await.is_empty());
    assert_eq!(kind(states.update(&added).await), ErrorKind::NotFound);
    assert_eq!(kind(states.change_state(id, &[Created], Completed.into()).await), ErrorKind::NotFound);
    assert_eq!(kind(states.attribute(id, &[], &Metadata::new()).await), ErrorKind::NotFound);
    assert_eq!(states.progress(id).await.unwrap(), ScenarioProgress::default());
    assert!(!states.delete(id).await.unwrap());
    assert!(states.names().await.unwrap().is_empty() && states.labels().await.unwrap().is_empty());
    assert_eq!(mine.scenario_results.find(id).await.unwrap(), Some(added));
}

pub async fn a_scenario_result_that_can_t_be_read_is_an_error_that_names_it(fixture: &dyn Fixture) {
    let area = fixture.conversation();
    let id = named(&area, "s").await.id;
    for (column, wrong, right) in
        [("state", "'Created'", "'CREATED'"), ("tries", "-1", "0"), ("display_groups", "'[]'", "'{}'")]
    {
        spoil(fixture, &format!("UPDATE scenario_result SET {column} = {wrong}")).await;
        let page = PageRequest::first(9).unwrap();
        let outcome = area.scenario_results.list(&ScenarioResultFilter::default(), &page).await;
        assert_names(outcome, "scenario_result", column, id.0);
        spoil(fixture, &format!("UPDATE scenario_result SET {column} = {right}")).await;
    }
    assert!(area.scenario_results.find(id).await.unwrap().is_some());
}

pub async fn everything_of_a_tenant_goes_with_its_area(fixture: &dyn Fixture) {
    let (area, theirs) = (fixture.conversation(), fixture.other_tenant().conversation().unwrap());
    for area in [&area, &theirs] {
        add(area, full("x")).await;
        attack(area, AttackOutcome::Success).await;
    }
    area.conversations.delete_everything().await.unwrap();
    assert!(found(&area, &ScenarioResultFilter::default()).await.is_empty());
    assert!(area.attack_results.labels().await.unwrap().is_empty());
    assert_eq!(found(&theirs, &ScenarioResultFilter::default()).await.len(), 1);
}
