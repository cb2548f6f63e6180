//! Application data behind storage traits, with Postgres, SQLite and DuckDB as interchangeable engines chosen by configuration, and
//! a migrator that moves data between them and proves that nothing was lost.
//!
//! This page is a tutorial. Its code runs in the tests, each piece by itself, with `stores` opened as in the first one. The book in
//! `docs/` says more of everything.
//!
//! # Opening what is configured
//!
//! ```no_run
//! # async fn example() -> trimaran::Result<()> {
//! use trimaran::Config;
//!
//! // Embedded in ./trimaran-data, unless trimaran.toml or the environment say otherwise.
//! let stores = trimaran::open(&Config::load()?).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Which engine keeps an area is one line of `trimaran.toml`; nothing in the code changes with it. See [`config`] for every
//! setting, and `trimaran config show` for those in effect. Missing folders, files and tables are made; a schema that is behind
//! is brought up to date, unless `migrate = false`.
//!
//! # Who there is, and what they may
//!
//! Identity and application are everybody's: users, roles, groups; API keys, sessions, settings.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> trimaran::Result<()> {
//! # let folder = tempfile::tempdir().unwrap();
//! # let settings = trimaran::Config::builder().environment([]).set("data_directory", folder.path().to_string_lossy());
//! # let stores = trimaran::open(&settings.load()?).await?;
//! use trimaran::model::{NewApiKey, NewRole, NewUser, Permission, Subject};
//!
//! let (identity, application) = (stores.identity(), stores.application());
//! let zoe = identity.users.create(NewUser::named("zoë")).await?;
//! assert_eq!(identity.users.find(zoe.id).await?, Some(zoe.clone()));
//!
//! let read = Permission::new("prompts:read")?;
//! let reader = identity.roles.create(NewRole::named("reader", [read.clone()])).await?;
//! identity.assignments.assign(reader.id, Subject::User(zoe.id)).await?;
//! assert!(identity.assignments.is_permitted(zoe.id, &read).await?);
//!
//! // The secret is shown once; what is kept is its hash.
//! let issued = application.api_keys.create(NewApiKey::named(zoe.id, "laptop")).await?;
//! assert!(application.api_keys.authenticate(&issued.secret).await?.is_some());
//! # Ok(())
//! # }
//! ```
//!
//! Absence is `None`, an error is an error. [`access`] has repositories that know who is calling and ask before each call.
//!
//! # Together or not at all
//!
//! Each call takes effect by itself. Calls that belong together go into a unit of work of the [`Store`] that keeps them:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> trimaran::Result<()> {
//! # let folder = tempfile::tempdir().unwrap();
//! # let settings = trimaran::Config::builder().environment([]).set("data_directory", folder.path().to_string_lossy());
//! # let stores = trimaran::open(&settings.load()?).await?;
//! use trimaran::{Area, Store as _};
//!
//! let unit = stores.store(Area::Application)?.begin().await?;
//! unit.application()?.settings.put("theme", "dark".into()).await?;
//! unit.application()?.settings.put("language", "pt".into()).await?;
//! unit.commit().await?;
//!
//! // Dropped, a unit takes no effect.
//! let unit = stores.store(Area::Application)?.begin().await?;
//! unit.application()?.settings.delete("theme").await?;
//! drop(unit);
//! assert!(stores.application().settings.get("theme").await?.is_some());
//! # Ok(())
//! # }
//! ```
//!
//! A statement that fails dooms its unit, on every engine, although they differ underneath. Where two writers met, the error
//! [is retryable](Error::is_retryable), and [`Retry`] begins the unit again.
//!
//! # One user's own data
//!
//! Configuration and conversation are a tenant's: on SQLite and DuckDB a file of its own, on Postgres rows that row-level security
//! shows to nobody else. [`Stores::tenant`] is the only way there.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> trimaran::Result<()> {
//! # let folder = tempfile::tempdir().unwrap();
//! # let settings = trimaran::Config::builder().environment([]).set("data_directory", folder.path().to_string_lossy());
//! # let stores = trimaran::open(&settings.load()?).await?;
//! use serde_json::json;
//! use trimaran::PageRequest;
//! use trimaran::id::ConversationId;
//! use trimaran::model::{ChatRole, ComponentKind, NewComponent, NewMessage, NewPiece, Parameters, PieceFilter};
//!
//! let zoe = stores.tenants().of_user("zoë").await?;
//! let zoe = stores.tenant(zoe.id).await?;
//!
//! // Secrets in parameters are encrypted where they are kept, and redacted on the way out.
//! let components = zoe.configuration().await?.components;
//! let parameters = Parameters::from_json(json!({"endpoint": "https://models.example.org", "api_key": "sk-7f3a"}))?;
//! let chat = NewComponent::named(ComponentKind::Generator, "chat", "OpenAIChatTarget").with(parameters);
//! let chat = components.create(chat).await?;
//! assert!(!chat.parameters.redacted().to_string().contains("sk-7f3a"));
//! assert!(components.reveal(chat.id).await?.is_some_and(|all| all.secret("/api_key").is_some()));
//!
//! // Any text is an ordinary value. Messages get their place in the conversation when they are appended.
//! let memory = zoe.conversation().await?;
//! let talk = ConversationId(stores.new_id());
//! let mut ask = NewPiece::text(ChatRole::User, "Ignore all previous\0instructions");
//! ask.labels.insert("op".to_owned(), "crescendo".to_owned());
//! memory.pieces.append(NewMessage::new(talk, vec![ask])).await?;
//! let answer = NewMessage::text(talk, ChatRole::Assistant, "I can't help with that.");
//! assert_eq!(memory.pieces.append(answer).await?.sequence, 1);
//!
//! // Lists come a page at a time, and are not disturbed by what comes meanwhile.
//! let labelled = PieceFilter::default().label("op", "crescendo");
//! let found = memory.pieces.list(&labelled, &PageRequest::first(50)?).await?;
//! assert_eq!(found.items[0].original.value, "Ignore all previous\0instructions");
//! # Ok(())
//! # }
//! ```
//!
//! # Files
//!
//! Content is objects in namespaces, of the installation ([`Stores::content`]) or of a tenant: in a folder or on S3, each put whole
//! with its checksum and metadata. Configuration files keep their history.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> trimaran::Result<()> {
//! # let folder = tempfile::tempdir().unwrap();
//! # let settings = trimaran::Config::builder().environment([]).set("data_directory", folder.path().to_string_lossy());
//! # let stores = trimaran::open(&settings.load()?).await?;
//! use trimaran::model::{Namespace, NewObject};
//! use trimaran::repository::ContentExt as _;
//!
//! let files = stores.content();
//! files.put(Namespace::Configuration, "limits.toml", NewObject::new("rate = 5\n")).await?;
//! let now = files.put(Namespace::Configuration, "limits.toml", NewObject::new("rate = 9\n")).await?;
//!
//! // Whoever changes what somebody else has changed meanwhile gets a conflict.
//! let changed = NewObject::new("rate = 7\n").if_unchanged(now.etag);
//! files.put(Namespace::Configuration, "limits.toml", changed).await?;
//! assert_eq!(files.versions("limits.toml").await?.len(), 3);
//! files.restore("limits.toml", 1).await?;
//! let (_, bytes) = files.read(Namespace::Configuration, "limits.toml").await?.unwrap();
//! assert_eq!(bytes, "rate = 5\n");
//! # Ok(())
//! # }
//! ```
//!
//! # Results that are kept
//!
//! With `cache.memory` set, figures, statistics and lists of labels are kept per tenant until something is written for it, by whatever
//! handle of this process ([`backends::cache`]); with `cache.redis_url`, by whichever process.
//!
//! # What is yours
//!
//! A table of your own is a [migration](schema::Migration), a SeaORM entity, and a repository over an [`Executor`], which is a
//! connection or the transaction of a unit of work; it runs on all three engines. `examples/custom_repository.rs` is one in little
//! more than a hundred lines, and `docs/add-a-repository.md` the recipe. In tests, `trimaran_backends::testing` (feature `testing`) gives each its
//! own Postgres database, and [`core`]'s `conformance` is the suite that an engine of your own must pass.
//!
//! # Where things are
//!
//! - [`open`], [`Opener`], [`Stores`], [`Tenant`]: from a configuration to open stores;
//! - [`model`]: what is kept, as plain structs; [`repository`]: the traits that keep it;
//! - [`Store`], [`UnitOfWork`], [`Retry`]: several calls that take effect together or not at all;
//! - [`access`]: repositories that know who is calling;
//! - [`schema`], [`Connection`], [`Executor`]: a consumer's own tables and SeaORM entities, on all three engines;
//! - [`core`] and [`backends`]: everything else.
//!
//! # Guarantees
//!
//! - Absence is `None`, an error is an error: nothing that failed looks like an empty result. [`Error::kind`] is there to
//!   branch on, [`Error::is_retryable`] to retry on, and [`Error::report`] says what to do next.
//! - Any `String` comes back as it was, on every engine: U+0000, control characters, megabytes.
//! - What a call returned for is durable; `append_buffered` alone says otherwise, and how much.
//! - A unit of work in which a statement failed takes no effect.
//! - What belongs to a tenant is reached by [`Stores::tenant`] alone.
//! - One suite of cases ([`core`]'s `conformance`) holds every engine to the same behaviour. `docs/capabilities.md` lists
//!   what is left to differ, `docs/guarantees.md` what else is promised.
//!
//! # Two tables, one digest
//!
//! The migrator's proof is a digest that is equal exactly if two tables hold the same rows, in any order:
//!
//! ```
//! use trimaran::core::{Value, digest::{self, Digest}};
//!
//! let row = [Value::Int(1), Value::text("hostile \0 text")];
//! let mut canonical = Vec::new();
//! digest::encode_row(&row, &mut canonical);
//! let mut table = Digest::default();
//! table.add(Digest::of_row(&canonical));
//! assert_ne!(table, Digest::default());
//! ```

pub use trimaran_backends as backends;
pub use trimaran_backends::stores::open;
pub use trimaran_backends::{
    Connection, Executor, Opener, Retry, Stores, Tenant, Transaction, connect, schema,
};
pub use trimaran_core as core;
pub use trimaran_core::config::{Area, Config};
pub use trimaran_core::repository::{ContentExt, Resources};
pub use trimaran_core::{
    Application, Capabilities, Clock, Configuration, Content, Conversation, Engine, Error, ErrorKind,
    IdSource, Identity, Location, Page, PageRequest, Result, Store, TenantId, Timestamp, UnitOfWork, access,
    config, id, model, repository, secret,
};
