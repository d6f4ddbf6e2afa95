//! Issuers over HTTP.
//!
//! | Route | |
//! |---|---|
//! | `POST /v1/tokens/{epoch}/{tier}` | signs a blinded message; `Authorization: Bearer CODE` |
//! | `POST /v1/receipts/{epoch}/{region}/{denomination}` | the same, for a receipt of so many views |
//! | `GET /v1/keys/{epoch}` | public keys in DER, each with a proof of possession, as hexadecimal digits |
//! | `GET /healthz` | that the service is alive |
//!
//! Bodies are the bytes of a number as long as the modulus, both ways. An error is JSON: `error` for people, `kind` for
//! programs, `hint` for what to do next. Nothing is written to a log of who asks for what.
//!
//! Connections have the door of a party's API: counted in all and of one address, unless they come from a proxy on this
//! machine, and ended at their age.

mod problem;
#[cfg(test)]
mod tests;

use super::{IssuerError, ReceiptIssuer, TokenIssuer, book::Shown};
use crate::api::{
    Limits,
    door::{Door, Place},
};
use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::{Extensions, ServerHandle},
    http::header::{self, AUTHORIZATION},
    rt::{System, net::TcpStream, time::timeout},
    web::{self, Data, Path, Payload},
};
use chain::log::TornTail;
use primitives::{EpochId, Region, Tier, ids::to_hex, limits};
use problem::{Problem, problem};
use proofs::{possession::Purpose, receipt::Denomination};
use rand_core::OsRng;
use serde_json::{Value, json};
use std::{
    any::Any,
    io,
    net::{SocketAddr, TcpListener, ToSocketAddrs},
    sync::{Arc, Mutex, MutexGuard, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};
use thiserror::Error;

/// Longest body: a request is shorter, and one that is longer is told so.
const MAX_BODY_BYTES: usize = 2 * limits::RSA_BYTES;
/// Longest time for the body of a request: a client sends it in one packet.
const REQUEST_TIME: Duration = Duration::from_secs(10);
/// Longest time that a stop waits for requests in hand.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// Why a service does not run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// Nobody can listen at the address.
    #[error("cannot listen: {0}; choose another address, or stop whoever listens there")]
    Listen(io::Error),
    /// The server ended with an error.
    #[error("the server ended: {0}")]
    Ended(io::Error),
    /// The server's thread panicked.
    #[error("the server's thread panicked; its message is on the error output")]
    Panicked,
}

/// What a service signs.
pub enum Signs {
    /// Tokens.
    Tokens(TokenIssuer),
    /// Receipts.
    Receipts(ReceiptIssuer),
}

impl Signs {
    /// Forgets what was signed in epochs that are over by now; which.
    pub fn forget(&mut self) -> Vec<EpochId> {
        match self {
            Self::Tokens(issuer) => issuer.forget(),
            Self::Receipts(issuer) => issuer.forget(),
        }
    }

    /// Public keys of an epoch, each with the proof that this issuer has it.
    fn shown(&mut self, epoch: EpochId) -> Vec<Shown> {
        match self {
            Self::Tokens(issuer) => issuer.shown(epoch, &mut OsRng),
            Self::Receipts(issuer) => issuer.shown(epoch, &mut OsRng),
        }
    }

    /// What crashes had left of requests that they interrupted: cut off, and never answered.
    pub fn torn(&self) -> &[TornTail] {
        match self {
            Self::Tokens(issuer) => issuer.torn(),
            Self::Receipts(issuer) => issuer.torn(),
        }
    }
}

impl From<TokenIssuer> for Signs {
    fn from(issuer: TokenIssuer) -> Self {
        Self::Tokens(issuer)
    }
}

impl From<ReceiptIssuer> for Signs {
    fn from(issuer: ReceiptIssuer) -> Self {
        Self::Receipts(issuer)
    }
}

