//! One user's repositories: how a change is made, and how everything is read.

use secrecy::SecretString;
use trimaran::id::{ConversationId, PieceId, ScoreId, SeedId, UserId};
use trimaran::model::{
    ChatRole, ComponentFilter, ComponentKind, Labels, Namespace, NewComponent, NewMessage, NewObject,
    NewPiece, NewScore, NewSeed, Permission, PieceFilter, PieceSelection, ScoreDetails, ScoreFilter,
    ScoreType, SeedDetails, SeedFilter,
};
use trimaran::{
    Area, ContentExt as _, Conversation, ErrorKind, Page, PageRequest, Result, Store as _, Stores, Tenant,
};
use uuid::Uuid;

use super::state::{Change, PieceFact, State};

const LABEL: &str = "op";

/// Where one user's data is.
pub(super) struct Places {
    stores: Stores,
    tenant: Tenant,
    pub(super) user: UserId,
    prefix: String,
    key: SecretString,
}

impl Places {
    /// The user of this number: made, with an API key, if it isn't there.
    pub(super) async fn of(stores: &Stores, number: usize) -> Result<Self> {
        let name = format!("user {number}");
        let users = &stores.identity().users;
        let user = match users.find_by_name(&name).await? {
            Some(user) => user,
            None => users.create(trimaran::model::NewUser::named(&name)).await?,
        };
        let key = trimaran::model::NewApiKey::named(user.id, "load");
        let key = stores.application().api_keys.create(key).await?.secret;
        let tenant = stores.tenants().of_user(&name).await?;
        let tenant = stores.tenant(tenant.id).await?;
        Ok(Self { stores: stores.clone(), tenant, user: user.id, prefix: format!("{number}/"), key })
    }

    /// What a service does before it does anything.
    pub(super) async fn authenticate(&self) -> Result<()> {
        let key = self.stores.application().api_keys.authenticate(&self.key).await?;
        assert_eq!(key.map(|key| key.owner), Some(self.user), "a key that was issued lets its owner in");
        let permission = Permission::new("conversation.pieces:create")?;
        let permitted = self.stores.identity().assignments.is_permitted(self.user, &permission).await?;
        assert!(!permitted, "nobody was given a role");
        Ok(())
    }

    /// Makes a change.
    pub(super) async fn make(&self, change: &Change) -> Result<()> {
        match change {
            Change::Component { name, status, is_new } => {
                let components = self.tenant.configuration().await?.components;
                if *is_new {
                    let component = NewComponent::named(ComponentKind::Scorer, name, "SelfAskScorer");
                    return components
                        .create(NewComponent { status: status.clone(), ..component })
                        .await
                        .map(drop);
                }
                let found = components.find_by_name(ComponentKind::Scorer, name).await?;
                let found = found.expect("a component that was created is there");
                components.set_status(found.id, status).await.map(drop)
            }
            Change::Setting { key, value } => {
                let (settings, key) = (&self.stores.application().settings, format!("{}{key}", self.prefix));
                match value {
                    Some(value) => settings.put(&key, (*value).into()).await.map(drop),
                    None => settings.delete(&key).await.map(drop),
                }
            }
            Change::Content { name, text } => {
                let content = self.tenant.content();
                match text {
                    Some(text) => {
                        let object = NewObject::new(text.clone());
                        content.put(Namespace::Reports, name, object).await.map(drop)
                    }
                    None => content.delete(Namespace::Reports, name).await.map(drop),
                }
            }
            Change::Count => self.count().await,
            Change::Unit(changes) => {
                let unit = self.tenant.store(Area::Conversation).await?.begin().await?;
                for change in changes {
                    said(&unit.conversation()?, change).await?;
                }
                unit.commit().await
            }
            other => said(&self.tenant.conversation().await?, other).await,
        }
    }

    /// Puts messages aside and has them appended.
    pub(super) async fn put_aside(&self, changes: &[Change]) -> Result<()> {
        let pieces = self.tenant.conversation().await?.pieces;
        for change in changes {
            let Change::Append(appended) = change else { panic!("{change:?} can't be put aside") };
            for message in messages(appended) {
                pieces.append_buffered(message).await?;
            }
        }
        pieces.flush().await
    }

