//! What can go wrong with a value on its way, found before anything is written: one table.

use serde::Serialize;

use crate::policy::{Policy, Treatment};
use crate::replacement::Replacement;

/// A kind of hazard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hazard {
    /// U+0000 in text, which Postgres can't hold.
    NulInText,
    /// Text that is no UTF-8.
    InvalidUtf8,
    /// Text that would be UTF-8 but for surrogates, each encoded by itself.
    LoneSurrogate,
    /// `NaN` or `Infinity` where JSON wants a number.
    JsonNan,
    /// Text in a JSON column that is not JSON.
    InvalidJson,
    /// `\u0000` inside a JSON string: kept exactly as `json`, but `->>` and `jsonb` fail on it.
    JsonNul,
    /// Half a surrogate pair, written as an escape, inside a JSON string: the same.
    JsonSurrogate,
    /// A key that an object of a document has twice: `jsonb` and most parsers keep the last.
    JsonDuplicateKey,
    /// A number in a document that a binary64 can't hold.
    JsonNumber,
    /// The document `null`, which is not SQL NULL.
    JsonNull,
    /// A value of another storage class than its column's type, or text that does not say such a value.
    WrongType,
    /// A date, time or number beyond what the target's type holds.
    OutOfRange,
    /// A moment finer than a microsecond, or a number that the target's type would round.
    Inexact,
    /// A counted moment that makes sense in another unit than its column's.
    MixedUnits,
    /// Text of more characters than its column was declared for, in a source that doesn't check.
    LongerThanDeclared,
    /// NULL where the target's key allows none.
    NullInKey,
    /// A value greater than the target can take.
    TooLarge,
    /// A row greater than the target's protocol carries.
    RowTooLarge,
    /// A row that the target can't put on one of its pages, even with every value moved out that can be.
    RowTooWide,
    /// Values longer than the target's index for a key holds.
    TooLongForKey,
    /// Values longer than a plain index of the target holds.
    TooLongForIndex,
    /// A key that several rows have by the target's rules.
    Duplicate,
    /// A reference to a row that the source does not have.
    Orphan,
    /// A reference to a row that is itself quarantined.
    Parent,
    /// A name of more bytes than the target keeps.
    NameTooLong,
    /// Two things that would have one name on the target.
    NameCollision,
    /// A table of that name that already holds rows, or whose columns differ.
    TargetOccupied,
}

/// Which policies carry a hazard, beside `reject` and `quarantine`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Remedy {
    /// None is needed: the value moves exactly.
    Note,
    /// None of the policies of columns: names and tables.
    Structural,
    /// Only to put the row aside.
    Aside,
    /// These: the codec, another type for the column; the replacements are those of [`Hazard::replacements`].
    Column { codec: bool, as_text: bool, as_bytes: bool },
}

const NOTE: Remedy = Remedy::Note;
const STRUCTURAL: Remedy = Remedy::Structural;
const ASIDE: Remedy = Remedy::Aside;
const TEXT: Remedy = Remedy::Column { codec: true, as_text: false, as_bytes: true };
const DOCUMENT: Remedy = Remedy::Column { codec: true, as_text: true, as_bytes: true };
const VALUE: Remedy = Remedy::Column { codec: false, as_text: true, as_bytes: true };
const SIZE: Remedy = Remedy::Column { codec: false, as_text: false, as_bytes: false };

