//! A party's HTTP API: what devices, issuers, nodes and readers ask of it.
//!
//! | Module | What it does |
//! |---|---|
//! | [`desk`] | what stands behind the API: the party's process, as a trait |
//! | [`receipt`] | provisional receipts |
//! | [`edition`] | what an epoch opened with, as it is served |
//! | [`limits`] | what clients may cost |
//! | `table`, `schema`, `openapi` | routes and answers in one table, and the OpenAPI document made of it |
//! | `door`, `submit`, `answer`, `body`, `problem` | connections, bundles, all other routes, long bodies, errors |
//!
//! # What is not kept
//!
//! Whoever sees which address handed in which bundle can tell what a subscriber watched from what is published. So the API
//! writes no line for a request, its numbers have no label that a client chose, and the desk never gets an address.
//! Addresses are counted in memory while their connections last. The API speaks plain HTTP: a proxy in front of it that
//! speaks TLS sees addresses and bundles together, and must log neither.

mod answer;
mod body;
pub mod desk;
pub(crate) mod door;
pub mod edition;
pub mod limits;
mod openapi;
mod problem;
pub mod receipt;
mod schema;
mod submit;
mod table;

pub use desk::{Busy, Desk, EpochInfo, Outcome, PART_BYTES, Statements, Status, Submission};
pub use edition::Edition;
pub use limits::Limits;
pub use receipt::Receipt;

use actix_web::{
    App, HttpServer,
    dev::{Extensions, ServerHandle},
    guard,
    rt::{System, net::TcpStream},
    web,
};
use answer::json;
use door::Door;
use std::{
    any::Any,
    io,
    net::{SocketAddr, TcpListener},
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
};
use table::{Method, ROUTES};
use thiserror::Error;
use tokio::sync::Semaphore;
use tracing::info;

/// Threads that serve clients. A bundle takes a thread a millisecond or so to read; proofs are checked elsewhere.
const WORKERS: usize = 2;
/// Threads of each of them that wait for a disk.
const DISK_THREADS: usize = 4;

/// Why the API does not serve.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ApiError {
    /// A limit lets nobody in.
    #[error(
        "the limit `{limit}` of the API is 0, so nobody would be served; leave it out or set it to 1 or more"
    )]
    Limit {
        /// Which.
        limit: &'static str,
    },
    /// The address cannot be listened on.
    #[error(
        "the API cannot listen on {address}: {source}; choose another address, or stop what listens there"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The server's thread did not start.
    #[error("the API's threads do not start: {0}")]
    Start(io::Error),
    /// The server ended badly.
    #[error("the API's server ended badly: {0}")]
    Server(io::Error),
    /// The server's thread panicked.
    #[error("the API's thread panicked; what it printed says why")]
    Panicked,
}

/// What every request needs.
struct Service {
    desk: Arc<dyn Desk>,
    limits: Limits,
    /// Room for bundles that are being read or waited for.
    submissions: Semaphore,
}

/// An API that serves. It is stopped when this is dropped, and [`Serving::stop`] says how that went.
pub struct Serving {
    address: SocketAddr,
    handle: ServerHandle,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Serving {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, finishes the requests in hand, for [`Limits::farewell`] at most, and closes. Waits until
    /// that is done: not to be called where something else has to go on.
    ///
    /// # Errors
    /// If the server had ended badly before.
    pub fn stop(mut self) -> Result<(), ApiError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), ApiError> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        // The word is given at once; what is dropped would only wait for what the thread's end says too.
        drop(self.handle.stop(true));
        let ended = thread.join().map_err(|_| ApiError::Panicked)?.map_err(ApiError::Server);
        info!(address = %self.address, "the API has stopped");
        ended
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // There is nobody to be told.
        drop(self.end());
    }
}

/// Serves a desk on an address, on threads of its own. Port 0 takes any that is free.
///
/// # Errors
/// If a limit is 0, the address cannot be listened on, or no thread can be had.
pub fn serve(listen: SocketAddr, desk: Arc<dyn Desk>, limits: Limits) -> Result<Serving, ApiError> {
    limits.check()?;
    let failed = |source| ApiError::Listen { address: listen, source };
    let listener = TcpListener::bind(listen).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let (started, handle) = mpsc::channel();
    let serve = move || {
        System::new().block_on(async move {
            let server = server(listener, desk, limits)?;
            // Whoever started this waits for exactly this.
            drop(started.send(server.handle()));
            server.await
        })
    };
    let thread = thread::Builder::new().name("api".into()).spawn(serve).map_err(ApiError::Start)?;
    match handle.recv() {
        Ok(handle) => {
            info!(%address, "the API serves");
            Ok(Serving { address, handle, thread: Some(thread) })
        }
        // The thread ended before it served: it says why.
        Err(_) => match thread.join() {
            Ok(ended) => Err(ended.map_or_else(ApiError::Start, |()| ApiError::Panicked)),
            Err(_) => Err(ApiError::Panicked),
        },
    }
}

fn server(listener: TcpListener, desk: Arc<dyn Desk>, limits: Limits) -> io::Result<actix_web::dev::Server> {
    let door = Arc::new(Door::new(limits.clone(), Some(desk.clone())));
    let submissions = Semaphore::new(limits.submissions);
    let service = Arc::new(Service { desk, limits: limits.clone(), submissions });
    let app = move || {
        App::new()
            .app_data(web::Data::from(service.clone()))
            .configure(routes)
            .default_service(web::to(answer::no_route))
    };
    let enter = move |socket: &dyn Any, data: &mut Extensions| {
        // It is always one: this server listens on nothing else.
        if let Some(place) = socket.downcast_ref::<TcpStream>().and_then(|socket| door.enter(socket)) {
            data.insert(place);
        }
    };
    let server = HttpServer::new(app)
        .workers(WORKERS)
        .worker_max_blocking_threads(DISK_THREADS)
        // The door counts them. This only stops a flood that the door is too slow to turn away.
        .max_connections(2 * limits.connections)
        .client_request_timeout(limits.head)
        .keep_alive(limits.idle)
        .shutdown_timeout(limits.farewell.as_secs().max(1))
        .disable_signals()
        .on_connect(enter)
        .listen(listener)?;
    Ok(server.run())
}

/// Every route of the table.
fn routes(config: &mut web::ServiceConfig) {
    for route in ROUTES {
        let asked = match route.method {
            Method::Get => web::route().guard(guard::Any(guard::Get()).or(guard::Head())),
            Method::Post => web::post(),
        };
        let answer = move |request, body, service| answer::answer(route, request, body, service);
        let other = move |request, service| answer::other_method(route, request, service);
        config.service(web::resource(route.path).route(asked.to(answer)).default_service(web::to(other)));
    }
}
