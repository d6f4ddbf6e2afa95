//! One connection at work: reads, writes, and ends when the other end is silent or another connection took its place.

use super::{
    event::{Breach, Loss},
    frame::{self, Frame, FrameError, Parting},
    limits::{CHUNK, LINGER, MAX_BODY, Timing},
    peer::{Outgoing, Peer, Ticket},
};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, BufWriter},
    sync::watch,
    task::yield_now,
    time::{sleep, sleep_until},
};

/// When something last came.
struct Heard {
    start: Instant,
    /// Milliseconds from the start.
    at: AtomicU64,
}

impl Heard {
    fn new() -> Self {
        Self { start: Instant::now(), at: AtomicU64::new(0) }
    }

    fn note(&self) {
        self.at.store(self.passed(), Ordering::Relaxed);
    }

    fn passed(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn ago(&self) -> Duration {
        Duration::from_millis(self.passed().saturating_sub(self.at.load(Ordering::Relaxed)))
    }
}

/// Carries frames over a connection until it is over, and tells so.
pub(super) async fn run(
    peer: &Peer,
    ticket: &Ticket,
    stream: impl AsyncRead + AsyncWrite,
    first: Option<Frame>,
    timing: &Timing,
    stopping: watch::Receiver<bool>,
) {
    let (read, write) = tokio::io::split(stream);
    let heard = Heard::new();
    let leaving = stopping.clone();
    let loss = tokio::select! {
        // What the other end said last comes first: writing to who has left fails as well, and says less.
        biased;
        loss = receive(peer, ticket.number, read, &heard) => loss,
        loss = transmit(peer, ticket, write, first, timing, stopping) => loss,
        loss = silence(&heard, timing.silence) => loss,
        () = peer.over(ticket.number) => Loss::Replaced,
    };
    let loss = if *leaving.borrow() { Loss::Stopped } else { loss };
    peer.end(ticket.number, loss);
}

async fn receive(peer: &Peer, number: u64, read: impl AsyncRead + Unpin, heard: &Heard) -> Loss {
    let mut from = BufReader::with_capacity(CHUNK, read);
    let mut unbroken = 0;
    loop {
        if unbroken >= CHUNK {
            // Reading and writing share one task and what it may do in one turn. Without a pause a flood of frames would
            // leave nothing for acknowledgements and answers to pings, and the peer would take this host for dead.
            yield_now().await;
            unbroken = 0;
        }
        let note = |bytes| {
            heard.note();
            unbroken += bytes;
        };
        let result = match frame::read(&mut from, MAX_BODY, note).await {
            Ok(Frame::Data { seq, bytes }) => peer.deliver(number, seq, bytes),
            Ok(Frame::Ack { next }) => peer.acknowledged(number, next),
            Ok(Frame::Ping { nonce }) => {
                peer.pinged(number, nonce);
                Ok(())
            }
            Ok(Frame::Pong { nonce }) => {
                peer.ponged(number, nonce);
                Ok(())
            }
            Ok(Frame::Bye(parting)) => Err(parting.into()),
            Ok(Frame::Hello(_)) => Err(Breach::Greeting.into()),
            Err(error) => Err(error.into()),
        };
        if let Err(loss) = result {
            return loss;
        }
    }
}

async fn transmit(
    peer: &Peer,
    ticket: &Ticket,
    write: impl AsyncWrite + Unpin,
    first: Option<Frame>,
    timing: &Timing,
    stopping: watch::Receiver<bool>,
) -> Loss {
    let mut to = BufWriter::with_capacity(CHUNK, write);
    match write_all(peer, ticket, &mut to, first, timing, stopping).await {
        Ok(true) => {
            // The other end reads the farewell and closes. Closing here first could take the farewell with it.
            sleep(LINGER).await;
            Loss::Stopped
        }
        Ok(false) => Loss::Replaced,
        Err(error) => error.into(),
    }
}

/// Writes until this host has said farewell (`true`) or the connection is not the present one (`false`).
async fn write_all(
    peer: &Peer,
    ticket: &Ticket,
    to: &mut (impl AsyncWrite + Unpin),
    mut first: Option<Frame>,
    timing: &Timing,
    mut stopping: watch::Receiver<bool>,
) -> Result<bool, FrameError> {
    let mut leave_by = None;
    loop {
        if leave_by.is_none() && *stopping.borrow_and_update() {
            leave_by = Some(Instant::now() + timing.flush);
        }
        let patient = leave_by.is_none_or(|by| Instant::now() < by);
        let next = match first.take() {
            Some(frame) => Outgoing::Frame(frame),
            None if patient => peer.outgoing(ticket.number, leave_by.is_some()),
            None => Outgoing::Done,
        };
        match next {
            Outgoing::Frame(frame) => frame::write(to, &frame).await?,
            Outgoing::Wait(until) => {
                to.flush().await?;
                let until = leave_by.map_or(until, |by| until.min(by));
                tokio::select! {
                    () = ticket.wake.notified() => {}
                    () = sleep_until(until.into()) => {}
                    // The sender outlives every connection.
                    _changed = stopping.changed(), if leave_by.is_none() => {}
                }
            }
            Outgoing::Done => {
                frame::write(to, &Frame::Bye(Parting::Stopping)).await?;
                to.shutdown().await?;
                return Ok(true);
            }
            Outgoing::Over => return Ok(false),
        }
    }
}

async fn silence(heard: &Heard, limit: Duration) -> Loss {
    loop {
        let waited = heard.ago();
        if waited >= limit {
            return Loss::Silent { waited };
        }
        sleep(limit - waited).await;
    }
}
