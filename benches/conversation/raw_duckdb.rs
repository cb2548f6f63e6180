//! DuckDB by its own crate: the Appender, row by row.

use std::path::Path;

use chrono::Utc;
use duckdb::types::Value;
use duckdb::{Connection, params, params_from_iter};
use uuid::Uuid;

use crate::Result;
use crate::data::Said;
use crate::raw::{self, Found, LABEL, PIECE, TAG};
use crate::schema::TENANT;

pub(crate) struct RawDuckdb(Connection);

impl RawDuckdb {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let connection = Connection::open(path)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(Self(connection))
    }

    /// The sequence that each conversation goes on with.
    fn count_up(&self, said: &[Said]) -> Result<Vec<i64>> {
        let mut next = Vec::new();
        let conversations = raw::conversations(said);
        for chunk in conversations.chunks(1_000) {
            let places = vec!["(?::UUID, ?::UUID, ?, now())"; chunk.len()].join(", ");
            let mut count_up = self.0.prepare_cached(&format!(
                "INSERT INTO conversation (tenant_id, id, next_sequence, created_at) VALUES {places} \
                 ON CONFLICT (tenant_id, id) DO UPDATE SET next_sequence = next_sequence + excluded.next_sequence \
                 RETURNING next_sequence"
            ))?;
            let parameters =
                chunk.iter().flat_map(|(id, count)| [text(TENANT.0), text(*id), Value::BigInt(*count)]);
            let rows = count_up.query_map(params_from_iter(parameters), |row| row.get::<_, i64>(0))?;
            for (after, (_, count)) in rows.zip(chunk) {
                next.push(after? - count);
            }
        }
        Ok(next)
    }

    pub(crate) fn append(&self, said: &[Said]) -> Result<()> {
        let (tenant, now) = (TENANT.0.to_string(), Utc::now().to_rfc3339());
        self.0.execute_batch("BEGIN")?;
        let next = self.count_up(said)?;
        let mut piece = self.0.appender("prompt_piece")?;
        let mut tag = self.0.appender("tag")?;
        for (said, sequence) in raw::sequences(said, &next) {
            let id = Uuid::now_v7().to_string();
            piece.append_row(params![
                tenant,
                id,
                said.conversation.to_string(),
                sequence,
                0,
                said.role.name(),
                said.original,
                "text",
                said.original_sha256.as_slice(),
                said.converted,
                "text",
                said.converted_sha256.as_slice(),
                id,
                raw::target(said),
                None::<String>,
                None::<String>,
                "none",
                now
            ])?;
            for ((name, value), position) in said.labels.iter().zip(0..) {
                let digest = raw::digest(name, value).to_string();
                tag.append_row(params![tenant, id, LABEL, position, name, value, digest])?;
            }
        }
        piece.flush()?;
        tag.flush()?;
        drop((piece, tag));
        self.0.execute_batch("COMMIT")?;
        Ok(())
    }

    /// The same by prepared statements, which serve few rows better.
    pub(crate) fn append_few(&self, said: &[Said]) -> Result<()> {
        self.0.execute_batch("BEGIN")?;
        let next = self.count_up(said)?;
        let mut piece = self.0.prepare_cached(&format!(
            "INSERT INTO prompt_piece ({PIECE}) VALUES \
             (?::UUID, ?::UUID, ?::UUID, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?::UUID, ?, NULL, NULL, ?, now())"
        ))?;
        let labels = said.first().map_or(0, |said| said.labels.len());
        let places = vec!["(?::UUID, ?::UUID, ?, ?, ?, ?, ?::UUID)"; labels].join(", ");
        let mut tag = self.0.prepare_cached(&format!("INSERT INTO tag ({TAG}) VALUES {places}"))?;
        for (said, sequence) in raw::sequences(said, &next) {
            let id = Uuid::now_v7();
            piece.execute(params![
                TENANT.0.to_string(),
                id.to_string(),
                said.conversation.to_string(),
                sequence,
                0,
                said.role.name(),
                said.original,
                "text",
                said.original_sha256.as_slice(),
                said.converted,
                "text",
                said.converted_sha256.as_slice(),
                id.to_string(),
                raw::target(said),
                "none"
            ])?;
            let parameters = said.labels.iter().zip(0..).flat_map(|((name, value), position)| {
                [
                    text(TENANT.0),
                    text(id),
                    Value::Text(LABEL.to_owned()),
                    Value::Int(position),
                    Value::Text((*name).to_owned()),
                    Value::Text(value.clone()),
                    text(raw::digest(name, value)),
                ]
            });
            tag.execute(params_from_iter(parameters))?;
        }
        self.0.execute_batch("COMMIT")?;
        Ok(())
    }

    pub(crate) fn read(&self, conversation: Uuid) -> Result<Vec<Found>> {
        self.pieces(
            "tenant_id = ?::UUID AND conversation_id = ?::UUID ORDER BY sequence, position",
            vec![text(TENANT.0), text(conversation)],
        )
    }

    pub(crate) fn find(&self, digest: Uuid, after: Uuid, limit: u32) -> Result<Vec<Found>> {
        self.pieces(
            "tenant_id = ?::UUID AND id > ?::UUID \
             AND id IN (SELECT owner_id FROM tag WHERE tenant_id = ?::UUID AND digest = ?::UUID) ORDER BY id LIMIT ?",
            vec![text(TENANT.0), text(after), text(TENANT.0), text(digest), Value::UInt(limit)],
        )
    }

    fn pieces(&self, condition: &str, parameters: Vec<Value>) -> Result<Vec<Found>> {
        let mut select =
            self.0.prepare_cached(&format!("SELECT {PIECE} FROM prompt_piece WHERE {condition}"))?;
        let mut rows = select.query(params_from_iter(parameters))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            for column in [7usize, 10, 16] {
                std::hint::black_box(row.get::<_, String>(column)?);
            }
            let id = Uuid::parse_str(&row.get::<_, String>(1)?)?;
            found.push(Found { id, texts: [row.get(6)?, row.get(9)?], labels: Vec::new() });
        }
        // One parameter: for each number of them DuckDB would have to prepare another text.
        let mut select = self.0.prepare_cached(
            "SELECT owner_id, name, value FROM tag WHERE tenant_id = ?::UUID AND owner_id = ANY(?::UUID[]) \
             ORDER BY owner_id, kind, position",
        )?;
        let ids = Value::List(found.iter().map(|piece| text(piece.id)).collect());
        let mut rows = select.query(params_from_iter([text(TENANT.0), ids]))?;
        let mut labels = Vec::new();
        while let Some(row) = rows.next()? {
            labels.push((Uuid::parse_str(&row.get::<_, String>(0)?)?, row.get(1)?, row.get(2)?));
        }
        raw::join(&mut found, labels.into_iter());
        Ok(found)
    }
}

fn text(id: Uuid) -> Value {
    Value::Text(id.to_string())
}
