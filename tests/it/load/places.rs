//! One user's repositories: how a change is made, and how everything is read.

use secrecy::SecretString;
use trimaran::id::{AttackResultId, ConversationId, GroupId, PieceId, RoleId, ScoreId, SeedId, UserId};
use trimaran::model::{
    AttackDetails, AttackOutcome, ChatRole, ComponentKind, Labels, Namespace, NewApiKey, NewAttackResult,
    NewComponent, NewDataset, NewDatasetPrompt, NewEmbedding, NewGroup, NewMessage, NewObject, NewPiece,
    NewRole, NewScore, NewSeed, NewSession, NewUser, Permission, PieceSelection, ScoreDetails, ScoreType,
    SeedDetails, Subject,
};
use trimaran::{Area, Conversation, ErrorKind, Result, Store as _, Stores, Tenant};
use uuid::Uuid;

use super::state::{Change, PieceFact, State};

pub(super) const LABEL: &str = "op";
/// What made the embeddings.
pub(super) const MODEL: &str = "a model";
/// What the role that users are given lets them do, and what the role of the group does that they join.
const OF_ROLE: &str = "conversation.pieces:create";
const OF_GROUP: &str = "conversation.pieces:read";

/// Where one user's data is.
pub(super) struct Places {
    pub(super) stores: Stores,
    pub(super) tenant: Tenant,
    pub(super) user: UserId,
    /// What the names of the user's settings begin with.
    pub(super) prefix: String,
    pub(super) role: RoleId,
    pub(super) group: GroupId,
    key: SecretString,
}

impl Places {
    /// The user of this number: made, with an API key, if it isn't there.
    pub(super) async fn of(stores: &Stores, number: usize) -> Result<Self> {
        let name = format!("user {number}");
        let users = &stores.identity().users;
        let user = match users.find_by_name(&name).await? {
            Some(user) => user,
            None => users.create(NewUser::named(&name)).await?,
        };
        let key = stores.application().api_keys.create(NewApiKey::named(user.id, "load")).await?.secret;
        let tenant = stores.tenants().of_user(&name).await?;
        let tenant = stores.tenant(tenant.id).await?;
        let role = role(stores, "writer", OF_ROLE).await?;
        let group = readers(stores).await?;
        Ok(Self {
            stores: stores.clone(),
            tenant,
            user: user.id,
            prefix: format!("{number}/"),
            role,
            group,
            key,
        })
    }

    /// What a service does before it does anything.
    pub(super) async fn authenticate(&self, known: &State) -> Result<()> {
        let key = self.stores.application().api_keys.authenticate(&self.key).await?;
        assert_eq!(key.map(|key| key.owner), Some(self.user), "a key that was issued lets its owner in");
        for (permission, expected) in [(OF_ROLE, known.has_role), (OF_GROUP, known.is_member)] {
            let permission = Permission::new(permission)?;
            let permitted = self.stores.identity().assignments.is_permitted(self.user, &permission).await?;
            assert_eq!(permitted, expected, "a role permits {permission} while it is held");
        }
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
            Change::Dataset { name } => {
                let datasets = self.tenant.configuration().await?.datasets;
                datasets.create(NewDataset::named(name, "load")).await.map(drop)
            }
            Change::Prompts { dataset, texts } => {
                let datasets = self.tenant.configuration().await?.datasets;
                let found = datasets.find_by_name(dataset).await?.expect("a dataset that was made is there");
                datasets
                    .append_prompts(found.id, texts.iter().map(NewDatasetPrompt::of).collect())
                    .await
                    .map(drop)
            }
            Change::DropDataset { name } => {
                let datasets = self.tenant.configuration().await?.datasets;
                let found = datasets.find_by_name(name).await?.expect("a dataset that was made is there");
                datasets.delete(found.id).await.map(drop)
            }
            Change::LogIn => {
                let session = NewSession::of(self.user);
                self.stores.application().sessions.create(session).await.map(drop)
            }
            Change::LogOut => self.stores.application().sessions.revoke_all(self.user).await.map(drop),
            Change::Role { given } => {
                let (assignments, user) = (&self.stores.identity().assignments, Subject::User(self.user));
                match given {
                    true => assignments.assign(self.role, user).await.map(drop),
                    false => assignments.unassign(self.role, user).await.map(drop),
                }
            }
            Change::Member { joined } => {
                let groups = &self.stores.identity().groups;
                match joined {
                    true => groups.add_member(self.group, self.user).await.map(drop),
                    false => groups.remove_member(self.group, self.user).await.map(drop),
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
}

/// The key of the number that all users share.
pub(super) const COUNTER: &str = "shared/counter";

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
        Change::Attack { id, conversation, achieved } => {
            let details = AttackDetails::of("objective", outcome(*achieved));
            let result = NewAttackResult {
                id: Some(AttackResultId(*id)),
                ..NewAttackResult::of(ConversationId(*conversation), details)
            };
            memory.attack_results.add(vec![result]).await.map(drop)
        }
        Change::Judge { id, achieved } => {
            let found = memory.attack_results.find(AttackResultId(*id)).await?;
            let mut result = found.expect("a result that was added is there");
            result.details.outcome = outcome(*achieved);
            memory.attack_results.update(&result).await.map(drop)
        }
        Change::Embed { piece, number } => {
            let (type_name, vector) = (MODEL.to_owned(), vec![f32::from(*number), 1.0]);
            memory.embeddings.put(vec![NewEmbedding { piece: PieceId(*piece), type_name, vector }]).await
        }
        other => panic!("{other:?} is not about what was said"),
    }
}

const fn outcome(achieved: bool) -> AttackOutcome {
    if achieved { AttackOutcome::Success } else { AttackOutcome::Failure }
}

/// The role of this name, with one permission: made if it isn't there. All users ask for it at once.
async fn role(stores: &Stores, name: &str, permission: &str) -> Result<RoleId> {
    let roles = &stores.identity().roles;
    if let Some(role) = roles.find_by_name(name).await? {
        return Ok(role.id);
    }
    match roles.create(NewRole::named(name, [Permission::new(permission)?])).await {
        Ok(role) => Ok(role.id),
        Err(error) if error.kind() == ErrorKind::Conflict => {
            Ok(roles.find_by_name(name).await?.expect("another has made it").id)
        }
        Err(error) => Err(error),
    }
}

/// The group of readers, which has the role that lets them read.
async fn readers(stores: &Stores) -> Result<GroupId> {
    const NAME: &str = "readers";
    let groups = &stores.identity().groups;
    let group = match groups.find_by_name(NAME).await? {
        Some(group) => group.id,
        None => match groups.create(NewGroup::named(NAME)).await {
            Ok(group) => group.id,
            Err(error) if error.kind() == ErrorKind::Conflict => {
                groups.find_by_name(NAME).await?.expect("another has made it").id
            }
            Err(error) => return Err(error),
        },
    };
    let reader = role(stores, "reader", OF_GROUP).await?;
    stores.identity().assignments.assign(reader, Subject::Group(group)).await?;
    Ok(group)
}