    /// One more on a number that all users share.
    async fn count(&self) -> Result<()> {
        let settings = &self.stores.application().settings;
        loop {
            let found = settings.get(COUNTER).await?;
            let (version, number) =
                found.map_or((None, 0), |found| (Some(found.version), found.value.as_i64().unwrap_or(0)));
            match settings.compare_and_set(COUNTER, version, (number + 1).into()).await {
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                other => return other.map(drop),
            }
        }
    }

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
        let components = &self.tenant.configuration().await?.components;
        for found in
            all(|page| async move { components.list(&ComponentFilter::default(), &page).await }).await?
        {
            once(state.components.insert(found.name, found.status));
        }
        let settings = &self.stores.application().settings;
        for setting in all(|page| async move { settings.list(&self.prefix, &page).await }).await? {
            let key = setting.key[self.prefix.len()..].to_owned();
            once(state.settings.insert(key, setting.value.as_i64().unwrap_or(i64::MIN)));
        }
        let content = &self.tenant.content();
        for info in all(|page| async move { content.list(Namespace::Reports, "", &page).await }).await? {
            let (_, bytes) = content.read(Namespace::Reports, &info.name).await?.expect("it was listed");
            once(state.content.insert(info.name, String::from_utf8(bytes.to_vec()).expect("it was text")));
        }
        Ok(state)
    }
}

const COUNTER: &str = "shared/counter";

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

/// Whether two pieces are of one message.
fn same(a: &(Uuid, PieceFact), b: &(Uuid, PieceFact)) -> bool {
    (a.1.conversation, a.1.sequence) == (b.1.conversation, b.1.sequence)
}

/// The messages that pieces are of, in order.
fn messages(pieces: &[(Uuid, PieceFact)]) -> Vec<NewMessage> {
    let message = |parts: &[(Uuid, PieceFact)]| {
        let piece = |(id, fact): &(Uuid, PieceFact)| NewPiece {
            id: Some(PieceId(*id)),
            labels: Labels::from([(LABEL.to_owned(), fact.label.clone())]),
            ..NewPiece::text(ChatRole::User, &fact.text)
        };
        NewMessage::new(ConversationId(parts[0].1.conversation), parts.iter().map(piece).collect())
    };
    pieces.chunk_by(same).map(message).collect()
}

/// A change to what was said, on its own or in a unit.
async fn said(memory: &Conversation, change: &Change) -> Result<()> {
    match change {
        Change::Append(pieces) => {
            let mut messages = messages(pieces);
            let expected: Vec<_> = pieces.chunk_by(same).map(|parts| parts[0].1.sequence).collect();
            let sequences: Vec<_> = if messages.len() == 1 {
                let message = messages.pop().expect("there is one");
                vec![memory.pieces.append(message).await?.sequence]
            } else {
                memory.pieces.append_all(messages).await?.iter().map(|appended| appended.sequence).collect()
            };
            assert_eq!(sequences, expected, "messages get the next places");
            Ok(())
        }
        Change::Label { conversation, label } => {
            let selection = PieceSelection::Conversation(ConversationId(*conversation));
            let labels = Labels::from([(LABEL.to_owned(), label.clone())]);
            memory.pieces.set_labels(&selection, &labels).await.map(drop)
        }
        Change::Forget { conversation, after: -1 } => {
            memory.conversations.delete(ConversationId(*conversation)).await.map(drop)
        }
        Change::Forget { conversation, after } => {
            memory.conversations.delete_after(ConversationId(*conversation), *after).await.map(drop)
        }
        Change::Score { id, piece } => {
            let details = ScoreDetails::of(ScoreType::TrueFalse, "true");
            let score = NewScore { id: Some(ScoreId(*id)), ..NewScore::of(PieceId(*piece), details) };
            memory.scores.add(vec![score]).await.map(drop)
        }
        Change::Seed { id, text } => {
            let seed = NewSeed { id: Some(SeedId(*id)), ..SeedDetails::prompt("load", text).into() };
            memory.seeds.add(vec![seed]).await.map(drop)
        }
        other => panic!("{other:?} is not about what was said"),
    }
}
