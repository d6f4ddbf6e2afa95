//! Frames: what crosses a link inside TLS.
//!
//! A frame is a 32-bit length and a body in the one encoding of this project. The length is bounded before anything is
//! set aside, and memory grows with what has arrived, not with what was announced.

use super::{
    hello::{Hello, Mismatch},
    limits::{CHUNK, MAX_PAYLOAD},
};
use primitives::{CodecError, Decode, Encode, Reader, Writer};
use rustls::{AlertDescription, Error as TlsError};
use std::{io, sync::Arc};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    task::yield_now,
};

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// The greeting. Once, and first.
    Hello(Box<Hello>),
    /// A payload.
    Data {
        /// Its number, from 0 in one life of both ends.
        seq: u64,
        /// The payload, at most [`MAX_PAYLOAD`] bytes.
        bytes: Arc<Vec<u8>>,
    },
    /// The sender has every payload below this number.
    Ack {
        /// The number that it expects next.
        next: u64,
    },
    /// A question for a sign of life.
    Ping {
        /// What the answer must repeat.
        nonce: u64,
    },
    /// The answer.
    Pong {
        /// From the question.
        nonce: u64,
    },
    /// The sender goes, and says why. Last.
    Bye(Parting),
}

/// Why a host closes a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parting {
    /// It stops.
    Stopping,
    /// The other end does not fit.
    Refused(Mismatch),
}

impl Encode for Parting {
    fn encode(&self, w: &mut Writer) {
        match self {
            Self::Stopping => 0u8.encode(w),
            Self::Refused(mismatch) => {
                1u8.encode(w);
                mismatch.encode(w);
            }
        }
    }
}

impl Decode for Parting {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        match u8::decode(r)? {
            0 => Ok(Self::Stopping),
            1 => Ok(Self::Refused(Mismatch::decode(r)?)),
            _ => Err(CodecError::Invalid { what: "parting" }),
        }
    }
}

impl Encode for Frame {
    fn encode(&self, w: &mut Writer) {
        match self {
            Self::Hello(hello) => {
                w.raw(&[0]);
                hello.encode(w);
            }
            Self::Data { seq, bytes } => {
                data_head(*seq, bytes.len(), w);
                w.raw(bytes);
            }
            Self::Ack { next } => {
                w.raw(&[2]);
                next.encode(w);
            }
            Self::Ping { nonce } => {
                w.raw(&[3]);
                nonce.encode(w);
            }
            Self::Pong { nonce } => {
                w.raw(&[4]);
                nonce.encode(w);
            }
            Self::Bye(parting) => {
                w.raw(&[5]);
                parting.encode(w);
            }
        }
    }
}

/// Bytes of a payload's frame before the payload.
pub(super) const DATA_HEAD: usize = 1 + 8 + 4;

/// The kind of a payload's frame.
const DATA: u8 = 1;

fn data_head(seq: u64, length: usize, w: &mut Writer) {
    DATA.encode(w);
    seq.encode(w);
    w.count(length);
}

/// The number and the length of a payload, if this is what comes before one.
fn of_data_head(head: &[u8]) -> Option<(u64, usize)> {
    let (kind, (seq, length)) = <(u8, (u64, u32))>::from_bytes(head).ok()?;
    (kind == DATA).then_some((seq, length as usize))
}

impl Decode for Frame {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(match u8::decode(r)? {
            0 => Self::Hello(Box::new(Hello::decode(r)?)),
            DATA => Self::Data { seq: u64::decode(r)?, bytes: Arc::new(r.bytes(MAX_PAYLOAD)?.to_vec()) },
            2 => Self::Ack { next: u64::decode(r)? },
            3 => Self::Ping { nonce: u64::decode(r)? },
            4 => Self::Pong { nonce: u64::decode(r)? },
            5 => Self::Bye(Parting::decode(r)?),
            _ => return Err(CodecError::Invalid { what: "frame of a link" }),
        })
    }
}

