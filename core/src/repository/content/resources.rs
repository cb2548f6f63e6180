//! Content in the shape of MCP's resources (Model Context Protocol, 2025-06-18, "Resources"), to be listed and read: an MCP server
//! is a thin wrapper over [`Resources`], which serialises with exactly the protocol's field names.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::{Content, ContentExt as _};
use crate::model::{Namespace, ObjectInfo};
use crate::{Cursor, Error, ErrorKind, PageRequest, Result};

/// What the URIs begin with: `trimaran://reports/weekly%20summary`.
const SCHEME: &str = "trimaran://";

/// All but what stands for itself in a URI (RFC 3986, section 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The greatest object that is read unless [`Resources::max_bytes`] says otherwise: the answer is one JSON message.
const MAX_BYTES: u64 = 16 << 20;

/// How many resources a page has unless [`Resources::page_size`] says otherwise.
const PAGE_SIZE: u32 = 100;

/// One object, as `resources/list` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// What it is read by: `trimaran://`, the namespace, `/`, and the name in percent-encoding.
    pub uri: String,
    /// Its name, as it was given.
    pub name: String,
    /// Its MIME type.
    pub mime_type: String,
    /// Its length, in bytes.
    pub size: u64,
    /// What a client may show.
    pub annotations: Annotations,
}

/// What a client may show of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Annotations {
    /// When it was written: ISO 8601, in UTC.
    pub last_modified: String,
}

/// What `resources/list` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListResourcesResult {
    /// A page of them.
    pub resources: Vec<Resource>,
    /// Where the next page begins; left out after the last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_cursor: Option<String>,
}

/// What `resources/read` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadResourceResult {
    /// The one resource.
    pub contents: Vec<ResourceContents>,
}

/// A resource's bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ResourceContents {
    /// Of a textual MIME type, and UTF-8 indeed.
    #[serde(rename_all = "camelCase")]
    Text {
        /// The resource's URI.
        uri: String,
        /// Its MIME type.
        mime_type: String,
        /// Its text.
        text: String,
    },
    /// Anything else.
    #[serde(rename_all = "camelCase")]
    Blob {
        /// The resource's URI.
        uri: String,
        /// Its MIME type.
        mime_type: String,
        /// Its bytes in base64 (RFC 4648, section 4).
        blob: String,
    },
}

/// Content to be listed and read, and not to be changed. Scope and permissions are those of the [`Content`] it shows.
#[derive(Debug, Clone)]
pub struct Resources {
    content: Arc<dyn Content>,
    page_size: u32,
    max_bytes: u64,
}

impl Resources {
    /// All objects of `content`.
    pub fn new(content: Arc<dyn Content>) -> Self {
        Self { content, page_size: PAGE_SIZE, max_bytes: MAX_BYTES }
    }

    /// Gives as many per page, of 1 to [`PageRequest::MAX_LIMIT`].
    #[must_use]
    pub fn page_size(mut self, page_size: u32) -> Self {
        self.page_size = page_size;
        self
    }

    /// Reads objects of up to so many bytes.
    #[must_use]
    pub fn max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// A page of resources: namespace by namespace, each in the order of [`Content::list`].
    ///
    /// # Errors
    /// `Invalid` if the cursor is none that this gave, and for a page size out of bounds; else as for [`Content::list`].
    pub async fn list(&self, cursor: Option<&str>) -> Result<ListResourcesResult> {
        let (first, mut inner) = match cursor {
            None => (Namespace::ALL[0], None),
            Some(cursor) => place(cursor)?,
        };
        let mut resources = Vec::new();
        let mut left = self.page_size;
        for namespace in Namespace::ALL.into_iter().filter(|namespace| *namespace >= first) {
            if left == 0 {
                return Ok(ListResourcesResult { resources, next_cursor: Some(cursor_at(namespace, None)) });
            }
            let mut request = PageRequest::first(left)?;
            if let Some(after) = inner.take() {
                request = request.after(after);
            }
            let page = self.content.list(namespace, "", &request).await?;
            left -= u32::try_from(page.items.len()).unwrap_or(left).min(left);
            resources.extend(page.items.into_iter().map(resource));
            if let Some(next) = page.next {
                return Ok(ListResourcesResult {
                    resources,
                    next_cursor: Some(cursor_at(namespace, Some(&next))),
                });
            }
        }
        Ok(ListResourcesResult { resources, next_cursor: None })
    }

