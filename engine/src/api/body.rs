//! Bodies that are long, and that many clients take at the same time, each at its own pace.

use actix_web::{
    body::{BodySize, MessageBody},
    web::Bytes,
};
use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

/// Bytes that are handed to a connection at once. It copies them, so this is what a client that takes nothing costs.
const PIECE: usize = 64 << 10;

/// A body in parts that other bodies have too. Nothing is copied until a connection takes it.
pub(super) struct Long(VecDeque<Bytes>);

impl Long {
    pub(super) fn new(parts: impl IntoIterator<Item = Bytes>) -> Self {
        // An empty piece would be taken for the end.
        Self(parts.into_iter().filter(|part| !part.is_empty()).collect())
    }
}

impl MessageBody for Long {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.0.iter().map(|part| part.len() as u64).sum())
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let Some(part) = self.0.front_mut() else { return Poll::Ready(None) };
        let piece = part.split_to(part.len().min(PIECE));
        if part.is_empty() {
            self.0.pop_front();
        }
        Poll::Ready(Some(Ok(piece)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::{body::to_bytes, rt::System};

    #[test]
    fn a_long_body_is_its_parts_one_after_the_other() {
        let parts = [vec![1; 3 * PIECE], vec![], vec![2; PIECE + 1], vec![3]];
        let body = Long::new(parts.clone().map(Bytes::from));
        assert_eq!(body.size(), BodySize::Sized(parts.concat().len() as u64));
        let read = System::new().block_on(to_bytes(body)).unwrap();
        assert_eq!(read, parts.concat());
    }
}
