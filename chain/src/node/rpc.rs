//! A node's JSON-RPC over HTTP and WebSocket (JSON-RPC 2.0), and its OpenRPC document.
//!
//! One table names every method with its parameters, its result and what runs it: `table::METHODS`. The server is made
//! of it, and so is the document that `rpc.discover` gives, so that neither drifts from the other.

mod args;
mod blocks;
mod body;
mod discovery;
mod epochs;
mod error;
mod governance;
mod keys;
mod openrpc;
mod payouts;
mod records;
mod sockets;
mod stream;
mod subscriptions;
mod table;
mod websocket;

pub use error::codes;
pub use governance::action_object;
pub(super) use payouts::Payouts;
pub use stream::Patience;
pub use websocket::MAX_CALLS;

use super::{producer::Submission, shared::Shared};
use crate::block::MAX_BLOCK_BYTES;
use args::Args;
use error::Failure;
use jsonrpsee::{
    RpcModule,
    core::RegisterMethodError,
    server::{BatchRequestConfig, ServerHandle, stop_channel},
    types::ErrorObjectOwned,
};
use primitives::Digest;
use serde_json::Value;
use std::{
    io,
    net::SocketAddr,
    sync::{Arc, mpsc::SyncSender},
};
use table::{METHODS, Run};
use tokio::{net::TcpListener, sync::Semaphore, task::spawn_blocking};

/// Longest request: a transaction as long as a block, in hexadecimal digits, and what is around it.
pub const MAX_REQUEST_BYTES: u32 = (2 * MAX_BLOCK_BYTES + (64 << 10)) as u32;
/// Longest answer: the longest block in hexadecimal digits and what is around it, or the public record of an epoch.
pub const MAX_RESPONSE_BYTES: u32 = (2 * MAX_BLOCK_BYTES + (1 << 20)) as u32;
/// Most calls of one request. Several in one are for HTTP: a WebSocket takes calls while others are under way anyway.
pub const MAX_BATCH: u32 = 32;
/// The same.
const BATCHES: BatchRequestConfig = BatchRequestConfig::Limit(MAX_BATCH);
/// Most subscriptions of one connection.
pub const MAX_SUBSCRIPTIONS: u32 = 64;
/// Calls that read at once, of all connections. The others wait without a thread, and those whose caller left are gone.
const MAX_READING: usize = super::run::READING_THREADS;

const _: () = assert!(MAX_REQUEST_BYTES < MAX_RESPONSE_BYTES, "what can be submitted can be shown again");

/// What methods know.
pub(super) struct Service {
    /// What the node shows.
    pub(super) shared: Arc<Shared>,
    /// Where transactions go; a full node has no such place.
    pub(super) submissions: Option<SyncSender<Submission>>,
    /// Where to submit instead.
    pub(super) sequencer: Option<String>,
    /// What epochs pay.
    pub(super) payouts: Payouts,
    /// What this run of the node is known by.
    pub(super) instance: Digest,
}

/// Why the server cannot be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address is taken, or is none of this machine.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// Two methods have one name.
    #[error(transparent)]
    Methods(#[from] RegisterMethodError),
}

/// Starts to answer, and says where.
pub(super) async fn serve(
    service: Service,
    address: SocketAddr,
    max_connections: u32,
    patience: Patience,
) -> Result<(SocketAddr, ServerHandle), ServeError> {
    let service = Arc::new(service);
    // One set of turns: who comes both ways has no more of them.
    let turns = Turns { reading: Arc::new(Semaphore::new(MAX_READING)), long: Arc::new(Semaphore::new(1)) };
    let over = |transport| module(service.clone(), transport, &turns);
    let [http, websocket] = [Transport::Http, Transport::WebSocket].map(over);
    let methods = [http?.into(), websocket?.into()];
    let failed = |error| ServeError::Listen { address, error };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    let (stop, handle) = stop_channel();
    tokio::spawn(sockets::listen(listener, methods, max_connections, patience, stop));
    Ok((bound, handle))
}

/// Turns of those who read. What takes long has one of them, and so the others always have theirs.
struct Turns {
    reading: Arc<Semaphore>,
    long: Arc<Semaphore>,
}

/// What calls come over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transport {
    Http,
    WebSocket,
}

fn module(
    service: Arc<Service>,
    over: Transport,
    turns: &Turns,
) -> Result<RpcModule<Service>, RegisterMethodError> {
    let mut module = RpcModule::from_arc(service);
    for method in METHODS {
        match method.run {
            Run::Read(read) | Run::ReadLong(read) => {
                let long = matches!(method.run, Run::ReadLong(_)).then(|| turns.long.clone());
                let turns = turns.reading.clone();
                module.register_async_method(method.name, move |params, service, _| {
                    let (long, turns) = (long.clone(), turns.clone());
                    async move {
                        let args = Args::parse(method.params, params.as_str())?;
                        let long = match long {
                            Some(long) => Some(long.acquire_owned().await.map_err(|_| Failure::busy())?),
                            None => None,
                        };
                        let turn = turns.acquire_owned().await.map_err(|_| Failure::busy())?;
                        // On a thread of its own: proofs and records of epochs take a while, and must not hold the
                        // others up. Its turn ends with it, even if the caller left before.
                        let read = spawn_blocking(move || {
                            let _turns = (long, turn);
                            read(&service, &args)
                        });
                        Ok::<Value, ErrorObjectOwned>(read.await.map_err(|_| Failure::busy())??)
                    }
                })?;
            }
            Run::Submit => {
                let turns = turns.reading.clone();
                module.register_async_method(method.name, move |params, service, _| {
                    let turns = turns.clone();
                    async move {
                        let args = Args::parse(method.params, params.as_str())?;
                        Ok::<Value, ErrorObjectOwned>(blocks::submit(service, &args, turns).await?)
                    }
                })?;
            }
        }
    }
    match over {
        Transport::WebSocket => subscriptions::register(&mut module)?,
        Transport::Http => subscriptions::refuse(&mut module)?,
    }
    Ok(module)
}
