//! How scores are distributed.

use std::collections::BTreeMap;

use crate::model::conversation::{ScoreDetails, ScoreType, ScoreValue};

/// How many bins a histogram has.
pub const BINS: usize = 10;

/// How scores are distributed: how many say what.
///
/// The values of scales are kept with how often each came, so that figures of parts merge into exactly those of the whole.
/// Its size grows with the number of *different* values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Distribution {
    undetermined: u64,
    unreadable: u64,
    unknown: u64,
    trues: u64,
    falses: u64,
    /// By the bits of the value, which are in the order of the values, for none is negative.
    scale: BTreeMap<u64, u64>,
}

/// What the values of a scale come to.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct ScaleFigures {
    /// How many there are.
    pub count: u64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// Their mean: the sum, compensated, in rising order, divided by the count.
    pub mean: f64,
    /// The value below or at which a quarter of them is (nearest rank).
    pub first_quartile: f64,
    /// The same for half of them.
    pub median: f64,
    /// The same for three quarters.
    pub third_quartile: f64,
    /// How many are in each tenth of the scale: in [0, 0.1), [0.1, 0.2), …, and [0.9, 1] in the last.
    pub histogram: [u64; BINS],
}

impl Distribution {
    /// Counts `times` scores of this type that say this value.
    pub fn add(&mut self, score_type: ScoreType, value: Option<&str>, times: u64) {
        let Some(value) = value else {
            self.undetermined += times;
            return;
        };
        match ScoreDetails::of(score_type, value).parsed() {
            Some(ScoreValue::TrueFalse(true)) => self.trues += times,
            Some(ScoreValue::TrueFalse(false)) => self.falses += times,
            Some(ScoreValue::Float(value)) => {
                // -0.0 is 0.
                *self.scale.entry((value + 0.0).to_bits()).or_default() += times;
            }
            None if score_type == ScoreType::Unknown => self.unknown += times,
            None => self.unreadable += times,
        }
    }

    /// Counts what the other one counted, too.
    pub fn merge(&mut self, other: &Self) {
        self.undetermined += other.undetermined;
        self.unreadable += other.unreadable;
        self.unknown += other.unknown;
        self.trues += other.trues;
        self.falses += other.falses;
        for (value, times) in &other.scale {
            *self.scale.entry(*value).or_default() += times;
        }
    }

    /// How many scores there are, of whatever type.
    pub fn count(&self) -> u64 {
        self.undetermined + self.unreadable + self.unknown + self.trues + self.falses + self.scaled()
    }

    /// How many have no verdict.
    pub fn undetermined(&self) -> u64 {
        self.undetermined
    }

    /// How many have a value that isn't what their type says. None that this program wrote.
    pub fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// How many are of the type `unknown`, with a value.
    pub fn unknown(&self) -> u64 {
        self.unknown
    }

    /// How many say true.
    pub fn trues(&self) -> u64 {
        self.trues
    }

    /// How many say false.
    pub fn falses(&self) -> u64 {
        self.falses
    }

    /// How many are on a scale.
    pub fn scaled(&self) -> u64 {
        self.scale.values().sum()
    }

    /// What part of those that say true or false says true.
    pub fn true_rate(&self) -> Option<f64> {
        rate(self.trues, self.trues + self.falses)
    }

    /// The least value below or at which the part `part` of the scale's values is: the one of nearest rank. `None` if there are none.
    pub fn quantile(&self, part: f64) -> Option<f64> {
        let count = self.scaled();
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let rank = ((part.clamp(0.0, 1.0) * count as f64).ceil() as u64).clamp(1, count.max(1));
        let mut passed = 0;
        self.scale.iter().find_map(|(bits, times)| {
            passed += times;
            (passed >= rank).then(|| f64::from_bits(*bits))
        })
    }

    /// What the values on a scale come to; `None` if there are none.
    pub fn scale(&self) -> Option<ScaleFigures> {
        let value = |bits: &u64| f64::from_bits(*bits);
        let (min, max) = (value(self.scale.keys().next()?), value(self.scale.keys().next_back()?));
        let count = self.scaled();
        let mut histogram = [0; BINS];
        for (bits, times) in &self.scale {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is 0 to 10")]
            let bin = (value(bits) * 10.0) as usize;
            histogram[bin.min(BINS - 1)] += times;
        }
        Some(ScaleFigures {
            count,
            min,
            max,
            mean: rate_of(self.sum(), count),
            first_quartile: self.quantile(0.25)?,
            median: self.quantile(0.5)?,
            third_quartile: self.quantile(0.75)?,
            histogram,
        })
    }

