//! A client of a node: what a full node follows by, and what the command asks.

use jsonrpsee::{
    client_transport::ws::{Url, WsTransportClientBuilder},
    core::{
        client::{Client, ClientBuilder, ClientT, Error, Subscription, SubscriptionClientT},
        params::ArrayParams,
    },
};
use serde_json::Value;
use std::time::Duration;
use thiserror::Error;
use tokio::runtime::{Builder, Runtime};

use super::rpc::MAX_RESPONSE_BYTES;

/// How long an answer may take. A submission waits for the transactions before it, some of which take seconds to check.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a connection may take.
const CONNECTING: Duration = Duration::from_secs(5);

/// Why a node cannot be asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No address of a node.
    #[error("{given:?} is no address of a node: expected one such as ws://127.0.0.1:4300")]
    BadUrl {
        /// What was given.
        given: String,
    },
    /// Nobody answers there.
    #[error("{url} does not answer: {reason}")]
    Unreachable {
        /// Where.
        url: String,
        /// Why.
        reason: String,
    },
    /// The node refuses.
    #[error("{url} refuses {method}: {message}")]
    Refused {
        /// Where.
        url: String,
        /// What was asked.
        method: String,
        /// Code of the error.
        code: i32,
        /// Its message.
        message: String,
        /// Its data.
        data: Option<Value>,
    },
    /// The answer is none.
    #[error("{url} gives no proper answer to {method}: {reason}")]
    Answer {
        /// Where.
        url: String,
        /// What was asked.
        method: String,
        /// What is wrong.
        reason: String,
    },
    /// The runtime cannot be started.
    #[error("the runtime of the network cannot be started: {0}")]
    Runtime(std::io::Error),
}

/// A connection to a node.
pub struct NodeClient {
    client: Client,
    runtime: Runtime,
    url: String,
}

impl NodeClient {
    /// Connects. Addresses of HTTP and of WebSocket name the same node.
    ///
    /// Errors: [`ClientError::BadUrl`], [`ClientError::Unreachable`], [`ClientError::Runtime`].
    pub fn connect(url: &str) -> Result<Self, ClientError> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(ClientError::Runtime)?;
        let address = check_url(url)?;
        let unreachable =
            |error: &dyn ToString| ClientError::Unreachable { url: url.into(), reason: error.to_string() };
        let client = runtime.block_on(async {
            let transport = WsTransportClientBuilder::default()
                .connection_timeout(CONNECTING)
                .max_response_size(MAX_RESPONSE_BYTES)
                .max_request_size(MAX_RESPONSE_BYTES);
            let (sender, receiver) = transport.build(address).await.map_err(|error| unreachable(&error))?;
            Ok(ClientBuilder::new().request_timeout(PATIENCE).build_with_tokio(sender, receiver))
        })?;
        Ok(Self { client, runtime, url: url.into() })
    }

    /// Asks.
    ///
    /// Errors: [`ClientError::Unreachable`], [`ClientError::Refused`], [`ClientError::Answer`].
    pub fn call(&self, method: &str, arguments: &[Value]) -> Result<Value, ClientError> {
        let answer = self.runtime.block_on(self.client.request(method, array(arguments)));
        answer.map_err(|error| self.failed(method, error))
    }

    /// Subscribes.
    ///
    /// Errors: those of [`Self::call`].
    pub fn subscribe(
        &self,
        [method, unsubscribe]: [&str; 2],
        arguments: &[Value],
    ) -> Result<Stream<'_>, ClientError> {
        let subscribed = self.client.subscribe(method, array(arguments), unsubscribe);
        let subscription = self.runtime.block_on(subscribed).map_err(|error| self.failed(method, error))?;
        Ok(Stream { subscription, of: self })
    }

    /// Whether the connection stands.
    pub fn is_connected(&self) -> bool {
        self.client.is_connected()
    }

    fn failed(&self, method: &str, error: Error) -> ClientError {
        let (url, method) = (self.url.clone(), method.to_owned());
        match error {
            Error::Call(error) => {
                let data = error.data().and_then(|data| serde_json::from_str(data.get()).ok());
                let (code, message) = (error.code(), error.message().into());
                ClientError::Refused { url, method, code, message, data }
            }
            Error::ParseError(error) => ClientError::Answer { url, method, reason: error.to_string() },
            error => ClientError::Unreachable { url, reason: error.to_string() },
        }
    }
}

/// What a subscription brings.
pub struct Stream<'a> {
    subscription: Subscription<Value>,
    of: &'a NodeClient,
}

impl Stream<'_> {
    /// The next item, if one comes in time.
    pub fn next(&mut self, patience: Duration) -> Option<Value> {
        let next = async { tokio::time::timeout(patience, self.subscription.next()).await };
        self.of.runtime.block_on(next).ok()??.ok()
    }
}

/// Checks an address without asking it.
///
/// Errors: [`ClientError::BadUrl`].
pub fn check_url(url: &str) -> Result<Url, ClientError> {
    let spelled = url.strip_prefix("http://").map_or_else(|| url.into(), |rest| format!("ws://{rest}"));
    let address = Url::parse(&spelled).ok().filter(|url| url.scheme() == "ws" && url.has_host());
    address.ok_or_else(|| ClientError::BadUrl { given: url.into() })
}

fn array(arguments: &[Value]) -> ArrayParams {
    let mut params = ArrayParams::new();
    for argument in arguments {
        params.insert(argument).expect("a value is JSON already");
    }
    params
}
