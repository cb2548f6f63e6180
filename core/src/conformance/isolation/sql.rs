//! SQL in every text that a repository takes: it is text, kept and found as such, and nothing runs it.

use std::fmt::Debug;

use futures_util::{StreamExt as _, TryStreamExt as _};
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;

use super::belongings::Belongings;
use super::given::Says;
use super::{INJECTIONS, brings_nothing};
use crate::conformance::{Fixture, permissions};
use crate::id::ConversationId;
use crate::model::conversation::analytics::{
    Dimension, FiguresRequest, GroupChoice, GroupKey, OutcomeRequest,
};
use crate::model::conversation::{
    NewAttackResult, NewEmbedding, NewScenarioResult, NewScore, NewSeed, NewSeedGroup, ScenarioState,
    ScenarioTransition,
};
use crate::model::{ExportFormat, NewApiKey, NewGroup, NewRole, NewUser, PieceSelection, WholeConversation};
use crate::{Cursor, ErrorKind, PageRequest, Result};

/// What a call gave, which must be something, and nothing of the other tenant's.
#[track_caller]
fn taken<T: Debug>(call: &str, sql: &str, outcome: Result<T>) -> T {
    brings_nothing(call, &outcome);
    outcome.unwrap_or_else(|error| panic!("{call} with {sql:?}: {}", error.report()))
}

/// A cursor is text that a client brings: whoever didn't get it from a list is told so.
#[track_caller]
fn refused_cursor<T: Debug>(call: &str, outcome: Result<T>) {
    brings_nothing(call, &outcome);
    assert_eq!(outcome.map(drop).unwrap_err().kind(), ErrorKind::Invalid, "{call}");
}

macro_rules! takes {
    ($sql:expr; $($call:expr),* $(,)?) => { $(taken(stringify!($call), $sql, $call.await);)* };
}

macro_rules! refuses_cursor {
    ($($call:expr),* $(,)?) => { $(refused_cursor(stringify!($call), $call.await);)* };
}

fn page() -> PageRequest {
    PageRequest::first(9).unwrap()
}

pub async fn sql_in_every_text_about_pieces_and_conversations_is_text(fixture: &dyn Fixture) {
    let theirs = Belongings::of_the_other(fixture).await;
    let before = theirs.look().await;
    let area = fixture.conversation();
    let (pieces, conversations, analytics) = (&area.pieces, &area.conversations, &area.analytics);
    for (n, sql) in INJECTIONS.iter().enumerate() {
        let says = Says(sql);
        let id = |which: u128| ConversationId(Uuid::from_u128(((n as u128) << 8) + which));
        let talk = id(1);
        let mine = taken("pieces.append", sql, pieces.append(says.message(talk)).await).pieces.remove(0);
        assert_eq!(mine.converted.value, *sql);
        let whole = WholeConversation { id: id(4), target: Some(says.identifier()), pieces: vec![] };
        let selection = PieceSelection::Pieces(vec![mine.id]);
        takes!(sql;
            pieces.append_all(vec![says.message(id(2))]),
            pieces.append_buffered(says.message(id(3))),
            pieces.flush(),
            conversations.add(&whole),
            conversations.register(id(5), Some(says.identifier())),
            pieces.set_labels(&selection, &says.labels()),
            pieces.set_metadata(&selection, &says.metadata()),
        );
        // Found by each text alone, and by all of them.
        let filter = says.of_pieces();
        let found = taken("pieces.list", sql, pieces.list(&filter, &page()).await).items;
        assert!(found.iter().all(|piece| piece.converted.value == *sql), "{sql:?}: {found:?}");
        for format in [ExportFormat::Csv, ExportFormat::JsonLines] {
            let export = pieces.export(&filter, format).await.unwrap();
            let written: Vec<_> = taken("pieces.export", sql, export.try_collect().await);
            assert!(!String::from_utf8_lossy(&written.concat()).contains(super::MARK));
        }
        let by = || Dimension::LabelNamed(says.text());
        let figures = FiguresRequest {
            filter: filter.clone(),
            by: by(),
            groups: GroupChoice::These(vec![GroupKey::Label { name: says.text(), value: says.text() }]),
            refusal_scorers: vec![says.text()],
        };
        let outcomes = OutcomeRequest { filter: says.of_attacks(), ..OutcomeRequest::by(by()) };
        takes!(sql;
            analytics.groups(&filter, &by(), 9),
            analytics.figures(&figures),
            analytics.outcome_groups(&outcomes, 9),
            analytics.outcomes(&outcomes),
            analytics.longest_prompts(&filter, 9),
            analytics.repeated_prompts(&filter, 9),
        );
        let after = page().after(Cursor::new(*sql));
        refuses_cursor!(
            pieces.list(&filter, &after),
            conversations.list(&after),
            conversations.messages(talk, &after),
        );
        assert_eq!(pieces.find(mine.id).await.unwrap().unwrap().labels, says.labels());
    }
    assert_eq!(theirs.look().await, before);
}

