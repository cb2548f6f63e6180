//! What figures are grouped by.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike as _, Days, NaiveTime, Timelike as _};

use crate::model::conversation::{ChatRole, DataType, ResponseError};
use crate::{Error, ErrorKind, Timestamp};

/// How long a stretch of time is. All begin and end in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TimeBucket {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A week of ISO 8601: from Monday.
    Week,
    /// A month.
    Month,
}

impl TimeBucket {
    /// All of them.
    pub const ALL: [TimeBucket; 4] = [Self::Hour, Self::Day, Self::Week, Self::Month];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// When the stretch began that `time` is in.
    pub fn start(self, time: Timestamp) -> Timestamp {
        let date = time.date_naive();
        let (date, hour) = match self {
            Self::Hour => (date, time.hour()),
            Self::Day => (date, 0),
            Self::Week => {
                let since_monday = Days::new(u64::from(date.weekday().num_days_from_monday()));
                (date.checked_sub_days(since_monday).unwrap_or(date), 0)
            }
            Self::Month => (date.with_day(1).unwrap_or(date), 0),
        };
        date.and_time(NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default()).and_utc()
    }
}

/// What figures are grouped by. A piece is in every group that it has a key of: of labels, scorers, categories and harms it may
/// have several, and one that has none is in the group [`GroupKey::Absent`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// Each name and value of a label.
    Label,
    /// The values of the label of this name.
    LabelNamed(String),
    /// Who says it.
    Role,
    /// How the answer went wrong, or that it did not.
    Error,
    /// What kind of data the converted value is.
    DataType,
    /// The class of a scorer that scored it.
    Scorer,
    /// A category of a score that it has.
    ScoreCategory,
    /// A harm that an attack in its conversation was about.
    HarmCategory,
    /// The class of the attack it belongs to.
    AttackClass,
    /// The model behind the target it was sent to or came from: the identifier's `model_name`, if that is text and not empty.
    Model,
    /// When it was said.
    Time(TimeBucket),
}

impl fmt::Display for Dimension {
    /// As [`FromStr`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Label => "label",
            Self::LabelNamed(name) => return write!(f, "label:{name}"),
            Self::Role => "role",
            Self::Error => "error",
            Self::DataType => "data-type",
            Self::Scorer => "scorer",
            Self::ScoreCategory => "score-category",
            Self::HarmCategory => "harm-category",
            Self::AttackClass => "attack",
            Self::Model => "model",
            Self::Time(bucket) => bucket.name(),
        })
    }
}

impl FromStr for Dimension {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if let Some(name) = text.strip_prefix("label:") {
            return Ok(Self::LabelNamed(name.to_owned()));
        }
        let fixed = [
            Self::Label,
            Self::Role,
            Self::Error,
            Self::DataType,
            Self::Scorer,
            Self::ScoreCategory,
            Self::HarmCategory,
            Self::AttackClass,
            Self::Model,
        ];
        let all = fixed.into_iter().chain(TimeBucket::ALL.map(Self::Time));
        all.clone().find(|dimension| dimension.to_string() == text).ok_or_else(|| {
            let names: Vec<_> = all.map(|dimension| dimension.to_string()).collect();
            Error::new(ErrorKind::Invalid, "read a dimension")
                .context("nothing is grouped by this word")
                .hint(format!("use one of {}, or label:NAME", names.join(", ")))
        })
    }
}

/// What a group's members have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(tag = "kind", content = "key", rename_all = "snake_case")]
pub enum GroupKey {
    /// They have no key of this dimension: no label, no score, no known model.
    Absent,
    /// A label.
    Label {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// Who says it.
    Role(ChatRole),
    /// How it went wrong.
    Error(ResponseError),
    /// What kind of data it is.
    DataType(DataType),
    /// A label's value, a class, a category, a harm, a model.
    Text(String),
    /// When the stretch of time began.
    Time(Timestamp),
}

impl fmt::Display for GroupKey {
    /// For people; empty for [`Self::Absent`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => Ok(()),
            Self::Label { name, value } => write!(f, "{name}={value}"),
            Self::Role(role) => role.fmt(f),
            Self::Error(error) => error.fmt(f),
            Self::DataType(data_type) => data_type.fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::Time(time) => write!(f, "{}", time.format("%Y-%m-%dT%H:%M:%SZ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_begins_on_monday_also_across_years_and_before_1970() {
        let start = |bucket: TimeBucket, time: &str| {
            let time = time.parse::<Timestamp>().unwrap();
            bucket.start(time).format("%Y-%m-%dT%H:%M").to_string()
        };
        assert_eq!(start(TimeBucket::Week, "2027-01-01T00:00:00Z"), "2026-12-28T00:00");
        assert_eq!(start(TimeBucket::Week, "2024-12-30T00:00:00Z"), "2024-12-30T00:00");
        assert_eq!(start(TimeBucket::Week, "1969-12-28T23:59:59.999999Z"), "1969-12-22T00:00");
        assert_eq!(start(TimeBucket::Month, "2024-02-29T23:59:59.999999Z"), "2024-02-01T00:00");
        assert_eq!(start(TimeBucket::Hour, "1969-12-31T23:59:59.999999Z"), "1969-12-31T23:00");
        assert_eq!(start(TimeBucket::Day, "2024-12-31T23:59:59.999999Z"), "2024-12-31T00:00");
    }

    #[test]
    fn every_dimension_is_read_as_it_is_shown_and_another_word_is_refused_with_all() {
        for word in ["label", "label:a=b", "role", "data-type", "harm-category", "week", "model"] {
            assert_eq!(word.parse::<Dimension>().unwrap().to_string(), word);
        }
        let error = "weekday".parse::<Dimension>().unwrap_err();
        assert!(error.next_step().is_some_and(|hint| hint.contains("score-category")), "{error}");
    }
}
