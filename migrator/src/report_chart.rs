//! Where the parts of a report's charts are drawn.

use serde::Serialize;
use trimaran_core::Timestamp;
use trimaran_core::model::conversation::analytics::{Figures, ScaleFigures};

use crate::report_page::number;
use crate::report_table::percent;

/// The chart's width and height, in its own units.
const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 180.0;

/// Between columns, as a part of what a column takes.
const GAP: f64 = 0.18;

/// A column for each stretch of time, and how many of its answers were refused.
#[derive(Debug, Serialize)]
pub(crate) struct Columns {
    width: f64,
    height: f64,
    most: String,
    first: String,
    last: String,
    columns: Vec<Column>,
    summary: String,
}

#[derive(Debug, Serialize)]
struct Column {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    /// The refusal rate's bar, below the axis; none without answers.
    refusal: Option<f64>,
    title: String,
}

/// How scores on a scale are distributed.
#[derive(Debug, Serialize)]
pub(crate) struct Histogram {
    bins: Vec<Bin>,
    summary: String,
}

#[derive(Debug, Serialize)]
struct Bin {
    x: f64,
    y: f64,
    height: f64,
    title: String,
}

impl Columns {
    /// Of stretches of time in their order; `None` if there are none. A stretch in which nothing was said has no column but its room.
    pub(crate) fn of(dimension: &str, times: &[(Timestamp, &Figures)]) -> Option<Self> {
        let (first, last) = (times.first()?.0, times.last()?.0);
        let place = |time: Timestamp| place(dimension, time);
        let steps = place(last) - place(first) + 1;
        let most = times.iter().map(|(_, figures)| figures.pieces).max().unwrap_or_default().max(1);
        // Few columns are not as wide as the page.
        let step = (WIDTH / float(steps)).min(64.0);
        let columns = times.iter().map(|(time, figures)| {
            let height = share(figures.pieces, most) * HEIGHT;
            let label = label(dimension, *time);
            let rate = figures.refusal_rate();
            Column {
                x: rounded(float(place(*time) - place(first)) * step),
                y: rounded(HEIGHT - height),
                width: rounded((step * (1.0 - GAP)).max(0.75)),
                height: rounded(height),
                refusal: rate.map(|rate| rounded(rate * 40.0)),
                title: format!("{label}: {} pieces, refused {}", number(figures.pieces), percent(rate)),
            }
        });
        let (first, last) = (label(dimension, first), label(dimension, last));
        Some(Self {
            width: WIDTH,
            height: HEIGHT,
            most: number(most),
            summary: format!("Pieces by {dimension} from {first} to {last}, at most {}", number(most)),
            columns: columns.collect(),
            first,
            last,
        })
    }
}

impl Histogram {
    pub(crate) fn of(scale: &ScaleFigures) -> Self {
        let most = scale.histogram.iter().copied().max().unwrap_or_default().max(1);
        let bins = (0_u8..).zip(scale.histogram).map(|(bin, count)| {
            let height = rounded(share(count, most) * 100.0);
            let from = f64::from(bin) / 10.0;
            Bin {
                x: f64::from(bin) * 10.0,
                y: rounded(100.0 - height),
                height,
                title: format!("{from:.1} to {:.1}: {}", from + 0.1, number(count)),
            }
        });
        Self {
            bins: bins.collect(),
            summary: format!(
                "{} scores from {:.3} to {:.3}, mean {:.3}, median {:.3}",
                number(scale.count),
                scale.min,
                scale.max,
                scale.mean,
                scale.median
            ),
        }
    }
}

/// Which stretch of time it is, counted from any.
fn place(dimension: &str, time: Timestamp) -> i64 {
    let seconds = match dimension {
        "hour" => 3_600,
        "day" => 86_400,
        "week" => 7 * 86_400,
        _ => {
            let number = |format: &str| time.format(format).to_string().parse::<i64>().unwrap_or_default();
            return number("%Y") * 12 + number("%m");
        }
    };
    time.timestamp().div_euclid(seconds)
}

fn label(dimension: &str, time: Timestamp) -> String {
    let format = match dimension {
        "hour" => "%Y-%m-%d %H:00",
        "week" => "%G-W%V",
        "month" => "%Y-%m",
        _ => "%Y-%m-%d",
    };
    time.format(format).to_string()
}

fn share(part: u64, whole: u64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "it is drawn")]
    let share = part as f64 / whole as f64;
    share
}

fn float(number: i64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "it is drawn")]
    let float = number as f64;
    float
}

/// To a hundredth.
pub(crate) fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_without_pieces_keeps_its_room() {
        let figures = |pieces| Figures { pieces, ..Figures::default() };
        let (few, many) = (figures(1), figures(4));
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let times = [(time("2025-12-01T00:00:00Z"), &few), (time("2026-02-01T00:00:00Z"), &many)];
        let chart = Columns::of("month", &times).unwrap();
        assert_eq!((chart.columns[0].x, chart.columns[1].x), (0.0, 128.0));
        assert_eq!((chart.columns[0].height, chart.columns[1].height), (45.0, 180.0));
        assert_eq!((chart.first.as_str(), chart.last.as_str()), ("2025-12", "2026-02"));
        assert!(Columns::of("day", &[]).is_none());
    }
}