impl Hazard {
    /// Every kind, what it is, for people, and what can be done.
    const TABLE: [(Hazard, &'static str, Remedy); 27] = [
        (Hazard::NulInText, "NUL in text", TEXT),
        (Hazard::InvalidUtf8, "text is not UTF-8", TEXT),
        (Hazard::LoneSurrogate, "half a surrogate pair in text", TEXT),
        (Hazard::JsonNan, "NaN or Infinity in JSON", DOCUMENT),
        (Hazard::InvalidJson, "not JSON", DOCUMENT),
        (Hazard::JsonNul, "\\u0000 in JSON", NOTE),
        (Hazard::JsonSurrogate, "half a surrogate pair in JSON", NOTE),
        (Hazard::JsonDuplicateKey, "a key twice in a JSON object", NOTE),
        (Hazard::JsonNumber, "a number in JSON beyond binary64", NOTE),
        (Hazard::JsonNull, "JSON null, not SQL NULL", NOTE),
        (Hazard::WrongType, "value of another type than its column", VALUE),
        (Hazard::OutOfRange, "out of the target type's range", VALUE),
        (Hazard::Inexact, "finer than the target type", VALUE),
        (Hazard::MixedUnits, "another unit than the column's moments", VALUE),
        (Hazard::LongerThanDeclared, "longer than declared", NOTE),
        (Hazard::NullInKey, "NULL in a key or NOT NULL column", ASIDE),
        (Hazard::TooLarge, "larger than the target takes", SIZE),
        (Hazard::RowTooLarge, "the row is larger than the target takes", ASIDE),
        (Hazard::RowTooWide, "the row does not fit on a page of the target", ASIDE),
        (Hazard::TooLongForKey, "longer than the target's keys hold", ASIDE),
        (Hazard::TooLongForIndex, "longer than the target's indexes hold", NOTE),
        (Hazard::Duplicate, "several rows with one key by the target's rules", ASIDE),
        (Hazard::Orphan, "refers to a row that does not exist", ASIDE),
        (Hazard::Parent, "refers to a row that does not move", ASIDE),
        (Hazard::NameTooLong, "name too long", STRUCTURAL),
        (Hazard::NameCollision, "names collide", STRUCTURAL),
        (Hazard::TargetOccupied, "target table is not empty, or is another table", STRUCTURAL),
    ];

    /// Every kind.
    pub fn all() -> impl Iterator<Item = Hazard> {
        Self::TABLE.iter().map(|(hazard, ..)| *hazard)
    }

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Hazard> {
        Self::all().find(|hazard| hazard.name() == name)
    }

    /// Its name in reports and in the quarantine.
    pub fn name(self) -> String {
        let named = serde_json::to_value(self).ok();
        named.and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// What it is, for people.
    pub fn meaning(self) -> &'static str {
        Self::TABLE.iter().find(|(hazard, ..)| *hazard == self).map_or("", |(_, meaning, _)| meaning)
    }

    fn remedy(self) -> Remedy {
        Self::TABLE.iter().find(|(hazard, ..)| *hazard == self).map_or(Remedy::Aside, |(.., remedy)| *remedy)
    }

    /// Whether it is only worth knowing: the value moves exactly.
    pub fn is_note(self) -> bool {
        self.remedy() == Remedy::Note
    }

    /// Whether it is about names and tables rather than rows, so that no row policy helps.
    pub fn is_structural(self) -> bool {
        self.remedy() == Remedy::Structural
    }

    /// The normalisations that may mend a value with it.
    pub const fn replacements(self) -> &'static [Replacement] {
        use Replacement as R;
        match self {
            Hazard::NulInText => &[R::DropNul, R::ReplacementCharacter, R::Null],
            Hazard::InvalidUtf8 | Hazard::LoneSurrogate => &[R::ReplacementCharacter, R::Null],
            Hazard::JsonNan => &[R::NanToNull, R::Null],
            Hazard::InvalidJson | Hazard::WrongType | Hazard::MixedUnits | Hazard::TooLarge => &[R::Null],
            Hazard::OutOfRange => &[R::Clamp, R::Infinity, R::Null],
            Hazard::Inexact => &[R::Round, R::Null],
            _ => &[],
        }
    }

    /// What becomes of it under `policy`. `mended` says whether the column's codec or normalisation carries this value.
    pub fn treatment(self, policy: Policy, mended: bool) -> Treatment {
        match (self.remedy(), policy) {
            (Remedy::Note, _) => Treatment::Moves,
            (Remedy::Structural, _) | (_, Policy::Reject) => Treatment::Rejects,
            (Remedy::Column { codec: true, .. }, Policy::Escape) if mended => Treatment::Escapes,
            (Remedy::Column { .. }, Policy::Replace) if mended => Treatment::Replaces,
            _ => Treatment::Quarantines,
        }
    }

    /// What `policy` would do with it at its best, and by which normalisations.
    pub fn outcome(self, policy: Policy) -> (Treatment, &'static [Replacement]) {
        let replacements = if policy == Policy::Replace { self.replacements() } else { &[] };
        let treatment = match (self.remedy(), policy) {
            (Remedy::Column { as_text: true, .. }, Policy::AsText) => Treatment::AsText,
            (Remedy::Column { as_bytes: true, .. }, Policy::AsBytes) => Treatment::AsBytes,
            (_, Policy::Replace) => self.treatment(policy, !replacements.is_empty()),
            _ => self.treatment(policy, true),
        };
        (treatment, replacements)
    }

    /// What to do about it.
    pub const fn advice(self) -> &'static str {
        match self {
            Hazard::NameTooLong | Hazard::NameCollision => {
                "write the plan with `plan -o`, give it another `target` name there, and pass `--plan`"
            }
            Hazard::TargetOccupied => {
                "empty or rename that table, choose another --schema, or leave it out with --exclude"
            }
            Hazard::Duplicate => {
                "mend the source, choose --on-hazard quarantine (every row with that key is put aside), or take the key out \
                 of the plan"
            }
            Hazard::Orphan | Hazard::Parent => {
                "mend the source, choose --on-hazard quarantine, or take the foreign key out of the plan"
            }
            Hazard::TooLongForKey | Hazard::NullInKey => {
                "choose --on-hazard quarantine, or take the key out of the plan"
            }
            Hazard::RowTooLarge => "choose --on-hazard quarantine",
            Hazard::RowTooWide => {
                "choose --on-hazard quarantine, or give columns narrower types in a plan (`plan -o`, then `--plan`)"
            }
            _ => "choose --on-hazard quarantine or escape, or a policy for the column in the plan",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hazard_has_a_name_that_is_read_back() {
        for hazard in Hazard::all() {
            assert_eq!(Hazard::parse(&hazard.name()), Some(hazard));
        }
        assert_eq!(Hazard::parse("mishap"), None);
    }

    #[test]
    fn nothing_is_lost_unless_it_was_asked_for_by_name() {
        for hazard in Hazard::all() {
            for (policy, _) in Policy::ALL.iter().filter(|(policy, _)| *policy != Policy::Replace) {
                assert_ne!(hazard.outcome(*policy).0, Treatment::Replaces, "{hazard:?} under {policy}");
            }
            assert_eq!(hazard.outcome(Policy::Replace).1, hazard.replacements());
            assert!(hazard.replacements().is_empty() || !hazard.is_note());
        }
    }
}