pub async fn sql_in_every_text_of_results_is_text(fixture: &dyn Fixture) {
    let theirs = Belongings::of_the_other(fixture).await;
    let before = theirs.look().await;
    let area = fixture.conversation();
    let (scores, embeddings, seeds) = (&area.scores, &area.embeddings, &area.seeds);
    let (attack_results, scenario_results) = (&area.attack_results, &area.scenario_results);
    for (n, sql) in INJECTIONS.iter().enumerate() {
        let says = Says(sql);
        let talk = ConversationId(Uuid::from_u128((n as u128) + 0xa00));
        let piece = area.pieces.append(says.message(talk)).await.unwrap().pieces[0].id;
        let score = NewScore { id: None, piece: Some(piece), created_at: None, details: says.score() };
        let vector = || NewEmbedding { piece, type_name: says.text(), vector: vec![1.0, 0.0] };
        let seed = || NewSeed::from(says.seed());
        let group = || NewSeedGroup::of([says.seed()]);
        let score = taken("scores.add", sql, scores.add(vec![score]).await).remove(0);
        assert_eq!(score.details, says.score());
        takes!(sql;
            scores.list(&says.of_scores(), &page()),
            embeddings.put(vec![vector()]),
            embeddings.list(Some(*sql), &page()),
            embeddings.most_similar(&[1.0, 0.0], 9, Some(*sql)),
            seeds.add(vec![seed()]),
            seeds.add_groups(vec![group()]),
            seeds.list(&says.of_seeds(), &page()),
            seeds.list_groups(&says.of_seeds(), &page()),
            seeds.replace_dataset(sql, vec![seed()], vec![group()]),
            seeds.remove(&says.of_seeds()),
            seeds.remove_groups(&says.of_seeds()),
        );
        assert_eq!(embeddings.get(piece).await.unwrap().unwrap().type_name, *sql);
        let scenario = NewScenarioResult {
            error_type: Some(says.text()),
            error_message: Some(says.text()),
            ..NewScenarioResult::from(says.scenario())
        };
        let scenario = taken("scenario_results.add", sql, scenario_results.add(scenario).await);
        assert_eq!(scenario.details, says.scenario());
        let to = ScenarioTransition {
            to: ScenarioState::InProgress,
            error_type: Some(says.text()),
            error_message: Some(says.text()),
        };
        let attack = NewAttackResult::of(talk, says.attack());
        let attack = taken("attack_results.add", sql, attack_results.add(vec![attack]).await).remove(0);
        assert_eq!(attack.details, says.attack());
        takes!(sql;
            attack_results.update(&attack),
            attack_results.list(&says.of_attacks(), &page()),
            scenario_results.attribute(scenario.id, &[attack.id], &says.metadata()),
            scenario_results.update(&scenario),
            scenario_results.change_state(scenario.id, &[ScenarioState::Created], to),
            scenario_results.list(&says.of_scenarios(), &page()),
        );
        let after = page().after(Cursor::new(*sql));
        refuses_cursor!(
            scores.list(&says.of_scores(), &after),
            embeddings.list(None, &after),
            seeds.list(&says.of_seeds(), &after),
            seeds.list_groups(&says.of_seeds(), &after),
            attack_results.list(&says.of_attacks(), &after),
            scenario_results.list(&says.of_scenarios(), &after),
        );
    }
    assert_eq!(theirs.look().await, before);
}

