//! The TLS certificate of a machine.

use std::{
    fmt::Write as _,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
        client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        crypto::{CryptoProvider, ring},
        pki_types::{CertificateDer, ServerName, UnixTime},
    },
};

use super::{IdentityError, no_key};

/// Shakes hands as far as the certificate.
pub(super) async fn certificate(stream: TcpStream, at: IpAddr) -> Result<String, IdentityError> {
    let provider = Arc::new(ring::default_provider());
    let seen = Arc::new(Seen {
        provider: Arc::clone(&provider),
        fingerprint: Mutex::default(),
    });
    let verifier: Arc<dyn ServerCertVerifier> = seen.clone();
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(no_key)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    let ended = TlsConnector::from(Arc::new(config))
        .connect(ServerName::from(at), stream)
        .await;
    let fingerprint = seen
        .fingerprint
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    match (fingerprint, ended) {
        (Some(fingerprint), _) => Ok(fingerprint),
        (None, Err(error)) => Err(no_key(error)),
        (None, Ok(_)) => Err(no_key("the server has none")),
    }
}

/// Takes note of the certificate and refuses it: whom to trust is not the question.
#[derive(Debug)]
struct Seen {
    provider: Arc<CryptoProvider>,
    fingerprint: Mutex<Option<String>>,
}

impl ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let mut fingerprint = String::from("SHA256");
        let digest = ::ring::digest::digest(&::ring::digest::SHA256, certificate);
        for byte in digest.as_ref() {
            // Writing to a string cannot fail.
            let _: std::fmt::Result = write!(fingerprint, ":{byte:02X}");
        }
        *self
            .fingerprint
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(fingerprint);
        Err(Error::General("seen".to_owned()))
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("it does not come to this".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("it does not come to this".to_owned()))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
