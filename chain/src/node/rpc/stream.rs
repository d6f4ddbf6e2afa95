//! A socket that does not wait for ever.

use super::sockets::Counted;
use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::OwnedSemaphorePermit,
    time::{Instant, Sleep, sleep},
};

/// How long a node waits for whoever is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For the head of a request, or for its whole body: that of the longest request comes in time at 3.5 Mbit/s.
    pub request: Duration,
    /// While nothing is read or written. Whoever is connected by WebSocket answers pings, three in this time.
    pub silence: Duration,
    /// While there is something to write and the other side takes nothing.
    pub stall: Duration,
}

impl Default for Patience {
    /// The silence is longer than a client waits for the answer to a call that takes long.
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { request: seconds(60), silence: seconds(90), stall: seconds(30) }
    }
}

/// A place among all sockets, and among those of its address.
pub(super) type Place = (OwnedSemaphorePermit, Counted);

/// A socket that ends once it was silent for too long, or took nothing of what was to be written. It holds a place among
/// the node's sockets for as long as it lives, whatever is spoken over it.
pub(super) struct Watched<S> {
    socket: S,
    patience: Patience,
    /// When it has been silent for too long.
    silent: Pin<Box<Sleep>>,
    /// When it has taken nothing for too long, while something waits to be written.
    stalled: Option<Pin<Box<Sleep>>>,
    _place: Place,
}

impl<S> Watched<S> {
    pub(super) fn new(socket: S, patience: Patience, place: Place) -> Self {
        Self { socket, patience, silent: Box::pin(sleep(patience.silence)), stalled: None, _place: place }
    }

    fn is_alive(&mut self) {
        self.silent.as_mut().reset(Instant::now() + self.patience.silence);
    }

    fn wrote(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            self.is_alive();
            return written;
        }
        let stall = self.patience.stall;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(stall)));
        if stalled.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.socket).poll_read(cx, buffer);
        if read.is_ready() {
            self.is_alive();
        } else if self.silent.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.wrote(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, parts);
        self.wrote(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
