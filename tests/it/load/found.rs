//! What a user finds: asked now and then, and everything at the end.

use futures_util::TryStreamExt as _;
use trimaran::id::ConversationId;
use trimaran::model::conversation::analytics::{Dimension, FiguresRequest, OutcomeRequest};
use trimaran::model::{
    AttackOutcome, AttackResultFilter, ComponentFilter, ExportFormat, Namespace, PieceFilter, ScoreFilter,
    SeedFilter, Subject,
};
use trimaran::{ContentExt as _, Page, PageRequest, Result, Stores};
use uuid::Uuid;

use super::places::{COUNTER, LABEL, MODEL, Places};
use super::state::{PieceFact, State};

impl Places {
    /// What the user asks now and then; it must agree with what is known.
    pub(super) async fn ask(&self, known: &State) -> Result<()> {
        let memory = self.tenant.conversation().await?;
        let labels = memory.conversations.labels().await?;
        let mut expected: Vec<_> = known.pieces.values().map(|piece| piece.label.as_str()).collect();
        expected.sort_unstable();
        expected.dedup();
        assert_eq!(labels.get(LABEL).into_iter().flatten().collect::<Vec<_>>(), expected);
        let Some(piece) = known.pieces.values().next() else { return Ok(()) };
        let talk = ConversationId(piece.conversation);
        let statistics = memory.conversations.statistics(&[talk]).await?;
        let said = known.pieces.values().filter(|other| other.conversation == piece.conversation);
        let count = said.clone().count();
        assert_eq!(statistics.get(&talk).map(|told| told.pieces), Some(count as u64));
        let page = PageRequest::first(3)?;
        let found =
            memory.pieces.list(&PieceFilter::conversation(talk).label(LABEL, &piece.label), &page).await?;
        assert_eq!(found.items.len(), said.filter(|other| other.label == piece.label).count().min(3));
        let messages = memory.conversations.messages(talk, &page).await?;
        assert!(!messages.items.is_empty());
        self.ask_of_all(known).await
    }

    /// What is counted over all that the user has.
    async fn ask_of_all(&self, known: &State) -> Result<()> {
        let memory = self.tenant.conversation().await?;
        let figures = memory.analytics.figures(&FiguresRequest::by(Dimension::Role)).await?;
        let counted: u64 = figures.groups.iter().map(|group| group.figures.pieces).sum();
        assert_eq!(counted, known.pieces.len() as u64);
        let outcomes = memory.analytics.outcomes(&OutcomeRequest::by(Dimension::AttackClass)).await?;
        let achieved: u64 = outcomes.groups.iter().map(|group| group.outcomes.success).sum();
        assert_eq!(achieved, known.attacks.values().filter(|achieved| **achieved).count() as u64);
        let similar = memory.embeddings.most_similar(&[1.0, 0.0], 3, Some(MODEL)).await?;
        let mut greatest: Vec<_> = known.embeddings.values().copied().collect();
        greatest.sort_unstable_by(|a, b| b.cmp(a));
        greatest.truncate(3);
        let found: Vec<_> = similar.iter().map(|one| known.embeddings[&one.piece.0]).collect();
        assert_eq!(found, greatest, "the greater the number, the more similar");
        let export = memory.pieces.export(&PieceFilter::default(), ExportFormat::JsonLines).await?;
        let lines = export.try_fold(0, |lines, bytes| async move {
            Ok(lines + bytes.iter().filter(|byte| **byte == b'\n').count())
        });
        assert_eq!(lines.await?, known.pieces.len());
        Ok(())
    }

