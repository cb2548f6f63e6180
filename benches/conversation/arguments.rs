//! What is asked for on the command line.

use std::path::PathBuf;

use trimaran::Engine;

use crate::Result;

/// What to measure, and how much of it.
#[derive(Debug)]
pub(crate) struct Arguments {
    /// Where files go.
    pub(crate) folder: PathBuf,
    /// The URL of an empty Postgres database, as a superuser.
    pub(crate) postgres: Option<String>,
    /// One engine alone.
    pub(crate) engine: Option<Engine>,
    /// 1 is the whole.
    pub(crate) scale: f64,
    /// How often each measure is taken.
    pub(crate) rounds: usize,
    /// Of the services' measures only the tenants' files, and as many as there are to be, however long it takes.
    pub(crate) tenants: bool,
    /// Of the services' measures one alone, by the name that its table has in `service.json`.
    pub(crate) only: Option<String>,
}

const USAGE: &str = "usage: FOLDER [--scale 1.0] [--rounds 3] [--engine NAME] [--postgres URL] [--only TABLE] [--tenants: all their files, nothing else]";

impl Arguments {
    /// `None` if cargo only wants to know that it runs.
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Self>> {
        let mut out = Self {
            folder: PathBuf::new(),
            postgres: None,
            engine: None,
            scale: 1.0,
            rounds: 3,
            tenants: false,
            only: None,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(USAGE);
            match word.as_str() {
                "--test" => return Ok(None),
                "--bench" => {}
                "--tenants" => out.tenants = true,
                "--scale" => out.scale = value()?.parse()?,
                "--rounds" => out.rounds = value()?.parse()?,
                "--only" => out.only = Some(value()?),
                "--postgres" => out.postgres = Some(value()?),
                "--engine" => {
                    out.engine = Some(match value()?.as_str() {
                        "postgres" => Engine::Postgres,
                        "sqlite" => Engine::Sqlite,
                        "duckdb" => Engine::Duckdb,
                        _ => return Err(USAGE.into()),
                    });
                }
                folder if out.folder.as_os_str().is_empty() => out.folder = folder.into(),
                _ => return Err(USAGE.into()),
            }
        }
        if out.folder.as_os_str().is_empty() || out.rounds == 0 {
            return Err(USAGE.into());
        }
        std::fs::create_dir_all(&out.folder)?;
        Ok(Some(out))
    }

    /// Whether an engine is to be measured.
    pub(crate) fn wants(&self, engine: Engine) -> bool {
        let there = engine != Engine::Postgres || self.postgres.is_some();
        there && self.engine.is_none_or(|only| only == engine)
    }

    /// A number of things at this scale, one at least.
    pub(crate) fn scaled(&self, whole: usize) -> usize {
        ((whole as f64 * self.scale) as usize).max(1)
    }
}
