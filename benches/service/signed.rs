//! What it costs that the tenant setting is signed: Postgres checks the signature once in each statement.

use std::sync::Arc;

use secrecy::SecretString;
use serde_json::json;
use trimaran::backends::postgres::PostgresConnection;
use trimaran::backends::tenant::signing::{SigningKey, TenantSetting, TenantSigner};
use trimaran::config::PoolSettings;
use trimaran::core::clock::SystemClock;
use trimaran::model::PieceFilter;
use trimaran::{Connection, Engine, Location, PageRequest};

use crate::arguments::Arguments;
use crate::ours::{self, AREAS};
use crate::pace::{self, Amount, median};
use crate::schema::{Place, TENANT};
use crate::table::Table;
use crate::{Result, data, say, talks, while_measuring};

/// Pieces that are there.
const PIECES: usize = 20_000;
/// Of the bench's own.
const KEY: &str = "0d5e7bb1c64f2a983e10f7d2465b8c3f9a7e6d10b2c85f4e3907a1dcb6f8e425";

pub(crate) async fn measure(arguments: &Arguments) -> Result<Table> {
    let mut table = Table::new(
        "signed",
        "A tenant setting as it is and signed, Postgres, one caller, µs each",
        &[("what", "what"), ("plain", "plain"), ("signed", "signed"), ("ratio", "signed / plain")],
    );
    say("signed: filling");
    let key = SigningKey::new(&SecretString::from(KEY))?;
    let mut times = Vec::new();
    for setting in [TenantSetting::Plain, TenantSetting::Signed(&key)] {
        let place = Place::empty(arguments, Engine::Postgres, "signed", &AREAS).await?;
        place.set(setting, &AREAS).await?;
        let signer = matches!(setting, TenantSetting::Signed(_))
            .then(|| TenantSigner::new(key.clone(), Arc::new(SystemClock)));
        times.push(ask(arguments, &place, signer).await?);
        place.remove().await?;
    }
    for (at, what) in ["a piece by id", "a page of 500 pieces", "append a message"].into_iter().enumerate() {
        let (plain, signed) = (times[0][at], times[1][at]);
        table.add(vec![json!(what), json!(plain), json!(signed), json!(signed / plain)]);
    }
    Ok(table)
}

/// Microseconds of a piece found, a page read, a message appended.
async fn ask(arguments: &Arguments, place: &Place, signer: Option<TenantSigner>) -> Result<[f64; 3]> {
    let Place::Postgres { application, .. } = place else { return Err("settings are Postgres's".into()) };
    let pool = PoolSettings { max_connections: 1, min_connections: 1, ..PoolSettings::default() };
    let open = PostgresConnection::open(&Location::parse(application)?, &pool).await?;
    let open = match signer {
        Some(signer) => open.signed_by(signer),
        None => open,
    };
    let connection = Connection::new(open.scoped(TENANT));
    let conversation = ours::conversation(connection.clone())?;
    let messages = (0..arguments.scaled(PIECES)).map(|number| data::message(&data::said(number)));
    let appended = conversation.pieces.append_all(messages.collect()).await?;
    let pieces = Arc::new(appended.into_iter().flat_map(|message| message.pieces).collect::<Vec<_>>());
    let writes = arguments.scaled(1_000).max(50);
    let mut rates = [const { Vec::new() }; 3];
    for _ in 0..arguments.rounds {
        let time = Amount::For(while_measuring(arguments));
        let (given, pieces) = (conversation.clone(), Arc::clone(&pieces));
        let by_id = move |number: usize| {
            let (conversation, id) = (given.clone(), pieces[number * 7919 % pieces.len()]);
            async move {
                let found = conversation.pieces.find(id).await?;
                found.map(drop).ok_or_else(|| "a piece is not found".into())
            }
        };
        rates[0].push(pace::rate(1, time, by_id).await?);
        let given = conversation.clone();
        let by_page = move |_| {
            let conversation = given.clone();
            async move {
                let page = PageRequest::first(500)?;
                Ok(conversation.pieces.list(&PieceFilter::default(), &page).await.map(drop)?)
            }
        };
        rates[1].push(pace::rate(1, time, by_page).await?);
        let given = conversation.clone();
        let append = move |number| {
            let conversation = given.clone();
            async move { Ok(conversation.pieces.append(talks::message(number)).await.map(drop)?) }
        };
        rates[2].push(pace::rate(1, Amount::Each(writes), append).await?);
        talks::take_away(&conversation, writes).await?;
    }
    connection.close().await;
    Ok(rates.map(|rates| 1e6 / median(&rates)))
}
