//! Figures as Arrow record batches.
//!
//! Of [`GroupedFigures`] and [`GroupedOutcomes`] the rows are: the total, the groups in order, and, if groups are left, what is left.
//! The first columns say which:
//!
//! | column | type | what it is |
//! | --- | --- | --- |
//! | `part` | utf8 | `total`, `group` or `others` |
//! | `kind` | utf8, null | of groups: `absent`, `label`, `role`, `error`, `data_type`, `text`, `time` |
//! | `name` | utf8, null | a label's name |
//! | `key` | utf8, null | a label's value, or the word or text; null of `absent` and `time` |
//! | `start` | timestamp (µs, UTC), null | when the stretch of time began |
//!
//! What follows is named as in JSON, with `scores_`, `objectives_` and `scale_` before what is nested there. Counts are unsigned 64-bit
//! integers; rates, and the figures of a scale, are 64-bit floats, null of nothing; `scale_histogram` is a list of ten counts.

use std::sync::Arc;

use arrow_array::builder::{FixedSizeListBuilder, UInt64Builder};
use arrow_array::{
    ArrayRef, FixedSizeBinaryArray, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    UInt64Array,
};
use arrow_schema::{Field, Schema};

use super::distribution::BINS;
use super::{
    Distribution, Figures, GroupKey, GroupedFigures, GroupedOutcomes, LongPrompt, Outcomes, RepeatedPrompt,
    ScaleFigures,
};
use crate::{Error, ErrorKind, Result, Timestamp};

/// The part of the whole that a row is.
const TOTAL: &str = "total";
const GROUP: &str = "group";
const OTHERS: &str = "others";

/// A number of something, and what its column is called.
type Named<T, N> = (&'static str, fn(T) -> N);

/// A row: which part of the whole it is, of a group its key, and what it comes to.
type Row<'f, T> = (&'static str, Option<&'f GroupKey>, &'f T);

/// Columns on their way to a batch.
#[derive(Default)]
struct Columns {
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl Columns {
    fn add(&mut self, name: impl Into<String>, array: ArrayRef, nullable: bool) {
        self.fields.push(Field::new(name, array.data_type().clone(), nullable));
        self.arrays.push(array);
    }

    fn texts<'t>(&mut self, name: &str, texts: impl Iterator<Item = Option<&'t str>>, nullable: bool) {
        self.add(name, Arc::new(texts.collect::<StringArray>()), nullable);
    }

    fn counts(&mut self, name: impl Into<String>, counts: impl Iterator<Item = u64>) {
        self.add(name, Arc::new(UInt64Array::from_iter_values(counts)), false);
    }

    fn floats(&mut self, name: impl Into<String>, floats: impl Iterator<Item = Option<f64>>) {
        self.add(name, Arc::new(floats.collect::<Float64Array>()), true);
    }

    fn times(&mut self, name: &str, times: impl Iterator<Item = Option<Timestamp>>, nullable: bool) {
        let micros = times.map(|time| time.map(|time| time.timestamp_micros()));
        let array: TimestampMicrosecondArray = micros.collect();
        self.add(name, Arc::new(array.with_timezone("UTC")), nullable);
    }

    fn ids(&mut self, name: &str, ids: impl Iterator<Item = impl std::fmt::Display>) {
        let texts: Vec<String> = ids.map(|id| id.to_string()).collect();
        self.add(name, Arc::new(StringArray::from(texts)), false);
    }

    fn finish(self) -> Result<RecordBatch> {
        RecordBatch::try_new(Arc::new(Schema::new(self.fields)), self.arrays).map_err(|error| {
            Error::new(ErrorKind::Unsupported, "write figures as a record batch").source(error)
        })
    }
}

