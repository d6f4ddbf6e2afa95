//! Keys of links: TLS 1.3 with raw public keys (RFC 7250) in place of certificates, and nothing else.
//!
//! A host proves the Ed25519 key that the committee's record on the chain names for its party. There is nobody to certify
//! it and no name to check: the presented key is compared with the pinned ones, and the signature over the handshake with
//! the presented key.
//!
//! The key that signs headers and votes may serve here as well, because no signature of one use is one of the other. In
//! TLS 1.3 it signs (RFC 8446, section 4.4.3) 64 spaces, a context string that differs between client and server, a zero
//! byte and a hash: 130 bytes. Everything else that a party signs is a digest of 32 bytes.
//!
//! Nothing of one handshake is used in another: a resumption ticket would outlive a key that was replaced.

use super::host::Host;
use ed25519_dalek::{Signer as _, SigningKey};
use primitives::Digest;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error as TlsError,
    ServerConfig, SignatureAlgorithm, SignatureScheme,
    client::{
        AlwaysResolvesClientRawPublicKeys, Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls13_signature_with_raw_key},
    pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime},
    server::{
        AlwaysResolvesServerRawPublicKeys, NoServerSessionStorage,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    sign::{CertifiedKey, Signer, SigningKey as TlsKey},
    version::TLS13,
};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, OnceLock},
};

/// What comes before the 32 bytes of an Ed25519 key in its SubjectPublicKeyInfo (RFC 8410, section 4).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

fn spki(key: &Digest) -> Vec<u8> {
    [&SPKI_PREFIX[..], &key.0].concat()
}

/// The Ed25519 key in a SubjectPublicKeyInfo, if it is one of exactly that form.
fn of_spki(spki: &[u8]) -> Option<Digest> {
    spki.strip_prefix(&SPKI_PREFIX)?.try_into().ok().map(Digest)
}

/// The secret key by which a host proves who it is. Wiped when the last copy is dropped; TLS signs with it in place and
/// makes no copy of its own.
#[derive(Clone)]
pub struct LinkKey(Arc<SigningKey>);

impl LinkKey {
    /// The key of this 32-byte Ed25519 seed, which the caller wipes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(Arc::new(SigningKey::from_bytes(seed)))
    }

    /// The public half, as the committee's record has it.
    pub fn public(&self) -> Digest {
        Digest(self.0.verifying_key().to_bytes())
    }

    fn certified(&self) -> Arc<CertifiedKey> {
        let presented = CertificateDer::from(spki(&self.public()));
        Arc::new(CertifiedKey::new(vec![presented], Arc::new(self.clone())))
    }
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LinkKey(of {})", self.public())
    }
}

impl TlsKey for LinkKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered.contains(&SignatureScheme::ED25519).then(|| Box::new(self.clone()) as Box<dyn Signer>)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(spki(&self.public()).into())
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ED25519
    }
}

impl Signer for LinkKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, TlsError> {
        Ok(self.0.sign(message).to_bytes().to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

/// The keys that the other end of one handshake may have, and the one that it presented.
#[derive(Debug)]
pub(super) struct Pins {
    known: BTreeMap<Digest, Host>,
    presented: OnceLock<Digest>,
    provider: Arc<CryptoProvider>,
}

impl Pins {
    /// Pins for one handshake.
    pub(super) fn new(known: impl IntoIterator<Item = (Digest, Host)>) -> Arc<Self> {
        let provider = Arc::new(ring::default_provider());
        Arc::new(Self { known: known.into_iter().collect(), presented: OnceLock::new(), provider })
    }

    /// The Ed25519 key that the other end presented, known or not.
    pub(super) fn presented(&self) -> Option<Digest> {
        self.presented.get().copied()
    }

    /// Whose key was presented, if it is a known one.
    pub(super) fn host(&self) -> Option<(Host, Digest)> {
        let key = self.presented()?;
        Some((*self.known.get(&key)?, key))
    }

    /// Takes note of the presented key. Public keys are public: the comparison need not hide where they differ.
    fn check(&self, end_entity: &CertificateDer<'_>, more: &[CertificateDer<'_>]) -> Result<(), TlsError> {
        let key = of_spki(end_entity).filter(|_| more.is_empty());
        let key = key.ok_or(TlsError::InvalidCertificate(CertificateError::BadEncoding))?;
        let key = *self.presented.get_or_init(|| key);
        // Tells the other end "access denied", so that it can say that its key is not known here.
        let denied = TlsError::InvalidCertificate(CertificateError::ApplicationVerificationFailure);
        self.known.contains_key(&key).then_some(()).ok_or(denied)
    }

    fn signed(
        &self,
        message: &[u8],
        key: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let key = SubjectPublicKeyInfoDer::from(key.as_ref());
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature_with_raw_key(message, &key, signature, algorithms)
    }
}

/// TLS 1.2 is not offered: nothing of it comes here.
fn no_tls12() -> Result<HandshakeSignatureValid, TlsError> {
    Err(TlsError::General("signatures of TLS 1.2 are not accepted".into()))
}

impl ServerCertVerifier for Pins {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        self.check(end_entity, intermediates).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        no_tls12()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.signed(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

impl ClientCertVerifier for Pins {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, TlsError> {
        self.check(end_entity, intermediates).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        no_tls12()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.signed(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

/// What the dialling end of one handshake speaks.
pub(super) fn client(key: &LinkKey, pins: &Arc<Pins>) -> Arc<ClientConfig> {
    let mut config = ClientConfig::builder_with_provider(pins.provider.clone())
        .with_protocol_versions(&[&TLS13])
        .expect("ring has the cipher suites of TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(pins.clone())
        .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(key.certified())));
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

/// What the accepting end of one handshake speaks.
pub(super) fn server(key: &LinkKey, pins: &Arc<Pins>) -> Arc<ServerConfig> {
    let mut config = ServerConfig::builder_with_provider(pins.provider.clone())
        .with_protocol_versions(&[&TLS13])
        .expect("ring has the cipher suites of TLS 1.3")
        .with_client_cert_verifier(pins.clone())
        .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(key.certified())));
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Arc::new(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_does_not_show_and_the_presented_key_is_the_public_one() {
        let key = LinkKey::from_seed(&[7; 32]);
        let shown = format!("{key:?}");
        assert!(!shown.contains("0707"), "{shown}");
        assert_eq!(of_spki(&spki(&key.public())), Some(key.public()));
        assert_eq!(key.public_key().expect("a key").as_ref(), spki(&key.public()));
        assert_eq!(of_spki(&spki(&key.public())[..43]), None);
        assert_eq!(of_spki(&[spki(&key.public()), vec![0]].concat()), None);
    }

    #[test]
    fn only_a_pinned_key_passes_and_any_is_noted() {
        let (known, other) = (Digest([1; 32]), Digest([2; 32]));
        let pins = Pins::new([(known, Host::Standby)]);
        pins.check(&spki(&known).into(), &[]).unwrap();
        assert_eq!(pins.host(), Some((Host::Standby, known)));
        let pins = Pins::new([(known, Host::Standby)]);
        let denied = TlsError::InvalidCertificate(CertificateError::ApplicationVerificationFailure);
        assert_eq!(pins.check(&spki(&other).into(), &[]), Err(denied));
        assert_eq!((pins.presented(), pins.host()), (Some(other), None));
        let pins = Pins::new([(known, Host::Standby)]);
        let odd = TlsError::InvalidCertificate(CertificateError::BadEncoding);
        assert_eq!(pins.check(&spki(&known).into(), &[spki(&known).into()]), Err(odd));
    }
}
