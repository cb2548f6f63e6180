//! What a tenant has: something of every kind, and a look at all of it.

use serde_json::json;
use uuid::Uuid;

use crate::conformance::Fixture;
use crate::id::{ConversationId, DatasetPromptId, PieceId, ScoreId, SeedGroupId, SeedId};
use crate::model::conversation::{
    AttackDetails, AttackOutcome, AttackResult, AttackResultFilter, NewAttackResult, NewEmbedding,
    NewScenarioResult, NewScore, NewSeed, NewSeedGroup, ScenarioDetails, ScenarioResult,
    ScenarioResultFilter, ScoreDetails, ScoreFilter, ScoreType, SeedDetails, SeedFilter,
};
use crate::model::{
    ChatRole, Component, ComponentFilter, ComponentKind, Dataset, NewComponent, NewDataset, NewDatasetPrompt,
    NewMessage, NewPiece, Parameters, PieceFilter,
};
use crate::{Configuration, Conversation, PageRequest};

/// Stands in every text of the other tenant's. No case of isolation writes it otherwise.
pub(in crate::conformance) const MARK: &str = "0nly-the-0ther-tenant-may-read-this";

/// Its conversation.
pub(super) const TALK: ConversationId = ConversationId(Uuid::from_u128(0x0b0b));

/// The other tenant's things, and its areas.
pub(super) struct Belongings {
    pub(super) configuration: Configuration,
    pub(super) conversation: Conversation,
    pub(super) piece: PieceId,
    pub(super) score: ScoreId,
    pub(super) seed: SeedId,
    pub(super) group: SeedGroupId,
    pub(super) attack: AttackResult,
    pub(super) scenario: ScenarioResult,
    pub(super) component: Component,
    pub(super) dataset: Dataset,
    pub(super) prompts: Vec<DatasetPromptId>,
}

impl Belongings {
    /// Gives the other tenant something of every kind.
    pub(super) async fn of_the_other(fixture: &dyn Fixture) -> Self {
        let store = fixture.other_tenant();
        let (configuration, conversation) = (store.configuration().unwrap(), store.conversation().unwrap());
        let text = |what: &str| format!("{MARK} {what}");
        let labels = [(text("label"), text("value"))];
        let said = |role, what: &str| {
            let piece = NewPiece { labels: labels.clone().into(), ..NewPiece::text(role, text(what)) };
            NewMessage::new(TALK, vec![piece])
        };
        let pieces = &conversation.pieces;
        let piece = pieces.append(said(ChatRole::User, "question")).await.unwrap().pieces[0].id;
        pieces.append(said(ChatRole::Assistant, "answer")).await.unwrap();
        let details = ScoreDetails::of(ScoreType::Unknown, text("score"));
        let new = NewScore { id: None, piece: Some(piece), created_at: None, details };
        let scores = conversation.scores.add(vec![new.clone(), new]).await.unwrap();
        let vector = NewEmbedding { piece, type_name: text("embedding"), vector: vec![1.0, 0.0] };
        conversation.embeddings.put(vec![vector]).await.unwrap();
        let seed = |what: &str| SeedDetails::prompt(text("dataset"), text(what));
        let new = vec![NewSeed::from(seed("seed")), NewSeed::from(seed("second seed"))];
        conversation.seeds.add(new).await.unwrap();
        conversation.seeds.add_groups(vec![NewSeedGroup::of([seed("grouped")])]).await.unwrap();
        let page = PageRequest::first(9).unwrap();
        let filter = SeedFilter::of_dataset(text("dataset"));
        let seed = conversation.seeds.list(&filter, &page).await.unwrap().items[0].id;
        let group = conversation.seeds.list_groups(&filter, &page).await.unwrap().items[0].id;
        let attack =
            || NewAttackResult::of(TALK, AttackDetails::of(text("objective"), AttackOutcome::Success));
        let attack = conversation.attack_results.add(vec![attack(), attack()]).await.unwrap().remove(0);
        let scenario = || NewScenarioResult::from(ScenarioDetails::named(text("scenario")));
        let scenario_result = conversation.scenario_results.add(scenario()).await.unwrap();
        conversation.scenario_results.add(scenario()).await.unwrap();
        let parameters = Parameters::from_json(json!({ "api_key": text("secret") })).unwrap();
        let component = NewComponent::named(ComponentKind::Generator, text("component"), text("type"));
        let component = configuration.components.create(component.with(parameters)).await.unwrap();
        let second = NewComponent::named(ComponentKind::Generator, text("second"), text("type"));
        configuration.components.create(second).await.unwrap();
        let dataset = configuration.datasets.create(NewDataset::named(text("set"), "local")).await.unwrap();
        configuration.datasets.create(NewDataset::named(text("second set"), "local")).await.unwrap();
        let new = vec![NewDatasetPrompt::of(text("prompt")), NewDatasetPrompt::of(text("second prompt"))];
        let prompts = configuration.datasets.append_prompts(dataset.id, new).await.unwrap();
        let (score, scenario) = (scores[0].id, scenario_result);
        let dataset = configuration.datasets.find(dataset.id).await.unwrap().unwrap();
        Self {
            configuration,
            conversation,
            piece,
            score,
            seed,
            group,
            attack,
            scenario,
            component,
            dataset,
            prompts,
        }
    }

    /// Everything of the tenant's, exactly, as its own repositories give it.
    pub(super) async fn look(&self) -> String {
        let (page, mut seen) = (PageRequest::first(100).unwrap(), Vec::new());
        let Self { conversation: area, configuration, .. } = self;
        macro_rules! look {
            ($($call:expr),* $(,)?) => { $(seen.push(format!("{:?}", $call.await.unwrap()));)* };
        }
        let all = SeedFilter::default();
        look!(
            area.pieces.list(&PieceFilter::default(), &page),
            area.conversations.list(&page),
            area.conversations.messages(TALK, &page),
            area.conversations.labels(),
            area.scores.list(&ScoreFilter::default(), &page),
            area.embeddings.list(None, &page),
            area.seeds.list(&all, &page),
            area.seeds.list_groups(&all, &page),
            area.attack_results.list(&AttackResultFilter::default(), &page),
            area.scenario_results.list(&ScenarioResultFilter::default(), &page),
            configuration.components.list(&ComponentFilter::default(), &page),
            configuration.components.reveal(self.component.id),
            configuration.datasets.list(&page),
            configuration.datasets.prompts(self.dataset.id, &page),
        );
        seen.join("\n")
    }
}
