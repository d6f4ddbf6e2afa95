//! The sockets that a node listens on, and what each of them may cost.
//!
//! Whoever is connected takes one of a bounded number of places until the socket is closed. Those who come when there is
//! none wait in the system's queue. One address holds a part of the places at most. A socket that does nothing, trickles,
//! or takes no answers is closed after a while. Answers that nobody has taken yet share one bounded room.

mod addresses;

pub(super) use addresses::Counted;

use super::{
    BATCHES, MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES,
    body::{Held, Punctual},
    stream::{Patience, Watched},
    websocket,
};
use addresses::Addresses;
use hyper::{
    HeaderMap, Request,
    body::{Body as _, Incoming},
    header::{HOST, HeaderValue, ORIGIN},
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use jsonrpsee::{
    core::BoxError,
    server::{HttpBody, HttpResponse, Methods, Server, ServerConfig, StopHandle, http::response, ws},
};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore},
};

/// Bytes of answers that nobody has taken yet, of all sockets: twenty of the longest.
const UNREAD_BYTES: usize = 20 * MAX_RESPONSE_BYTES as usize;
/// An answer up to this length has its room anyway: a socket has a few of them at once.
const SMALL_BYTES: usize = 64 << 10;
/// Pause after a socket could not be taken, because the process has no file left for it.
const PAUSE: Duration = Duration::from_millis(100);

const _: () = assert!(UNREAD_BYTES <= Semaphore::MAX_PERMITS && UNREAD_BYTES <= u32::MAX as usize);

/// Room for answers that nobody has taken yet.
#[derive(Clone)]
pub(super) struct Room(Arc<Semaphore>);

impl Room {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(UNREAD_BYTES)))
    }

    /// Room for an answer, or the answer that there is none.
    pub(super) fn take(&self, bytes: usize) -> Result<Option<OwnedSemaphorePermit>, Full> {
        if bytes <= SMALL_BYTES {
            return Ok(None);
        }
        let bytes = u32::try_from(bytes).map_err(|_| Full)?;
        self.0.clone().try_acquire_many_owned(bytes).map(Some).map_err(|_| Full)
    }
}

/// There is no room.
#[derive(Debug)]
pub(super) struct Full;

/// What every socket needs.
#[derive(Clone)]
struct Door<S> {
    http: S,
    methods: Methods,
    room: Room,
    patience: Patience,
    /// Only this machine reaches the node.
    local: bool,
    stop: StopHandle,
}

/// Takes sockets until it is told to stop. Methods are those over HTTP, and those over WebSocket.
pub(super) async fn listen(
    listener: TcpListener,
    [http, methods]: [Methods; 2],
    max_sockets: u32,
    patience: Patience,
    stop: StopHandle,
) {
    let config = ServerConfig::builder()
        .http_only()
        .max_request_body_size(MAX_REQUEST_BYTES)
        .max_response_body_size(MAX_RESPONSE_BYTES)
        // It counts requests. Sockets are counted here.
        .max_connections(u32::MAX)
        .set_batch_request_config(BATCHES)
        .build();
    let service = Server::builder().set_config(config).to_service_builder();
    let local = listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
    let http = TowerToHyperService::new(service.build(http, stop.clone()));
    let door = Door { http, methods, room: Room::new(), patience, local, stop };
    let places = Arc::new(Semaphore::new(max_sockets as usize));
    let addresses = Addresses::of(max_sockets as usize);
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await.expect("it is never closed");
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            next = next => next,
            () = door.stop.clone().shutdown() => return,
        };
        match accepted {
            Ok((socket, peer)) => {
                // One too many of an address is closed: if it waited, it would keep the others waiting.
                let Some(counted) = addresses.take(peer.ip()) else { continue };
                // It only delays.
                drop(socket.set_nodelay(true));
                let socket = Watched::new(socket, patience, (place, counted));
                tokio::spawn(door.clone().attend(socket));
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

impl<S> Door<S>
where
    S: Service<Request<Punctual<Incoming>>, Response = HttpResponse, Error = BoxError>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send,
{
    /// Speaks HTTP, one request after the other, until one of them asks for a WebSocket.
    async fn attend(self, socket: Watched<tokio::net::TcpStream>) {
        let stopped = self.stop.clone().shutdown();
        let (door, request) = (self.clone(), self.patience.request);
        let service = service_fn(move |request| {
            let door = door.clone();
            async move { Ok::<_, Infallible>(door.answer(request).await) }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(request);
        let spoken = http.serve_connection(TokioIo::new(socket), service).with_upgrades();
        tokio::pin!(spoken, stopped);
        tokio::select! {
            // Whatever went wrong, the socket is closed.
            ended = &mut spoken => drop(ended),
            () = &mut stopped => {
                spoken.as_mut().graceful_shutdown();
                drop(spoken.await);
            }
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> HttpResponse<HttpBody> {
        match stranger(request.headers()) {
            Some(Stranger::Host) if self.local => return response::host_not_allowed(),
            Some(Stranger::Origin) if self.local => return origin_not_allowed(),
            _ => {}
        }
        if ws::is_upgrade_request(&request) {
            return self.upgrade(request);
        }
        let request = request.map(|body| Punctual::new(body, self.patience.request));
        let Ok(answer) = self.http.call(request).await else { return response::internal_error() };
        let bytes = answer.body().size_hint().upper().unwrap_or(u64::MAX);
        match self.room.take(usize::try_from(bytes).unwrap_or(usize::MAX)) {
            Ok(room) => answer.map(|body| HttpBody::new(Held { body, room })),
            Err(Full) => response::too_many_requests(),
        }
    }

    fn upgrade(&self, request: Request<Incoming>) -> HttpResponse<HttpBody> {
        let mut handshake = soketto::handshake::http::Server::new();
        let Ok(response) = handshake.receive_request(&request) else { return response::malformed() };
        let (methods, room) = (self.methods.clone(), self.room.clone());
        let (patience, stop) = (self.patience, self.stop.clone());
        tokio::spawn(async move {
            if let Ok(socket) = hyper::upgrade::on(request).await {
                websocket::speak(TokioIo::new(socket), handshake, methods, room, patience, stop).await;
            }
        });
        response.map(|()| HttpBody::empty())
    }
}

/// How a request is not meant for a node that only this machine reaches.
enum Stranger {
    Host,
    Origin,
}

/// Whether a request to a node that only this machine reaches is meant for it. A page in a browser on this machine reaches
/// it too: under a name of its own that leads here, or by WebSocket from any origin. Neither is answered.
fn stranger(headers: &HeaderMap) -> Option<Stranger> {
    let text = |value: &HeaderValue| value.to_str().map(str::to_owned).unwrap_or_default();
    let host = headers.get(HOST).map(text).unwrap_or_default();
    let origin = headers.get(ORIGIN).map(text);
    let origin = origin.as_deref().map(|origin| origin.split_once("://").map_or("", |(_, host)| host));
    match (is_loopback(&host), origin.is_none_or(is_loopback)) {
        (false, _) => Some(Stranger::Host),
        (true, false) => Some(Stranger::Origin),
        (true, true) => None,
    }
}

fn origin_not_allowed() -> HttpResponse<HttpBody> {
    let mut answer = response::host_not_allowed();
    *answer.body_mut() = HttpBody::from("This node answers no page of another origin.\n");
    answer
}

/// Whether a host, with or without a port, is this machine by a name that leads nowhere else.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    name.eq_ignore_ascii_case("localhost") || ["127.0.0.1", "[::1]"].contains(&name)
}

#[cfg(test)]
mod tests;
