//! What checks signed tenant settings on Postgres: a function of the owner's, which alone may read the keys.
//!
//! The store is the one that says whether settings are signed: they are where the function is. Policies call it once per statement
//! and table. HMAC-SHA-256 is two calls of Postgres's own `sha256`, for the keys are kept as the blocks that go before: no extension is
//! needed. Two keys are accepted, the last two that came, so that programs change keys one after the other.

use sea_orm::{ConnectionTrait, Statement};
use trimaran_core::{Error, ErrorKind, Result};

use super::row_security::literal;
use crate::Transaction;
use crate::db_error::Doing as _;
use crate::postgres::error::{EXPIRED, UNSIGNED};
use crate::tenant::signing::{PURPOSE, SigningKey};

/// The function that gives whose setting it is.
pub(crate) const FUNCTION: &str = "trimaran_tenant";

/// The table with the keys. What begins so is no application's data.
pub(crate) const KEYS: &str = "_trimaran_signing_key";

/// The function's own settings, as the catalogue has them. Nothing of whoever calls it is searched.
pub(crate) const FUNCTION_SETTING: &str = "search_path=pg_catalog, pg_temp";

/// How many keys are accepted.
const KEPT: u32 = 2;

/// Whether tenant settings have to be signed in the store behind `db`. Needs no right beyond reading the catalogue.
///
/// # Errors
/// The engine's.
pub(crate) async fn is_signed(db: &impl ConnectionTrait) -> Result<bool> {
    let operation = "ask whether tenant settings are signed";
    let sql = format!(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_proc WHERE proname = '{FUNCTION}' AND pronargs = 0 AND pronamespace = \
         (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())) AS signed"
    );
    let row =
        db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.doing(operation)?;
    row.map_or(Ok(false), |row| row.try_get("", "signed")).doing(operation)
}

/// Makes function and table, and accepts settings that are signed with `key`, those of the key before still. Changes nothing that is so
/// already.
pub(super) async fn sign(transaction: &Transaction, key: &SigningKey) -> Result<()> {
    let operation = "have tenant settings checked";
    let schema = schema(transaction, operation).await?;
    let table = format!("{schema}.{KEYS}");
    let (inner, outer) = key.blocks();
    let mut statements = vec![
        format!(
            "CREATE TABLE IF NOT EXISTS {table} (position bigint PRIMARY KEY, key_id text NOT NULL UNIQUE, \
             before_message bytea NOT NULL, before_digest bytea NOT NULL, added_at timestamptz NOT NULL)"
        ),
        format!("REVOKE ALL ON TABLE {table} FROM PUBLIC"),
        format!(
            "INSERT INTO {table} SELECT coalesce(max(position), 0) + 1, {id}, '\\x{inner}', '\\x{outer}', now() FROM {table} \
             HAVING NOT EXISTS (SELECT FROM {table} WHERE key_id = {id})",
            id = literal(key.id())
        ),
        format!("DELETE FROM {table} WHERE position <= (SELECT max(position) FROM {table}) - {KEPT}"),
    ];
    if source(transaction, operation).await?.as_deref() != Some(body(&table).as_str()) {
        statements.push(format!(
            "CREATE OR REPLACE FUNCTION {schema}.{FUNCTION}() RETURNS uuid LANGUAGE plpgsql STABLE PARALLEL SAFE \
             SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS {}",
            literal(&body(&table))
        ));
    }
    transaction.execute_unprepared(&statements.join("; ")).await.doing(operation)?;
    Ok(())
}

/// Takes function and table away, once no policy asks them.
pub(super) async fn unsign(transaction: &Transaction) -> Result<()> {
    let operation = "stop checking tenant settings";
    let schema = schema(transaction, operation).await?;
    let sql = format!("DROP FUNCTION IF EXISTS {schema}.{FUNCTION}(); DROP TABLE IF EXISTS {schema}.{KEYS}");
    transaction.execute_unprepared(&sql).await.doing(operation)?;
    tracing::warn!(
        "tenant settings are no longer signed: SQL of any kind on a tenant's session can change it"
    );
    Ok(())
}