fn with_keys<T>(rows: &[Row<'_, T>]) -> Columns {
    let mut columns = Columns::default();
    columns.texts("part", rows.iter().map(|(part, ..)| Some(*part)), false);
    columns.texts("kind", rows.iter().map(|(_, key, _)| key.map(kind_of)), true);
    columns.texts("name", rows.iter().map(|(_, key, _)| key.and_then(name_of)), true);
    columns.texts("key", rows.iter().map(|(_, key, _)| key.and_then(text_of)), true);
    columns.times("start", rows.iter().map(|(_, key, _)| key.and_then(time_of)), true);
    columns
}

fn kind_of(key: &GroupKey) -> &'static str {
    match key {
        GroupKey::Absent => "absent",
        GroupKey::Label { .. } => "label",
        GroupKey::Role(_) => "role",
        GroupKey::Error(_) => "error",
        GroupKey::DataType(_) => "data_type",
        GroupKey::Text(_) => "text",
        GroupKey::Time(_) => "time",
    }
}

fn name_of(key: &GroupKey) -> Option<&str> {
    match key {
        GroupKey::Label { name, .. } => Some(name),
        _ => None,
    }
}

fn text_of(key: &GroupKey) -> Option<&str> {
    match key {
        GroupKey::Absent | GroupKey::Time(_) => None,
        GroupKey::Label { value, .. } => Some(value),
        GroupKey::Role(role) => Some(role.name()),
        GroupKey::Error(error) => Some(error.name()),
        GroupKey::DataType(data_type) => Some(data_type.name()),
        GroupKey::Text(text) => Some(text),
    }
}

fn time_of(key: &GroupKey) -> Option<Timestamp> {
    match key {
        GroupKey::Time(time) => Some(*time),
        _ => None,
    }
}

fn distribution<'d>(
    columns: &mut Columns,
    prefix: &str,
    all: impl Iterator<Item = &'d Distribution> + Clone,
) {
    let counts: [Named<&Distribution, u64>; 6] = [
        ("count", Distribution::count),
        ("true", Distribution::trues),
        ("false", Distribution::falses),
        ("undetermined", Distribution::undetermined),
        ("unknown", Distribution::unknown),
        ("unreadable", Distribution::unreadable),
    ];
    for (name, count) in counts {
        columns.counts(format!("{prefix}_{name}"), all.clone().map(count));
    }
    columns.floats(format!("{prefix}_true_rate"), all.map(Distribution::true_rate));
}

fn scale(columns: &mut Columns, all: &[Option<ScaleFigures>]) {
    columns.counts("scale_count", all.iter().map(|scale| scale.map_or(0, |scale| scale.count)));
    let floats: [Named<ScaleFigures, f64>; 6] = [
        ("scale_min", |scale| scale.min),
        ("scale_max", |scale| scale.max),
        ("scale_mean", |scale| scale.mean),
        ("scale_first_quartile", |scale| scale.first_quartile),
        ("scale_median", |scale| scale.median),
        ("scale_third_quartile", |scale| scale.third_quartile),
    ];
    for (name, float) in floats {
        columns.floats(name, all.iter().map(|scale| scale.map(float)));
    }
    let mut bins = FixedSizeListBuilder::new(UInt64Builder::new(), i32::try_from(BINS).unwrap_or_default());
    for scale in all {
        bins.values().append_slice(&scale.map_or([0; BINS], |scale| scale.histogram));
        bins.append(scale.is_some());
    }
    columns.add("scale_histogram", Arc::new(bins.finish()), true);
}

impl GroupedFigures {
    /// The same as an Arrow record batch: see [the module](self).
    ///
    /// # Errors
    /// None is known: Arrow checks the columns once more.
    pub fn to_record_batch(&self) -> Result<RecordBatch> {
        let mut rows: Vec<Row<'_, Figures>> = vec![(TOTAL, None, &self.total)];
        rows.extend(self.groups.iter().map(|group| (GROUP, Some(&group.key), &group.figures)));
        if self.other_groups > 0 {
            rows.push((OTHERS, None, &self.others));
        }
        let mut columns = with_keys(&rows);
        let counts: [Named<&Figures, u64>; 5] = [
            ("pieces", |figures| figures.pieces),
            ("messages", |figures| figures.messages),
            ("conversations", |figures| figures.conversations),
            ("answers", |figures| figures.answers),
            ("refused", |figures| figures.refused),
        ];
        for (name, count) in counts {
            columns.counts(name, rows.iter().map(|(.., figures)| count(figures)));
        }
        columns.floats("refusal_rate", rows.iter().map(|(.., figures)| figures.refusal_rate()));
        columns.floats("objective_rate", rows.iter().map(|(.., figures)| figures.objective_rate()));
        distribution(&mut columns, "scores", rows.iter().map(|(.., figures)| &figures.scores));
        distribution(&mut columns, "objectives", rows.iter().map(|(.., figures)| &figures.objectives));
        let scales: Vec<_> = rows.iter().map(|(.., figures)| figures.scores.scale()).collect();
        scale(&mut columns, &scales);
        columns.finish()
    }
}

