//! The first steps: open what is configured, make a user with a role and an API key, let the key in, and change two things
//! together.
//!
//! ```sh
//! cargo run --example quickstart
//! TRIMARAN_STORES__IDENTITY__URL=postgres://me@localhost/app cargo run --example quickstart
//! ```

use trimaran::model::{NewApiKey, NewRole, NewUser, Permission, Subject};
use trimaran::{Area, Config, Store as _};

#[tokio::main]
async fn main() {
    let told = match Config::load() {
        Ok(config) => run(&config).await,
        Err(error) => Err(error),
    };
    match told {
        Ok(lines) => lines.iter().for_each(|line| eprintln!("{line}")),
        Err(error) => {
            eprintln!("error: {}", error.report());
            std::process::exit(1);
        }
    }
}

/// What happened, in words.
pub(crate) async fn run(config: &Config) -> trimaran::Result<Vec<String>> {
    // Embedded in ./trimaran-data, unless trimaran.toml or the environment say otherwise.
    let stores = trimaran::open(config).await?;
    let (identity, application) = (stores.identity(), stores.application());

    // What an earlier run left is cleared away.
    if let Some(zoe) = identity.users.find_by_name("zoë").await? {
        identity.users.delete(zoe.id).await?;
    }
    if let Some(reader) = identity.roles.find_by_name("reader").await? {
        identity.roles.delete(reader.id).await?;
    }

    let zoe = identity.users.create(NewUser::named("zoë")).await?;
    let read = Permission::new("prompts:read")?;
    let reader = identity.roles.create(NewRole::named("reader", [read.clone()])).await?;
    identity.assignments.assign(reader.id, Subject::User(zoe.id)).await?;
    let may = identity.assignments.is_permitted(zoe.id, &read).await?;

    let issued = application.api_keys.create(NewApiKey::named(zoe.id, "laptop")).await?;
    let let_in = application.api_keys.authenticate(&issued.secret).await?;

    // Several calls that take effect together or not at all.
    let unit = stores.store(Area::Application)?.begin().await?;
    unit.application()?.api_keys.revoke_all(zoe.id).await?;
    unit.application()?.settings.put("last-revoked", "zoë".into()).await?;
    unit.commit().await?;
    let still = application.api_keys.authenticate(&issued.secret).await?;

    stores.close().await?;
    Ok(vec![
        format!("{} may read prompts: {may}", zoe.name),
        format!("her key lets her in: {}; once revoked: {}", let_in.is_some(), still.is_some()),
    ])
}
