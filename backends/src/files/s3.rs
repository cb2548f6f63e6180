//! The store of a bucket.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::aws::{AmazonS3Builder, S3ConditionalPut};
use secrecy::ExposeSecret as _;
use trimaran_core::Result;
use trimaran_core::config::S3Settings;

use super::error::failed;

/// The bucket that the settings name. What they leave out is taken from Amazon's own variables, then from the role of the
/// machine. Nothing is asked of the server yet.
pub(super) fn open(settings: &S3Settings) -> Result<Arc<dyn ObjectStore>> {
    // reqwest is built without a TLS provider, so that it takes the one that the databases' drivers have. An application
    // that has chosen another one before keeps it: then this fails, and that is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(&settings.bucket)
        .with_conditional_put(S3ConditionalPut::ETagMatch);
    if let Some(endpoint) = &settings.endpoint {
        builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http:"));
    }
    if let Some(region) = &settings.region {
        builder = builder.with_region(region);
    }
    if let Some(credentials) = &settings.credentials {
        builder = builder
            .with_access_key_id(&credentials.access_key_id)
            .with_secret_access_key(credentials.secret_access_key.expose_secret());
        if let Some(token) = &credentials.session_token {
            builder = builder.with_token(token.expose_secret());
        }
    }
    let store = builder.build().map_err(|error| failed("open the bucket", error))?;
    Ok(Arc::new(store))
}
