//! JSON-RPC over a WebSocket: calls, their answers, and what subscriptions bring.
//!
//! The next message is read only while few calls are without an answer that was taken. So whoever asks faster than they
//! read is not heard until they have read, and holds no more than a few answers in memory.

use super::{
    MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES, MAX_SUBSCRIPTIONS,
    args::Args,
    error::Failure,
    sockets::Room,
    stream::Patience,
    table::{SUBSCRIPTIONS, UNSUBSCRIBE},
};
use hyper_util::rt::TokioIo;
use jsonrpsee::{
    core::server::helpers::prepare_error,
    server::{MethodResponse, Methods, StopHandle},
    types::{
        ErrorObject, ErrorObjectOwned, Id, Notification, Request,
        error::{ErrorCode, reject_too_many_subscriptions},
    },
};
use serde_json::{json, value::RawValue};
use soketto::{Incoming, data::ByteSlice125, handshake::http::Server as Handshake};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::BufStream,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::JoinSet,
    time::{interval, timeout},
};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

/// Calls of one connection without an answer that was taken. Beyond these nothing more is read from it.
pub const MAX_CALLS: usize = 8;
/// News of one subscription that wait for a slow reader, beside those that wait for all readers.
const NEWS: usize = 16;
/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

type Socket = Compat<BufStream<TokioIo<hyper::upgrade::Upgraded>>>;

/// Something to write, and what it holds until it is written.
struct Outgoing {
    text: Box<RawValue>,
    _held: Option<Held>,
}

/// What a call holds until its answer was taken.
struct Held {
    _call: OwnedSemaphorePermit,
    _request: OwnedSemaphorePermit,
    _room: Option<OwnedSemaphorePermit>,
}

/// What the calls of a connection share.
struct Connection {
    methods: Methods,
    room: Room,
    out: mpsc::Sender<Outgoing>,
    subscriptions: Arc<Semaphore>,
}

/// Answers until the other side leaves, does not answer pings or takes nothing, or the node stops.
pub(super) async fn speak(
    socket: TokioIo<hyper::upgrade::Upgraded>,
    handshake: Handshake,
    methods: Methods,
    room: Room,
    patience: Patience,
    stop: StopHandle,
) {
    let mut builder = handshake.into_builder(BufStream::new(socket).compat());
    builder.set_max_message_size(MAX_REQUEST_BYTES as usize);
    builder.set_max_frame_size(MAX_REQUEST_BYTES as usize);
    let (sender, mut receiver) = builder.finish();
    let (out, outgoing) = mpsc::channel(MAX_CALLS);
    let writer = tokio::spawn(write(sender, outgoing, patience));
    let subscriptions = Arc::new(Semaphore::new(MAX_SUBSCRIPTIONS as usize));
    let connection = Arc::new(Connection { methods, room, out, subscriptions });
    let calls = Arc::new(Semaphore::new(MAX_CALLS));
    // Those who send the longest request have one of them in memory.
    let requests = Arc::new(Semaphore::new(MAX_REQUEST_BYTES as usize));
    let mut running = JoinSet::new();
    let stopped = stop.shutdown();
    tokio::pin!(stopped);
    let mut told = false;
    loop {
        while running.try_join_next().is_some() {}
        let mut message = Vec::new();
        let next = async {
            let call = calls.clone().acquire_owned().await.ok()?;
            loop {
                // A pong ends it as well as a message: who answers pings stays, and a message is whole in time.
                match timeout(patience.silence, receiver.receive(&mut message)).await.ok()?.ok()? {
                    Incoming::Data(_) => break,
                    Incoming::Pong(_) => {}
                    Incoming::Closed(_) => return None,
                }
            }
            let bytes = u32::try_from(message.len()).ok()?;
            Some((call, requests.clone().acquire_many_owned(bytes).await.ok()?))
        };
        let held = tokio::select! {
            next = next => next,
            () = connection.out.closed() => None,
            () = &mut stopped => {
                told = true;
                None
            }
        };
        let Some((call, request)) = held else { break };
        running.spawn(connection.clone().answer(message, call, request));
    }
    if told {
        // What was asked is answered, if the answers are taken.
        drop(timeout(patience.stall, calls.acquire_many(MAX_CALLS as u32)).await);
    }
    // Nobody reads what is still under way.
    drop((running, connection));
    drop(writer.await);
}

