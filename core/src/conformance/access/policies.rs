use std::sync::Arc;

use futures_util::StreamExt as _;
use serde_json::json;

use crate::access::{ActingStore, Action, Actor, Policy, RolePolicy};
use crate::conformance::{Fixture, kind, permission, permissions};
use crate::id::{
    ApiKeyId, ConversationId, GroupId, PieceId, RoleId, ScoreId, SeedGroupId, SeedId, SessionId, UserId,
};
use crate::model::conversation::analytics::{Dimension, FiguresRequest, OutcomeRequest};
use crate::model::conversation::{
    AttackDetails, AttackOutcome, AttackResultFilter, Metadata, NewAttackResult, NewScenarioResult, NewScore,
    NewSeed, NewSeedGroup, ScenarioDetails, ScenarioResultFilter, ScenarioState, ScoreDetails, ScoreFilter,
    ScoreType, SeedDetails, SeedFilter,
};
use crate::model::{
    ChatRole, ComponentFilter, ComponentKind, ExportFormat, NewApiKey, NewComponent, NewDataset,
    NewDatasetPrompt, NewGroup, NewMessage, NewRole, NewSession, NewUser, Parameters, PieceFilter,
    PieceSelection, PromptPlace, TestOutcome, WholeConversation,
};
use crate::{ErrorKind, PageRequest, Store as _};

#[derive(Debug)]
struct PermitNothing;

impl Policy for PermitNothing {
    fn permits(&self, _actor: &Actor, _action: &Action<'_>) -> bool {
        false
    }
}

fn acting(fixture: &dyn Fixture, actor: Actor, policy: impl Policy + 'static) -> ActingStore {
    ActingStore::new(fixture.store(), actor, Arc::new(policy))
}

/// Asserts that each of the calls is forbidden.
macro_rules! forbidden {
    ($($call:expr),* $(,)?) => { $(assert_eq!(kind($call.await), ErrorKind::Forbidden, "{}", stringify!($call));)* };
}

pub async fn every_call_of_identity_is_asked_before_anything_is_touched(fixture: &dyn Fixture) {
    let ann = fixture.user("ann").await;
    let identity = acting(fixture, Actor::System, PermitNothing).identity().unwrap();
    let (users, roles) = (&identity.users, &identity.roles);
    let (groups, assignments) = (&identity.groups, &identity.assignments);
    let page = PageRequest::first(1).unwrap();
    let (role, group) = (RoleId(ann.id.0), GroupId(ann.id.0));
    let role_model = fixture.identity().roles.create(NewRole::named("r", [])).await.unwrap();
    let group_model = fixture.identity().groups.create(NewGroup::named("g")).await.unwrap();
    forbidden!(
        users.create(NewUser::named("eve")),
        users.find(ann.id),
        users.find_by_name("ann"),
        users.update(&ann),
        users.enable(ann.id),
        users.disable(ann.id),
        users.delete(ann.id),
        users.list(&page),
        users.set_password(ann.id, &"x".into()),
        users.verify_password("ann", &"x".into()),
        roles.create(NewRole::named("x", [])),
        roles.find(role),
        roles.find_by_name("r"),
        roles.update(&role_model),
        roles.delete(role_model.id),
        roles.list(&page),
        groups.create(NewGroup::named("x")),
        groups.find(group),
        groups.find_by_name("g"),
        groups.update(&group_model),
        groups.delete(group_model.id),
        groups.list(&page),
        groups.add_member(group_model.id, ann.id),
        groups.remove_member(group_model.id, ann.id),
        groups.members_of(group_model.id, &page),
        groups.groups_of(ann.id),
        assignments.assign(role_model.id, ann.id.into()),
        assignments.unassign(role_model.id, ann.id.into()),
        assignments.roles_of(ann.id.into()),
        assignments.permissions_of(ann.id),
        assignments.is_permitted(ann.id, &permission("a")),
    );
    assert_eq!(fixture.identity().users.find(ann.id).await.unwrap(), Some(ann.clone()));
    assert_eq!(fixture.identity().users.find_by_name("eve").await.unwrap(), None);
    assert_eq!(fixture.identity().roles.find(role_model.id).await.unwrap(), Some(role_model));
    assert_eq!(fixture.identity().groups.find(group_model.id).await.unwrap(), Some(group_model));
    assert_eq!(fixture.identity().groups.groups_of(ann.id).await.unwrap(), []);
}

