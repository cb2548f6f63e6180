//! Tenants' files: made, opened again, visited by turns while 64 are open, and what an open one takes of memory.

use std::time::{Duration, Instant};

use serde_json::json;
use trimaran::id::ConversationId;
use trimaran::{Config, Engine, Stores, TenantId};

use crate::arguments::Arguments;
use crate::memory::memory;
use crate::table::Table;
use crate::{Result, data, say};

/// Tenants, if they can be made within the time.
const TENANTS: usize = 10_000;
/// Files open at a time.
const OPEN: usize = 64;
/// Visits while so many are open.
const VISITS: usize = 3_000;
/// How long is spent on making files, and how much of the disk, unless all are asked for: DuckDB's are megabytes each.
const MAKING: Duration = Duration::from_secs(45);
const DISK: u64 = 3 << 30;

const KEY: &str = "5f1d0c6b8e2a497035bd9c41f7e8a2066d3b90c5417fea28db63c09157e84af2";

pub(crate) fn table() -> Table {
    Table::new(
        "tenants",
        "Tenants' files, one caller, milliseconds each",
        &[
            ("engine", "engine"),
            ("what", "what"),
            ("count", "how many"),
            ("mean", "mean"),
            ("median", "median"),
            ("high", "99 of 100 within"),
        ],
    )
}

pub(crate) fn memory_table() -> Table {
    Table::new(
        "memory",
        "Memory, MiB (VmRSS)",
        &[
            ("engine", "engine"),
            ("tenants", "tenants"),
            ("each", "an open tenant"),
            ("open", "64 open, above the start"),
            ("end", "after all visits, above the start"),
            ("file", "a new file on disk"),
        ],
    )
}

async fn stores(arguments: &Arguments, engine: Engine, open: usize) -> Result<Stores> {
    let folder = arguments.folder.join(format!("tenants-{engine}").to_lowercase());
    std::fs::create_dir_all(&folder)?;
    let folder = folder.canonicalize()?.display().to_string();
    let scheme = engine.to_string().to_lowercase();
    let config = Config::builder()
        .environment([])
        .set("data_directory", folder.clone())
        .set("stores.configuration.url", format!("{scheme}://{folder}/tenants"))
        .set("stores.conversation.url", format!("{scheme}://{folder}/tenants"))
        .set("tenants.open_files", open.to_string())
        .set("tenants.key", KEY)
        .set("secrets.key", KEY)
        .load()?;
    Ok(trimaran::open(&config).await?)
}

/// A request of the tenant's: whatever must be opened is, and one row is looked for.
async fn visit(stores: &Stores, tenant: TenantId) -> Result<f64> {
    let begun = Instant::now();
    let conversation = stores.tenant(tenant).await?.conversation().await?;
    conversation.conversations.find(ConversationId(data::conversation(1))).await?;
    Ok(begun.elapsed().as_secs_f64())
}

pub(crate) async fn measure(
    arguments: &Arguments,
    engine: Engine,
    table: &mut Table,
    memories: &mut Table,
) -> Result<()> {
    let wanted = arguments.scaled(TENANTS).max(2 * OPEN);
    say(&format!("{engine}: making tenants' files, {wanted} at most"));
    let mut row = |what: &str, seconds: &mut Vec<f64>| {
        seconds.sort_by(f64::total_cmp);
        let at = |part: f64| seconds.get((seconds.len() as f64 * part) as usize).copied().unwrap_or(f64::NAN);
        let mean = seconds.iter().sum::<f64>() / seconds.len() as f64;
        table.add(vec![
            json!(engine.to_string()),
            json!(what),
            json!(seconds.len()),
            json!(mean * 1e3),
            json!(at(0.5) * 1e3),
            json!(at(0.99) * 1e3),
        ]);
    };
    let opened = stores(arguments, engine, OPEN).await?;
    // What is allocated once is not a tenant's.
    let first = opened.tenants().create("the first").await?.id;
    visit(&opened, first).await?;

    let (mut tenants, mut seconds) = (Vec::new(), Vec::new());
    let (making, disk) = if arguments.tenants { (Duration::MAX, u64::MAX) } else { (MAKING, DISK) };
    let most = (wanted as u64).min(disk / size_of_file(arguments, engine)?);
    let begun = Instant::now();
    while (tenants.len() as u64) < most && (tenants.len() < 2 * OPEN || begun.elapsed() < making) {
        let tenant = opened.tenants().create(&format!("user{}", tenants.len())).await?.id;
        seconds.push(visit(&opened, tenant).await?);
        tenants.push(tenant);
    }
    row("made, with its schema", &mut seconds);
    opened.close().await?;
    drop(opened);

    let opened = stores(arguments, engine, OPEN).await?;
    visit(&opened, first).await?;
    let before = memory("VmRSS");
    let mut seconds = Vec::new();
    for tenant in tenants.iter().take(OPEN) {
        seconds.push(visit(&opened, *tenant).await?);
    }
    row("there, opened", &mut seconds);
    let open = memory("VmRSS") - before;
    let mut seconds = Vec::new();
    for number in 0..VISITS {
        // The first has made room for the last.
        seconds.push(visit(&opened, tenants[number % (OPEN - 1) + 1]).await?);
    }
    row("open already", &mut seconds);
    let mut seconds = Vec::new();
    let begun = Instant::now();
    for number in 0..tenants.len().min(VISITS) {
        seconds.push(visit(&opened, tenants[number * 7919 % tenants.len()]).await?);
        if begun.elapsed() > MAKING / 2 {
            break;
        }
    }
    row("by turns, 64 open: another is closed", &mut seconds);
    let end = memory("VmRSS") - before;
    memories.add(vec![
        json!(engine.to_string()),
        json!(tenants.len()),
        json!(open / OPEN as f64),
        json!(open),
        json!(end),
        json!(size_of_file(arguments, engine)? as f64 / f64::from(1 << 20)),
    ]);
    opened.close().await?;
    std::fs::remove_dir_all(arguments.folder.join(format!("tenants-{engine}").to_lowercase()))?;
    Ok(())
}

/// The bytes of the largest file of a tenant's, with its log.
fn size_of_file(arguments: &Arguments, engine: Engine) -> Result<u64> {
    let folder = arguments.folder.join(format!("tenants-{engine}").to_lowercase()).join("tenants");
    let mut most = 1;
    for entry in std::fs::read_dir(folder)? {
        most = most.max(entry?.metadata()?.len());
    }
    Ok(most)
}
