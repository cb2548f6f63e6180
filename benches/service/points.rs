//! Single reads and writes on each engine.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::json;
use trimaran::id::PieceId;
use trimaran::{Application, Conversation, Engine};

use crate::arguments::Arguments;
use crate::ours::{self, AREAS, Ours};
use crate::pace::{self, Amount, Rates};
use crate::record::{Recorder, Script};
use crate::replay::Raw;
use crate::replay_duckdb::with_casts;
use crate::schema::Place;
use crate::table::Table;
use crate::{Result, data, say, talks, while_measuring};

/// Pieces and settings that are there.
const PIECES: usize = 20_000;
const SETTINGS: usize = 1_000;
/// Reads that are written down.
const READS: usize = 500;

/// The repositories that are asked, and what there is to ask for.
#[derive(Debug, Clone)]
struct Asked {
    conversation: Conversation,
    application: Application,
    pieces: Arc<Vec<PieceId>>,
}

/// One thing that is measured.
struct Point {
    what: &'static str,
    /// Whether it is a tenant's.
    tenant: bool,
    writes: bool,
    call: fn(Asked, usize) -> BoxFuture<'static, Result<()>>,
}

const POINTS: [Point; 4] = [
    Point {
        what: "a piece by id",
        tenant: true,
        writes: false,
        call: |asked, number| {
            Box::pin(async move {
                let id = asked.pieces[number * 7919 % asked.pieces.len()];
                let found = asked.conversation.pieces.find(id).await?;
                found.map(drop).ok_or_else(|| "a piece is not found".into())
            })
        },
    },
    Point {
        what: "a setting by key",
        tenant: false,
        writes: false,
        call: |asked, number| {
            Box::pin(async move {
                let found = asked.application.settings.get(&key(number)).await?;
                found.map(drop).ok_or_else(|| "a setting is not found".into())
            })
        },
    },
    Point {
        what: "append a message",
        tenant: true,
        writes: true,
        call: |asked, number| {
            Box::pin(
                async move { Ok(asked.conversation.pieces.append(talks::message(number)).await.map(drop)?) },
            )
        },
    },
    Point {
        what: "put a setting",
        tenant: false,
        writes: true,
        call: |asked, number| {
            Box::pin(async move {
                Ok(asked
                    .application
                    .settings
                    .put(&key(number), json!({ "number": number }))
                    .await
                    .map(drop)?)
            })
        },
    },
];

fn key(number: usize) -> String {
    format!("limits/{}", number % SETTINGS)
}

pub(crate) fn table() -> Table {
    Table::new(
        "points",
        "Single reads and writes, one caller, µs each (aim: 1.25 × the driver)",
        &[
            ("engine", "engine"),
            ("what", "what"),
            ("ours", "Trimaran"),
            ("raw", "driver, the same statements"),
            ("ratio", "ratio"),
            ("task", "driver, from a task"),
            ("task_ratio", "Trimaran / that"),
        ],
    )
}

impl Asked {
    /// Over connections of the tenant and of nobody.
    fn over(
        tenant: trimaran::Connection,
        shared: trimaran::Connection,
        pieces: Arc<Vec<PieceId>>,
    ) -> Result<Self> {
        let application = Ours::over(shared)?.application;
        Ok(Self { conversation: ours::conversation(tenant)?, application, pieces })
    }
}

pub(crate) async fn measure(arguments: &Arguments, engine: Engine, table: &mut Table) -> Result<()> {
    say(&format!("{engine}: filling for single reads and writes"));
    let place = Place::empty(arguments, engine, "points", &AREAS).await?;
    let (tenant, shared) = connect(&place).await?;
    let filling = Asked::over(tenant.clone(), shared.clone(), Arc::default())?;
    let messages = (0..arguments.scaled(PIECES)).map(|number| data::message(&data::said(number)));
    let appended = filling.conversation.pieces.append_all(messages.collect()).await?;
    let pieces = Arc::new(appended.into_iter().flat_map(|message| message.pieces).collect::<Vec<_>>());
    for number in 0..SETTINGS {
        filling.application.settings.put(&key(number), json!(number)).await?;
    }
    tenant.close().await;
    shared.close().await;

    // A write of DuckDB's takes so long that fewer tell as much.
    let writes = arguments.scaled(if engine == Engine::Duckdb { 300 } else { 1_500 }).max(50);
    for point in &POINTS {
        let count = if point.writes { writes } else { READS };
        let scripts = Arc::new(record(&place, &pieces, point, count).await?);
        let amount = if point.writes { Amount::Each(count) } else { Amount::For(while_measuring(arguments)) };
        let mut rates = Rates::default();
        let mut from_a_task = Vec::new();
        for _ in 0..arguments.rounds {
            let (tenant, shared) = connect(&place).await?;
            let asked = Asked::over(tenant.clone(), shared.clone(), Arc::clone(&pieces))?;
            if !point.writes {
                (point.call)(asked.clone(), 0).await?;
            }
            let (given, call) = (asked.clone(), point.call);
            rates.ours.push(pace::rate(1, amount, move |number| call(given.clone(), number)).await?);
            if point.writes && point.tenant {
                talks::take_away(&asked.conversation, count).await?;
            }
            tenant.close().await;
            shared.close().await;

            // Each by itself: a file of DuckDB's is open once.
            for in_a_task in [false, true] {
                let raw = Raw::open(&ours::target(&place, point.tenant), 1).await?;
                if in_a_task {
                    from_a_task.push(raw.rate_from_a_task(amount, &scripts).await?);
                } else {
                    rates.raw.push(raw.rate(1, amount, &scripts).await?);
                }
                raw.close().await?;
                if point.writes && point.tenant {
                    let tenant = ours::connect(&place, 1, true).await?;
                    talks::take_away(&ours::conversation(tenant.clone())?, count).await?;
                    tenant.close().await;
                }
            }
        }
        let task = pace::median(&from_a_task);
        table.add(vec![
            json!(engine.to_string()),
            json!(point.what),
            json!(1e6 / rates.ours()),
            json!(1e6 / rates.raw()),
            json!(rates.ratio()),
            json!(1e6 / task),
            json!(task / rates.ours()),
        ]);
    }
    place.remove().await
}

/// Connections of the tenant and of nobody: on files the same.
async fn connect(place: &Place) -> Result<(trimaran::Connection, trimaran::Connection)> {
    let tenant = ours::connect(place, 1, true).await?;
    let shared = match place {
        Place::File(..) => tenant.clone(),
        Place::Postgres { .. } => ours::connect(place, 1, false).await?,
    };
    Ok((tenant, shared))
}

/// What so many calls send. What they append is taken away again.
async fn record(
    place: &Place,
    pieces: &Arc<Vec<PieceId>>,
    point: &Point,
    count: usize,
) -> Result<Vec<Script>> {
    let (tenant, shared) = connect(place).await?;
    let recorder = Recorder::over(if point.tenant { tenant.clone() } else { shared.clone() });
    let asked = Asked::over(recorder.connection(), recorder.connection(), Arc::clone(pieces))?;
    let mut scripts = Vec::new();
    for number in 0..count {
        (point.call)(asked.clone(), number).await?;
        let script = recorder.take();
        scripts.push(if matches!(place, Place::File(Engine::Duckdb, _)) {
            with_casts(script)
        } else {
            script
        });
    }
    if point.writes && point.tenant {
        talks::take_away(&asked.conversation, count).await?;
    }
    tenant.close().await;
    shared.close().await;
    Ok(scripts)
}