pub async fn every_call_of_application_is_asked_before_anything_is_touched(fixture: &dyn Fixture) {
    let owner = UserId(uuid::Uuid::from_u128(1));
    let key = fixture.application().api_keys.create(NewApiKey::named(owner, "k")).await.unwrap();
    let session = fixture.application().sessions.create(NewSession::of(owner)).await.unwrap();
    let setting = fixture.application().settings.put("s", json!(1)).await.unwrap();
    let application = acting(fixture, Actor::System, PermitNothing).application().unwrap();
    let (keys, sessions, settings) = (&application.api_keys, &application.sessions, &application.settings);
    let page = PageRequest::first(1).unwrap();
    let (key_id, session_id): (ApiKeyId, SessionId) = (key.key.id, session.session.id);
    forbidden!(
        keys.create(NewApiKey::named(owner, "x")),
        keys.authenticate(&key.secret),
        keys.find(key_id),
        keys.list_of(owner),
        keys.rotate(key_id),
        keys.revoke(key_id),
        keys.revoke_all(owner),
        keys.delete(key_id),
        sessions.create(NewSession::of(owner)),
        sessions.authenticate(&session.token),
        sessions.find(session_id),
        sessions.list_of(owner),
        sessions.revoke(session_id),
        sessions.revoke_all(owner),
        sessions.purge(),
        settings.get("s"),
        settings.put("s", json!(2)),
        settings.compare_and_set("s", Some(1), json!(2)),
        settings.delete("s"),
        settings.list("", &page),
    );
    assert_eq!(fixture.application().api_keys.list_of(owner).await.unwrap(), [key.key]);
    assert_eq!(fixture.application().sessions.list_of(owner).await.unwrap(), [session.session]);
    assert_eq!(fixture.application().settings.get("s").await.unwrap(), Some(setting));
}

pub async fn every_call_about_pieces_and_conversations_is_asked_before_anything_is_touched(
    fixture: &dyn Fixture,
) {
    let store = ActingStore::new(fixture.tenant(), Actor::System, Arc::new(PermitNothing));
    let area = store.conversation().unwrap();
    let (pieces, conversations) = (&area.pieces, &area.conversations);
    let permitted = fixture.conversation();
    let id = ConversationId(uuid::Uuid::nil());
    let message = || NewMessage::text(id, ChatRole::Assistant, "x");
    let said = permitted.pieces.append(message()).await.unwrap();
    let piece = said.pieces[0].id;
    let page = PageRequest::first(9).unwrap();
    let (all, selection) = (PieceFilter::default(), PieceSelection::Conversation(id));
    let whole = WholeConversation { id: ConversationId(uuid::Uuid::max()), target: None, pieces: Vec::new() };
    // The stream itself can't be shown.
    let export = async { pieces.export(&all, ExportFormat::Csv).await.map(drop) };
    forbidden!(
        pieces.append(message()),
        pieces.append_all(vec![message()]),
        pieces.append_buffered(message()),
        pieces.flush(),
        pieces.find(piece),
        pieces.list(&all, &page),
        pieces.request_of(piece),
        pieces.set_labels(&selection, &Default::default()),
        pieces.set_metadata(&selection, &Default::default()),
        pieces.delete(&[piece]),
        export,
        conversations.find(id),
        conversations.list(&page),
        conversations.register(whole.id, None),
        conversations.add(&whole),
        conversations.messages(id, &page),
        conversations.duplicate(id),
        conversations.duplicate_without_last_turn(id),
        conversations.delete_after(id, -1),
        conversations.delete(id),
        conversations.delete_everything(),
        conversations.statistics(&[id]),
        conversations.labels(),
        conversations.converter_classes(),
        conversations.attack_classes(),
    );
    assert_eq!(permitted.conversations.messages(id, &page).await.unwrap().items, [said]);
    assert_eq!(permitted.conversations.list(&page).await.unwrap().items.len(), 1);
}

