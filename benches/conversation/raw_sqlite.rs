//! SQLite by rusqlite: prepared statements in one transaction.

use std::path::Path;

use chrono::Utc;
use rusqlite::types::Value;
use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::Result;
use crate::data::Said;
use crate::raw::{self, Found, LABEL, PIECE, TAG};
use crate::schema::TENANT;

pub(crate) struct RawSqlite(Connection);

impl RawSqlite {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let connection = Connection::open(path)?;
        connection
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = 1")?;
        Ok(Self(connection))
    }

    pub(crate) fn append(&self, said: &[Said]) -> Result<()> {
        let tenant = TENANT.0.as_bytes();
        // As the driver of the store spells it.
        let now = Utc::now().format("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string();
        self.0.execute_batch("BEGIN IMMEDIATE")?;
        let mut count_up = self.0.prepare_cached(
            "INSERT INTO conversation (tenant_id, id, next_sequence, created_at) VALUES (?, ?, ?, ?) \
             ON CONFLICT (tenant_id, id) DO UPDATE SET next_sequence = next_sequence + excluded.next_sequence \
             RETURNING next_sequence",
        )?;
        let mut next = Vec::new();
        for (id, count) in raw::conversations(said) {
            let after: i64 =
                count_up.query_row(params![tenant, id.as_bytes(), count, now], |row| row.get(0))?;
            next.push(after - count);
        }
        let places = ["?"; 18].join(", ");
        let mut piece =
            self.0.prepare_cached(&format!("INSERT INTO prompt_piece ({PIECE}) VALUES ({places})"))?;
        let mut tag =
            self.0.prepare_cached(&format!("INSERT INTO tag ({TAG}) VALUES (?, ?, ?, ?, ?, ?, ?)"))?;
        for (said, sequence) in raw::sequences(said, &next) {
            let id = Uuid::now_v7();
            piece.execute(params![
                tenant,
                id.as_bytes(),
                said.conversation.as_bytes(),
                sequence,
                0,
                said.role.name(),
                said.original,
                "text",
                said.original_sha256,
                said.converted,
                "text",
                said.converted_sha256,
                id.as_bytes(),
                raw::target(said),
                None::<String>,
                None::<String>,
                "none",
                now
            ])?;
            for ((name, value), position) in said.labels.iter().zip(0..) {
                let digest = raw::digest(name, value);
                tag.execute(params![tenant, id.as_bytes(), LABEL, position, name, value, digest.as_bytes()])?;
            }
        }
        self.0.execute_batch("COMMIT")?;
        Ok(())
    }

    pub(crate) fn read(&self, conversation: Uuid) -> Result<Vec<Found>> {
        self.pieces(
            "tenant_id = ? AND conversation_id = ? ORDER BY sequence, position",
            &[blob(TENANT.0), blob(conversation)],
        )
    }

    pub(crate) fn find(&self, digest: Uuid, after: Uuid, limit: u32) -> Result<Vec<Found>> {
        self.pieces(
            "tenant_id = ? AND id > ? AND id IN (SELECT owner_id FROM tag WHERE tenant_id = ? AND digest = ?) \
             ORDER BY id LIMIT ?",
            &[blob(TENANT.0), blob(after), blob(TENANT.0), blob(digest), Value::from(limit)],
        )
    }

    fn pieces(&self, condition: &str, parameters: &[Value]) -> Result<Vec<Found>> {
        let mut select =
            self.0.prepare_cached(&format!("SELECT {PIECE} FROM prompt_piece WHERE {condition}"))?;
        let mut rows = select.query(rusqlite::params_from_iter(parameters))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            // All of it is read, as an application would.
            for column in [7usize, 10, 16, 17] {
                std::hint::black_box(row.get::<_, String>(column)?);
            }
            found.push(Found {
                id: Uuid::from_bytes(row.get(1)?),
                texts: [row.get(6)?, row.get(9)?],
                labels: Vec::new(),
            });
        }
        let places = vec!["?"; found.len()].join(", ");
        let mut select = self.0.prepare_cached(&format!(
            "SELECT owner_id, name, value FROM tag WHERE tenant_id = ? AND owner_id IN ({places}) \
             ORDER BY owner_id, kind, position"
        ))?;
        let parameters = std::iter::once(TENANT.0).chain(found.iter().map(|piece| piece.id)).map(blob);
        let labels: Vec<(Uuid, String, String)> = select
            .query_map(rusqlite::params_from_iter(parameters), |row| {
                Ok((Uuid::from_bytes(row.get(0)?), row.get(1)?, row.get(2)?))
            })?
            .collect::<rusqlite::Result<_>>()?;
        raw::join(&mut found, labels.into_iter());
        Ok(found)
    }
}

fn blob(id: Uuid) -> Value {
    Value::Blob(id.as_bytes().to_vec())
}
