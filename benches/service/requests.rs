//! Requests to an application that keeps everything on SQLite: who is it, may they, whose data, and one read or write of it.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use secrecy::SecretString;
use serde_json::json;
use trimaran::backends::tenant::{TenantCatalogue, naming::NamingKey};
use trimaran::core::id::RandomIds;
use trimaran::id::ConversationId;
use trimaran::{Area, Config, Conversation, Executor, Opener, PageRequest, Stores, TenantId};

use crate::arguments::Arguments;
use crate::data;
use crate::keys::{self, Caller};
use crate::ours::{self, Ours};
use crate::pace::{self, Amount, Rates};
use crate::record::{Recorder, Script};
use crate::replay::{self, Raw, Target};
use crate::table::Table;
use crate::{Result, say, while_measuring};

/// Users, each with a key, a tenant and a conversation of [`BEFORE`] messages.
const USERS: usize = 64;
const BEFORE: usize = 20;
/// How many messages a request reads.
const READ: u32 = 10;
/// What files are named under.
const KEY: &str = "5f1d0c6b8e2a497035bd9c41f7e8a2066d3b90c5417fea28db63c09157e84af2";

/// An installation, and who asks it.
#[derive(Clone)]
struct Service {
    stores: Stores,
    ours: Ours,
    callers: Arc<Vec<(Caller, TenantId)>>,
}

/// The conversation that a user's requests are about.
fn talk(user: usize, fresh: bool) -> ConversationId {
    ConversationId(data::conversation(user * 2 + usize::from(fresh)))
}

fn message(user: usize, number: usize, fresh: bool) -> trimaran::model::NewMessage {
    let mut message = data::message(&data::said(number));
    message.conversation = talk(user, fresh);
    message
}

async fn read(conversation: &Conversation, user: usize) -> Result<()> {
    let page = conversation.conversations.messages(talk(user, false), &PageRequest::first(READ)?).await?;
    if page.items.len() == READ as usize { Ok(()) } else { Err("messages are missing".into()) }
}

impl Service {
    async fn open(config: &Config, callers: Arc<Vec<(Caller, TenantId)>>) -> Result<Self> {
        let stores = Opener::new(config).clock(ours::clock()?).open().await?;
        let connection = stores.store(Area::Application)?.connection().clone();
        let ours = Ours {
            connection,
            identity: stores.identity().clone(),
            application: stores.application().clone(),
        };
        Ok(Self { stores, ours, callers })
    }

    /// A whole request of the user of that number.
    async fn request(&self, number: usize, writes: bool) -> Result<()> {
        let user = number % self.callers.len();
        let (caller, tenant) = &self.callers[user];
        keys::admit(&self.ours, caller).await?;
        let conversation = self.stores.tenant(*tenant).await?.conversation().await?;
        if writes {
            conversation.pieces.append(message(user, number, true)).await?;
            return Ok(());
        }
        read(&conversation, user).await
    }

    /// What was appended is taken away.
    async fn take_away(&self) -> Result<()> {
        for (user, (_, tenant)) in self.callers.iter().enumerate() {
            self.stores
                .tenant(*tenant)
                .await?
                .conversation()
                .await?
                .conversations
                .delete(talk(user, true))
                .await?;
        }
        Ok(())
    }

    /// What so many requests send, and the files they send it to.
    async fn record(
        &self,
        folder: &std::path::Path,
        writes: bool,
        count: usize,
    ) -> Result<(Target, Vec<Script>)> {
        let mut files = vec![folder.join("app.sqlite")];
        let recorder = Recorder::over(self.ours.connection.clone());
        let shared = recorder.beside(self.ours.connection.clone(), 0).connection();
        let catalogue = TenantCatalogue::new(
            Executor::Connection(shared.clone()),
            ours::clock()?,
            Arc::new(RandomIds),
            NamingKey::new(&SecretString::from(KEY))?,
        );
        let ours = Ours::over(shared)?;
        let (mut scripts, mut conversations) = (Vec::new(), Vec::new());
        for (_, tenant) in self.callers.iter() {
            let tenant = self.stores.tenant(*tenant).await?;
            files.push(folder.join("tenants").join(format!("{}.sqlite", tenant.record().place)));
            let connection = tenant.connection(Area::Conversation).await?;
            let at = files.len() - 1;
            conversations
                .push(ours::conversation_of(tenant.id(), recorder.beside(connection, at).connection())?);
        }
        for number in 0..count {
            let user = number % self.callers.len();
            let (caller, tenant) = &self.callers[user];
            keys::admit(&ours, caller).await?;
            catalogue.find(*tenant).await?.ok_or("a tenant is missing")?;
            if writes {
                conversations[user].pieces.append(message(user, number, true)).await?;
            } else {
                read(&conversations[user], user).await?;
            }
            scripts.push(recorder.take());
        }
        Ok((Target::Sqlite(files), scripts))
    }
}

