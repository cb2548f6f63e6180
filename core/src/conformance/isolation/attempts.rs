//! Every call of every repository of a tenant's, as one tenant tries it on another's things.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, TryStreamExt as _};

use super::belongings::{Belongings, MARK, TALK};
use super::brings_nothing;
use crate::conformance::Fixture;
use crate::id::{PieceId, SeedId};
use crate::model::conversation::analytics::{Dimension, FiguresRequest, OutcomeRequest};
use crate::model::conversation::{
    AttackDetails, AttackOutcome, AttackResultFilter, Metadata, NewAttackResult, NewEmbedding,
    NewScenarioResult, NewScore, NewSeed, NewSeedGroup, ScenarioDetails, ScenarioResultFilter, ScenarioState,
    ScoreDetails, ScoreFilter, ScoreType, SeedDetails, SeedFilter,
};
use crate::model::{
    ChatRole, ComponentFilter, ComponentKind, ExportFormat, NewComponent, NewDataset, NewDatasetPrompt,
    NewMessage, PieceFilter, PieceSelection, PromptPlace, TestOutcome, WholeConversation,
};
use crate::{ErrorKind, PageRequest};

/// Makes each of the calls, of which none may bring anything of the other tenant's.
macro_rules! attempt {
    ($($call:expr),* $(,)?) => { $({
        let outcome = $call.await;
        brings_nothing(stringify!($call), &outcome);
    })* };
}

/// The same of calls that must not find what they are about.
macro_rules! not_found {
    ($($call:expr),* $(,)?) => { $({
        let outcome = $call.await;
        brings_nothing(stringify!($call), &outcome);
        let error = outcome.map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{}: {}", stringify!($call), error.report());
    })* };
}

pub async fn no_call_about_pieces_and_conversations_reaches_another_tenant_s(fixture: &dyn Fixture) {
    let theirs = Belongings::of_the_other(fixture).await;
    let before = theirs.look().await;
    let area = fixture.conversation();
    let (pieces, conversations) = (&area.pieces, &area.conversations);
    let page = PageRequest::first(9).unwrap();
    let selections = [PieceSelection::Conversation(TALK), PieceSelection::Pieces(vec![theirs.piece])];
    let labels: BTreeMap<_, _> = [("mine".to_owned(), "now".to_owned())].into();
    let filters = [
        PieceFilter::default(),
        PieceFilter::conversation(TALK),
        PieceFilter { ids: Some(vec![theirs.piece]), ..PieceFilter::default() },
    ];
    assert_eq!(pieces.find(theirs.piece).await.unwrap(), None);
    assert_eq!(conversations.find(TALK).await.unwrap(), None);
    assert!(conversations.messages(TALK, &page).await.map_or(true, |page| page.items.is_empty()));
    for filter in &filters {
        assert!(pieces.list(filter, &page).await.unwrap().items.is_empty());
        for format in [ExportFormat::Csv, ExportFormat::JsonLines] {
            let written: Vec<_> = pieces.export(filter, format).await.unwrap().try_collect().await.unwrap();
            let written: Vec<u8> = written.concat();
            assert!(!String::from_utf8_lossy(&written).contains(MARK));
        }
    }
    for selection in &selections {
        attempt!(pieces.set_labels(selection, &labels), pieces.set_metadata(selection, &Default::default()));
    }
    for filter in &filters {
        let (by, analytics) = (Dimension::Role, &area.analytics);
        let figures = FiguresRequest { filter: filter.clone(), ..FiguresRequest::by(by.clone()) };
        let outcomes = OutcomeRequest::by(Dimension::Label);
        attempt!(
            analytics.groups(filter, &by, 9),
            analytics.figures(&figures),
            analytics.outcome_groups(&outcomes, 9),
            analytics.outcomes(&outcomes),
            analytics.longest_prompts(filter, 9),
            analytics.repeated_prompts(filter, 9),
        );
        assert!(analytics.longest_prompts(filter, 9).await.unwrap().is_empty());
    }
    attempt!(
        pieces.request_of(theirs.piece),
        pieces.delete(&[theirs.piece]),
        conversations.list(&page),
        conversations.duplicate(TALK),
        conversations.duplicate_without_last_turn(TALK),
        conversations.delete_after(TALK, -1),
        conversations.delete(TALK),
        conversations.statistics(&[TALK]),
        conversations.labels(),
        conversations.converter_classes(),
        conversations.attack_classes(),
    );
    assert_eq!(theirs.look().await, before);
    // One's own conversation may have the same id: it is another one.
    let message = || NewMessage::text(TALK, ChatRole::User, "mine");
    let whole = WholeConversation { id: TALK, target: None, pieces: Vec::new() };
    attempt!(
        conversations.register(TALK, None),
        conversations.add(&whole),
        pieces.append(message()),
        pieces.append_all(vec![message()]),
        pieces.append_buffered(message()),
        pieces.flush(),
        conversations.messages(TALK, &page),
        conversations.duplicate(TALK),
        conversations.statistics(&[TALK]),
        conversations.delete_after(TALK, 0),
        conversations.delete(TALK),
        conversations.delete_everything(),
    );
    assert_eq!(theirs.look().await, before);
}

