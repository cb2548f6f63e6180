//! An SQLite file as ViolentUTF's application writes it: UUID columns of numeric affinity with 32 digits in them, JSON
//! with NaN, ids that are no UUIDs, foreign keys that nobody enforced.

use std::path::Path;

use rusqlite::Connection;

const SCHEMA: &str = r#"
CREATE TABLE api_keys (
    id VARCHAR NOT NULL, user_id VARCHAR NOT NULL, name VARCHAR NOT NULL, key_hash VARCHAR NOT NULL, permissions JSON,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP, expires_at DATETIME, last_used_at DATETIME, is_active BOOLEAN,
    PRIMARY KEY (id), UNIQUE (key_hash));
CREATE INDEX ix_api_keys_user_id ON api_keys (user_id);
CREATE TABLE orchestrator_executions (
    id UUID NOT NULL, orchestrator_id UUID NOT NULL, execution_name VARCHAR(255), status VARCHAR(50), results JSON,
    started_at DATETIME, PRIMARY KEY (id));
CREATE TABLE cob_report_variables (
    id UUID NOT NULL, category VARCHAR(100), variable_name VARCHAR(255), is_active BOOLEAN DEFAULT 1,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (id), UNIQUE (variable_name));
CREATE TABLE database_assets (
    id UUID NOT NULL, name VARCHAR(255) NOT NULL, unique_identifier VARCHAR(512) NOT NULL, estimated_size_mb INTEGER,
    is_deleted BOOLEAN, created_at DATETIME NOT NULL, PRIMARY KEY (id));
CREATE UNIQUE INDEX ix_database_assets_unique_identifier ON database_assets (unique_identifier);
CREATE INDEX ix_database_assets_created_at ON database_assets (created_at DESC, name);
CREATE TABLE performance_metrics (
    id UUID NOT NULL, asset_id CHAR(36) NOT NULL, metric_type VARCHAR(19) NOT NULL, value FLOAT NOT NULL,
    "timestamp" DATETIME NOT NULL, metric_metadata JSON, PRIMARY KEY (id),
    FOREIGN KEY (asset_id) REFERENCES database_assets (id) ON DELETE CASCADE);
CREATE TABLE audit_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT, "user" TEXT, "Action" TEXT NOT NULL, amount INTEGER, payload BLOB);
CREATE VIEW active_keys AS SELECT * FROM api_keys WHERE is_active;
CREATE TRIGGER audit_keys AFTER DELETE ON api_keys BEGIN INSERT INTO audit_log ("Action") VALUES ('deleted'); END;
"#;

/// Writes such a file. `rows` executions and audit entries, a fourth as many metrics.
pub(crate) fn write(path: &Path, rows: u32) -> rusqlite::Result<()> {
    let mut connection = Connection::open(path)?;
    // As in the application, nobody enforces foreign keys.
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.execute_batch(SCHEMA)?;
    let transaction = connection.transaction()?;
    // It begins with a letter: a column declared UUID has numeric affinity, and 00003e78… would be kept as the number ∞.
    let uuid = |kind: u32, n: u32| format!("a{kind:07x}0000400080000000{n:08x}");
    let hyphenated =
        |hex: &str| format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
    for n in 0..80 {
        transaction.execute(
            "INSERT INTO api_keys VALUES (?, ?, ?, ?, '[\"read\"]', '2025-01-01 00:00:00', NULL, '2025-02-02 10:11:12.131415', ?)",
            rusqlite::params![format!("key-{n}"), format!("user-{}", n % 7), format!("key {n}"), format!("{n:064x}"), n % 2],
        )?;
        transaction.execute(
            "INSERT INTO cob_report_variables (id, category, variable_name) VALUES (?, 'scores', ?)",
            [format!("var_{n}"), format!("variable {n}")],
        )?;
    }
    for n in 0..40 {
        transaction.execute(
            "INSERT INTO database_assets VALUES (?, ?, ?, ?, 0, '2025-03-01 09:00:00.000000')",
            rusqlite::params![uuid(0xa55e, n), format!("asset {n}"), format!("urn:asset:{n}"), n * 10],
        )?;
    }
    for n in 0..rows {
        // Every 499th result has a NaN, as Python's json writes it.
        let results = match n % 499 {
            11 => format!("{{\"score\": NaN, \"n\": {n}}}"),
            _ => format!("{{\"score\": 0.5, \"n\": {n}}}"),
        };
        transaction.execute(
            "INSERT INTO orchestrator_executions VALUES (?, ?, ?, 'done', ?, ?)",
            rusqlite::params![
                uuid(0xe8ec, n),
                uuid(0x07c4, n % 10),
                format!("execution {n}"),
                results,
                format!("2025-03-{:02} 12:00:{:02}.{:06}", 1 + n % 28, n % 60, n % 1_000_000),
            ],
        )?;
        transaction.execute(
            "INSERT INTO audit_log (\"user\", \"Action\", amount, payload) VALUES (?, 'run', ?, ?)",
            rusqlite::params![format!("user-{}", n % 7), n, n.to_le_bytes().to_vec()],
        )?;
    }
    for n in 0..rows / 4 {
        // The child keeps 36 characters where the parent keeps 32: one UUID.
        transaction.execute(
            "INSERT INTO performance_metrics VALUES (?, ?, 'latency', ?, '2025-04-01 00:00:00', NULL)",
            rusqlite::params![uuid(0x3e78, n), hyphenated(&uuid(0xa55e, n % 40)), f64::from(n) / 7.0],
        )?;
    }
    // What years of use leave behind: text in an integer column, NULs, broken UTF-8, a metric of a lost asset.
    transaction
        .execute("INSERT INTO audit_log (\"Action\", amount) VALUES ('typed by hand', 'twelve')", [])?;
    transaction.execute("INSERT INTO audit_log (\"Action\") VALUES (?)", ["nul \0 inside"])?;
    transaction.execute("INSERT INTO audit_log (\"Action\") VALUES (CAST(x'62726f6b656eff' AS TEXT))", [])?;
    transaction.execute(
        "INSERT INTO performance_metrics VALUES (?, ?, 'latency', 1.0, '2025-04-01 00:00:00', NULL)",
        [uuid(0x3e78, 0xffff_ffff), hyphenated(&uuid(0xa55e, 0xffff_ffff))],
    )?;
    transaction.commit()?;
    connection.close().map_err(|(_, error)| error)
}