/// A service that runs, until it is stopped or dropped.
pub struct Running {
    address: SocketAddr,
    desk: Arc<Mutex<Signs>>,
    handle: ServerHandle,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Running {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Changes who is served, between two requests.
    pub fn change(&self, change: impl FnOnce(&mut Signs)) {
        change(&mut lock(&self.desk));
    }

    /// Whether it has ended by itself: [`Self::stop`] says why.
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Finishes the requests in hand and stops.
    ///
    /// # Errors
    /// If the server had ended before.
    pub fn stop(mut self) -> Result<(), ServiceError> {
        self.end()
    }

    /// Waits until the service ends by itself, which it does only if it cannot go on.
    ///
    /// # Errors
    /// Why it ended.
    pub fn wait(mut self) -> Result<(), ServiceError> {
        self.join()
    }

    fn end(&mut self) -> Result<(), ServiceError> {
        // The order is given by the call; the future only waits for it.
        drop(self.handle.stop(true));
        self.join()
    }

    fn join(&mut self) -> Result<(), ServiceError> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.join().map_err(|_| ServiceError::Panicked)?.map_err(ServiceError::Ended)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Whoever wants to know how it ended calls `stop`.
        let _ = self.end();
    }
}

/// Starts a service on a thread of its own, with the limits of a party's API.
///
/// # Errors
/// If nobody can listen at the address.
pub fn serve(listen: impl ToSocketAddrs, signs: impl Into<Signs>) -> Result<Running, ServiceError> {
    serve_within(listen, signs, Limits::default())
}

/// Starts a service on a thread of its own, whose clients may cost so much.
///
/// # Errors
/// If nobody can listen at the address.
pub fn serve_within(
    listen: impl ToSocketAddrs,
    signs: impl Into<Signs>,
    limits: Limits,
) -> Result<Running, ServiceError> {
    let listener = TcpListener::bind(listen).map_err(ServiceError::Listen)?;
    let address = listener.local_addr().map_err(ServiceError::Listen)?;
    let desk = Arc::new(Mutex::new(signs.into()));
    let served = Data::from(desk.clone());
    let (tell, told) = mpsc::channel();
    let thread = thread::spawn(move || {
        System::new().block_on(async move {
            let door = Arc::new(Door::new(limits.clone(), None));
            let enter = move |socket: &dyn Any, data: &mut Extensions| {
                // It is always one: this server listens on nothing else.
                if let Some(place) = socket.downcast_ref::<TcpStream>().and_then(|socket| door.enter(socket))
                {
                    data.insert(place);
                }
            };
            let server = HttpServer::new(move || App::new().app_data(served.clone()).configure(routes))
                .workers(1)
                // The door counts them. This only stops a flood that the door is too slow to turn away.
                .max_connections(2 * limits.connections)
                .client_request_timeout(limits.head)
                .keep_alive(limits.idle)
                .shutdown_timeout(SHUTDOWN.as_secs())
                .disable_signals()
                .on_connect(enter)
                .listen(listener)?
                .run();
            // Whoever started it may be gone; then it is dropped with its handle.
            let _ = tell.send(server.handle());
            server.await
        })
    });
    match told.recv() {
        Ok(handle) => Ok(Running { address, desk, handle, thread: Some(thread) }),
        Err(_) => Err(match thread.join() {
            Ok(ended) => ServiceError::Listen(ended.err().unwrap_or_else(|| io::ErrorKind::Other.into())),
            Err(_) => ServiceError::Panicked,
        }),
    }
}

fn routes(config: &mut web::ServiceConfig) {
    let only = |method: &'static str| move || async move { problem(&Problem::Method(method)) };
    let resource = |path: &str, route: actix_web::Route, method| {
        web::resource(path).route(route).default_service(web::to(only(method)))
    };
    config
        .service(resource("/v1/tokens/{epoch}/{tier}", web::post().to(token), "POST"))
        .service(resource("/v1/receipts/{epoch}/{region}/{views}", web::post().to(receipt), "POST"))
        .service(resource("/v1/keys/{epoch}", web::get().to(keys), "GET"))
        .service(resource("/healthz", web::get().to(health), "GET"))
        .default_service(web::to(|| async { problem(&Problem::NoRoute) }));
}

type Desk = Data<Mutex<Signs>>;

fn lock(desk: &Mutex<Signs>) -> MutexGuard<'_, Signs> {
    desk.lock().expect("no issuer panics while it signs")
}

