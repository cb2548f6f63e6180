//! Text that users choose, as the engine can hold it.
//!
//! Postgres refuses U+0000 in text. There every such text goes through the reversible [codec](trimaran_core::escape), on its
//! way in, on its way out and in filters; the migrator writes the same form, so that a store that moved is read as before.

use std::borrow::Cow;
use std::fmt;

use trimaran_core::{Capabilities, Error, ErrorKind, Result, escape};

/// Encodes and decodes text where the engine can't hold U+0000.
#[derive(Debug, Clone, Copy)]
pub struct TextCodec {
    encodes: bool,
}

/// Where a text was read, for the error if it can't be decoded.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a, K> {
    /// The table.
    pub table: &'a str,
    /// The column.
    pub column: &'a str,
    /// The row's key.
    pub key: K,
}

impl<K: fmt::Display> Place<'_, K> {
    /// What is kept here is not what was ever written.
    pub fn corrupt(&self, why: impl Into<String>) -> Error {
        let Place { table, column, key } = self;
        Error::new(ErrorKind::Corrupt, format!("read column {column} of table {table}"))
            .context(format!("in the row {key} {}", why.into()))
            .hint("something else than this program wrote the row; correct it, or restore a backup")
    }
}

impl TextCodec {
    /// The codec of an engine that can do so much.
    pub fn of(capabilities: Capabilities) -> Self {
        Self { encodes: !capabilities.nul_in_text }
    }

    /// The text as the engine holds it: for columns and for filters.
    pub fn store(self, text: &str) -> String {
        if !self.encodes {
            return text.to_owned();
        }
        match escape::encode(text.as_bytes()) {
            Cow::Borrowed(_) => text.to_owned(),
            // What is encoded is text again; nothing is lost by asking once more.
            Cow::Owned(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    /// The same for a text that may be missing.
    pub fn store_option(self, text: Option<&str>) -> Option<String> {
        text.map(|text| self.store(text))
    }

    /// The text as it was given.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`], naming `place`, if the codec never wrote it.
    pub fn load<K: fmt::Display>(self, place: Place<'_, K>, text: String) -> Result<String> {
        if !self.encodes {
            return Ok(text);
        }
        match escape::decode(text.as_bytes()) {
            Ok(Cow::Borrowed(_)) => Ok(text),
            Ok(Cow::Owned(bytes)) => {
                String::from_utf8(bytes).map_err(|_| place.corrupt("there is escaped text that is not UTF-8"))
            }
            Err(error) => Err(place.corrupt("there is wrongly escaped text").source(error)),
        }
    }

    /// The same for a text that may be missing.
    ///
    /// # Errors
    /// As for [`Self::load`].
    pub fn load_option<K: fmt::Display>(
        self,
        place: Place<'_, K>,
        text: Option<String>,
    ) -> Result<Option<String>> {
        text.map(|text| self.load(place, text)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'_, u8> = Place { table: "role", column: "name", key: 7 };

    fn codec(nul_in_text: bool) -> TextCodec {
        let mut capabilities = Capabilities::LEAST;
        capabilities.nul_in_text = nul_in_text;
        TextCodec::of(capabilities)
    }

    #[test]
    fn hostile_text_comes_back_whether_the_engine_can_hold_it_or_not() {
        for text in ["", "plain", "nul\0nul", "mark\u{1a}0", "\u{202e}rtl"] {
            for codec in [codec(true), codec(false)] {
                assert_eq!(codec.load(PLACE, codec.store(text)).unwrap(), text);
            }
            assert!(!codec(false).store(text).contains('\0'));
        }
    }

    #[test]
    fn text_that_the_codec_never_wrote_is_named_by_table_column_and_key() {
        for text in ["\u{1a}", "\u{1a}xff"] {
            let error = codec(false).load(PLACE, text.to_owned()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            let report = error.report();
            assert!(report.contains("column name of table role") && report.contains("row 7"), "{report}");
        }
    }
}
