//! What a machine shows of itself to whoever connects: its SSH host key, its TLS certificate.
//!
//! The key exchange is done and nothing more: no login, no request. Whose key it is, the caller
//! finds out by comparing.

#[cfg(feature = "ssh-identity")]
mod ssh;
mod tls;

use std::{fmt, io, net::SocketAddr, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::{net::TcpStream, time::timeout};

/// How long a machine may take to show its key.
const LIMIT: Duration = Duration::from_secs(3);

/// By what a machine shows who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// The host key of SSH.
    Ssh,
    /// The certificate of TLS.
    Tls,
}

impl Protocol {
    /// What it shows, in words.
    pub const fn token(self) -> &'static str {
        match self {
            Self::Ssh => "SSH key",
            Self::Tls => "TLS certificate",
        }
    }
}

/// Why a machine did not show its key.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// It takes too long.
    #[error("no answer within {} s", LIMIT.as_secs())]
    Late,
    /// There is no connection.
    #[error("no connection")]
    Connect(#[source] io::Error),
    /// It ended before there was a key.
    #[error("no key: {0}")]
    NoKey(String),
}

/// The fingerprint of what a machine shows: SHA-256, as ssh-keygen and openssl write it.
///
/// # Errors
/// There is no connection, or no key.
pub async fn identify(protocol: Protocol, at: SocketAddr) -> Result<String, IdentityError> {
    let shown = async {
        let stream = TcpStream::connect(at)
            .await
            .map_err(IdentityError::Connect)?;
        match protocol {
            #[cfg(feature = "ssh-identity")]
            Protocol::Ssh => ssh::host_key(stream).await,
            #[cfg(not(feature = "ssh-identity"))]
            Protocol::Ssh => Err(no_key("this build does without SSH")),
            Protocol::Tls => tls::certificate(stream, at.ip()).await,
        }
    };
    timeout(LIMIT, shown)
        .await
        .unwrap_or(Err(IdentityError::Late))
}

fn no_key(why: impl fmt::Display) -> IdentityError {
    IdentityError::NoKey(why.to_string())
}
