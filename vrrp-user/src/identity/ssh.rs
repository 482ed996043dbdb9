//! The SSH host key of a machine.

use std::sync::{Arc, Mutex, PoisonError};

use russh::{
    client::{self, Config, Handler},
    keys::{HashAlg, PublicKeyOrCertificate},
};
use tokio::net::TcpStream;

use super::{IdentityError, no_key};

/// Connects, takes note of the key, and goes away before anything is agreed on.
pub(super) async fn host_key(stream: TcpStream) -> Result<String, IdentityError> {
    let seen = Seen::default();
    let config = Arc::new(Config::default());
    // Refusing the key is what ends it; any other end shows in there being no key.
    let ended = client::connect_stream(config, stream, seen.clone()).await;
    let fingerprint = seen.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (fingerprint, ended) {
        (Some(fingerprint), _) => Ok(fingerprint),
        (None, Err(error)) => Err(no_key(error)),
        (None, Ok(_)) => Err(no_key("the server has none")),
    }
}

#[derive(Clone, Debug, Default)]
struct Seen(Arc<Mutex<Option<String>>>);

impl Handler for Seen {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        key: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        let fingerprint = key.public_key().fingerprint(HashAlg::Sha256).to_string();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(fingerprint);
        Ok(false)
    }
}