/// Writes what comes, and pings.
async fn write(
    mut sender: soketto::Sender<Socket>,
    mut outgoing: mpsc::Receiver<Outgoing>,
    patience: Patience,
) {
    let mut pings = interval(patience.silence / 3);
    loop {
        let written = tokio::select! {
            next = outgoing.recv() => {
                let Some(Outgoing { text, _held }) = next else { break };
                let sent = async {
                    sender.send_text_owned(String::from(Box::<str>::from(text))).await?;
                    sender.flush().await
                };
                sent.await
            }
            _ = pings.tick() => {
                let sent = async {
                    let nothing: &[u8] = &[];
                    sender.send_ping(ByteSlice125::try_from(nothing).expect("it is empty")).await?;
                    sender.flush().await
                };
                sent.await
            }
        };
        if written.is_err() {
            break;
        }
    }
    // What is still to come is dropped, with all that it holds.
    drop(outgoing);
    drop(timeout(GOODBYE, sender.close()).await);
}

impl Connection {
    async fn answer(
        self: Arc<Self>,
        message: Vec<u8>,
        call: OwnedSemaphorePermit,
        request: OwnedSemaphorePermit,
    ) {
        let Some((mut text, news)) = self.call(&message).await else { return };
        let room = match self.room.take(text.get().len()) {
            Ok(room) if text.get().len() <= MAX_RESPONSE_BYTES as usize => room,
            _ => {
                text = error(prepare_error(&message).0, ErrorObjectOwned::from(Failure::busy()));
                None
            }
        };
        drop(message);
        let held = Held { _call: call, _request: request, _room: room };
        // They are all gone if the connection is.
        if self.out.send(Outgoing { text, _held: Some(held) }).await.is_err() {
            return;
        }
        let Some((mut news, _subscription)) = news else { return };
        while let Some(text) = news.recv().await {
            if self.out.send(Outgoing { text, _held: None }).await.is_err() {
                return;
            }
        }
    }

    /// Calls, and gives the answer and what a subscription brings. What wants no answer has none.
    async fn call(&self, message: &[u8]) -> Option<(Box<RawValue>, Option<(News, OwnedSemaphorePermit)>)> {
        if message.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
            return Some((error(Id::Null, ErrorObjectOwned::from(Failure::no_batches())), None));
        }
        let wrong = || {
            let (id, code) = prepare_error(message);
            Some((error(id, ErrorObject::from(code)), None))
        };
        let Ok(text) = std::str::from_utf8(message) else { return wrong() };
        let Ok(request) = serde_json::from_str::<Request<'_>>(text) else {
            let wants_none = serde_json::from_str::<Notification<'_, Option<&RawValue>>>(text).is_ok();
            return if wants_none { None } else { wrong() };
        };
        let mut subscription = None;
        if SUBSCRIPTIONS.iter().any(|subscription| subscription.name == request.method) {
            subscription = self.subscriptions.clone().try_acquire_owned().ok();
            if subscription.is_none() {
                let refused = reject_too_many_subscriptions(MAX_SUBSCRIPTIONS);
                return Some((error(request.id, refused), None));
            }
        }
        if SUBSCRIPTIONS.iter().any(|subscription| subscription.unsubscribe == request.method) {
            return Some((self.unsubscribe(request).await, None));
        }
        drop(request);
        match self.methods.raw_json_request(text, NEWS).await {
            Ok((answer, news)) => Some((answer, subscription.map(|subscription| (news, subscription)))),
            Err(_) => wrong(),
        }
    }

    /// Ends a subscription. The library reads its parameter in order alone, and answers `false` to whatever it does not
    /// understand: who meant to end one would go on being told.
    async fn unsubscribe(&self, request: Request<'_>) -> Box<RawValue> {
        let given = request.params.as_deref().map(RawValue::get);
        let args = Args::parse(UNSUBSCRIBE, given);
        let call = args.and_then(|args| {
            let id = args.subscription(0)?;
            Ok(json!({ "jsonrpc": "2.0", "id": request.id, "method": request.method, "params": [id] }))
        });
        let call = match call {
            Ok(call) => call.to_string(),
            Err(failure) => return error(request.id, ErrorObjectOwned::from(failure)),
        };
        match self.methods.raw_json_request(&call, NEWS).await {
            Ok((answer, _)) => answer,
            Err(_) => error(request.id, ErrorObject::from(ErrorCode::InternalError)),
        }
    }
}

type News = mpsc::Receiver<Box<RawValue>>;

fn error<'a>(id: Id<'a>, error: impl Into<ErrorObject<'a>>) -> Box<RawValue> {
    MethodResponse::error(id, error).into_json()
}