pub async fn sql_in_every_text_of_configuration_is_text(fixture: &dyn Fixture) {
    let theirs = Belongings::of_the_other(fixture).await;
    let before = theirs.look().await;
    let configuration = fixture.configuration();
    let (components, datasets) = (&configuration.components, &configuration.datasets);
    for sql in INJECTIONS {
        let says = Says(sql);
        let component = taken("components.create", sql, components.create(says.component()).await);
        let dataset = taken("datasets.create", sql, datasets.create(says.dataset()).await);
        let found = components.find_by_name(component.kind, sql).await;
        assert_eq!(taken("components.find_by_name", sql, found).unwrap().id, component.id);
        let found = taken("datasets.find_by_name", sql, datasets.find_by_name(sql).await);
        assert_eq!(found.unwrap().id, dataset.id);
        let listed = components.list(&says.of_components(), &page()).await;
        let listed = taken("components.list", sql, listed).items;
        assert_eq!(listed.iter().map(|found| found.id).collect::<Vec<_>>(), [component.id]);
        let stream = || futures_util::stream::iter([Ok(says.prompt())]).boxed();
        let prompts = datasets.append_prompts(dataset.id, vec![says.prompt()]).await;
        let prompt = taken("datasets.append_prompts", sql, prompts).remove(0);
        let copy = format!("{sql} copied");
        takes!(sql;
            components.set_status(component.id, sql),
            components.record_test(component.id, says.outcome()),
            datasets.copy(dataset.id, &copy),
            datasets.import_prompts(dataset.id, stream()),
            datasets.replace_prompt(prompt, says.prompt()),
        );
        let component = components.find(component.id).await.unwrap().unwrap();
        let dataset = datasets.find(dataset.id).await.unwrap().unwrap();
        takes!(sql;
            components.update(&says.renamed(component.clone())),
            datasets.update(&says.called_otherwise(dataset.clone())),
        );
        assert_eq!(datasets.find_prompt(prompt).await.unwrap().unwrap().text, *sql);
        let after = page().after(Cursor::new(*sql));
        refuses_cursor!(
            components.list(&says.of_components(), &after),
            datasets.list(&after),
            datasets.prompts(dataset.id, &after),
        );
    }
    assert_eq!(theirs.look().await, before);
}

pub async fn sql_in_every_text_of_identity_and_application_is_text(fixture: &dyn Fixture) {
    let (identity, application) = (fixture.identity(), fixture.application());
    let (users, roles, groups) = (&identity.users, &identity.roles, &identity.groups);
    let (api_keys, sessions, settings) =
        (&application.api_keys, &application.sessions, &application.settings);
    let other = fixture.user(super::MARK).await;
    users.set_password(other.id, &"their password".into()).await.unwrap();
    settings.put(super::MARK, json!(super::MARK)).await.unwrap();
    for sql in INJECTIONS {
        let says = Says(sql);
        let (secret, text) = (SecretString::from(*sql), || Some(says.text()));
        let new = NewUser { name: says.text(), email: text(), display_name: text() };
        let mut user = taken("users.create", sql, users.create(new).await);
        let new = NewRole { description: text(), ..NewRole::named(*sql, permissions(["a:read"])) };
        let role = taken("roles.create", sql, roles.create(new).await);
        let new = NewGroup { name: says.text(), description: text() };
        let group = taken("groups.create", sql, groups.create(new).await);
        assert_eq!(taken("users.find_by_name", sql, users.find_by_name(sql).await).unwrap().id, user.id);
        assert_eq!(taken("roles.find_by_name", sql, roles.find_by_name(sql).await).unwrap().id, role.id);
        assert_eq!(taken("groups.find_by_name", sql, groups.find_by_name(sql).await).unwrap().id, group.id);
        let nobody = users.verify_password(sql, &secret).await;
        assert_eq!(taken("users.verify_password", sql, nobody), None, "it has no password yet");
        assert_eq!(users.verify_password(super::MARK, &secret).await.unwrap(), None);
        takes!(sql;
            users.set_password(user.id, &secret),
            roles.update(&role),
            groups.update(&group),
            api_keys.create(NewApiKey::named(user.id, *sql)),
            settings.put(sql, says.json()),
            settings.get(sql),
            settings.compare_and_set(sql, Some(1), says.json()),
            settings.list(sql, &page()),
        );
        assert_eq!(users.verify_password(sql, &secret).await.unwrap().unwrap().id, user.id);
        user = users.find(user.id).await.unwrap().unwrap();
        user.display_name = Some(format!("{sql} again"));
        takes!(sql; users.update(&user));
        assert_eq!(taken("api_keys.authenticate", sql, api_keys.authenticate(&secret).await), None);
        assert_eq!(taken("sessions.authenticate", sql, sessions.authenticate(&secret).await), None);
        assert!(taken("settings.delete", sql, settings.delete(sql).await));
        let after = page().after(Cursor::new(*sql));
        for refused in [
            users.list(&after).await.map(drop),
            roles.list(&after).await.map(drop),
            groups.list(&after).await.map(drop),
            groups.members_of(group.id, &after).await.map(drop),
        ] {
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::Invalid, "{sql:?}");
        }
        brings_nothing("settings.list", &settings.list("", &after).await.map(drop));
    }
    assert!(users.verify_password(super::MARK, &"their password".into()).await.unwrap().is_some());
    assert_eq!(settings.get(super::MARK).await.unwrap().unwrap().value, json!(super::MARK));
    assert_eq!(
        users.list(&PageRequest::first(100).unwrap()).await.unwrap().items.len(),
        INJECTIONS.len() + 1
    );
}