pub(crate) async fn measure(arguments: &Arguments) -> Result<Table> {
    let mut table = Table::new(
        "requests",
        "Requests on SQLite (WAL, synchronous=FULL), everything included, a second",
        &[
            ("what", "request"),
            ("callers", "callers"),
            ("ours", "Trimaran"),
            ("raw", "rusqlite, the same statements"),
            ("ratio", "rusqlite / Trimaran"),
            ("promised", "promised"),
            ("aim", "aim"),
        ],
    );
    let folder: PathBuf = arguments.folder.join("requests");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let folder = folder.canonicalize()?;
    let at = |name: &str| format!("sqlite://{}/{name}", folder.display());
    let config = Config::builder()
        .environment([])
        .set("stores.identity.url", at("app.sqlite"))
        .set("stores.application.url", at("app.sqlite"))
        .set("stores.configuration.url", at("tenants"))
        .set("stores.conversation.url", at("tenants"))
        .set("stores.content.url", format!("file://{}/content", folder.display()))
        .set("stores.identity.max_connections", "16")
        .set("stores.application.max_connections", "16")
        .set("tenants.open_files", "64")
        .set("tenants.key", KEY)
        .set("secrets.key", KEY)
        .load()?;
    say("requests: making users and their conversations");
    let service = Service::open(&config, Arc::default()).await?;
    let mut callers = Vec::new();
    for (user, caller) in keys::fill(&service.ours, USERS).await?.iter().enumerate() {
        let tenant = service.stores.tenants().create(&format!("user{user}@example.org")).await?.id;
        let conversation = service.stores.tenant(tenant).await?.conversation().await?;
        conversation
            .pieces
            .append_all((0..BEFORE).map(|number| message(user, number, false)).collect())
            .await?;
        callers.push((caller.clone(), tenant));
    }
    let service = Service { callers: Arc::new(callers), ..service };

    let writes = arguments.scaled(2_000).max(USERS);
    let kinds = [("append a message", true), ("read ten messages", false)];
    for (what, is_write) in kinds {
        let (target, scripts) = service.record(&folder, is_write, writes).await?;
        say(&format!("requests: {:.1} statements to {what}", replay::statements(&scripts)));
        service.take_away().await?;
        let scripts = Arc::new(scripts);
        for sessions in [1, 16] {
            let amount =
                if is_write { Amount::Each(writes) } else { Amount::For(while_measuring(arguments)) };
            let mut rates = Rates::default();
            for _ in 0..arguments.rounds {
                let given = service.clone();
                let work = move |number| -> BoxFuture<'static, Result<()>> {
                    let service = given.clone();
                    Box::pin(async move { service.request(number, is_write).await })
                };
                rates.ours.push(pace::rate(sessions, amount, work).await?);
                service.take_away().await?;
                let raw = Raw::open(&target, sessions).await?;
                rates.raw.push(raw.rate(sessions, amount, &scripts).await?);
                service.take_away().await?;
            }
            table.add(vec![
                json!(what),
                json!(sessions),
                json!(rates.ours()),
                json!(rates.raw()),
                json!(rates.ratio()),
                json!(500),
                json!(5_000),
            ]);
        }
    }
    service.stores.close().await?;
    std::fs::remove_dir_all(&folder)?;
    Ok(table)
}