pub async fn every_call_about_results_is_asked_before_anything_is_touched(fixture: &dyn Fixture) {
    let store = ActingStore::new(fixture.tenant(), Actor::System, Arc::new(PermitNothing));
    let area = store.conversation().unwrap();
    let permitted = fixture.conversation();
    let page = PageRequest::first(1).unwrap();
    let (nil, conversation) = (uuid::Uuid::nil(), ConversationId(uuid::Uuid::nil()));
    let score = ScoreDetails::of(ScoreType::Unknown, "x");
    let score = || NewScore { id: None, piece: None, created_at: None, details: score.clone() };
    let attack = || NewAttackResult::of(conversation, AttackDetails::of("o", AttackOutcome::Success));
    let scenario = || NewScenarioResult::from(ScenarioDetails::named("s"));
    let seed = || NewSeed::from(SeedDetails::prompt("d", "v"));
    let group = || NewSeedGroup::of([SeedDetails::prompt("d", "w")]);
    let result = permitted.attack_results.add(vec![attack()]).await.unwrap().remove(0);
    let run = permitted.scenario_results.add(scenario()).await.unwrap();
    let (of_scores, of_seeds) = (ScoreFilter::default(), SeedFilter::of_dataset("d"));
    let (of_attacks, of_scenarios) = (AttackResultFilter::default(), ScenarioResultFilter::default());
    forbidden!(
        area.scores.add(vec![score()]),
        area.scores.find(ScoreId(nil)),
        area.scores.list(&of_scores, &page),
        area.scores.delete(ScoreId(nil)),
        area.scores.scorer_classes(),
        area.embeddings.put(Vec::new()),
        area.embeddings.get(PieceId(nil)),
        area.embeddings.list(None, &page),
        area.embeddings.delete(PieceId(nil)),
        area.embeddings.most_similar(&[1.0], 1, None),
        area.seeds.add(vec![seed()]),
        area.seeds.add_groups(vec![group()]),
        area.seeds.replace_dataset("d", vec![seed()], Vec::new()),
        area.seeds.find(SeedId(nil)),
        area.seeds.list(&of_seeds, &page),
        area.seeds.find_group(SeedGroupId(nil)),
        area.seeds.list_groups(&of_seeds, &page),
        area.seeds.remove(&of_seeds),
        area.seeds.remove_groups(&of_seeds),
        area.seeds.dataset_names(),
        area.attack_results.add(vec![attack()]),
        area.attack_results.find(result.id),
        area.attack_results.update(&result),
        area.attack_results.list(&of_attacks, &page),
        area.attack_results.delete(result.id),
        area.attack_results.attack_classes(),
        area.attack_results.converter_classes(),
        area.attack_results.labels(),
        area.scenario_results.add(scenario()),
        area.scenario_results.find(run.id),
        area.scenario_results.update(&run),
        area.scenario_results.change_state(
            run.id,
            &[ScenarioState::Created],
            ScenarioState::InProgress.into()
        ),
        area.scenario_results.attribute(run.id, &[result.id], &Metadata::new()),
        area.scenario_results.progress(run.id),
        area.scenario_results.list(&of_scenarios, &page),
        area.scenario_results.delete(run.id),
        area.scenario_results.names(),
        area.scenario_results.labels(),
        area.analytics.groups(&PieceFilter::default(), &Dimension::Role, 1),
        area.analytics.figures(&FiguresRequest::by(Dimension::Role)),
        area.analytics.outcome_groups(&OutcomeRequest::by(Dimension::Label), 1),
        area.analytics.outcomes(&OutcomeRequest::by(Dimension::Label)),
        area.analytics.longest_prompts(&PieceFilter::default(), 1),
        area.analytics.repeated_prompts(&PieceFilter::default(), 1),
    );
    assert_eq!(permitted.attack_results.list(&of_attacks, &page).await.unwrap().items, [result]);
    assert_eq!(permitted.scenario_results.list(&of_scenarios, &page).await.unwrap().items, [run]);
    assert!(permitted.scores.list(&of_scores, &page).await.unwrap().items.is_empty());
    assert!(permitted.seeds.dataset_names().await.unwrap().is_empty());
}

pub async fn every_call_of_configuration_is_asked_before_anything_is_touched(fixture: &dyn Fixture) {
    let mine = fixture.configuration();
    let generator = |name: &str| NewComponent::named(ComponentKind::Generator, name, "T");
    let component = mine.components.create(generator("g")).await.unwrap();
    let dataset = mine.datasets.create(NewDataset::named("d", "local")).await.unwrap();
    let prompts = || vec![NewDatasetPrompt::of("p")];
    let prompt = mine.datasets.append_prompts(dataset.id, prompts()).await.unwrap()[0];
    let store = ActingStore::new(fixture.tenant(), Actor::System, Arc::new(PermitNothing));
    let configuration = store.configuration().unwrap();
    let (components, datasets) = (&configuration.components, &configuration.datasets);
    let page = PageRequest::first(1).unwrap();
    let untouched = || futures_util::stream::poll_fn(|_| panic!("the stream was read")).boxed();
    forbidden!(
        components.create(generator("x")),
        components.find(component.id),
        components.find_by_name(ComponentKind::Generator, "g"),
        components.update(&component),
        components.set_status(component.id, "x"),
        components.record_test(component.id, TestOutcome::default()),
        components.delete(component.id),
        components.list(&ComponentFilter::default(), &page),
        components.reveal(component.id),
        components.rotate_secrets(),
        datasets.create(NewDataset::named("x", "local")),
        datasets.find(dataset.id),
        datasets.find_by_name("d"),
        datasets.update(&dataset),
        datasets.delete(dataset.id),
        datasets.list(&page),
        datasets.copy(dataset.id, "x"),
        datasets.append_prompts(dataset.id, prompts()),
        datasets.import_prompts(dataset.id, untouched()),
        datasets.count_prompts(dataset.id),
        datasets.prompts(dataset.id, &page),
        datasets.find_prompt(prompt),
        datasets.replace_prompt(prompt, NewDatasetPrompt::of("x")),
        datasets.delete_prompt(prompt),
        datasets.move_prompt(prompt, PromptPlace::First),
        datasets.reorder_prompts(dataset.id, &[prompt]),
    );
    assert_eq!(mine.components.find(component.id).await.unwrap(), Some(component));
    assert_eq!(mine.datasets.find(dataset.id).await.unwrap(), Some(dataset.clone()));
    assert_eq!(mine.datasets.prompts(dataset.id, &page).await.unwrap().items[0].text, "p");
}

