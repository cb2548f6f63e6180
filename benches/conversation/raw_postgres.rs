//! Postgres by sqlx: binary COPY through temporary tables for many rows, INSERT for few; the tenant set as row-level security
//! asks for.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::Result;
use crate::data::Said;
use crate::raw::{self, Found, LABEL, PIECE, TAG};
use crate::schema::TENANT;

pub(crate) struct RawPostgres(Mutex<PgConnection>);

/// Microseconds from 1970 to 2000, where Postgres's time begins.
const EPOCH: i64 = 946_684_800_000_000;

/// Rows in the form of binary COPY.
struct Copy(Vec<u8>);

impl Copy {
    fn new() -> Self {
        Self(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec())
    }

    fn row(&mut self, columns: i16) {
        self.0.extend_from_slice(&columns.to_be_bytes());
    }

    fn field(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(&(bytes.len() as i32).to_be_bytes());
        self.0.extend_from_slice(bytes);
    }

    fn null(&mut self) {
        self.0.extend_from_slice(&(-1i32).to_be_bytes());
    }

    async fn send(mut self, connection: &mut PgConnection, table: &str) -> Result<()> {
        let passage = format!("new_{table}");
        run(connection, format!("CREATE TEMPORARY TABLE {passage} (LIKE {table}) ON COMMIT DROP")).await?;
        self.0.extend_from_slice(&(-1i16).to_be_bytes());
        let mut copy = connection.copy_in_raw(&format!("COPY {passage} FROM STDIN (FORMAT binary)")).await?;
        copy.send(self.0).await?;
        copy.finish().await?;
        run(connection, format!("INSERT INTO {table} SELECT * FROM {passage}")).await
    }
}

async fn run(connection: &mut PgConnection, sql: String) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await?;
    Ok(())
}

async fn begin(connection: &mut PgConnection) -> Result<()> {
    run(connection, format!("BEGIN; SET LOCAL trimaran.tenant = '{TENANT}'")).await
}

impl RawPostgres {
    pub(crate) async fn open(url: &str) -> Result<Self> {
        Ok(Self(Mutex::new(PgConnection::connect(url).await?)))
    }

    pub(crate) async fn close(self) -> Result<()> {
        Ok(self.0.into_inner().close().await?)
    }

    pub(crate) async fn append(&self, said: &[Said]) -> Result<()> {
        let mut connection = self.0.lock().await;
        begin(&mut connection).await?;
        let next = count_up(&mut connection, said).await?;
        let (mut pieces, mut tags) = (Copy::new(), Copy::new());
        let now = (Utc::now().timestamp_micros() - EPOCH).to_be_bytes();
        for (said, sequence) in raw::sequences(said, &next) {
            let id = Uuid::now_v7();
            pieces.row(18);
            pieces.field(TENANT.0.as_bytes());
            pieces.field(id.as_bytes());
            pieces.field(said.conversation.as_bytes());
            pieces.field(&sequence.to_be_bytes());
            pieces.field(&0i32.to_be_bytes());
            pieces.field(said.role.name().as_bytes());
            pieces.field(said.original.as_bytes());
            pieces.field(b"text");
            pieces.field(&said.original_sha256);
            pieces.field(said.converted.as_bytes());
            pieces.field(b"text");
            pieces.field(&said.converted_sha256);
            pieces.field(id.as_bytes());
            pieces.field(raw::target(said).as_bytes());
            pieces.null();
            pieces.null();
            pieces.field(b"none");
            pieces.field(&now);
            for ((name, value), position) in said.labels.iter().zip(0i32..) {
                tags.row(7);
                tags.field(TENANT.0.as_bytes());
                tags.field(id.as_bytes());
                tags.field(LABEL.as_bytes());
                tags.field(&position.to_be_bytes());
                tags.field(name.as_bytes());
                tags.field(value.as_bytes());
                tags.field(raw::digest(name, value).as_bytes());
            }
        }
        pieces.send(&mut connection, "prompt_piece").await?;
        tags.send(&mut connection, "tag").await?;
        run(&mut connection, "COMMIT".to_owned()).await
    }

