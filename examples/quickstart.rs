//! The first steps: open what is configured, make a user with a role and an API key, and let the key in.
//!
//! ```sh
//! cargo run --example quickstart
//! TRIMARAN_STORES__IDENTITY__URL=postgres://me@localhost/app cargo run --example quickstart
//! ```

use trimaran::Config;
use trimaran::model::application::NewApiKey;
use trimaran::model::identity::{NewRole, NewUser, Permission, Subject};

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
    let stores = trimaran::open(config).await?;
    let (identity, application) = (stores.identity(), stores.application());

    // A second run finds what the first one made.
    let zoe = match identity.users.find_by_name("zoë").await? {
        Some(user) => user,
        None => identity.users.create(NewUser::named("zoë")).await?,
    };
    let read = Permission::new("prompts:read")?;
    if identity.roles.find_by_name("reader").await?.is_none() {
        let role = NewRole::named("reader", [read.clone()]);
        let role = identity.roles.create(role).await?;
        identity.assignments.assign(role.id, Subject::User(zoe.id)).await?;
    }
    let may = identity.assignments.is_permitted(zoe.id, &read).await?;

    let issued = application.api_keys.create(NewApiKey::named(zoe.id, "laptop")).await?;
    let let_in = application.api_keys.authenticate(&issued.secret).await?;
    stores.close().await;
    Ok(vec![
        format!("{} may read prompts: {may}", zoe.name),
        format!(
            "the key {} lets in: {}",
            issued.key.name,
            let_in.map_or("nobody".into(), |key| key.owner.to_string())
        ),
    ])
}
