//! Components' secrets between the model and the table.
//!
//! `component.parameters` has a mark in the place of each secret, `component.secrets` maps each place to base64 of nonce and
//! ciphertext, and `component.key_id` says which key all of them are under.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use trimaran_core::model::Parameters;
use trimaran_core::secret::{KeyId, Keyring};
use trimaran_core::{Error, ErrorKind, Result, TenantId};
use uuid::Uuid;

use super::json;
use crate::entity::configuration::component;
use crate::repository::text::Place;

/// Parameters as a row has them.
pub(super) struct Sealed {
    pub(super) parameters: String,
    pub(super) secrets: Option<String>,
    pub(super) key_id: Option<String>,
}

/// What a ciphertext is bound to: tenant, component and place in the parameters. Whatever is moved elsewhere doesn't open.
fn bound_to(tenant: TenantId, component: Uuid, place: &str) -> Vec<u8> {
    [b"trimaran component secret 1\0".as_slice(), tenant.0.as_bytes(), component.as_bytes(), place.as_bytes()]
        .concat()
}

/// Seals all secrets of `parameters` under the active key.
///
/// # Errors
/// `Invalid` if one is to be kept; `Unavailable` if the system gives no random bytes.
pub(super) fn seal(
    keyring: &Keyring,
    tenant: TenantId,
    component: Uuid,
    parameters: &Parameters,
) -> Result<Sealed> {
    parameters.require_given()?;
    let mut sealed = BTreeMap::new();
    for place in parameters.secret_places() {
        let Some(secret) = parameters.given(place) else { continue };
        let bytes = keyring.seal(&bound_to(tenant, component, place), secret.expose_secret().as_bytes())?;
        sealed.insert(place, STANDARD_NO_PAD.encode(bytes));
    }
    let some = !sealed.is_empty();
    let secrets = serde_json::to_string(&sealed)
        .map_err(|error| Error::new(ErrorKind::Invalid, "encrypt the component's secrets").source(error))?;
    Ok(Sealed {
        parameters: parameters.redacted().to_string(),
        secrets: some.then_some(secrets),
        key_id: some.then(|| keyring.active().to_string()),
    })
}

/// A row's parameters, redacted. Needs no key.
///
/// # Errors
/// `Corrupt`, naming the column, if what is there was never written so.
pub(super) fn redacted(row: &component::Model) -> Result<Parameters> {
    let at = |column| Place { table: "component", column, key: row.id };
    let document = json(at("parameters"), &row.parameters)?;
    let places = ciphertexts(row)?.into_keys();
    Parameters::stored(document, places)
        .ok_or_else(|| at("parameters").corrupt("a secret's place is not marked"))
}

/// A row's parameters with all secrets.
///
/// # Errors
/// `Configuration`, naming the key, if it isn't in the keyring; `Corrupt` if a secret isn't what was sealed for its place.
pub(super) fn revealed(keyring: &Keyring, tenant: TenantId, row: &component::Model) -> Result<Parameters> {
    let at = |column| Place { table: "component", column, key: row.id };
    let sealed = ciphertexts(row)?;
    let parameters = redacted(row)?;
    if sealed.is_empty() {
        return Ok(parameters);
    }
    let key = KeyId::new(row.key_id.as_deref().ok_or_else(|| at("key_id").corrupt("there is no key id"))?);
    parameters.revealed(|place| {
        let wrong = || {
            at("secrets").corrupt("there is a secret that was not encrypted for its place, or was changed")
        };
        let bytes = STANDARD_NO_PAD.decode(&sealed[place]).map_err(|_| wrong())?;
        let opened = keyring
            .open(&key, &bound_to(tenant, row.id, place), &bytes)
            .map_err(|error| error.context(format!("it is a secret of the component {}", row.id)))?
            .ok_or_else(wrong)?;
        let text = std::str::from_utf8(opened.expose_secret()).map_err(|_| wrong())?;
        Ok(SecretString::from(text))
    })
}

fn ciphertexts(row: &component::Model) -> Result<BTreeMap<String, String>> {
    let Some(text) = &row.secrets else { return Ok(BTreeMap::new()) };
    let place = Place { table: "component", column: "secrets", key: row.id };
    serde_json::from_str(text).map_err(|_| place.corrupt("there is no map of ciphertexts"))
}