    pub(crate) async fn append_few(&self, said: &[Said]) -> Result<()> {
        let mut connection = self.0.lock().await;
        begin(&mut connection).await?;
        let next = count_up(&mut connection, said).await?;
        let places: Vec<_> = (1..=18).map(|at| format!("${at}")).collect();
        let piece = format!("INSERT INTO prompt_piece ({PIECE}) VALUES ({})", places.join(", "));
        let tag = format!(
            "INSERT INTO tag ({TAG}) SELECT $1, $2, '{LABEL}', t.* FROM unnest($3::int[], $4::text[], $5::text[], $6::uuid[]) t"
        );
        for (said, sequence) in raw::sequences(said, &next) {
            let id = Uuid::now_v7();
            sqlx::query(AssertSqlSafe(piece.clone()))
                .bind(TENANT.0)
                .bind(id)
                .bind(said.conversation)
                .bind(sequence)
                .bind(0i32)
                .bind(said.role.name())
                .bind(&said.original)
                .bind("text")
                .bind(said.original_sha256.as_slice())
                .bind(&said.converted)
                .bind("text")
                .bind(said.converted_sha256.as_slice())
                .bind(id)
                .bind(raw::target(said))
                .bind(None::<String>)
                .bind(None::<String>)
                .bind("none")
                .bind(Utc::now())
                .execute(&mut *connection)
                .await?;
            let (names, values): (Vec<_>, Vec<_>) = said.labels.iter().cloned().unzip();
            let digests: Vec<_> = said.labels.iter().map(|(name, value)| raw::digest(name, value)).collect();
            sqlx::query(AssertSqlSafe(tag.clone()))
                .bind(TENANT.0)
                .bind(id)
                .bind((0..names.len() as i32).collect::<Vec<_>>())
                .bind(names)
                .bind(values)
                .bind(digests)
                .execute(&mut *connection)
                .await?;
        }
        run(&mut connection, "COMMIT".to_owned()).await
    }

    pub(crate) async fn read(&self, conversation: Uuid) -> Result<Vec<Found>> {
        let mut connection = self.0.lock().await;
        begin(&mut connection).await?;
        let sql = format!(
            "SELECT {PIECE} FROM prompt_piece WHERE tenant_id = $1 AND conversation_id = $2 ORDER BY sequence, position"
        );
        let query = sqlx::query(AssertSqlSafe(sql)).bind(TENANT.0).bind(conversation);
        let rows = query.fetch_all(&mut *connection).await?;
        with_labels(&mut connection, rows).await
    }

    pub(crate) async fn find(&self, digest: Uuid, after: Uuid, limit: u32) -> Result<Vec<Found>> {
        let mut connection = self.0.lock().await;
        begin(&mut connection).await?;
        let sql = format!(
            "SELECT {PIECE} FROM prompt_piece WHERE tenant_id = $1 AND id > $2 \
             AND id IN (SELECT owner_id FROM tag WHERE tenant_id = $1 AND digest = $3) ORDER BY id LIMIT $4"
        );
        let query =
            sqlx::query(AssertSqlSafe(sql)).bind(TENANT.0).bind(after).bind(digest).bind(i64::from(limit));
        let rows = query.fetch_all(&mut *connection).await?;
        with_labels(&mut connection, rows).await
    }
}

/// The sequence that each conversation goes on with.
async fn count_up(connection: &mut PgConnection, said: &[Said]) -> Result<Vec<i64>> {
    let conversations = raw::conversations(said);
    let (ids, counts): (Vec<_>, Vec<_>) = conversations.iter().copied().unzip();
    let rows = sqlx::query(
        "INSERT INTO conversation (tenant_id, id, next_sequence, created_at) \
         SELECT $1, t.*, now() FROM unnest($2::uuid[], $3::bigint[]) t \
         ON CONFLICT (tenant_id, id) DO UPDATE SET next_sequence = conversation.next_sequence + excluded.next_sequence \
         RETURNING next_sequence",
    )
    .bind(TENANT.0)
    .bind(ids)
    .bind(counts)
    .fetch_all(connection)
    .await?;
    let next = rows.iter().zip(&conversations).map(|(row, (_, count))| Ok(row.try_get::<i64, _>(0)? - count));
    next.collect()
}

/// Reads the labels, and ends the transaction.
async fn with_labels(connection: &mut PgConnection, rows: Vec<PgRow>) -> Result<Vec<Found>> {
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        for column in [7usize, 10, 16] {
            std::hint::black_box(row.try_get::<String, _>(column)?);
        }
        std::hint::black_box(row.try_get::<DateTime<Utc>, _>(17)?);
        found.push(Found {
            id: row.try_get(1)?,
            texts: [row.try_get(6)?, row.try_get(9)?],
            labels: Vec::new(),
        });
    }
    let ids: Vec<_> = found.iter().map(|piece| piece.id).collect();
    let rows = sqlx::query(
        "SELECT owner_id, name, value FROM tag WHERE tenant_id = $1 AND owner_id = ANY($2) ORDER BY owner_id, kind, position",
    )
    .bind(TENANT.0)
    .bind(ids)
    .fetch_all(&mut *connection)
    .await?;
    let labels = rows
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)))
        .collect::<Result<Vec<(Uuid, String, String)>>>()?;
    raw::join(&mut found, labels.into_iter());
    run(connection, "COMMIT".to_owned()).await?;
    Ok(found)
}
