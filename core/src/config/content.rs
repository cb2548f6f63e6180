//! Where the content area is, and how it is reached.

use std::fmt;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use url::Url;

use super::settings::Reader;
use crate::Result;

/// The most versions that can be kept of a configuration file: all entries of its history are written as one.
const MOST_VERSIONS: u32 = 1_000;

/// The content area.
#[derive(Debug, Clone)]
pub struct ContentSettings {
    /// Where it is.
    pub place: ContentPlace,
    /// How many versions of a configuration file are kept, the present one included; at least 1.
    pub keep_versions: u32,
}

/// Where objects are.
#[derive(Debug, Clone)]
pub enum ContentPlace {
    /// In a folder.
    Folder(PathBuf),
    /// In memory: for tests.
    Memory,
    /// In a bucket.
    S3(Box<S3Settings>),
}

/// A bucket, and who asks for it.
#[derive(Debug, Clone)]
pub struct S3Settings {
    /// The bucket.
    pub bucket: String,
    /// What all keys begin with; may be empty.
    pub prefix: String,
    /// The server; `None`: Amazon's.
    pub endpoint: Option<String>,
    /// The region; `None`: the environment's.
    pub region: Option<String>,
    /// The credentials; `None`: the environment's.
    pub credentials: Option<S3Credentials>,
}

/// Who asks.
#[derive(Debug, Clone)]
pub struct S3Credentials {
    /// The key's id.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: SecretString,
    /// The token of temporary credentials.
    pub session_token: Option<SecretString>,
}

impl PartialEq for ContentPlace {
    /// Whether both name the same place; credentials don't matter.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Folder(a), Self::Folder(b)) => a == b,
            (Self::Memory, Self::Memory) => true,
            (Self::S3(a), Self::S3(b)) => {
                (&a.bucket, &a.prefix, &a.endpoint) == (&b.bucket, &b.prefix, &b.endpoint)
            }
            _ => false,
        }
    }
}

impl fmt::Display for ContentPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::Memory => f.write_str("memory:"),
            Self::S3(s3) if s3.prefix.is_empty() => write!(f, "s3://{}", s3.bucket),
            Self::S3(s3) => write!(f, "s3://{}/{}", s3.bucket, s3.prefix),
        }
    }
}

const URL: &str = "stores.content.url";

pub(super) fn read(reader: &Reader<'_>, data_directory: &Path) -> Result<ContentSettings> {
    let keep = "stores.content.keep_versions";
    let keep_versions = match reader.number(keep, 0)? {
        count @ 1..=MOST_VERSIONS => count,
        _ => return Err(reader.wrong(keep, format!("it must be a whole number, 1 to {MOST_VERSIONS}"))),
    };
    Ok(ContentSettings { place: place(reader, data_directory)?, keep_versions })
}

fn place(reader: &Reader<'_>, data_directory: &Path) -> Result<ContentPlace> {
    let hint = "write file:///path/to/folder or s3://bucket/prefix";
    let wrong = |what: &str| reader.wrong(URL, what).hint(hint);
    let Some(url) = reader.text(URL)? else {
        only_for_s3(reader)?;
        return Ok(ContentPlace::Folder(data_directory.join("content")));
    };
    let url = Url::parse(&url).map_err(|e| reader.wrong(URL, e).hint(hint))?;
    if url.scheme() == "s3" {
        return Ok(ContentPlace::S3(Box::new(s3(reader, &url)?)));
    }
    only_for_s3(reader)?;
    match url.scheme() {
        "file" => url.to_file_path().map(ContentPlace::Folder).map_err(|()| wrong("it names no folder")),
        "memory" => Ok(ContentPlace::Memory),
        other => Err(wrong(&format!("objects can't be kept at {other}:"))),
    }
}

/// Refuses settings that mean nothing without S3.
fn only_for_s3(reader: &Reader<'_>) -> Result<()> {
    const KEYS: [&str; 7] = [
        "endpoint",
        "region",
        "access_key_id",
        "secret_access_key",
        "secret_access_key_file",
        "session_token",
        "session_token_file",
    ];
    for name in KEYS {
        let key = format!("stores.content.{name}");
        if reader.text(&key)?.is_some() {
            return Err(reader
                .wrong(&key, "only S3 has one")
                .hint(format!("remove it, or give {URL} an s3: URL")));
        }
    }
    Ok(())
}

fn s3(reader: &Reader<'_>, url: &Url) -> Result<S3Settings> {
    let hint = "write s3://bucket/prefix";
    let bucket = url.host_str().unwrap_or_default().to_owned();
    if bucket.is_empty() {
        return Err(reader.wrong(URL, "it names no bucket").hint(hint));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(reader
            .wrong(URL, "it holds credentials")
            .hint("set stores.content.access_key_id and stores.content.secret_access_key_file"));
    }
    if url.query().is_some() || url.fragment().is_some() || url.port().is_some() {
        return Err(reader.wrong(URL, "it has more than a bucket and a prefix").hint(hint));
    }
    let prefix = percent_decode_str(url.path().trim_matches('/')).decode_utf8_lossy().into_owned();
    let endpoint_key = "stores.content.endpoint";
    let endpoint = reader.text(endpoint_key)?;
    if let Some(endpoint) = &endpoint
        && !Url::parse(endpoint).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
    {
        return Err(reader.wrong(endpoint_key, "it must be an http: or https: URL"));
    }
    Ok(S3Settings {
        bucket,
        prefix,
        endpoint,
        region: reader.text("stores.content.region")?,
        credentials: credentials(reader)?,
    })
}

fn credentials(reader: &Reader<'_>) -> Result<Option<S3Credentials>> {
    let (id_key, secret_key) = ("stores.content.access_key_id", "stores.content.secret_access_key");
    let session_token = reader.secret("stores.content.session_token")?;
    match (reader.text(id_key)?, reader.secret(secret_key)?) {
        (Some(access_key_id), Some(secret_access_key)) => {
            Ok(Some(S3Credentials { access_key_id, secret_access_key, session_token }))
        }
        (Some(_), None) => Err(reader.wrong(id_key, format!("{secret_key} is missing"))),
        (None, Some(_)) => Err(reader.wrong(secret_key, format!("{id_key} is missing"))),
        (None, None) if session_token.is_some() => {
            Err(reader.wrong("stores.content.session_token", format!("{id_key} is missing")))
        }
        (None, None) => Ok(None),
    }
}
