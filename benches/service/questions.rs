//! Questions about conversations: computed by DuckDB and by Postgres over the same pieces, and kept.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use trimaran::backends::cache::ResultCache;
use trimaran::config::CacheSettings;
use trimaran::model::conversation::PieceFilter;
use trimaran::model::conversation::analytics::{Dimension, FiguresRequest, OutcomeRequest, TimeBucket};
use trimaran::{Conversation, Engine, Store as _};

use crate::arguments::Arguments;
use crate::ours::{self, AREAS};
use crate::pace::{self, Amount, Rates};
use crate::record::{Recorder, Script, Step};
use crate::replay::Raw;
use crate::replay_duckdb::with_casts;
use crate::schema::Place;
use crate::table::Table;
use crate::{Result, say, talk_of, while_measuring};

/// How many pieces are asked about.
pub(crate) const PIECES: usize = 1_000_000;

type Ask = fn(Conversation) -> BoxFuture<'static, trimaran::Result<()>>;

/// The questions. One more is one line more.
const QUESTIONS: &[(&str, Ask)] = &[
    ("groups by label", |c| {
        Box::pin(async move {
            c.analytics.groups(&PieceFilter::default(), &Dimension::Label, 100).await.map(drop)
        })
    }),
    ("figures by role", |c| Box::pin(async move { figures(&c, Dimension::Role).await })),
    ("figures by error", |c| Box::pin(async move { figures(&c, Dimension::Error).await })),
    ("figures by scorer", |c| Box::pin(async move { figures(&c, Dimension::Scorer).await })),
    ("figures by day", |c| Box::pin(async move { figures(&c, Dimension::Time(TimeBucket::Day)).await })),
    ("figures by harm category", |c| Box::pin(async move { figures(&c, Dimension::HarmCategory).await })),
    ("figures of one label's pieces by role", |c| {
        Box::pin(async move {
            let filter = PieceFilter::default().label("operation", "op-1");
            c.analytics
                .figures(&FiguresRequest { filter, ..FiguresRequest::by(Dimension::Role) })
                .await
                .map(drop)
        })
    }),
    ("outcomes by attack", |c| {
        Box::pin(
            async move { c.analytics.outcomes(&OutcomeRequest::by(Dimension::AttackClass)).await.map(drop) },
        )
    }),
    ("longest prompts", |c| {
        Box::pin(async move { c.analytics.longest_prompts(&PieceFilter::default(), 10).await.map(drop) })
    }),
    ("most repeated prompts", |c| {
        Box::pin(async move { c.analytics.repeated_prompts(&PieceFilter::default(), 10).await.map(drop) })
    }),
    ("labels", |c| Box::pin(async move { c.conversations.labels().await.map(drop) })),
    ("scorer classes", |c| Box::pin(async move { c.scores.scorer_classes().await.map(drop) })),
];

async fn figures(conversation: &Conversation, by: Dimension) -> trimaran::Result<()> {
    conversation.analytics.figures(&FiguresRequest::by(by)).await.map(drop)
}

/// What one engine makes of the questions, in their order.
struct Answers {
    /// Trimaran's rates without anything kept, and the driver's.
    cold: Vec<Rates>,
    /// By one caller and by sixteen, where results are kept.
    kept: Vec<[f64; 2]>,
    /// Trivial prepared statements a second on one connection.
    floor: f64,
}

pub(crate) async fn measure(arguments: &Arguments) -> Result<Vec<Table>> {
    let mut table = Table::new(
        "questions",
        "Questions about a million pieces times the scale, one caller, answers a second (promised, kept: 10,000)",
        &[
            ("what", "question"),
            ("duckdb", "DuckDB, computed"),
            ("duckdb_raw", "duckdb crate, the same SQL"),
            ("ratio", "crate / Trimaran"),
            ("kept", "kept"),
            ("kept_16", "kept, 16 callers"),
            ("postgres", "Postgres, computed"),
            ("times", "DuckDB / Postgres (promised 3–5)"),
        ],
    );
    let duckdb =
        if arguments.wants(Engine::Duckdb) { Some(ask(arguments, Engine::Duckdb).await?) } else { None };
    let postgres =
        if arguments.wants(Engine::Postgres) { Some(ask(arguments, Engine::Postgres).await?) } else { None };
    let mut floor = Table::new(
        "floor",
        "Trivial prepared statements (SELECT 1) on one connection, a second",
        &[("engine", "driver"), ("rate", "a second")],
    );
    for (name, answers) in [("duckdb crate", &duckdb), ("sqlx on Postgres", &postgres)] {
        if let Some(answers) = answers {
            floor.add(vec![json!(name), json!(answers.floor)]);
        }
    }
    let number = |value: Option<f64>| value.map_or(Value::Null, |value| json!(value));
    for (at, (what, _)) in QUESTIONS.iter().enumerate() {
        let on_duckdb = duckdb.as_ref().map(|answers| answers.cold[at].ours());
        let on_postgres = postgres.as_ref().map(|answers| answers.cold[at].ours());
        let kept = duckdb.as_ref().map(|answers| answers.kept[at]);
        table.add(vec![
            json!(what),
            number(on_duckdb),
            number(duckdb.as_ref().map(|answers| answers.cold[at].raw())),
            number(duckdb.as_ref().map(|answers| answers.cold[at].ratio())),
            number(kept.map(|kept| kept[0])),
            number(kept.map(|kept| kept[1])),
            number(on_postgres),
            number(on_duckdb.zip(on_postgres).map(|(duckdb, postgres)| duckdb / postgres)),
        ]);
    }
    Ok(vec![table, floor])
}

