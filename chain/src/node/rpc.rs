//! A node's JSON-RPC over HTTP and WebSocket (JSON-RPC 2.0), and its OpenRPC document.
//!
//! One table names every method with its parameters, its result and what runs it: [`table::METHODS`]. The server is made
//! of it, and so is the document that `rpc.discover` gives, so that neither drifts from the other.

mod args;
mod blocks;
mod epochs;
mod error;
mod openrpc;
mod records;
mod subscriptions;
mod table;

pub use error::codes;

use super::{producer::Submission, shared::Shared};
use crate::block::MAX_BLOCK_BYTES;
use args::Args;
use error::Failure;
use jsonrpsee::{
    RpcModule,
    core::RegisterMethodError,
    server::{BatchRequestConfig, PingConfig, Server, ServerConfig, ServerHandle},
    types::ErrorObjectOwned,
};
use serde_json::Value;
use std::{
    io,
    net::SocketAddr,
    sync::{Arc, mpsc::SyncSender},
    time::Duration,
};
use table::{METHODS, Run, SUBSCRIPTIONS};

/// Longest request: a transaction as long as a block, in hexadecimal digits, and what is around it.
pub const MAX_REQUEST_BYTES: u32 = (2 * MAX_BLOCK_BYTES + (64 << 10)) as u32;
/// Longest answer: a block in hexadecimal digits and what is around it, or the public record of an epoch of some size.
pub const MAX_RESPONSE_BYTES: u32 = 32 << 20;
/// Most calls of one request.
pub const MAX_BATCH: u32 = 32;
/// Most subscriptions of one connection.
pub const MAX_SUBSCRIPTIONS: u32 = 64;
/// Messages that wait for a slow reader before its connection is held up.
const MAX_UNREAD: u32 = 256;
/// A connection that is silent for longer than this, pings included, is closed.
const SILENCE: Duration = Duration::from_secs(60);

const _: () = assert!(MAX_REQUEST_BYTES < MAX_RESPONSE_BYTES, "what can be submitted can be shown again");

/// What methods know.
pub(super) struct Service {
    /// What the node shows.
    pub(super) shared: Arc<Shared>,
    /// Where transactions go; a full node has no such place.
    pub(super) submissions: Option<SyncSender<Submission>>,
    /// Where to submit instead.
    pub(super) sequencer: Option<String>,
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
) -> Result<(SocketAddr, ServerHandle), ServeError> {
    let config = ServerConfig::builder()
        .max_request_body_size(MAX_REQUEST_BYTES)
        .max_response_body_size(MAX_RESPONSE_BYTES)
        .max_connections(max_connections)
        .max_subscriptions_per_connection(MAX_SUBSCRIPTIONS)
        .set_batch_request_config(BatchRequestConfig::Limit(MAX_BATCH))
        .set_message_buffer_capacity(MAX_UNREAD)
        .enable_ws_ping(PingConfig::new().ping_interval(SILENCE / 2).inactive_limit(SILENCE))
        .build();
    let module = module(service)?;
    let failed = |error| ServeError::Listen { address, error };
    let server = Server::builder().set_config(config).build(address).await.map_err(failed)?;
    let bound = server.local_addr().map_err(failed)?;
    Ok((bound, server.start(module)))
}

fn module(service: Service) -> Result<RpcModule<Service>, RegisterMethodError> {
    let mut module = RpcModule::new(service);
    for method in METHODS {
        match method.run {
            Run::Read(read) => {
                // On a thread of its own: proofs and records of epochs take a while, and must not hold the others up.
                module.register_blocking_method(method.name, move |params, service, _| {
                    let args = Args::parse(method.params, params.as_str())?;
                    Ok::<Value, ErrorObjectOwned>(read(&service, &args)?)
                })?;
            }
            Run::Submit => {
                module.register_async_method(method.name, move |params, service, _| async move {
                    let args = Args::parse(method.params, params.as_str())?;
                    Ok::<Value, ErrorObjectOwned>(blocks::submit(&service, &args).await?)
                })?;
            }
        }
    }
    subscriptions::register(&mut module)?;
    debug_assert!(!SUBSCRIPTIONS.is_empty());
    Ok(module)
}
