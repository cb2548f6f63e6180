//! Whatever has text in it, with the same text in every place. Filters and new things are written out in full, so that a
//! text that is added to one has to be given here before it compiles.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::id::ConversationId;
use crate::model::conversation::{
    AttackDetails, AttackOutcome, AttackResultFilter, NamePattern, ScenarioDetails, ScenarioResultFilter,
    ScoreDetails, ScoreFilter, ScoreType, SeedDetails, SeedFilter, SeedType,
};
use crate::model::{
    ChatRole, Component, ComponentFilter, ComponentKind, DataType, Dataset, Identifier, Labels, Metadata,
    NewComponent, NewDataset, NewDatasetPrompt, NewMessage, NewPiece, Parameters, PieceFilter, PieceValue,
    ResponseError, TestOutcome,
};

/// Says one text everywhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct Says<'t>(pub(super) &'t str);

impl Says<'_> {
    pub(super) fn text(self) -> String {
        self.0.to_owned()
    }

    fn some(self) -> Option<String> {
        Some(self.text())
    }

    fn list(self) -> Vec<String> {
        vec![self.text()]
    }

    fn any(self) -> Option<Vec<String>> {
        Some(self.list())
    }

    pub(super) fn json(self) -> Value {
        json!({ self.0: [self.0] })
    }

    pub(super) fn labels(self) -> Labels {
        [(self.text(), self.text())].into()
    }

    pub(super) fn metadata(self) -> Metadata {
        [(self.text(), self.json())].into()
    }

    fn wanted_labels(self) -> BTreeMap<String, Vec<String>> {
        [(self.text(), self.list())].into()
    }

    fn wanted_metadata(self) -> BTreeMap<String, Vec<Value>> {
        [(self.text(), vec![json!(self.0)])].into()
    }

    pub(super) fn identifier(self) -> Identifier {
        let (class_name, details) = (self.text(), [(self.text(), self.json())].into());
        Identifier { class_name, module: self.some(), id: self.some(), hash: self.some(), details }
    }

    pub(super) fn message(self, conversation: ConversationId) -> NewMessage {
        let piece = NewPiece {
            id: None,
            role: ChatRole::User,
            original: PieceValue::new(self.text(), DataType::Text),
            converted: Some(PieceValue::new(self.text(), DataType::Text)),
            original_piece: None,
            labels: self.labels(),
            metadata: self.metadata(),
            target: Some(self.identifier()),
            attack: Some(self.identifier()),
            converters: vec![self.identifier()],
            error: ResponseError::None,
            created_at: None,
        };
        NewMessage::new(conversation, vec![piece])
    }

    pub(super) fn of_pieces(self) -> PieceFilter {
        PieceFilter {
            conversations: None,
            roles: None,
            ids: None,
            original_pieces: None,
            labels: self.wanted_labels(),
            metadata: self.wanted_metadata(),
            created_from: None,
            created_before: None,
            original_values: self.any(),
            converted_values: self.any(),
            original_sha256: None,
            converted_sha256: None,
            data_types: None,
            not_data_types: Vec::new(),
            attack_ids: self.any(),
            attack_classes: self.any(),
            converter_classes: self.any(),
            errors: None,
        }
    }

    pub(super) fn score(self) -> ScoreDetails {
        ScoreDetails {
            score_type: ScoreType::Unknown,
            value: self.some(),
            value_description: self.some(),
            categories: self.list(),
            rationale: self.some(),
            metadata: self.metadata(),
            scorer: Some(self.identifier()),
            objective: self.some(),
            scorable: Some(self.json()),
        }
    }

    pub(super) fn of_scores(self) -> ScoreFilter {
        ScoreFilter {
            ids: None,
            pieces: None,
            original_pieces: None,
            conversation: None,
            labels: self.wanted_labels(),
            of_pieces: Some(self.of_pieces()),
            score_types: None,
            categories: self.any(),
            scorers: self.any(),
            undetermined: None,
            created_from: None,
            created_before: None,
        }
    }

    pub(super) fn seed(self) -> SeedDetails {
        SeedDetails {
            value: self.text(),
            data_type: DataType::Text,
            seed_type: SeedType::Prompt,
            dataset: self.some(),
            name: self.some(),
            description: self.some(),
            source: self.some(),
            added_by: self.some(),
            harm_categories: self.list(),
            authors: self.list(),
            author_groups: self.list(),
            parameters: self.list(),
            metadata: self.metadata(),
            sequence: None,
            role: None,
        }
    }

    pub(super) fn of_seeds(self) -> SeedFilter {
        SeedFilter {
            ids: None,
            value: self.some(),
            value_contains: self.some(),
            sha256s: None,
            datasets: self.any(),
            dataset_pattern: Some(NamePattern::new(self.0)),
            names: self.any(),
            data_types: None,
            seed_types: None,
            harm_categories: self.list(),
            any_harm_category: self.any(),
            authors: self.list(),
            author_groups: self.list(),
            parameters: self.list(),
            metadata: self.wanted_metadata(),
            added_by: self.any(),
            sources: self.any(),
            group_ids: None,
            in_a_group: None,
            roles: None,
            sequences: None,
            created_from: None,
            created_before: None,
        }
    }

    pub(super) fn attack(self) -> AttackDetails {
        AttackDetails {
            objective: self.text(),
            identifier: Some(self.identifier()),
            last_response: None,
            last_score: None,
            executed_turns: 1,
            execution_time_ms: 1,
            outcome: AttackOutcome::Failure,
            outcome_reason: self.some(),
            labels: self.labels(),
            metadata: self.metadata(),
            targeted_harm_categories: self.list(),
            pruned_conversations: Vec::new(),
            adversarial_conversations: Vec::new(),
            error_type: self.some(),
            error_message: self.some(),
            error_traceback: self.some(),
            retry_events: vec![self.json()],
            total_retries: 1,
            attribution: self.metadata(),
        }
    }

    pub(super) fn of_attacks(self) -> AttackResultFilter {
        AttackResultFilter {
            ids: None,
            conversations: None,
            objective_contains: self.some(),
            objective_sha256s: None,
            outcomes: None,
            attack_classes: self.any(),
            identifier_hashes: self.any(),
            evaluation_hashes: self.any(),
            target_classes: self.any(),
            converter_classes: self.list(),
            any_converter_class: self.any(),
            has_converters: None,
            labels: self.wanted_labels(),
            metadata: self.wanted_metadata(),
            targeted_harm_categories: self.any(),
            scenario: None,
            in_a_scenario: None,
            last_responses: None,
            last_scores: None,
            error_types: self.any(),
            least_turns: None,
            most_turns: None,
            least_execution_time_ms: None,
            most_execution_time_ms: None,
            created_from: None,
            created_before: None,
        }
    }

    pub(super) fn scenario(self) -> ScenarioDetails {
        ScenarioDetails {
            name: self.text(),
            description: self.some(),
            scenario_version: 1,
            software_version: self.some(),
            identifier: Some(self.identifier()),
            target: Some(self.identifier()),
            scorer: Some(self.identifier()),
            labels: self.labels(),
            metadata: self.metadata(),
            display_groups: self.labels(),
        }
    }

    pub(super) fn of_scenarios(self) -> ScenarioResultFilter {
        ScenarioResultFilter {
            ids: None,
            names: self.any(),
            name_contains: self.some(),
            scenario_versions: None,
            software_versions: self.any(),
            states: None,
            labels: self.wanted_labels(),
            target_classes: self.any(),
            target_endpoint_contains: self.some(),
            target_model_contains: self.some(),
            scorer_classes: self.any(),
            created_from: None,
            created_before: None,
            completed_from: None,
            completed_before: None,
        }
    }

    pub(super) fn component(self) -> NewComponent {
        let secret = json!({ "api_key": self.0, self.0: self.0 });
        NewComponent {
            kind: ComponentKind::Generator,
            name: self.text(),
            type_name: self.text(),
            parameters: Parameters::from_json(secret).unwrap(),
            status: self.text(),
        }
    }

    pub(super) fn of_components(self) -> ComponentFilter {
        ComponentFilter { kind: None, type_name: self.some(), status: self.some() }
    }

    /// The component, called otherwise.
    pub(super) fn renamed(self, component: Component) -> Component {
        Component { name: format!("{} again", self.0), ..component }
    }

    pub(super) fn outcome(self) -> TestOutcome {
        TestOutcome { passed: true, message: self.some(), details: Some(self.json()) }
    }

    pub(super) fn dataset(self) -> NewDataset {
        NewDataset {
            name: self.text(),
            source_type: self.text(),
            configuration: self.json(),
            metadata: self.json(),
            status: self.text(),
        }
    }

    /// The dataset, called otherwise.
    pub(super) fn called_otherwise(self, dataset: Dataset) -> Dataset {
        Dataset { name: format!("{} again", self.0), ..dataset }
    }

    pub(super) fn prompt(self) -> NewDatasetPrompt {
        NewDatasetPrompt { text: self.text(), metadata: self.json() }
    }
}
