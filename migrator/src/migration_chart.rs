//! Where the parts of a migration's timeline are drawn.

use serde::Serialize;

use crate::report::bytes;
use crate::report_chart::rounded;
use crate::report_output::shown_short;
use crate::report_page::number;
use crate::timeline::Span;

/// The picture's width, in its own units; names stand left of [`LEFT`].
const WIDTH: f64 = 960.0;
const LEFT: f64 = 230.0;
/// The height of a line.
const LINE: f64 = 22.0;
/// How many tables have a line of their own: those that took longest.
const TABLES: usize = 24;
/// The thinnest bar that can be seen.
const THINNEST: f64 = 1.5;
/// About how many marks of time stand below.
const MARKS: f64 = 6.0;

/// A line for the phases, or a few where some went on side by side, and one for each table, time going to the right.
#[derive(Debug, Serialize)]
pub(crate) struct Chart {
    width: f64,
    height: f64,
    lines: Vec<Line>,
    marks: Vec<Mark>,
    /// How many tables have no line.
    left_out: usize,
    summary: String,
}

#[derive(Debug, Serialize)]
struct Line {
    name: String,
    y: f64,
    bars: Vec<Bar>,
}

#[derive(Debug, Serialize)]
struct Bar {
    phase: &'static str,
    x: f64,
    width: f64,
    title: String,
}

#[derive(Debug, Serialize)]
struct Mark {
    x: f64,
    label: String,
}

impl Chart {
    /// Of what took time; `None` if nothing did.
    pub(crate) fn of(spans: &[Span]) -> Option<Self> {
        let end = spans.iter().map(|span| span.to).fold(0.0, f64::max);
        if end <= 0.0 {
            return None;
        }
        let scale = (WIDTH - LEFT) / end;
        let bar = |span: &Span| Bar {
            phase: span.phase,
            x: rounded(LEFT + span.from * scale),
            width: rounded(((span.to - span.from) * scale).max(THINNEST)),
            title: title(span),
        };
        let mut lines: Vec<Line> = Vec::new();
        for (at, phases) in lanes(spans.iter().filter(|span| span.table.is_none())).into_iter().enumerate() {
            let name = if at == 0 { "all".to_owned() } else { String::new() };
            lines.push(Line { name, y: LINE * float(at), bars: phases.into_iter().map(bar).collect() });
        }
        let tables = tables(spans);
        let left_out = tables.len().saturating_sub(TABLES);
        for (name, spans) in tables.into_iter().take(TABLES) {
            lines.push(Line {
                name: shown_short(name),
                y: LINE * float(lines.len()),
                bars: spans.into_iter().map(bar).collect(),
            });
        }
        let height = LINE * float(lines.len());
        let step = step(end);
        let marks = (0..).map(|n| step * float(n)).take_while(|time| *time <= end);
        let marks = marks.map(|time| Mark { x: rounded(LEFT + time * scale), label: seconds(time) });
        Some(Self {
            width: WIDTH,
            height,
            marks: marks.collect(),
            summary: format!("When what was done, in {}", seconds(end)),
            lines,
            left_out,
        })
    }
}

/// Phases on as few lines as they need: those that went on side by side stand one below the other.
fn lanes<'s>(phases: impl Iterator<Item = &'s Span>) -> Vec<Vec<&'s Span>> {
    let mut lanes: Vec<Vec<&Span>> = vec![Vec::new()];
    for span in phases {
        let free = |lane: &&mut Vec<&Span>| lane.last().is_none_or(|last| last.to <= span.from);
        match lanes.iter_mut().find(free) {
            Some(lane) => lane.push(span),
            None => lanes.push(vec![span]),
        }
    }
    lanes
}

/// What was done to each table; the one that took longest first.
fn tables(spans: &[Span]) -> Vec<(&str, Vec<&Span>)> {
    let mut tables: Vec<(&str, Vec<&Span>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for span in spans {
        let Some(table) = span.table.as_deref() else { continue };
        // A table of the source read once more for the verification has its own name there.
        let table = table.strip_suffix(" (source)").unwrap_or(table);
        let place = *places.entry(table).or_insert(tables.len());
        match tables.get_mut(place) {
            Some((_, of_table)) => of_table.push(span),
            None => tables.push((table, vec![span])),
        }
    }
    let time = |spans: &[&Span]| spans.iter().map(|span| span.to - span.from).sum::<f64>();
    tables.sort_by(|a, b| time(&b.1).total_cmp(&time(&a.1)));
    tables
}

fn title(span: &Span) -> String {
    let what = match &span.table {
        Some(table) => format!("{} {}", span.phase, shown_short(table)),
        None => span.phase.to_owned(),
    };
    let amount = match span.rows {
        0 => String::new(),
        rows => format!(", {} rows, {}", number(rows), bytes(span.bytes)),
    };
    format!("{what}: {} from {}{amount}", seconds(span.to - span.from), seconds(span.from))
}

/// Between marks: one, two or five times a power of ten, in seconds.
fn step(end: f64) -> f64 {
    let least = end / MARKS;
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|n| n * power).find(|step| *step >= least).unwrap_or(least)
}