    /// Neumaier's compensated sum, in rising order.
    fn sum(&self) -> f64 {
        let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
        for (bits, times) in &self.scale {
            #[allow(clippy::cast_precision_loss, reason = "nobody has 2^53 scores")]
            let term = f64::from_bits(*bits) * *times as f64;
            let next = sum + term;
            lost += if sum >= term { (sum - next) + term } else { (term - next) + sum };
            sum = next;
        }
        sum + lost
    }
}

/// `part` of `whole`; `None` of nothing.
pub(super) fn rate(part: u64, whole: u64) -> Option<f64> {
    #[allow(clippy::cast_precision_loss, reason = "counts are below 2^53")]
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn rate_of(sum: f64, count: u64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "counts are below 2^53")]
    let mean = sum / count as f64;
    mean
}

/// What is shown of it: counts, rates, and the scale's figures; not the single values.
#[derive(serde::Serialize)]
struct Shown {
    count: u64,
    #[serde(rename = "true")]
    trues: u64,
    #[serde(rename = "false")]
    falses: u64,
    true_rate: Option<f64>,
    undetermined: u64,
    unknown: u64,
    unreadable: u64,
    scale: Option<ScaleFigures>,
}

impl serde::Serialize for Distribution {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = Shown {
            count: self.count(),
            trues: self.trues,
            falses: self.falses,
            true_rate: self.true_rate(),
            undetermined: self.undetermined,
            unknown: self.unknown,
            unreadable: self.unreadable,
            scale: self.scale(),
        };
        shown.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> Distribution {
        let mut all = Distribution::default();
        for value in values {
            all.add(ScoreType::FloatScale, Some(value), 1);
        }
        all
    }

    #[test]
    fn a_scale_has_its_bins_and_quartiles_whatever_the_spelling() {
        let scale = of(&["0", "-0.0", "0.1", "1e-1", " .3", "0.95", "1.0"]).scale().unwrap();
        assert_eq!(scale.histogram, [2, 2, 0, 1, 0, 0, 0, 0, 0, 2]);
        assert_eq!((scale.count, scale.min, scale.max, scale.median), (7, 0.0, 1.0, 0.1));
        assert_eq!((scale.first_quartile, scale.third_quartile), (0.0, 0.95));
        assert_eq!(of(&[]).scale(), None);
        assert_eq!(of(&["0.1"; 10]).scale().unwrap().mean, 0.1);
    }

    #[test]
    fn parts_merge_into_the_whole_in_any_order() {
        let (a, b, c) = (of(&["0.1", "0.2", "0.7"]), of(&["0.3", "0.1"]), of(&["1e-300", "0.9"]));
        let whole = of(&["0.1", "0.2", "0.7", "0.3", "0.1", "1e-300", "0.9"]);
        for order in [[&a, &b, &c], [&c, &a, &b], [&b, &c, &a]] {
            let mut merged = Distribution::default();
            order.into_iter().for_each(|part| merged.merge(part));
            assert_eq!((merged.scale(), &merged), (whole.scale(), &whole));
        }
    }

    #[test]
    fn each_score_is_counted_once_as_what_it_is() {
        let mut all = Distribution::default();
        all.add(ScoreType::TrueFalse, Some("TRUE"), 2);
        all.add(ScoreType::TrueFalse, Some("false"), 1);
        all.add(ScoreType::TrueFalse, Some("yes"), 1);
        all.add(ScoreType::TrueFalse, None, 1);
        all.add(ScoreType::Unknown, Some("0.5"), 1);
        all.add(ScoreType::FloatScale, Some("1.5"), 1);
        assert_eq!((all.trues(), all.falses(), all.undetermined()), (2, 1, 1));
        assert_eq!((all.unknown(), all.unreadable(), all.scaled(), all.count()), (1, 2, 0, 7));
        assert_eq!(all.true_rate(), Some(2.0 / 3.0));
    }
}
