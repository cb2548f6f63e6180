//! A report on conversations as a page with charts: one file, no script, nothing from elsewhere.
//!
//! What is drawn where is worked out here ([`chart`](crate::report_chart)); the template has the words and the colours, and escapes all
//! that it is given.

use serde::Serialize;
use trimaran_core::Result;
use trimaran_core::model::conversation::analytics::{Distribution, Figures, GroupKey, Outcomes};

use crate::report_chart::{Columns, Histogram};
use crate::report_document::Document;
use crate::report_output::shown;
use crate::report_table::{name, others, percent, scope};
use crate::report_template;

const TEMPLATE: &str = include_str!("templates/conversations.html");

#[derive(Serialize)]
struct Page {
    scope: String,
    made_at: String,
    refusal_scorers: String,
    tiles: Vec<Tile>,
    histogram: Option<Histogram>,
    by: Vec<Section>,
    attacks: Option<AttackSection>,
    attacks_by: Vec<AttackSection>,
    longest: Option<Vec<Prompt>>,
    repeated: Option<Vec<Prompt>>,
    missing: Vec<Missing>,
    without_file: usize,
}

/// A number that stands alone.
#[derive(Serialize)]
struct Tile {
    name: &'static str,
    value: String,
    note: String,
}

#[derive(Serialize)]
struct Section {
    title: String,
    is_choice_cut: bool,
    columns: Option<Columns>,
    /// Whether groups are left that have no figures of their own.
    has_rest: bool,
    rows: Vec<Row>,
}

/// A group.
#[derive(Serialize)]
struct Row {
    name: String,
    is_rest: bool,
    pieces: String,
    /// The bar's length, in percent of the longest.
    bar: f64,
    messages: String,
    conversations: String,
    answers: String,
    refused: String,
    refusal_rate: String,
    refusal_bar: f64,
    scores: String,
    verdicts: String,
    mean: String,
    histogram: Option<Histogram>,
}

#[derive(Serialize)]
struct AttackSection {
    title: String,
    rows: Vec<AttackRow>,
}

#[derive(Serialize)]
struct AttackRow {
    name: String,
    is_rest: bool,
    attacks: String,
    rate: String,
    /// Lengths of the parts, in percent.
    parts: [f64; 4],
    counts: [String; 4],
}

#[derive(Serialize)]
struct Prompt {
    count: String,
    unit: &'static str,
    whose: String,
    preview: String,
}

#[derive(Serialize)]
struct Missing {
    tenant: String,
    error: String,
}

/// The page.
///
/// # Errors
/// If the template can't be filled, which tests rule out.
pub(crate) fn html(document: &Document) -> Result<String> {
    report_template::fill("conversations.html", TEMPLATE, page_of(document))
}

fn page_of(document: &Document) -> Page {
    let by = document.by.iter().map(|by| {
        let figures = &by.figures;
        let most = figures.groups.iter().map(|group| group.figures.pieces).max().unwrap_or_default();
        let mut rows: Vec<Row> =
            figures.groups.iter().map(|group| row(name(&group.key), &group.figures, most, false)).collect();
        if figures.other_groups > 0 {
            rows.push(row(others(figures.other_groups), &figures.others, most, true));
        }
        let times: Vec<_> = figures
            .groups
            .iter()
            .filter_map(|group| match &group.key {
                GroupKey::Time(time) => Some((*time, &group.figures)),
                _ => None,
            })
            .collect();
        let columns = Columns::of(&by.dimension, &times);
        Section {
            title: shown(&by.dimension),
            is_choice_cut: by.is_choice_cut,
            columns,
            has_rest: figures.other_groups > 0,
            rows,
        }
    });
    let attacks_by = document.attacks_by.iter().filter(|by| !by.figures.groups.is_empty()).map(|by| {
        let figures = &by.figures;
        let mut rows: Vec<_> =
            figures.groups.iter().map(|group| attack_row(name(&group.key), &group.outcomes, false)).collect();
        if figures.other_groups > 0 {
            rows.push(attack_row(others(figures.other_groups), &figures.others, true));
        }
        AttackSection { title: format!("Attacks by {}", shown(&by.dimension)), rows }
    });
    let has_attacks = document.attacks.count() > 0;
    Page {
        scope: scope(document),
        made_at: document.made_at.format("%Y-%m-%d %H:%M UTC").to_string(),
        refusal_scorers: shown(&document.refusal_scorers.join(", ")),
        tiles: tiles(document),
        histogram: document.total.scores.scale().map(|scale| Histogram::of(&scale)),
        by: by.collect(),
        attacks: has_attacks.then(|| AttackSection {
            title: "Attacks".to_owned(),
            rows: vec![attack_row("all".to_owned(), &document.attacks, false)],
        }),
        attacks_by: attacks_by.collect(),
        longest: document.longest_prompts.as_ref().map(|prompts| {
            let shown = prompts
                .iter()
                .map(|one| prompt(one.prompt.characters, "characters", one.tenant, &one.prompt.preview));
            shown.collect()
        }),
        repeated: document.repeated_prompts.as_ref().map(|prompts| {
            let shown =
                prompts.iter().map(|one| prompt(one.prompt.pieces, "times", one.tenant, &one.prompt.preview));
            shown.collect()
        }),
        missing: document
            .scope
            .missing
            .iter()
            .map(|one| Missing { tenant: one.tenant.to_string(), error: shown(&one.error) })
            .collect(),
        without_file: document.scope.without_file.len(),
    }
}

