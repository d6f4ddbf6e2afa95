//! Bodies of requests that come in time, and of answers that count while they are in memory.

use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::{
    error::Error,
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Sleep, sleep},
};

/// The body of a request that has to be there after a time, however it trickles.
pub(super) struct Punctual<B> {
    body: B,
    late: Pin<Box<Sleep>>,
}

impl<B> Punctual<B> {
    pub(super) fn new(body: B, within: Duration) -> Self {
        Self { body, late: Box::pin(sleep(within)) }
    }
}

impl<B> Body for Punctual<B>
where
    B: Body<Data = Bytes, Error: Error + Send + Sync + 'static> + Unpin,
{
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.late.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::TimedOut).into())));
        }
        Pin::new(&mut self.body).poll_frame(cx).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer, whose bytes count until they are written.
pub(super) struct Held<B> {
    pub(super) body: B,
    pub(super) room: Option<OwnedSemaphorePermit>,
}

/// Bytes with their room.
struct Counted(Bytes, #[expect(dead_code, reason = "it is held, not read")] OwnedSemaphorePermit);

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Held<B> {
    type Data = Bytes;
    type Error = B::Error;

    /// An answer is one frame, and whoever writes it may drop the body long before its bytes.
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        let mut room = self.room.take_if(|_| matches!(frame, Poll::Ready(Some(Ok(_)))));
        let hold = |bytes| match room.take() {
            Some(room) => Bytes::from_owner(Counted(bytes, room)),
            None => bytes,
        };
        frame.map_ok(|frame| frame.map_data(hold))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
