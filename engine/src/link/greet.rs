//! From a socket to a link: TLS, then the greeting. The dialling end speaks first, so that the accepting end has read all
//! that there is before it may refuse, and its reason arrives.

use super::{
    event::{Breach, Refusal},
    frame::{self, Frame, FrameError, Parting},
    hello::{Hello, Mismatch},
    host::Host,
    key::{self, LinkKey, Pins},
    limits::{LINGER, MAX_GREETING, MAX_LINGER},
    peer::{Peer, Ticket},
};
use primitives::Digest;
use rustls::{
    AlertDescription, Error as TlsError, PeerIncompatible, pki_types::ServerName, server::Acceptor,
};
use std::{collections::BTreeMap, io, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{LazyConfigAcceptor, TlsConnector, client, server};

/// Why there is no link, and whom it was with, as far as is known.
pub(super) struct Refused {
    pub(super) peer: Option<Host>,
    pub(super) reason: Refusal,
    /// The socket, if the other end may still read why.
    pub(super) socket: Option<Box<TcpStream>>,
}

impl Refused {
    fn new(peer: Option<Host>, reason: impl Into<Refusal>) -> Self {
        Self { peer, reason: reason.into(), socket: None }
    }

    fn on(self, socket: TcpStream) -> Self {
        Self { socket: Some(Box::new(socket)), ..self }
    }

    /// Waits until the other end has read why, or has had its time. Closing a socket with bytes unread would take back
    /// what was written to it.
    pub(super) async fn linger(self) {
        if let Some(mut socket) = self.socket {
            // It goes anyway.
            let _closed = socket.shutdown().await;
            let mut rest = socket.take(MAX_LINGER);
            let _read = timeout(LINGER, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
        }
    }
}

/// What TLS has against the other end.
fn of_tls(error: &io::Error) -> Refusal {
    let Some(tls) = error.get_ref().and_then(|source| source.downcast_ref::<TlsError>()) else {
        let closed = error.kind() == io::ErrorKind::UnexpectedEof;
        return if closed { FrameError::Closed.into() } else { FrameError::Broken(error.to_string()).into() };
    };
    match tls {
        TlsError::AlertReceived(AlertDescription::AccessDenied) => Refusal::KeyRefused,
        TlsError::AlertReceived(AlertDescription::ProtocolVersion) => Refusal::OldTls,
        TlsError::NoCertificatesPresented
        | TlsError::PeerIncompatible(
            PeerIncompatible::IncorrectCertificateTypeExtension
            | PeerIncompatible::UnsolicitedCertificateTypeExtension,
        ) => Refusal::NoKey,
        TlsError::PeerIncompatible(
            PeerIncompatible::SupportedVersionsExtensionRequired
            | PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => Refusal::OldTls,
        TlsError::InvalidMessage(_) => Refusal::NotTls(tls.to_string()),
        _ => Refusal::Tls(tls.to_string()),
    }
}

/// TLS from the dialling end, with whoever has the expected key.
async fn encrypt(
    key: &LinkKey,
    (me, peer): (Host, Host),
    expected: Digest,
    socket: TcpStream,
) -> Result<client::TlsStream<TcpStream>, Refused> {
    let pins = Pins::new([(expected, peer)]);
    let name = ServerName::try_from(me.calling(peer)).expect("made of letters, digits, hyphens and dots");
    let connector = TlsConnector::from(key::client(key, &pins));
    connector.connect(name, socket).into_fallible().await.map_err(|(error, socket)| {
        let reason = match pins.presented() {
            Some(presented) if presented != expected => Refusal::OtherKey { expected, presented },
            _ => of_tls(&error),
        };
        Refused::new(Some(peer), reason).on(socket)
    })
}

/// Says one greeting to a peer, and gives what it answers.
pub(super) async fn ask(
    key: &LinkKey,
    ends: (Host, Host),
    expected: Digest,
    (socket, hello): (TcpStream, Hello),
) -> Result<Frame, Refusal> {
    let mut stream = encrypt(key, ends, expected, socket).await.map_err(|refused| refused.reason)?;
    say(&mut stream, &Frame::Hello(Box::new(hello))).await?;
    hear(&mut stream).await
}

/// Dials a peer. The socket is connected, the address is the peer's and `expected` its key.
pub(super) async fn dial(
    key: &LinkKey,
    me: Host,
    peer: &Peer,
    expected: Digest,
    socket: TcpStream,
) -> Result<(client::TlsStream<TcpStream>, Ticket), Refused> {
    let refused = |reason| Refused::new(Some(peer.host), reason);
    let mut stream = encrypt(key, (me, peer.host), expected, socket).await?;
    let ours = peer.greeting();
    say(&mut stream, &Frame::Hello(Box::new(ours.clone()))).await.map_err(refused)?;
    let theirs = match hear(&mut stream).await.map_err(refused)? {
        Frame::Hello(hello) => hello,
        Frame::Bye(Parting::Refused(mismatch)) => return Err(refused(Refusal::RefusedBy(mismatch))),
        _ => return Err(refused(Breach::Greeting.into())),
    };
    let version = ours.agree(&theirs).map_err(|mismatch| refused(Refusal::Mismatch(mismatch)))?;
    let ticket = peer.install(&expected, &theirs, Some(&ours), version).map_err(refused)?;
    Ok((stream, ticket))
}

/// Finds out who called, and whether it is a peer that may. The answer to its greeting is with the ticket, and yet to be
/// written.
pub(super) async fn answer<'a>(
    key: &LinkKey,
    me: Host,
    peers: &'a BTreeMap<Host, Arc<Peer>>,
    socket: TcpStream,
) -> Result<(server::TlsStream<TcpStream>, &'a Arc<Peer>, Ticket), Refused> {
    let mut acceptor = Box::pin(LazyConfigAcceptor::new(Acceptor::default(), socket));
    let start = match acceptor.as_mut().await {
        Ok(start) => start,
        Err(error) => {
            return Err(Refused {
                peer: None,
                reason: of_tls(&error),
                socket: acceptor.take_io().map(Box::new),
            });
        }
    };
    let claimed = start.client_hello().server_name().and_then(Host::caller);
    let known = peers.values().filter_map(|peer| Some((peer.endpoint()?.key, peer.host)));
    let pins = Pins::new(known);
    let mut stream = match start.into_stream(key::server(key, &pins)).into_fallible().await {
        Ok(stream) => stream,
        Err((error, socket)) => {
            let reason = match (pins.presented(), pins.host()) {
                (Some(presented), None) => Refusal::UnknownKey { presented },
                _ => of_tls(&error),
            };
            return Err(Refused::new(claimed, reason).on(socket));
        }
    };
    let Some((host, proved)) = pins.host() else {
        return Err(Refused::new(claimed, Refusal::NoKey));
    };
    let peer = peers.get(&host).expect("only keys of peers are pinned");
    let refused = |reason| Refused::new(Some(host), reason);
    let theirs = match hear(&mut stream).await.map_err(refused)? {
        Frame::Hello(hello) => hello,
        _ => return Err(refused(Breach::Greeting.into())),
    };
    match agree(me, peer, &theirs).and_then(|version| peer.twin(&theirs).map_or(Ok(version), Err)) {
        Ok(version) => {
            let ticket = peer.install(&proved, &theirs, None, version).map_err(refused)?;
            Ok((stream, peer, ticket))
        }
        Err(mismatch) => {
            let frame = Frame::Bye(Parting::Refused(mismatch.clone()));
            // If it cannot be told, it is refused all the same.
            let _told = say(&mut stream, &frame).await;
            Err(refused(Refusal::Mismatch(mismatch)).on(stream.into_inner().0))
        }
    }
}

/// Whether the greeting of a caller fits. That the wrong end dialled is known without it; a caller that speaks no version
/// is told first which ones are spoken, whoever has to dial.
fn agree(me: Host, peer: &Peer, theirs: &Hello) -> Result<u16, Mismatch> {
    let (expected, found) = (peer.greeting().versions, theirs.versions);
    if expected.common(found).is_none() {
        return Err(Mismatch::Version { expected, found });
    }
    if me.dials(peer.host) {
        return Err(Mismatch::Direction { expected: me, found: peer.host });
    }
    peer.greeting().agree(theirs)
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), frame: &Frame) -> Result<(), Refusal> {
    frame::write(stream, frame).await?;
    Ok(stream.flush().await.map_err(FrameError::from)?)
}

async fn hear(stream: &mut (impl AsyncRead + Unpin)) -> Result<Frame, Refusal> {
    match frame::read(stream, MAX_GREETING, |_| ()).await {
        // TLS 1.3 lets the dialling end go on before its key was looked at: the refusal comes in the place of a greeting.
        Err(FrameError::Denied) => Err(Refusal::KeyRefused),
        other => Ok(other?),
    }
}