fn tiles(document: &Document) -> Vec<Tile> {
    let total = &document.total;
    let mut tiles = vec![
        Tile { name: "Conversations", value: number(total.conversations), note: String::new() },
        Tile {
            name: "Messages",
            value: number(total.messages),
            note: format!("{} pieces", number(total.pieces)),
        },
        Tile {
            name: "Refusal rate",
            value: percent(total.refusal_rate()),
            note: format!("{} of {} answers", number(total.refused), number(total.answers)),
        },
        Tile {
            name: "Objectives met",
            value: percent(total.objective_rate()),
            note: verdicts(&total.objectives),
        },
    ];
    if document.attacks.count() > 0 {
        let attacks = &document.attacks;
        let decided = attacks.success + attacks.failure;
        tiles.push(Tile {
            name: "Attacks succeeded",
            value: percent(attacks.success_rate()),
            note: format!("{} of {} decided", number(attacks.success), number(decided)),
        });
    }
    tiles.push(Tile {
        name: "Scores",
        value: number(total.scores.count()),
        note: format!("{} undetermined", number(total.scores.undetermined())),
    });
    tiles
}

fn row(name: String, figures: &Figures, most: u64, is_rest: bool) -> Row {
    let scale = figures.scores.scale();
    Row {
        name,
        is_rest,
        pieces: number(figures.pieces),
        bar: part(figures.pieces, most.max(figures.pieces)),
        messages: number(figures.messages),
        conversations: number(figures.conversations),
        answers: number(figures.answers),
        refused: number(figures.refused),
        refusal_rate: percent(figures.refusal_rate()),
        refusal_bar: part(figures.refused, figures.answers),
        scores: number(figures.scores.count()),
        verdicts: verdicts(&figures.scores),
        mean: scale.map_or_else(|| "–".to_owned(), |scale| format!("{:.3}", scale.mean)),
        histogram: scale.map(|scale| Histogram::of(&scale)),
    }
}

fn verdicts(scores: &Distribution) -> String {
    match scores.trues() + scores.falses() {
        0 => "–".to_owned(),
        all => format!("{} of {}", number(scores.trues()), number(all)),
    }
}

fn attack_row(name: String, outcomes: &Outcomes, is_rest: bool) -> AttackRow {
    let counts = [outcomes.success, outcomes.failure, outcomes.error, outcomes.undetermined];
    AttackRow {
        name,
        is_rest,
        attacks: number(outcomes.count()),
        rate: percent(outcomes.success_rate()),
        parts: counts.map(|count| part(count, outcomes.count())),
        counts: counts.map(number),
    }
}

fn prompt(count: u64, unit: &'static str, tenant: Option<trimaran_core::TenantId>, preview: &str) -> Prompt {
    let whose = tenant.map(|tenant| tenant.to_string()).unwrap_or_default();
    Prompt { count: number(count), unit, whose, preview: shown(preview) }
}

/// In percent, to a tenth.
fn part(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    #[allow(clippy::cast_precision_loss, reason = "it is drawn")]
    let percent = part as f64 / whole as f64 * 100.0;
    (percent * 10.0).round() / 10.0
}

/// With thin spaces between thousands.
pub(crate) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}