pub async fn whoever_may_read_a_component_may_not_reveal_its_secrets(fixture: &dyn Fixture) {
    let parameters = Parameters::from_json(json!({ "api_key": "hunter2" })).unwrap();
    let new = NewComponent::named(ComponentKind::Generator, "g", "T").with(parameters);
    let id = fixture.configuration().components.create(new).await.unwrap().id;
    let acting = |names: &[&str]| {
        let names = names.iter().map(|name| permission(name)).collect();
        let actor = Actor::user(UserId(uuid::Uuid::from_u128(1)), names);
        let store = ActingStore::new(fixture.tenant(), actor, Arc::new(RolePolicy));
        store.configuration().unwrap().components
    };
    let reader = acting(&["configuration.components:read", "configuration.components:update"]);
    assert!(reader.find(id).await.unwrap().is_some());
    forbidden!(reader.reveal(id), reader.rotate_secrets());
    let revealer = acting(&["configuration.components:reveal"]);
    assert!(revealer.reveal(id).await.unwrap().is_some());
    forbidden!(revealer.find(id));
}

pub async fn a_unit_of_work_asks_as_its_store_does(fixture: &dyn Fixture) {
    let store = acting(fixture, Actor::System, PermitNothing);
    let unit = store.begin().await.unwrap();
    forbidden!(unit.identity().unwrap().users.create(NewUser::named("eve")));
    let inner = unit.begin().await.unwrap();
    forbidden!(inner.application().unwrap().settings.put("s", json!(1)));
    inner.commit().await.unwrap();
    // Nothing was touched, so that nothing is doomed.
    unit.commit().await.unwrap();
}

pub async fn a_user_may_what_its_roles_permit_and_nothing_else(fixture: &dyn Fixture) {
    let identity = fixture.identity();
    let ann = fixture.user("ann").await.id;
    let names = permissions(["identity.users:read", "application.sessions:revoke:own"]);
    let role = identity.roles.create(NewRole::named("helper", names)).await.unwrap().id;
    identity.assignments.assign(role, ann.into()).await.unwrap();
    let actor = Actor::user(ann, identity.assignments.permissions_of(ann).await.unwrap());
    let store = acting(fixture, actor, RolePolicy);
    let (mine, other) = (store.identity().unwrap(), UserId(uuid::Uuid::max()));
    assert!(mine.users.find_by_name("ann").await.unwrap().is_some());
    forbidden!(mine.users.delete(ann), mine.roles.find(role));
    let sessions = store.application().unwrap().sessions;
    assert_eq!(sessions.revoke_all(ann).await.unwrap(), 0);
    forbidden!(sessions.revoke_all(other), sessions.list_of(ann));
}

pub async fn a_disabled_user_s_actor_may_nothing(fixture: &dyn Fixture) {
    let identity = fixture.identity();
    let ann = fixture.user("ann").await.id;
    let names = permissions(["identity.users:read"]);
    let role = identity.roles.create(NewRole::named("helper", names)).await.unwrap().id;
    identity.assignments.assign(role, ann.into()).await.unwrap();
    identity.users.disable(ann).await.unwrap();
    let actor = Actor::user(ann, identity.assignments.permissions_of(ann).await.unwrap());
    let users = acting(fixture, actor, RolePolicy).identity().unwrap().users;
    forbidden!(users.find(ann));
}

pub async fn a_key_may_what_both_its_scopes_and_its_owner_may(fixture: &dyn Fixture) {
    let identity = fixture.identity();
    let ann = fixture.user("ann").await.id;
    let names = permissions(["identity.users:read", "identity.roles:read"]);
    let role = identity.roles.create(NewRole::named("helper", names)).await.unwrap().id;
    identity.assignments.assign(role, ann.into()).await.unwrap();
    let new = NewApiKey {
        scopes: permissions(["identity.users:read", "identity.users:delete"]),
        ..NewApiKey::named(ann, "ci")
    };
    let issued = fixture.application().api_keys.create(new).await.unwrap();
    let key = fixture.application().api_keys.authenticate(&issued.secret).await.unwrap().unwrap();
    let actor = Actor::api_key(&key, &identity.assignments.permissions_of(ann).await.unwrap());
    let mine = acting(fixture, actor, RolePolicy).identity().unwrap();
    assert!(mine.users.find(ann).await.unwrap().is_some());
    forbidden!(mine.users.delete(ann), mine.roles.find(role));
}