/// Why no frame could be read or written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The connection was closed between two frames.
    #[error("the connection was closed without a word")]
    Closed,
    /// The connection was closed inside a frame.
    #[error("the connection was closed inside a frame: {got} of {length} bytes came")]
    Torn {
        /// Bytes that came.
        got: usize,
        /// Bytes that were announced.
        length: usize,
    },
    /// A frame is longer than it may be.
    #[error("a frame of {length} bytes is over the limit of {limit}: the other host speaks something else")]
    TooLong {
        /// Bytes that were announced.
        length: usize,
        /// Most that are accepted.
        limit: usize,
    },
    /// The bytes are no frame.
    #[error("bytes that are no frame: {0}")]
    Codec(#[from] CodecError),
    /// The other end does not know the key of this one. TLS tells it when the first frame is read.
    #[error("the key of this host is refused")]
    Denied,
    /// The socket, or TLS on it, failed.
    #[error("the connection broke: {0}")]
    Broken(String),
}

impl From<io::Error> for FrameError {
    fn from(error: io::Error) -> Self {
        let denied = TlsError::AlertReceived(AlertDescription::AccessDenied);
        match error.kind() {
            _ if error.get_ref().and_then(|source| source.downcast_ref()) == Some(&denied) => Self::Denied,
            // Whoever dies says nothing, not even the farewell of TLS.
            io::ErrorKind::UnexpectedEof => Self::Closed,
            _ => Self::Broken(error.to_string()),
        }
    }
}

/// Reads a frame of at most `limit` bytes. `heard` is told of all bytes as they come: a long frame on a slow line is a
/// sign of life too.
pub(super) async fn read(
    from: &mut (impl AsyncRead + Unpin),
    limit: usize,
    mut heard: impl FnMut(usize),
) -> Result<Frame, FrameError> {
    let mut length = [0; 4];
    let mut got = 0;
    while got < length.len() {
        match from.read(&mut length[got..]).await? {
            0 if got == 0 => return Err(FrameError::Closed),
            0 => return Err(FrameError::Torn { got, length: length.len() }),
            n => {
                got += n;
                heard(n);
            }
        }
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > limit {
        return Err(FrameError::TooLong { length, limit });
    }
    let mut body = Vec::with_capacity(length.min(CHUNK));
    fill(from, &mut body, length.min(DATA_HEAD), (0, length), &mut heard).await?;
    // A payload is read to where it stays: to copy the longest ones takes long, and the other end would hear nothing.
    if let Some((seq, _)) = of_data_head(&body).filter(|(_, payload)| DATA_HEAD + payload == length) {
        body.clear();
        fill(from, &mut body, length - DATA_HEAD, (DATA_HEAD, length), &mut heard).await?;
        return Ok(Frame::Data { seq, bytes: Arc::new(body) });
    }
    fill(from, &mut body, length, (0, length), &mut heard).await?;
    Ok(Frame::from_bytes(&body)?)
}

/// Reads until `body` has so many bytes. Before them came a part of the frame, which has a length.
async fn fill(
    from: &mut (impl AsyncRead + Unpin),
    body: &mut Vec<u8>,
    until: usize,
    (before, length): (usize, usize),
    heard: &mut impl FnMut(usize),
) -> Result<(), FrameError> {
    while body.len() < until {
        let wanted = (until - body.len()).min(CHUNK);
        let torn = FrameError::Torn { got: before + body.len(), length };
        match (&mut *from).take(wanted as u64).read_buf(body).await {
            Ok(0) => return Err(torn),
            Ok(n) => heard(n),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(torn),
            Err(error) => return Err(error.into()),
        }
        if body.len() < until {
            // Whatever writes to the same connection has its turn: a long frame must not keep back answers to pings.
            yield_now().await;
        }
    }
    Ok(())
}

/// Writes a frame. What it writes to may keep it until it is flushed. A payload is written from where it is.
pub(super) async fn write(to: &mut (impl AsyncWrite + Unpin), frame: &Frame) -> Result<(), FrameError> {
    let mut w = Writer::default();
    let payload: &[u8] = match frame {
        Frame::Data { seq, bytes } => {
            data_head(*seq, bytes.len(), &mut w);
            bytes
        }
        other => {
            other.encode(&mut w);
            &[]
        }
    };
    let head = w.finish();
    let length = u32::try_from(head.len() + payload.len());
    let length = length.expect("a body is far shorter than 2^32: payloads are bounded");
    to.write_all(&length.to_le_bytes()).await?;
    to.write_all(&head).await?;
    to.write_all(payload).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
