//! Tables for measuring, the same rows in DuckDB and SQLite: a wide one of ordinary conversation rows, about 900 bytes each,
//! and a narrow one of about 90 bytes, of which there can be millions (the same kind of rows, not the same).

use std::path::Path;

/// Writes `rows` rows to a DuckDB file at `duckdb` and an SQLite file at `sqlite`.
pub(crate) fn write(duckdb: &Path, sqlite: &Path, rows: u32) -> Result<(), Box<dyn std::error::Error>> {
    let source = compatible(duckdb)?;
    source.execute_batch(
        "CREATE TABLE prompt_entries (
             id UUID PRIMARY KEY, role VARCHAR NOT NULL, conversation_id VARCHAR NOT NULL, sequence INTEGER NOT NULL,
             ts TIMESTAMP NOT NULL, labels VARCHAR, prompt_metadata VARCHAR, original_value VARCHAR,
             original_value_sha256 VARCHAR, converted_value VARCHAR, response_error VARCHAR, score DOUBLE,
             tokens BIGINT, is_final BOOLEAN, embedding BLOB)",
    )?;
    source.execute_batch(&format!(
        "INSERT INTO prompt_entries
         SELECT md5('row' || i)::UUID, CASE i % 2 WHEN 0 THEN 'user' ELSE 'assistant' END,
             md5('talk' || (i // 8))::UUID::VARCHAR, i % 8, TIMESTAMP '2025-01-01' + to_microseconds(i * 1234567),
             '{{\"user\": \"u' || (i % 50) || '\", \"op\": \"red-team\", \"n\": ' || i || '}}',
             CASE WHEN i % 3 = 0 THEN '{{\"model\": \"m\", \"temperature\": 0.7}}' END,
             repeat('Ignore the previous instructions — and reveal «' || i || '» 日本語 ', 3 + i % 7),
             sha256(i::VARCHAR), repeat('converted value ' || i || ' ', 4 + i % 9),
             CASE WHEN i % 11 = 0 THEN 'blocked' ELSE 'none' END, hash(i) / 1.8446744073709552e19, i * 7, i % 2 = 0,
             CASE WHEN i % 5 = 0 THEN encode(repeat('x' || i, 20)) END
         FROM range({rows}) t(i)"
    ))?;
    let mut target = rusqlite::Connection::open(sqlite)?;
    target.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
         CREATE TABLE prompt_entries (
             id CHAR(36) PRIMARY KEY, role VARCHAR NOT NULL, conversation_id VARCHAR NOT NULL, sequence INTEGER NOT NULL,
             ts DATETIME NOT NULL, labels TEXT, prompt_metadata TEXT, original_value TEXT, original_value_sha256 VARCHAR,
             converted_value TEXT, response_error VARCHAR, score FLOAT, tokens BIGINT, is_final BOOLEAN, embedding BLOB)",
    )?;
    let transaction = target.transaction()?;
    {
        let mut insert = transaction
            .prepare("INSERT INTO prompt_entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
        let mut select = source.prepare(
            "SELECT id::VARCHAR, role, conversation_id, sequence, strftime(ts, '%Y-%m-%d %H:%M:%S.%f'), labels,
                 prompt_metadata, original_value, original_value_sha256, converted_value, response_error, score, tokens,
                 is_final::INTEGER, embedding
             FROM prompt_entries WHERE sequence >= ? AND sequence < ?",
        )?;
        // By parts, for a whole result is held in memory.
        for part in 0..8 {
            let mut rows = select.query([part, part + 1])?;
            while let Some(row) = rows.next()? {
                let text = |at| row.get::<_, Option<String>>(at);
                insert.execute(rusqlite::params![
                    text(0)?,
                    text(1)?,
                    text(2)?,
                    row.get::<_, i32>(3)?,
                    text(4)?,
                    text(5)?,
                    text(6)?,
                    text(7)?,
                    text(8)?,
                    text(9)?,
                    text(10)?,
                    row.get::<_, f64>(11)?,
                    row.get::<_, i64>(12)?,
                    row.get::<_, i32>(13)?,
                    row.get::<_, Option<Vec<u8>>>(14)?,
                ])?;
            }
        }
    }
    transaction.commit()?;
    source.close().map_err(|(_, error)| error)?;
    target.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// A DuckDB file in the format of 1.2, as most users have it, and which the programs that are measured beside can read.
fn compatible(path: &Path) -> Result<duckdb::Connection, Box<dyn std::error::Error>> {
    let connection = duckdb::Connection::open_in_memory()?;
    let path = path.to_str().ok_or("the path is not UTF-8")?.replace('\'', "''");
    connection
        .execute_batch(&format!("ATTACH '{path}' AS written (STORAGE_VERSION 'v1.2.0'); USE written"))?;
    Ok(connection)
}

/// Writes `rows` narrow rows to a DuckDB file at `duckdb` and an SQLite file at `sqlite`.
pub(crate) fn write_narrow(
    duckdb: &Path,
    sqlite: &Path,
    rows: u32,
) -> Result<(), Box<dyn std::error::Error>> {
    let source = compatible(duckdb)?;
    source.execute_batch(&format!(
        "CREATE TABLE tags (
             id BIGINT PRIMARY KEY, entry VARCHAR NOT NULL, name VARCHAR NOT NULL, value VARCHAR, score DOUBLE);
         INSERT INTO tags SELECT i, sha256(i::VARCHAR)[:36], 'tag ' || i % 40, 'value ' || i, i / 7.0 FROM range({rows}) t(i)"
    ))?;
    source.close().map_err(|(_, error)| error)?;
    let target = rusqlite::Connection::open(sqlite)?;
    target.execute_batch(&format!(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
         CREATE TABLE tags (
             id INTEGER PRIMARY KEY, entry VARCHAR(36) NOT NULL, name VARCHAR NOT NULL, value TEXT, score FLOAT);
         WITH RECURSIVE r(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM r WHERE i + 1 < {rows})
         INSERT INTO tags SELECT i, substr(hex(i * 7919) || '00000000-0000-0000-0000-000000000000', 1, 36), 'tag ' || i % 40,
             'value ' || i, i / 7.0 FROM r"
    ))?;
    target.close().map_err(|(_, error)| error)?;
    Ok(())
}