impl GroupedOutcomes {
    /// The same as an Arrow record batch: see [the module](self).
    ///
    /// # Errors
    /// None is known: Arrow checks the columns once more.
    pub fn to_record_batch(&self) -> Result<RecordBatch> {
        let mut rows: Vec<Row<'_, Outcomes>> = vec![(TOTAL, None, &self.total)];
        rows.extend(self.groups.iter().map(|group| (GROUP, Some(&group.key), &group.outcomes)));
        if self.other_groups > 0 {
            rows.push((OTHERS, None, &self.others));
        }
        let mut columns = with_keys(&rows);
        let counts: [Named<&Outcomes, u64>; 5] = [
            ("attacks", Outcomes::count),
            ("success", |outcomes| outcomes.success),
            ("failure", |outcomes| outcomes.failure),
            ("error", |outcomes| outcomes.error),
            ("undetermined", |outcomes| outcomes.undetermined),
        ];
        for (name, count) in counts {
            columns.counts(name, rows.iter().map(|(.., outcomes)| count(outcomes)));
        }
        columns.floats("success_rate", rows.iter().map(|(.., outcomes)| outcomes.success_rate()));
        columns.finish()
    }
}

impl LongPrompt {
    /// A row per prompt: `piece`, `conversation` (UUIDs as text), `characters`, `preview`, `created_at`.
    ///
    /// # Errors
    /// None is known: Arrow checks the columns once more.
    pub fn record_batch(prompts: &[Self]) -> Result<RecordBatch> {
        let mut columns = Columns::default();
        columns.ids("piece", prompts.iter().map(|prompt| prompt.piece));
        columns.ids("conversation", prompts.iter().map(|prompt| prompt.conversation));
        columns.counts("characters", prompts.iter().map(|prompt| prompt.characters));
        columns.texts("preview", prompts.iter().map(|prompt| Some(prompt.preview.as_str())), false);
        columns.times("created_at", prompts.iter().map(|prompt| Some(prompt.created_at)), false);
        columns.finish()
    }
}