    /// Everything of the user's.
    pub(super) async fn observe(&self) -> Result<State> {
        let mut state = State::default();
        let memory = &self.tenant.conversation().await?;
        for piece in
            all(|page| async move { memory.pieces.list(&PieceFilter::default(), &page).await }).await?
        {
            let fact = PieceFact {
                conversation: piece.conversation.0,
                sequence: piece.sequence,
                text: piece.original.value,
                label: piece.labels.get(LABEL).cloned().unwrap_or_default(),
            };
            once(state.pieces.insert(piece.id.0, fact));
        }
        for score in
            all(|page| async move { memory.scores.list(&ScoreFilter::default(), &page).await }).await?
        {
            once(state.scores.insert(score.id.0, score.piece.map_or_else(Uuid::nil, |piece| piece.0)));
        }
        for seed in all(|page| async move { memory.seeds.list(&SeedFilter::default(), &page).await }).await? {
            once(state.seeds.insert(seed.id.0, seed.details.value));
        }
        for found in
            all(|page| async move { memory.attack_results.list(&AttackResultFilter::default(), &page).await })
                .await?
        {
            once(state.attacks.insert(found.id.0, found.details.outcome == AttackOutcome::Success));
        }
        for found in all(|page| async move { memory.embeddings.list(Some(MODEL), &page).await }).await? {
            once(state.embeddings.insert(found.piece.0, found.vector[0] as u16));
        }
        self.observe_configuration(&mut state).await?;
        self.observe_access(&mut state).await?;
        let content = &self.tenant.content();
        for info in all(|page| async move { content.list(Namespace::Reports, "", &page).await }).await? {
            let (_, bytes) = content.read(Namespace::Reports, &info.name).await?.expect("it was listed");
            once(state.content.insert(info.name, String::from_utf8(bytes.to_vec()).expect("it was text")));
        }
        Ok(state)
    }

    async fn observe_configuration(&self, state: &mut State) -> Result<()> {
        let components = &self.tenant.configuration().await?.components;
        for found in
            all(|page| async move { components.list(&ComponentFilter::default(), &page).await }).await?
        {
            once(state.components.insert(found.name, found.status));
        }
        let datasets = &self.tenant.configuration().await?.datasets;
        for dataset in all(|page| async move { datasets.list(&page).await }).await? {
            let prompts = all(|page| async move { datasets.prompts(dataset.id, &page).await }).await?;
            once(
                state.datasets.insert(dataset.name, prompts.into_iter().map(|prompt| prompt.text).collect()),
            );
        }
        Ok(())
    }

    /// Settings, sessions, role and group.
    async fn observe_access(&self, state: &mut State) -> Result<()> {
        let settings = &self.stores.application().settings;
        for setting in all(|page| async move { settings.list(&self.prefix, &page).await }).await? {
            let key = setting.key[self.prefix.len()..].to_owned();
            once(state.settings.insert(key, setting.value.as_i64().unwrap_or(i64::MIN)));
        }
        let sessions = self.stores.application().sessions.list_of(self.user).await?;
        state.sessions = sessions.iter().filter(|session| session.revoked_at.is_none()).count();
        let identity = self.stores.identity();
        let roles = identity.assignments.roles_of(Subject::User(self.user)).await?;
        state.has_role = roles.contains(&self.role);
        state.is_member = identity.groups.groups_of(self.user).await?.contains(&self.group);
        Ok(())
    }
}

/// The number that all users share.
pub(super) async fn counted(stores: &Stores) -> Result<i64> {
    let found = stores.application().settings.get(COUNTER).await?;
    Ok(found.and_then(|found| found.value.as_i64()).unwrap_or(0))
}

fn once<T: std::fmt::Debug>(before: Option<T>) {
    assert!(before.is_none(), "it is there twice: {before:?}");
}

async fn all<T, F>(list: impl Fn(PageRequest) -> F) -> Result<Vec<T>>
where
    F: Future<Output = Result<Page<T>>> + Send,
{
    let first = PageRequest::first(500)?;
    let (mut page, mut items) = (first.clone(), Vec::new());
    loop {
        let found = list(page).await?;
        items.extend(found.items);
        match found.next {
            Some(next) => page = first.clone().after(next),
            None => return Ok(items),
        }
    }
}
