//! A report on conversations as tables for a terminal.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use trimaran_core::model::conversation::analytics::{Figures, GroupKey, Outcomes};

use crate::report_document::{Document, Grouped};
use crate::report_output::{shown, shown_short};

/// What a group without a key is called.
const NONE: &str = "(none)";

/// The whole report.
pub(crate) fn text(document: &Document) -> String {
    let mut out = String::new();
    // Writing to a string doesn't fail.
    let _ = writeln!(out, "{}\n", scope(document));
    let mut table = table(&FIGURES);
    table.add_row(figures("all".to_owned(), &document.total));
    let _ = writeln!(out, "{table}");
    for by in &document.by {
        let _ = writeln!(out, "\nBy {}", shown(&by.dimension));
        let mut table = self::table(&FIGURES);
        for group in &by.figures.groups {
            table.add_row(figures(name(&group.key), &group.figures));
        }
        if by.figures.other_groups > 0 {
            table.add_row(figures(others(by.figures.other_groups), &by.figures.others));
        }
        let _ = writeln!(out, "{table}");
        cut(&mut out, by);
    }
    if document.attacks.count() > 0 {
        let mut table = self::table(&OUTCOMES);
        table.add_row(outcomes("all".to_owned(), &document.attacks));
        let _ = writeln!(out, "\nAttacks\n{table}");
        for by in &document.attacks_by {
            let mut table = self::table(&OUTCOMES);
            for group in &by.figures.groups {
                table.add_row(outcomes(name(&group.key), &group.outcomes));
            }
            if by.figures.other_groups > 0 {
                table.add_row(outcomes(others(by.figures.other_groups), &by.figures.others));
            }
            let _ = writeln!(out, "\nAttacks by {}\n{table}", shown(&by.dimension));
            cut(&mut out, by);
        }
    }
    prompts(&mut out, document);
    absent(&mut out, document);
    out
}

/// Whose conversations of what time.
pub(crate) fn scope(document: &Document) -> String {
    let mut out = match document.scope.tenant {
        Some(tenant) => format!("Conversations of the tenant {tenant}"),
        None => format!("Conversations of {} tenants", document.scope.tenants),
    };
    for (word, time) in [("from", document.from), ("before", document.to)] {
        if let Some(time) = time {
            let _ = write!(out, ", {word} {}", time.format("%Y-%m-%d %H:%M:%S UTC"));
        }
    }
    out
}

/// What a group is called.
pub(crate) fn name(key: &GroupKey) -> String {
    match key {
        GroupKey::Absent => NONE.to_owned(),
        GroupKey::Time(time) => {
            let text = time.format("%Y-%m-%d %H:%M").to_string();
            text.strip_suffix(" 00:00").map(str::to_owned).unwrap_or(text)
        }
        key => match key.to_string().as_str() {
            "" => "(empty)".to_owned(),
            text => shown_short(text),
        },
    }
}

/// What the groups that are left are called.
pub(crate) fn others(count: u64) -> String {
    match count {
        1 => "(1 other)".to_owned(),
        count => format!("({count} others)"),
    }
}

/// A part of a whole, for people.
pub(crate) fn percent(rate: Option<f64>) -> String {
    rate.map_or_else(|| "–".to_owned(), |rate| format!("{:.1} %", rate * 100.0))
}

const FIGURES: [&str; 12] = [
    "",
    "pieces",
    "messages",
    "conversations",
    "answers",
    "refused",
    "rate",
    "scores",
    "true",
    "false",
    "open",
    "mean",
];
const OUTCOMES: [&str; 7] = ["", "attacks", "success", "failure", "error", "undetermined", "rate"];

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn figures(name: String, figures: &Figures) -> Vec<String> {
    let scores = &figures.scores;
    vec![
        name,
        figures.pieces.to_string(),
        figures.messages.to_string(),
        figures.conversations.to_string(),
        figures.answers.to_string(),
        figures.refused.to_string(),
        percent(figures.refusal_rate()),
        scores.count().to_string(),
        scores.trues().to_string(),
        scores.falses().to_string(),
        scores.undetermined().to_string(),
        scores.scale().map_or_else(|| "–".to_owned(), |scale| format!("{:.3}", scale.mean)),
    ]
}

fn outcomes(name: String, outcomes: &Outcomes) -> Vec<String> {
    vec![
        name,
        outcomes.count().to_string(),
        outcomes.success.to_string(),
        outcomes.failure.to_string(),
        outcomes.error.to_string(),
        outcomes.undetermined.to_string(),
        percent(outcomes.success_rate()),
    ]
}

fn cut<T>(out: &mut String, by: &Grouped<T>) {
    if by.is_choice_cut {
        let _ = writeln!(out, "A tenant has very many groups: one of the greatest may be among the others.");
    }
}

fn prompts(out: &mut String, document: &Document) {
    let whose = |tenant: Option<trimaran_core::TenantId>| {
        tenant.map(|tenant| format!("{tenant} ")).unwrap_or_default()
    };
    if let Some(prompts) = &document.longest_prompts {
        let _ = writeln!(out, "\nLongest prompts");
        for one in prompts {
            let (tenant, prompt) = (whose(one.tenant), &one.prompt);
            let _ = writeln!(
                out,
                "{:>9} characters  {tenant}{}  {}",
                prompt.characters,
                prompt.piece,
                shown(&prompt.preview)
            );
        }
    }
    if let Some(prompts) = &document.repeated_prompts {
        let _ = writeln!(out, "\nMost repeated prompts");
        for one in prompts {
            let (tenant, prompt) = (whose(one.tenant), &one.prompt);
            let _ = writeln!(out, "{:>9} times  {tenant}{}", prompt.pieces, shown(&prompt.preview));
        }
    }
}

fn absent(out: &mut String, document: &Document) {
    for missing in &document.scope.missing {
        let _ =
            writeln!(out, "\nMISSING: the tenant {} ({}): {}", missing.tenant, missing.kind, missing.error);
    }
    let without = document.scope.without_file.len();
    if without > 0 {
        let _ = writeln!(out, "\n{without} tenants have no file, and kept nothing unless it was taken away.");
    }
}
