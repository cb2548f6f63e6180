//! Which ranges of a table's rows fit in memory, given how heavy its vectors are.
//!
//! Bounds decide about memory only. The ranges cover exactly what was asked for, whatever they say.

use std::ops::Range;

use super::read::VECTOR;

/// Vectors lighter than this never matter: no session's share is smaller.
pub(super) const LIGHT: u64 = 1 << 20;
/// Into how many ranges a vector is cut that DuckDB expands as a whole: each range expands it again.
const MOST_EXPANSIONS: u64 = 8;
/// How many of its heaviest rows a range may hold beyond the share: fewer would turn a vector with a single large value
/// into thousands of queries.
const LARGE_ROWS: u64 = 4;
/// What one range may weigh at most: an Arrow array of strings holds no more than 2 GiB.
const LARGEST_BATCH: u64 = 1 << 30;

/// What is known of a table's storage.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    /// The heavy vectors, in order.
    pub(super) heavy: Vec<Vector>,
    /// Row ids have gaps between row groups, so that places are unknown: every vector is taken for the heaviest.
    pub(super) scattered: bool,
    /// One past the last row id.
    pub(super) end: i64,
}

/// The bounds of one vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Vector {
    /// Its first row id.
    pub(super) first: i64,
    /// No more bytes than this in all.
    pub(super) total: u64,
    /// No more bytes than this in a row of what can be read row by row.
    pub(super) row: u64,
    /// The bytes of what is expanded as a whole.
    pub(super) expanded: u64,
}

impl Layout {
    /// Cuts the row ids `from..to` into ranges of which each vector weighs no more than `share` and four of its largest
    /// rows, as far as that can be.
    pub(super) fn ranges(&self, from: i64, to: i64, share: u64) -> Vec<Range<i64>> {
        let mut ranges = Vec::new();
        let mut start = from;
        for vector in self.heavy_in(from, to, share) {
            // A row group that several transactions filled ends within a vector: the next one's begins before that would end.
            let (first, last) =
                (vector.first.max(start), vector.first.saturating_add(VECTOR as i64).min(self.end).min(to));
            if start < first {
                ranges.push(start..first);
            }
            let step = vector.step(share);
            let mut at = first;
            while at < last {
                let next = at.saturating_add(step).min(last);
                ranges.push(at..next);
                at = next;
            }
            start = start.max(last);
        }
        if start < to {
            ranges.push(start..to);
        }
        ranges
    }

    fn heavy_in(&self, from: i64, to: i64, share: u64) -> Vec<Vector> {
        let heavy = self.heavy.iter().filter(|v| v.total > v.limit(share));
        if !self.scattered {
            return heavy
                .filter(|v| v.first < to && v.first.saturating_add(VECTOR as i64) > from)
                .copied()
                .collect();
        }
        let Some(heaviest) = heavy.max_by_key(|v| v.total).copied() else { return Vec::new() };
        let row = self.heavy.iter().map(|v| v.row).max().unwrap_or(heaviest.row);
        (from..to.min(self.end))
            .step_by(VECTOR as usize)
            .map(|first| Vector { first, row, ..heaviest })
            .collect()
    }
}

impl Vector {
    /// What a range of it may weigh.
    fn limit(&self, share: u64) -> u64 {
        share.saturating_add(self.row.saturating_mul(LARGE_ROWS))
    }

    /// How many rows to read at a time.
    fn step(&self, share: u64) -> i64 {
        let pieces = if self.expanded > self.total / 2 {
            self.total.div_ceil(share).min(MOST_EXPANSIONS).max(self.total.div_ceil(LARGEST_BATCH))
        } else {
            VECTOR.div_ceil((self.limit(share) / self.row.max(1)).clamp(1, VECTOR))
        };
        i64::try_from((VECTOR / pieces.clamp(1, VECTOR)).max(1)).unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(scattered: bool) -> Layout {
        let heavy = Vector { first: 2048, total: 8 << 20, row: 4 << 10, expanded: 0 };
        Layout { heavy: vec![heavy], scattered, end: 6_000 }
    }

    #[test]
    fn only_heavy_vectors_are_cut() {
        assert_eq!(layout(false).ranges(0, i64::MAX, 8 << 20), vec![0..i64::MAX]);
        assert_eq!(
            layout(false).ranges(0, i64::MAX, 4 << 20),
            vec![0..2048, 2048..3072, 3072..4096, 4096..i64::MAX]
        );
        assert_eq!(layout(false).ranges(4096, 8192, 1), vec![4096..8192]);
    }

    #[test]
    fn ranges_cover_what_was_asked_for_exactly_once() {
        for scattered in [false, true] {
            for (from, to) in [(0, i64::MAX), (0, 2048), (1000, 3000), (5000, 5001), (7000, i64::MAX)] {
                for share in [1, 1 << 12, 1 << 20, 6 << 20, u64::MAX] {
                    let ranges = layout(scattered).ranges(from, to, share);
                    let mut at = from;
                    for range in &ranges {
                        assert_eq!(range.start, at);
                        assert!(range.end > range.start);
                        at = range.end;
                    }
                    assert_eq!(at, to, "{from}..{to} by {share}");
                }
            }
        }
    }

    #[test]
    fn a_short_vector_at_the_end_of_a_row_group_is_read_once() {
        let vector = |first| Vector { first, total: 8 << 20, row: 4 << 10, expanded: 0 };
        let layout =
            Layout { heavy: vec![vector(0), vector(2_048), vector(2_500)], scattered: false, end: 9_000 };
        for share in [1, 1 << 20, 4 << 20] {
            let mut at = 0;
            for range in layout.ranges(0, i64::MAX, share) {
                assert_eq!(range.start, at);
                assert!(range.end > range.start);
                at = range.end;
            }
            assert_eq!(at, i64::MAX);
        }
    }

    #[test]
    fn a_vector_that_is_expanded_as_a_whole_is_cut_a_few_times_at_most() {
        let vector = Vector { first: 0, total: 600 << 20, row: 0, expanded: 600 << 20 };
        assert_eq!(vector.step(1 << 20), 256);
        let huge = Vector { total: 16 << 30, expanded: 16 << 30, ..vector };
        assert_eq!(huge.step(1 << 20), 128);
    }
}