async fn token(
    request: HttpRequest,
    path: Path<(String, String)>,
    body: Payload,
    desk: Desk,
) -> HttpResponse {
    let signed = async {
        placed(&request)?;
        let (epoch, tier) = path.into_inner();
        let at: (EpochId, Tier) = (number(&epoch)?, number(&tier)?);
        let (code, body) = (code(&request)?, read(body).await?);
        on_a_thread(desk, move |signs| match signs {
            Signs::Tokens(issuer) => Ok(issuer.sign(&code, at, &body, &mut OsRng)?),
            Signs::Receipts(_) => Err(Problem::NoRoute),
        })
        .await
    };
    signature(signed.await)
}

async fn receipt(
    request: HttpRequest,
    path: Path<(String, String, String)>,
    body: Payload,
    desk: Desk,
) -> HttpResponse {
    let signed = async {
        placed(&request)?;
        let (epoch, region, views) = path.into_inner();
        let region: Region = number::<u8>(&region)?.try_into().map_err(|_| Problem::Path)?;
        let denomination = Denomination::new(number(&views)?).ok_or(Problem::Path)?;
        let at = (number(&epoch)?, region, denomination);
        let (code, body) = (code(&request)?, read(body).await?);
        on_a_thread(desk, move |signs| match signs {
            Signs::Receipts(issuer) => Ok(issuer.sign(&code, at, &body, &mut OsRng)?),
            Signs::Tokens(_) => Err(Problem::NoRoute),
        })
        .await
    };
    signature(signed.await)
}

async fn keys(request: HttpRequest, path: Path<String>, desk: Desk) -> HttpResponse {
    if let Err(error) = placed(&request) {
        return problem(&error);
    }
    let Ok(epoch) = number::<EpochId>(&path) else { return problem(&Problem::Path) };
    let found = on_a_thread(desk, move |signs| Ok(signs.shown(epoch)));
    match found.await {
        Ok(keys) => {
            let keys: Vec<Value> = keys.iter().map(key).collect();
            HttpResponse::Ok().json(json!({ "epoch": epoch, "keys": keys }))
        }
        Err(error) => problem(&error),
    }
}

/// A key for whoever puts it on record.
fn key((purpose, der, proof): &Shown) -> Value {
    let (key, possession) = (to_hex(der), to_hex(proof));
    match purpose {
        Purpose::Token(tier) => json!({ "tier": tier, "key": key, "possession": possession }),
        Purpose::Receipt(region, of) => json!({
            "region": region, "denomination": of.views(), "key": key, "possession": possession,
        }),
    }
}

async fn health(request: HttpRequest) -> HttpResponse {
    if let Err(error) = placed(&request) {
        return problem(&error);
    }
    HttpResponse::Ok().json(json!({ "alive": true }))
}

/// Signing takes milliseconds, and a disk may take longer: neither is for the thread that serves everybody.
async fn on_a_thread<T: Send + 'static>(
    desk: Desk,
    work: impl FnOnce(&mut Signs) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    web::block(move || work(&mut lock(&desk))).await.map_err(|_| Problem::Stopping)?
}

/// Whoever was turned away at the door may have asked before that was said: nothing is done for it.
fn placed(request: &HttpRequest) -> Result<(), Problem> {
    request.conn_data::<Place>().map(drop).ok_or(Problem::Crowded)
}

/// A number of a path, in its one spelling.
fn number<T: std::str::FromStr + std::fmt::Display>(text: &str) -> Result<T, Problem> {
    text.parse().ok().filter(|number: &T| number.to_string() == text).ok_or(Problem::Path)
}

fn code(request: &HttpRequest) -> Result<String, Problem> {
    let value = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let code = value.and_then(|value| value.strip_prefix("Bearer ")).filter(|code| !code.is_empty());
    Ok(code.ok_or(IssuerError::NoCode)?.to_owned())
}

async fn read(body: Payload) -> Result<web::Bytes, Problem> {
    match timeout(REQUEST_TIME, body.to_bytes_limited(MAX_BODY_BYTES)).await {
        Ok(Ok(Ok(bytes))) => Ok(bytes),
        Ok(Ok(Err(_))) | Err(_) => Err(Problem::NoBody),
        Ok(Err(_)) => Err(Problem::TooLong),
    }
}

fn signature(signed: Result<[u8; limits::RSA_BYTES], Problem>) -> HttpResponse {
    match signed {
        Ok(signature) => HttpResponse::Ok()
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .content_type("application/octet-stream")
            .body(signature.to_vec()),
        Err(error) => problem(&error),
    }
}