    /// The resource of this URI.
    ///
    /// # Errors
    /// `NotFound` if there is none; `Invalid` if it is longer than [`Self::max_bytes`] allows; else as for [`Content::get`].
    pub async fn read(&self, uri: &str) -> Result<ReadResourceResult> {
        let missing = || {
            Error::new(ErrorKind::NotFound, "read a resource")
                .context(format!("there is none at {uri:?}"))
                .hint("take a uri that resources/list gave")
        };
        let (namespace, name) = parse_uri(uri).ok_or_else(missing)?;
        let info = self.content.head(namespace, &name).await?.ok_or_else(missing)?;
        if info.size > self.max_bytes {
            return Err(Error::new(ErrorKind::Invalid, "read a resource")
                .context(format!("{uri:?} has {} bytes, and up to {} are read so", info.size, self.max_bytes))
                .hint("read it with Content::get, which streams"));
        }
        let (info, bytes) = self.content.read(namespace, &name).await?.ok_or_else(missing)?;
        let (uri, mime_type) = (uri_of(&info), info.content_type);
        let text = if is_textual(&mime_type) { std::str::from_utf8(&bytes).ok() } else { None };
        let contents = match text {
            Some(text) => ResourceContents::Text { uri, mime_type, text: text.to_owned() },
            None => ResourceContents::Blob { uri, mime_type, blob: STANDARD.encode(&bytes) },
        };
        Ok(ReadResourceResult { contents: vec![contents] })
    }
}

fn resource(info: ObjectInfo) -> Resource {
    Resource {
        uri: uri_of(&info),
        annotations: Annotations {
            last_modified: info.modified_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
        },
        name: info.name,
        mime_type: info.content_type,
        size: info.size,
    }
}

fn uri_of(info: &ObjectInfo) -> String {
    format!("{SCHEME}{}/{}", info.namespace, utf8_percent_encode(&info.name, ENCODED))
}

fn parse_uri(uri: &str) -> Option<(Namespace, String)> {
    let (namespace, name) = uri.strip_prefix(SCHEME)?.split_once('/')?;
    let name = percent_decode_str(name).decode_utf8().ok()?;
    crate::model::name::check("the resource's name", &name).ok()?;
    Some((Namespace::from_name(namespace)?, name.into_owned()))
}

/// Whether a MIME type is one of text: `text/…`, JSON, XML and their like.
fn is_textual(mime_type: &str) -> bool {
    const TEXTS: [&str; 9] = [
        "application/json",
        "application/jsonl",
        "application/x-ndjson",
        "application/xml",
        "application/yaml",
        "application/x-yaml",
        "application/toml",
        "application/javascript",
        "application/sql",
    ];
    let essence = mime_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_structured = ["+json", "+xml", "+yaml"].iter().any(|suffix| essence.ends_with(suffix));
    essence.starts_with("text/") || is_structured || TEXTS.contains(&essence.as_str())
}

/// The cursor of a place: clients are to take it as opaque, so it is in base64.
fn cursor_at(namespace: Namespace, inner: Option<&Cursor>) -> String {
    URL_SAFE_NO_PAD.encode(format!("{namespace}/{}", inner.map_or("", Cursor::as_str)))
}

fn place(cursor: &str) -> Result<(Namespace, Option<Cursor>)> {
    let read = || {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let (namespace, inner) = text.split_once('/')?;
        let inner = if inner.is_empty() { None } else { Some(Cursor::new(inner)) };
        Some((Namespace::from_name(namespace)?, inner))
    };
    read().ok_or_else(|| {
        Error::new(ErrorKind::Invalid, "list resources")
            .context("the cursor is none that resources/list gave")
            .hint("leave it out to begin anew")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_leads_back_to_namespace_and_name_whatever_the_name() {
        for name in ["weekly summary", "../../etc/passwd", "a/b?c#d%20", "\0", "\u{202e}txt.exe", "ß"] {
            let uri = format!("{SCHEME}reports/{}", utf8_percent_encode(name, ENCODED));
            assert!(url::Url::parse(&uri).is_ok(), "{uri}");
            assert_eq!(parse_uri(&uri), Some((Namespace::Reports, name.to_owned())));
        }
        for wrong in
            ["", "trimaran://", "trimaran://reports", "trimaran://reports/", "trimaran://x/y", "file:///a"]
        {
            assert_eq!(parse_uri(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_cursor_leads_back_to_its_place_and_another_text_to_none() {
        let cursor = cursor_at(Namespace::Reports, Some(&Cursor::new("a/b")));
        assert_eq!(place(&cursor).unwrap(), (Namespace::Reports, Some(Cursor::new("a/b"))));
        for wrong in ["", "reports/", "////", "eA"] {
            assert_eq!(place(wrong).unwrap_err().kind(), ErrorKind::Invalid, "{wrong}");
        }
    }

    #[test]
    fn text_is_told_by_its_mime_type() {
        for text in ["text/csv; charset=utf-8", "application/json", "image/svg+xml", "TEXT/PLAIN"] {
            assert!(is_textual(text), "{text}");
        }
        for other in ["image/png", "application/octet-stream", "application/pdf"] {
            assert!(!is_textual(other), "{other}");
        }
    }
}
