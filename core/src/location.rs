//! The URLs that name a database: `postgres://user@host:port/database?sslmode=…`, `sqlite:///path`, `duckdb:///path`.

use std::fmt;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use url::Url;

use crate::{Engine, Error, ErrorKind, Result};

/// Where a database is. `Display` and `Debug` show no password.
#[derive(Clone)]
pub struct Location {
    engine: Engine,
    place: Place,
}

#[derive(Clone)]
enum Place {
    File(PathBuf),
    Server { url: Box<Url>, password: Option<SecretString> },
}

impl Location {
    /// Reads a URL. After `sqlite:` and `duckdb:` stands a path: `sqlite:///absolute`, `sqlite:relative` or
    /// `sqlite://relative`; `%20` and the like are decoded.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`], naming what is wrong and what a right one looks like. A password is never shown.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |why: &str| {
            Error::new(ErrorKind::Configuration, format!("read the URL {}", redact(text)))
                .context(why.to_owned())
                .hint("write duckdb:///path/to/file, sqlite:///path/to/file or postgres://user@host:5432/database")
        };
        let Some((scheme, rest)) = text.split_once(':') else {
            return Err(wrong("it has no scheme"));
        };
        let engine = match scheme {
            "postgres" | "postgresql" => {
                let mut url = Url::parse(text).map_err(|e| wrong(&e.to_string()))?;
                let password = url.password().map(|p| SecretString::from(decode(p)));
                if password.is_some() {
                    url.set_password(None).map_err(|()| wrong("it has a password but no host"))?;
                }
                let place = Place::Server { url: Box::new(url), password };
                return Ok(Self { engine: Engine::Postgres, place });
            }
            "sqlite" => Engine::Sqlite,
            "duckdb" => Engine::Duckdb,
            other => return Err(wrong(&format!("{other:?} is no engine"))),
        };
        let path = decode(rest.strip_prefix("//").unwrap_or(rest));
        if path.is_empty() || path.ends_with('/') {
            return Err(wrong("it names no file"));
        }
        Ok(Self { engine, place: Place::File(PathBuf::from(path)) })
    }

    /// Reads a URL that names a server, or a folder in which each tenant has a file of its own; a final `/` says nothing.
    ///
    /// # Errors
    /// As for [`Self::parse`].
    pub fn parse_folder(text: &str) -> Result<Self> {
        if text.starts_with("postgres") {
            return Self::parse(text);
        }
        let trimmed = text.trim_end_matches('/');
        // `duckdb:///` is the root folder, which is nobody's place for tenants.
        Self::parse(if trimmed.ends_with(':') { text } else { trimmed })
            .map_err(|error| error.hint("write duckdb:///path/to/folder, sqlite:///path/to/folder or postgres://user@host:5432/database"))
    }

    /// A file of `engine`, which must not be Postgres.
    pub fn file(engine: Engine, path: impl Into<PathBuf>) -> Self {
        Self { engine, place: Place::File(path.into()) }
    }

    /// The same place, reached with this password (it wins over one in the URL and over the environment).
    #[must_use]
    pub fn with_password(mut self, secret: SecretString) -> Self {
        if let Place::Server { password, .. } = &mut self.place {
            *password = Some(secret);
        }
        self
    }

    /// The engine.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The file, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::File(path) => Some(path),
            Place::Server { .. } => None,
        }
    }

    /// The server's URL without its password, and the password, if it is a server.
    pub fn server(&self) -> Option<(&Url, Option<&SecretString>)> {
        match &self.place {
            Place::File(_) => None,
            Place::Server { url, password } => Some((url, password.as_ref())),
        }
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Takes whatever stands between `://user:` and the last `@` out of a text that may not even be a URL.
pub(crate) fn redact(text: &str) -> String {
    let Some(at) = text.rfind('@') else { return text.to_owned() };
    let start = text.find("://").map_or(0, |i| i + 3);
    match text.get(start..at).and_then(|userinfo| userinfo.split_once(':')) {
        Some((user, _)) => format!("{}{user}:…{}", &text[..start], &text[at..]),
        None => text.to_owned(),
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::File(path) => write!(f, "{}://{}", self.engine.name(), path.display()),
            Place::Server { url, .. } => {
                let mut shown = url.as_ref().clone();
                let kept: Vec<_> = url
                    .query_pairs()
                    .filter(|(key, _)| !key.contains("password"))
                    .map(|(key, value)| (key.into_owned(), value.into_owned()))
                    .collect();
                shown.set_query(None);
                if !kept.is_empty() {
                    shown.query_pairs_mut().extend_pairs(kept);
                }
                f.write_str(shown.as_str())
            }
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Location({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_by_absolute_and_relative_paths() {
        let path = |url: &str| Location::parse(url).unwrap().path().unwrap().to_owned();
        assert_eq!(path("duckdb:///data/a%20b.db"), Path::new("/data/a b.db"));
        assert_eq!(path("sqlite:app.db"), Path::new("app.db"));
        assert_eq!(path("sqlite://dir/app.db"), Path::new("dir/app.db"));
    }

    #[test]
    fn a_password_is_never_shown() {
        let location = Location::parse("postgres://me:s3cret@host/db?sslmode=require").unwrap();
        assert_eq!(location.to_string(), "postgres://me@host/db?sslmode=require");
        assert!(!format!("{location:?}").contains("s3cret"));
        assert!(location.server().unwrap().1.is_some());
        for bad in ["mysql://me:s3cret@host/db", "postgres://me:s3cret@host:notaport/db", "me:s3cret@host"] {
            let error = Location::parse(bad).unwrap_err();
            assert!(!error.report().contains("s3cret"), "{}", error.report());
            assert!(error.next_step().is_some());
        }
    }

    #[test]
    fn a_folder_may_end_with_a_slash() {
        let path = |url: &str| Location::parse_folder(url).unwrap().path().unwrap().to_owned();
        assert_eq!(path("duckdb:///data/tenants/"), Path::new("/data/tenants"));
        assert_eq!(path("duckdb:///data/tenants"), Path::new("/data/tenants"));
        assert_eq!(Location::parse_folder("duckdb:///").unwrap_err().kind(), ErrorKind::Configuration);
        assert!(Location::parse_folder("postgres://host/db").unwrap().path().is_none());
    }

    #[test]
    fn what_names_no_file_is_refused() {
        for bad in ["sqlite:", "duckdb:///", "/just/a/path", ""] {
            assert_eq!(Location::parse(bad).unwrap_err().kind(), ErrorKind::Configuration, "{bad}");
        }
    }
}