async fn ask(arguments: &Arguments, engine: Engine) -> Result<Answers> {
    let pieces = arguments.scaled(PIECES);
    say(&format!("{engine}: filling with {pieces} pieces to ask about"));
    let place = Place::empty(arguments, engine, "questions", &AREAS).await?;
    let connection = ours::connect(&place, 1, true).await?;
    talk_of::fill(&ours::conversation(connection.clone())?, pieces).await?;
    connection.close().await;
    if let Place::Postgres { owner, .. } = &place {
        use sqlx::Connection as _;
        let mut session = sqlx::PgConnection::connect(owner).await?;
        sqlx::raw_sql("VACUUM ANALYZE").execute(&mut session).await?;
        session.close().await?;
    }
    let mut answers = Answers { cold: Vec::new(), kept: Vec::new(), floor: f64::NAN };
    let amount = Amount::For(while_measuring(arguments) / 2);
    for (what, question) in QUESTIONS {
        say(&format!("{engine}: {what}"));
        answers.cold.push(cold(&place, *question, amount).await?);
    }
    let trivial = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, "SELECT 1");
    let raw = Raw::open(&ours::target(&place, false), 1).await?;
    answers.floor = raw.rate(1, amount, &Arc::new(vec![vec![Step::Run(trivial)]])).await?;
    raw.close().await?;
    if engine == Engine::Duckdb {
        answers.kept = kept(&place, amount).await?;
    }
    place.remove().await?;
    Ok(answers)
}

/// A question computed each time, by Trimaran and by the driver.
async fn cold(place: &Place, question: Ask, amount: Amount) -> Result<Rates> {
    let mut rates = Rates::default();
    let connection = ours::connect(place, 1, true).await?;
    let recorder = Recorder::over(connection.clone());
    question(ours::conversation(recorder.connection())?).await?;
    let script = recorder.take();
    let conversation = ours::conversation(connection.clone())?;
    let work = move |_| {
        let conversation = conversation.clone();
        async move { Ok(question(conversation).await?) }
    };
    rates.ours.push(pace::rate(1, amount, work).await?);
    connection.close().await;
    if let Place::File(..) = place {
        let scripts: Vec<Script> = vec![with_casts(script)];
        let raw = Raw::open(&ours::target(place, true), 1).await?;
        rates.raw.push(raw.rate(1, amount, &Arc::new(scripts)).await?);
        raw.close().await?;
    }
    Ok(rates)
}

/// The same questions where answers are kept.
async fn kept(place: &Place, amount: Amount) -> Result<Vec<[f64; 2]>> {
    let settings = CacheSettings {
        memory: 64 << 20,
        tenant_memory: 16 << 20,
        time_to_live: std::time::Duration::from_secs(600),
        redis: None,
    };
    let cache = ResultCache::new(&settings, ours::keyring()?)?;
    let connection = ours::connect(place, 4, true).await?;
    let conversation = ours::of_tenant(connection.clone())?.keeping_results(&cache)?.conversation()?;
    let mut out = Vec::new();
    for (_, question) in QUESTIONS {
        question(conversation.clone()).await?;
        let mut both = [0.0; 2];
        for (callers, rate) in [1, 16].into_iter().zip(&mut both) {
            let conversation = conversation.clone();
            let work = move |_| {
                let conversation = conversation.clone();
                async move { Ok(question(conversation).await?) }
            };
            *rate = pace::rate(callers, amount, work).await?;
        }
        out.push(both);
    }
    connection.close().await;
    Ok(out)
}