pub async fn no_call_about_results_reaches_another_tenant_s(fixture: &dyn Fixture) {
    let theirs = Belongings::of_the_other(fixture).await;
    let before = theirs.look().await;
    let area = fixture.conversation();
    let (scores, embeddings, seeds) = (&area.scores, &area.embeddings, &area.seeds);
    let (attack_results, scenario_results) = (&area.attack_results, &area.scenario_results);
    let page = PageRequest::first(9).unwrap();
    let details = ScoreDetails::of(ScoreType::Unknown, "mine");
    let score = |piece| NewScore { id: None, piece, created_at: None, details: details.clone() };
    let vector =
        |piece: PieceId| NewEmbedding { piece, type_name: "mine".to_owned(), vector: vec![1.0, 0.0] };
    let dataset = format!("{MARK} dataset");
    let of_scores = ScoreFilter { ids: Some(vec![theirs.score]), ..ScoreFilter::default() };
    let of_seeds = SeedFilter { ids: Some(vec![theirs.seed]), ..SeedFilter::default() };
    let of_dataset = SeedFilter::of_dataset(dataset.clone());
    let of_attacks = AttackResultFilter { conversations: Some(vec![TALK]), ..AttackResultFilter::default() };
    let of_scenarios =
        ScenarioResultFilter { ids: Some(vec![theirs.scenario.id]), ..ScenarioResultFilter::default() };
    let seed = || NewSeed::from(SeedDetails::prompt("mine", "mine"));
    let to = || ScenarioState::InProgress.into();
    assert_eq!(scores.find(theirs.score).await.unwrap(), None);
    assert_eq!(embeddings.get(theirs.piece).await.unwrap(), None);
    assert_eq!(seeds.find(theirs.seed).await.unwrap(), None);
    assert_eq!(attack_results.find(theirs.attack.id).await.unwrap(), None);
    assert_eq!(scenario_results.find(theirs.scenario.id).await.unwrap(), None);
    not_found!(
        scores.add(vec![score(Some(theirs.piece))]),
        embeddings.put(vec![vector(theirs.piece)]),
        attack_results.update(&theirs.attack),
        scenario_results.update(&theirs.scenario),
    );
    attempt!(
        scenario_results.change_state(theirs.scenario.id, &[ScenarioState::Created], to()),
        scenario_results.attribute(theirs.scenario.id, &[theirs.attack.id], &Metadata::new()),
        scores.list(&of_scores, &page),
        scores.list(&ScoreFilter::default(), &page),
        scores.delete(theirs.score),
        scores.scorer_classes(),
        embeddings.list(None, &page),
        embeddings.delete(theirs.piece),
        embeddings.most_similar(&[1.0, 0.0], 9, None),
        seeds.list(&of_seeds, &page),
        seeds.list(&SeedFilter::default(), &page),
        seeds.find_group(theirs.group),
        seeds.list_groups(&SeedFilter::default(), &page),
        seeds.remove(&of_seeds),
        seeds.remove(&of_dataset),
        seeds.remove_groups(&of_dataset),
        seeds.dataset_names(),
        attack_results.list(&of_attacks, &page),
        attack_results.list(&AttackResultFilter::default(), &page),
        attack_results.delete(theirs.attack.id),
        attack_results.attack_classes(),
        attack_results.converter_classes(),
        attack_results.labels(),
        scenario_results.progress(theirs.scenario.id),
        scenario_results.list(&of_scenarios, &page),
        scenario_results.list(&ScenarioResultFilter::default(), &page),
        scenario_results.delete(theirs.scenario.id),
        scenario_results.names(),
        scenario_results.labels(),
    );
    assert_eq!(theirs.look().await, before);
    // What one adds oneself is one's own, under whatever id the other has something.
    let mine = NewSeed { id: Some(SeedId(theirs.seed.0)), ..seed() };
    let attack = NewAttackResult::of(TALK, AttackDetails::of("mine", AttackOutcome::Failure));
    attempt!(
        scores.add(vec![NewScore { id: Some(theirs.score), ..score(None) }]),
        seeds.add(vec![mine]),
        seeds.add_groups(vec![NewSeedGroup::of([SeedDetails::prompt("mine", "grouped")])]),
        seeds.replace_dataset("mine", vec![seed()], Vec::new()),
        attack_results.add(vec![attack]),
        scenario_results.add(NewScenarioResult::from(ScenarioDetails::named("mine"))),
        scores.delete(theirs.score),
        seeds.remove(&SeedFilter::default()),
    );
    assert_eq!(theirs.look().await, before);
}