/// Takes from the application's role every right to the keys that default privileges may have given it.
pub(super) async fn keep_from(transaction: &Transaction, role: &str) -> Result<()> {
    let operation = "keep the signing keys from the application's role";
    let schema = schema(transaction, operation).await?;
    let role_sql = super::row_security::quoted(role);
    let sql = format!("REVOKE ALL ON TABLE {schema}.{KEYS} FROM {role_sql}");
    transaction.execute_unprepared(&sql).await.doing(operation)?;
    let sql = format!(
        "SELECT has_table_privilege({}, {}, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') AS may",
        literal(role),
        literal(&format!("{schema}.{KEYS}"))
    );
    let query = Statement::from_string(transaction.get_database_backend(), sql);
    let row = transaction.query_one_raw(query).await.doing(operation)?;
    if row.map_or(Ok(true), |row| row.try_get::<bool>("", "may")).doing(operation)? {
        return Err(Error::new(ErrorKind::Forbidden, operation)
            .context(format!("the role {role:?} has rights on {KEYS} by a role that it is a member of"))
            .hint("revoke them there"));
    }
    Ok(())
}

async fn schema(transaction: &Transaction, operation: &str) -> Result<String> {
    let query = Statement::from_string(
        transaction.get_database_backend(),
        "SELECT pg_catalog.quote_ident(current_schema()) AS name",
    );
    let row = transaction.query_one_raw(query).await.doing(operation)?;
    row.map_or_else(
        || Err(Error::new(ErrorKind::NotFound, operation).context("there is no schema")),
        |row| row.try_get("", "name").doing(operation),
    )
}

async fn source(transaction: &Transaction, operation: &str) -> Result<Option<String>> {
    let sql = format!(
        "SELECT prosrc::text AS source FROM pg_catalog.pg_proc WHERE proname = '{FUNCTION}' AND pronargs = 0 AND prosecdef \
         AND proconfig = ARRAY[{}] AND pronamespace = \
         (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())",
        literal(FUNCTION_SETTING)
    );
    let query = Statement::from_string(transaction.get_database_backend(), sql);
    let row = transaction.query_one_raw(query).await.doing(operation)?;
    row.map(|row| row.try_get("", "source")).transpose().doing(operation)
}

/// The function's text. Both sides of the comparison are digests once more, so that how long it takes says nothing of the signature.
/// Time is that of the transaction's beginning: one that began in time goes on to its end.
fn body(keys: &str) -> String {
    format!(
        "\nDECLARE\n\
         \x20 given text := current_setting('trimaran.tenant', true);\n\
         \x20 part text[];\n\
         \x20 message bytea;\n\
         BEGIN\n\
         \x20 IF given IS NULL OR given = '' THEN\n\
         \x20   RETURN NULL;\n\
         \x20 END IF;\n\
         \x20 part := regexp_match(given, '^([0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})\\.([0-9]{{1,12}})\\.([0-9a-f]{{64}})$');\n\
         \x20 IF part IS NULL THEN\n\
         \x20   RAISE EXCEPTION USING ERRCODE = '{UNSIGNED}', MESSAGE = 'the tenant setting is not signed';\n\
         \x20 END IF;\n\
         \x20 message := convert_to('{PURPOSE}' || part[1] || '.' || part[2], 'UTF8');\n\
         \x20 IF NOT EXISTS (SELECT FROM {keys} k WHERE sha256(sha256(k.before_digest || sha256(k.before_message || message)))\n\
         \x20     = sha256(decode(part[3], 'hex'))) THEN\n\
         \x20   RAISE EXCEPTION USING ERRCODE = '{UNSIGNED}', MESSAGE = 'the tenant setting is signed by no key of this server';\n\
         \x20 END IF;\n\
         \x20 IF part[2]::bigint <= extract(epoch FROM transaction_timestamp()) THEN\n\
         \x20   RAISE EXCEPTION USING ERRCODE = '{EXPIRED}', MESSAGE = 'the tenant setting has expired';\n\
         \x20 END IF;\n\
         \x20 RETURN part[1]::uuid;\n\
         END\n"
    )
}