/// So long, for people.
pub(crate) fn seconds(time: f64) -> String {
    match time {
        0.0 => "0".to_owned(),
        t if t < 1.0 => format!("{:.0} ms", t * 1_000.0),
        t if t < 60.0 => format!("{} s", trimmed(t)),
        t => {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a time since the start"
            )]
            let whole = t.round() as u64;
            match (whole / 3_600, whole / 60 % 60, whole % 60) {
                (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
                (hours, minutes, _) => format!("{hours} h {minutes} min"),
            }
        }
    }
}

fn trimmed(number: f64) -> String {
    format!("{number:.1}").trim_end_matches(".0").to_owned()
}

fn float(number: usize) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "it is drawn")]
    let float = number as f64;
    float
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(phase: &'static str, table: Option<&str>, from: f64, to: f64) -> Span {
        Span { phase, table: table.map(str::to_owned), from, to, rows: 1_234, bytes: 2_048 }
    }

    #[test]
    fn what_took_longest_stands_first_and_all_fits_in() {
        let spans = [
            span("copy", None, 0.0, 10.0),
            span("copy", Some("short"), 0.0, 1.0),
            span("copy", Some("long"), 1.0, 6.0),
            span("verify", Some("short (source)"), 10.0, 10.001),
        ];
        let chart = Chart::of(&spans).unwrap();
        let names: Vec<_> = chart.lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["all", "long", "short"]);
        assert_eq!(chart.lines[2].bars.len(), 2, "both of the table's");
        let bars = || chart.lines.iter().flat_map(|line| &line.bars);
        assert!(bars().all(|bar| bar.x >= LEFT && bar.x + bar.width <= WIDTH + THINNEST));
        assert!(bars().all(|bar| bar.width >= THINNEST), "a short one can be seen too");
        assert_eq!(
            chart.marks.iter().map(|mark| mark.label.as_str()).collect::<Vec<_>>(),
            ["0", "2 s", "4 s", "6 s", "8 s", "10 s"]
        );
        assert!(Chart::of(&[]).is_none());
    }

    #[test]
    fn phases_that_went_on_side_by_side_stand_one_below_the_other() {
        let spans = [
            span("check", None, 0.0, 1.0),
            span("copy", None, 1.0, 10.0),
            span("keys", None, 10.0, 12.0),
            span("verify", None, 10.1, 13.0),
            span("copy", Some("t"), 1.0, 10.0),
        ];
        let lines = Chart::of(&spans).unwrap().lines;
        let drawn = |line: &Line| (line.name.clone(), line.bars.iter().map(|bar| bar.phase).collect());
        let drawn: Vec<(String, Vec<_>)> = lines.iter().map(drawn).collect();
        let expected = [("all", vec!["check", "copy", "keys"]), ("", vec!["verify"]), ("t", vec!["copy"])];
        assert_eq!(drawn, expected.map(|(name, bars)| (name.to_owned(), bars)));
        assert!(lines.windows(2).all(|pair| pair[1].y == pair[0].y + LINE));
    }

    #[test]
    fn many_tables_do_not_make_the_picture_endless() {
        let spans: Vec<_> = (0..100_u32)
            .map(|n| span("copy", Some(&format!("t{n}")), f64::from(n), f64::from(n) + 1.0))
            .collect();
        let chart = Chart::of(&spans).unwrap();
        assert_eq!((chart.lines.len(), chart.left_out), (TABLES + 1, 100 - TABLES));
    }

    #[test]
    fn times_are_said_as_people_do() {
        let said = [0.0, 0.012, 1.0, 12.34, 75.0, 3_725.0].map(seconds);
        assert_eq!(said, ["0", "12 ms", "1 s", "12.3 s", "1 min 15 s", "1 h 2 min"]);
    }
}