impl RepeatedPrompt {
    /// A row per prompt: `sha256` (32 bytes), `pieces`, `conversations`, `first` (a UUID as text), `preview`.
    ///
    /// # Errors
    /// None is known: Arrow checks the columns once more.
    pub fn record_batch(prompts: &[Self]) -> Result<RecordBatch> {
        let bytes: Vec<u8> = prompts.iter().flat_map(|prompt| prompt.sha256.0).collect();
        let hashes = FixedSizeBinaryArray::try_new(32, bytes.into(), None).map_err(|error| {
            Error::new(ErrorKind::Unsupported, "write figures as a record batch").source(error)
        })?;
        let mut columns = Columns::default();
        columns.add("sha256", Arc::new(hashes), false);
        columns.counts("pieces", prompts.iter().map(|prompt| prompt.pieces));
        columns.counts("conversations", prompts.iter().map(|prompt| prompt.conversations));
        columns.ids("first", prompts.iter().map(|prompt| prompt.first));
        columns.texts("preview", prompts.iter().map(|prompt| Some(prompt.preview.as_str())), false);
        columns.finish()
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray as _;
    use arrow_array::types::{Float64Type, TimestampMicrosecondType, UInt64Type};
    use arrow_array::{Array as _, FixedSizeListArray};
    use arrow_schema::{DataType, TimeUnit};

    use super::*;
    use crate::model::conversation::ScoreType;
    use crate::model::conversation::analytics::{Group, OutcomeGroup};

    fn figures(pieces: u64) -> Figures {
        let mut figures = Figures { pieces, answers: 4, refused: 1, ..Figures::default() };
        figures.add_scores(ScoreType::FloatScale, Some("0.25"), false, 2);
        figures.add_scores(ScoreType::TrueFalse, Some("true"), true, 3);
        figures
    }

    #[test]
    fn figures_have_a_row_for_the_total_each_group_and_what_is_left() {
        let time = Timestamp::from_timestamp_micros(1_700_000_000_000_000).unwrap();
        let label = GroupKey::Label { name: "in\0side".to_owned(), value: "<script>".to_owned() };
        let groups =
            [GroupKey::Absent, label, GroupKey::Time(time)].map(|key| Group { key, figures: figures(2) });
        let all = GroupedFigures {
            total: figures(7),
            groups: groups.into(),
            other_groups: 1,
            others: Figures::default(),
        };
        let batch = all.to_record_batch().unwrap();
        assert_eq!(batch.num_rows(), 5);
        let text = |name: &str, row: usize| batch[name].as_string::<i32>().value(row).to_owned();
        assert_eq!((text("part", 0), text("part", 4)), ("total".to_owned(), "others".to_owned()));
        assert_eq!((text("kind", 2), text("name", 2), text("key", 2)), {
            ("label".to_owned(), "in\0side".to_owned(), "<script>".to_owned())
        });
        assert!(batch["key"].is_null(1) && batch["kind"].is_null(0));
        let start = &batch["start"];
        assert_eq!(start.data_type(), &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())));
        assert_eq!(start.as_primitive::<TimestampMicrosecondType>().value(3), 1_700_000_000_000_000);
        assert_eq!(batch["pieces"].as_primitive::<UInt64Type>().values(), &[7, 2, 2, 2, 0]);
        assert_eq!(batch["refusal_rate"].as_primitive::<Float64Type>().value(0), 0.25);
        assert!(batch["refusal_rate"].is_null(4) && batch["scale_mean"].is_null(4));
        assert_eq!(batch["objectives_true"].as_primitive::<UInt64Type>().value(0), 3);
        let bins: &FixedSizeListArray = batch["scale_histogram"].as_fixed_size_list();
        assert_eq!(bins.value(0).as_primitive::<UInt64Type>().values(), &[0, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
        assert!(bins.is_null(4));
        assert!(batch.schema().field_with_name("pieces").is_ok_and(|field| !field.is_nullable()));
    }

    #[test]
    fn outcomes_and_prompts_are_batches_of_their_own_and_so_is_nothing() {
        let outcomes = Outcomes { success: 1, failure: 3, ..Outcomes::default() };
        let group = OutcomeGroup { key: GroupKey::Text("x".to_owned()), outcomes };
        let all = GroupedOutcomes { total: outcomes, groups: vec![group], ..GroupedOutcomes::default() };
        let batch = all.to_record_batch().unwrap();
        assert_eq!(batch["success_rate"].as_primitive::<Float64Type>().values(), &[0.25, 0.25]);
        assert_eq!(GroupedFigures::empty().to_record_batch().unwrap().num_rows(), 1);
        assert_eq!(LongPrompt::record_batch(&[]).unwrap().num_rows(), 0);
        let repeated = RepeatedPrompt {
            sha256: crate::model::Sha256::of(b"x"),
            pieces: 2,
            conversations: 1,
            first: crate::id::PieceId(uuid::Uuid::nil()),
            preview: "x".to_owned(),
        };
        let batch = RepeatedPrompt::record_batch(&[repeated]).unwrap();
        assert_eq!(
            batch["sha256"].as_fixed_size_binary().value(0),
            crate::model::Sha256::of(b"x").as_bytes()
        );
    }
}
