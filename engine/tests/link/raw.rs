//! A caller that is put together from rustls alone, so that it can break every rule.

use crate::world::{CHAIN, GENESIS, seed};
use engine::link::{
    Host, Incarnation, Versions,
    frame::Frame,
    hello::{Hello, Received},
};
use primitives::{Decode, Encode};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, StreamOwned,
    SupportedProtocolVersion,
    client::{
        AlwaysResolvesClientRawPublicKeys, ResolvesClientCert,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::ring,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime},
    sign::CertifiedKey,
    version::TLS13,
};
use std::{
    io::{self, Read, Write},
    net::TcpStream,
    sync::Arc,
};

/// Believes everybody.
#[derive(Debug)]
struct Gullible {
    raw: bool,
}

impl ServerCertVerifier for Gullible {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519, SignatureScheme::ECDSA_NISTP256_SHA256]
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.raw
    }
}

/// A key as rustls takes it from a PKCS #8 file.
fn resolver(seed: &[u8; 32]) -> Arc<dyn ResolvesClientCert> {
    const PREFIX: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let der = PrivatePkcs8KeyDer::from([&PREFIX[..], seed].concat());
    let key = ring::sign::any_eddsa_type(&der).expect("an Ed25519 key");
    let spki = key.public_key().expect("rustls knows it").as_ref().to_vec();
    Arc::new(AlwaysResolvesClientRawPublicKeys::new(Arc::new(CertifiedKey::new(vec![spki.into()], key))))
}

/// TLS with a host, of this version and with this key. The handshake happens with the first byte.
pub(crate) fn tls(
    at: &str,
    version: &'static SupportedProtocolVersion,
    key: Option<&[u8; 32]>,
) -> StreamOwned<ClientConnection, TcpStream> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Gullible { raw: version == &TLS13 }));
    let config = match key {
        Some(seed) => builder.with_client_cert_resolver(resolver(seed)),
        None => builder.with_no_client_auth(),
    };
    let name = ServerName::try_from("somebody.example").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    StreamOwned::new(connection, TcpStream::connect(at).unwrap())
}

/// A caller with the key of a host.
pub(crate) struct Raw(StreamOwned<ClientConnection, TcpStream>);

impl Raw {
    pub(crate) fn new(at: &str, host: Host) -> Self {
        Self(tls(at, &TLS13, Some(&seed(host))))
    }

    /// A caller that has said hello, and the answer.
    pub(crate) fn greeted(at: &str, hello: &Hello) -> (Self, Hello) {
        let mut raw = Self::new(at, hello.from);
        raw.say(&Frame::Hello(Box::new(hello.clone())));
        match raw.hear() {
            Ok(Frame::Hello(answer)) => (raw, *answer),
            other => panic!("no greeting but {other:?}"),
        }
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
        self.0.flush().unwrap();
    }

    pub(crate) fn say(&mut self, frame: &Frame) {
        let body = frame.to_bytes();
        self.bytes(&[&(body.len() as u32).to_le_bytes()[..], &body].concat());
    }

    pub(crate) fn hear(&mut self) -> io::Result<Frame> {
        let mut length = [0; 4];
        self.0.read_exact(&mut length)?;
        let mut body = vec![0; u32::from_le_bytes(length) as usize];
        self.0.read_exact(&mut body)?;
        Ok(Frame::from_bytes(&body).expect("a frame"))
    }

    /// The next frame that is no ping.
    pub(crate) fn hear_more(&mut self) -> io::Result<Frame> {
        loop {
            match self.hear()? {
                Frame::Ping { .. } => {}
                frame => return Ok(frame),
            }
        }
    }
}

/// A greeting that fits.
pub(crate) fn hello(from: Host, to: Host, incarnation: u64, received: Option<Received>) -> Hello {
    let incarnation = Incarnation(incarnation);
    Hello { versions: Versions::SPOKEN, chain: CHAIN, genesis: GENESIS, from, to, incarnation, received }
}
