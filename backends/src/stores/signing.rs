//! Tenant settings that are signed, or not, as a configuration and a server both have it.

use std::sync::Arc;

use sea_orm::ConnectionTrait as _;
use trimaran_core::config::{Area, Settings, StoreSettings};
use trimaran_core::id::TenantId;
use trimaran_core::{Clock, Error, ErrorKind, Result};

use crate::Connection;
use crate::db_error::Doing as _;
use crate::postgres::PostgresConnection;
use crate::schema::{row_security, signed};
use crate::tenant::signing::{SigningKey, TenantSigner};

/// The key, if there is one and the store keeps tenants' data.
///
/// # Errors
/// [`ErrorKind::Configuration`] for a key that is none, or where the application would own the tables.
pub(super) fn key(settings: &Settings, areas: &[Area], store: &StoreSettings) -> Result<Option<SigningKey>> {
    let Some(secret) = &settings.tenants.signing_key else { return Ok(None) };
    if !areas.iter().any(|area| area.is_per_tenant()) {
        return Ok(None);
    }
    if store.owner.is_none() {
        return Err(row_security::not_apart());
    }
    SigningKey::new(secret).map(Some)
}

/// The same server, whose tenants' settings are signed if there is a key. Makes sure that the server takes them.
///
/// # Errors
/// [`ErrorKind::Configuration`] if the server checks signatures and there is no key, or the other way round;
/// [`ErrorKind::Forbidden`] for a key that the server does not know.
pub(super) async fn signed(
    server: PostgresConnection,
    areas: &[Area],
    key: Option<SigningKey>,
    clock: Arc<dyn Clock>,
) -> Result<PostgresConnection> {
    if !areas.iter().any(|area| area.is_per_tenant()) {
        return Ok(server);
    }
    let wrong =
        |why: &str| Error::new(ErrorKind::Configuration, "use tenants' tables").context(why.to_owned());
    let checks = signed::is_signed(&Connection::new(server.clone())).await?;
    match (key, checks) {
        (None, false) => Ok(server),
        (None, true) => Err(wrong("the server takes signed tenant settings alone, and there is no key")
            .hint("name the key's file in tenants.signing_key_file, or run `trimaran schema up --unsigned`")),
        (Some(_), false) => Err(wrong("there is a signing key, and the server does not check signatures")
            .hint("run `trimaran schema up`, or set migrate = true")),
        (Some(key), true) => {
            let server = server.signed_by(TenantSigner::new(key, clock));
            let probe = Connection::new(server.scoped(TenantId(uuid::Uuid::nil())));
            let asked = probe.execute_unprepared(&format!("SELECT {}()", signed::FUNCTION)).await;
            asked.doing("ask whether the server takes what the signing key signs")?;
            Ok(server)
        }
    }
}
