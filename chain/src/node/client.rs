//! A client of a node: what a full node follows by, and what the command asks.

use jsonrpsee::{
    client_transport::ws::{Url, WsHandshakeError, WsTransportClientBuilder},
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
/// News of a subscription that wait to be taken. One who lags further behind has lost the subscription, and subscribes
/// again.
const NEWS: usize = 16;
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
        let unreachable = |error| ClientError::Unreachable { url: url.into(), reason: unconnected(&error) };
        let client = runtime.block_on(async {
            let transport = WsTransportClientBuilder::default()
                .connection_timeout(CONNECTING)
                .max_response_size(MAX_RESPONSE_BYTES)
                .max_request_size(MAX_RESPONSE_BYTES);
            let (sender, receiver) = transport.build(address).await.map_err(unreachable)?;
            Ok(ClientBuilder::new()
                .request_timeout(PATIENCE)
                .max_buffer_capacity_per_subscription(NEWS)
                .build_with_tokio(sender, receiver))
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
        Ok(Stream { subscription, over: false, of: self })
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
            error => ClientError::Unreachable { url, reason: lost(&error) },
        }
    }
}

/// What answers, if it is no node.
const NO_NODE: &str = "what answers there does not speak as a node does";
/// Why nothing more comes.
const CLOSED: &str = "the connection was closed";

/// Why there is no connection, in words for people: the library's are about itself.
fn unconnected(error: &WsHandshakeError) -> String {
    match error {
        WsHandshakeError::Io(error) | WsHandshakeError::ResolutionFailed(error) => error.to_string(),
        WsHandshakeError::NoAddressFound(host) => format!("{host} has no address"),
        WsHandshakeError::Timeout(patience) => format!("no connection within {} seconds", patience.as_secs()),
        WsHandshakeError::Transport(soketto::handshake::Error::Io(_)) => CLOSED.into(),
        _ => NO_NODE.into(),
    }
}

/// Why a connection that stood gave no answer, in the same words.
fn lost(error: &Error) -> String {
    match error {
        Error::RequestTimeout => format!("no answer within {} seconds", PATIENCE.as_secs()),
        Error::Transport(_) | Error::RestartNeeded(_) | Error::ServiceDisconnect => CLOSED.into(),
        _ => NO_NODE.into(),
    }
}

/// What a subscription brings.
pub struct Stream<'a> {
    subscription: Subscription<Value>,
    over: bool,
    of: &'a NodeClient,
}

impl Stream<'_> {
    /// The next item, if one comes in time.
    pub fn next(&mut self, patience: Duration) -> Option<Value> {
        let next = async { tokio::time::timeout(patience, self.subscription.next()).await };
        let next = self.of.runtime.block_on(next).ok()?;
        self.over = next.is_none();
        next?.ok()
    }

    /// Whether nothing comes any more: the other side ended it, the connection is gone, or too much was not taken.
    pub fn is_over(&self) -> bool {
        self.over
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{Read, Write},
        net::TcpListener,
        thread,
    };

    /// What is said of somebody who answers one connection with these bytes, and hangs up.
    fn said(answer: &'static [u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
        let url = format!("ws://{}", listener.local_addr().expect("an address"));
        let answering = thread::spawn(move || {
            let (mut socket, _) = listener.accept().expect("it connects");
            drop(socket.read(&mut [0; 1024]).and_then(|_| socket.write_all(answer)));
        });
        let failed = NodeClient::connect(&url).map(|_| ());
        answering.join().expect("no panic");
        match failed {
            Err(ClientError::Unreachable { reason, .. }) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn who_is_no_node_is_said_in_words_for_people() {
        assert_eq!(said(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"), NO_NODE);
        assert_eq!(said(b""), CLOSED);
        assert_eq!(lost(&Error::RestartNeeded(Error::ServiceDisconnect.into())), CLOSED);
        assert_eq!(lost(&Error::RequestTimeout), "no answer within 60 seconds");
        assert_eq!(lost(&Error::InvalidSubscriptionId), NO_NODE);
    }
}