pub async fn no_call_of_configuration_reaches_another_tenant_s(fixture: &dyn Fixture) {
    let theirs = Belongings::of_the_other(fixture).await;
    let before = theirs.look().await;
    let configuration = fixture.configuration();
    let (components, datasets) = (&configuration.components, &configuration.datasets);
    let page = PageRequest::first(9).unwrap();
    let (component, dataset) = (&theirs.component, &theirs.dataset);
    let (first, second) = (theirs.prompts[0], theirs.prompts[1]);
    let prompts = || vec![NewDatasetPrompt::of("mine")];
    let stream = || futures_util::stream::iter(prompts().into_iter().map(Ok)).boxed();
    assert_eq!(components.find(component.id).await.unwrap(), None);
    assert_eq!(components.find_by_name(component.kind, &component.name).await.unwrap(), None);
    assert_eq!(components.reveal(component.id).await.unwrap(), None);
    assert_eq!(datasets.find(dataset.id).await.unwrap(), None);
    assert_eq!(datasets.find_by_name(&dataset.name).await.unwrap(), None);
    assert_eq!(datasets.find_prompt(first).await.unwrap(), None);
    not_found!(
        components.update(component),
        components.set_status(component.id, "mine"),
        components.record_test(component.id, TestOutcome::default()),
        datasets.update(dataset),
        datasets.copy(dataset.id, "mine"),
        datasets.append_prompts(dataset.id, prompts()),
        datasets.import_prompts(dataset.id, stream()),
    );
    attempt!(
        datasets.replace_prompt(first, NewDatasetPrompt::of("mine")),
        datasets.move_prompt(second, PromptPlace::First),
        datasets.reorder_prompts(dataset.id, &[second, first]),
        components.delete(component.id),
        components.list(&ComponentFilter::default(), &page),
        components.rotate_secrets(),
        datasets.delete(dataset.id),
        datasets.list(&page),
        datasets.count_prompts(dataset.id),
        datasets.prompts(dataset.id, &page),
        datasets.delete_prompt(first),
        components.create(NewComponent::named(ComponentKind::Generator, "mine", "T")),
        datasets.create(NewDataset::named("mine", "local")),
    );
    assert_eq!(theirs.look().await, before);
}

pub async fn another_tenant_s_cursor_leads_to_nothing_of_the_other_s(fixture: &dyn Fixture) {
    let theirs = Belongings::of_the_other(fixture).await;
    let before = theirs.look().await;
    let (area, configuration) = (fixture.conversation(), fixture.configuration());
    let one = || PageRequest::first(1).unwrap();
    macro_rules! with_their_cursor {
        ($($area:ident.$repository:ident.$list:ident($($argument:expr),*)),* $(,)?) => { $({
            let page = theirs.$area.$repository.$list($($argument,)* &one()).await.unwrap();
            let cursor = page.next.expect(concat!(stringify!($list), ": there are two"));
            let mine = $area.$repository.$list($($argument,)* &one().after(cursor)).await;
            brings_nothing(stringify!($repository.$list), &mine);
            if let Ok(page) = mine {
                assert!(page.items.is_empty() && page.next.is_none(), "{}", stringify!($repository.$list));
            }
        })* };
    }
    let conversation = area;
    with_their_cursor!(
        conversation.pieces.list(&PieceFilter::default()),
        conversation.conversations.messages(TALK),
        conversation.scores.list(&ScoreFilter::default()),
        conversation.seeds.list(&SeedFilter::default()),
        conversation.attack_results.list(&AttackResultFilter::default()),
        conversation.scenario_results.list(&ScenarioResultFilter::default()),
        configuration.components.list(&ComponentFilter::default()),
        configuration.datasets.list(),
        configuration.datasets.prompts(theirs.dataset.id),
    );
    assert_eq!(theirs.look().await, before);
}
