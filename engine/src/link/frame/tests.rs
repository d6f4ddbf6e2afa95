use super::*;
use crate::link::{
    hello::{Incarnation, Received, Versions},
    host::Host,
};
use primitives::{ChainId, Digest};
use proptest::prelude::*;

fn hello() -> Hello {
    Hello {
        versions: Versions { first: 1, last: 3 },
        chain: ChainId(7),
        genesis: Digest([8; 32]),
        from: Host::ALL[0],
        to: Host::Standby,
        incarnation: Incarnation(9),
        received: Some(Received { incarnation: Incarnation(10), next: 11 }),
    }
}

fn frames() -> Vec<Frame> {
    let mismatches = [
        Mismatch::Version { expected: Versions::SPOKEN, found: Versions { first: 2, last: 3 } },
        Mismatch::Chain { expected: ChainId(1), found: ChainId(2) },
        Mismatch::Genesis { expected: Digest([1; 32]), found: Digest([2; 32]) },
        Mismatch::Sender { expected: Host::ALL[0], found: Host::ALL[1] },
        Mismatch::Receiver { expected: Host::ALL[0], found: Host::ALL[1] },
        Mismatch::Direction { expected: Host::ALL[0], found: Host::ALL[1] },
        Mismatch::Twin { host: Host::ALL[2] },
    ];
    let mut frames = vec![
        Frame::Hello(Box::new(hello())),
        Frame::Hello(Box::new(Hello { received: None, ..hello() })),
        Frame::Data { seq: 1, bytes: Arc::new(b"letter".to_vec()) },
        Frame::Data { seq: u64::MAX, bytes: Arc::default() },
        Frame::Ack { next: 3 },
        Frame::Ping { nonce: 4 },
        Frame::Pong { nonce: 5 },
        Frame::Bye(Parting::Stopping),
    ];
    frames.extend(mismatches.map(|mismatch| Frame::Bye(Parting::Refused(mismatch))));
    frames
}

#[test]
fn a_frame_survives_the_wire_and_no_part_of_it_nor_more_than_it_does() {
    for frame in frames() {
        let bytes = frame.to_bytes();
        assert_eq!(Frame::from_bytes(&bytes), Ok(frame));
        for end in 0..bytes.len() {
            assert!(Frame::from_bytes(&bytes[..end]).is_err(), "{bytes:?} cut at {end}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(Frame::from_bytes(&longer), Err(CodecError::Trailing { extra: 1 }));
    }
    assert_eq!(Frame::from_bytes(&[6]), Err(CodecError::Invalid { what: "frame of a link" }));
}

#[test]
fn a_greeting_fits_into_the_room_that_it_has() {
    assert!(Frame::Hello(Box::new(hello())).to_bytes().len() < super::super::limits::MAX_GREETING);
}

#[test]
fn a_greeting_that_does_not_fit_says_which_rule_it_breaks() {
    let ours = hello();
    let back = Hello { from: ours.to, to: ours.from, ..hello() };
    assert_eq!(ours.agree(&back), Ok(3));
    let later = Versions { first: 4, last: 5 };
    let other = Hello { versions: later, ..back.clone() };
    assert_eq!(ours.agree(&other), Err(Mismatch::Version { expected: ours.versions, found: later }));
    let older = Versions { first: 0, last: 2 };
    assert_eq!(ours.agree(&Hello { versions: older, ..back.clone() }), Ok(2));
    let other = Hello { chain: ChainId(8), ..back.clone() };
    assert_eq!(ours.agree(&other), Err(Mismatch::Chain { expected: ChainId(7), found: ChainId(8) }));
    let other = Hello { genesis: Digest([9; 32]), ..back.clone() };
    assert!(matches!(ours.agree(&other), Err(Mismatch::Genesis { .. })));
    let other = Hello { from: Host::ALL[1], ..back.clone() };
    assert_eq!(ours.agree(&other), Err(Mismatch::Sender { expected: ours.to, found: Host::ALL[1] }));
    let other = Hello { to: Host::ALL[1], ..back };
    assert_eq!(ours.agree(&other), Err(Mismatch::Receiver { expected: ours.from, found: Host::ALL[1] }));
}

proptest! {
    #[test]
    fn random_bytes_are_no_frame_or_the_one_spelling_of_one(
        kind in 0u8..8,
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let bytes = [&[kind], &bytes[..]].concat();
        if let Ok(frame) = Frame::from_bytes(&bytes) {
            prop_assert_eq!(frame.to_bytes(), bytes);
        }
    }

    #[test]
    fn a_frame_with_a_byte_changed_has_no_second_spelling(
        which: prop::sample::Index,
        at: prop::sample::Index,
        value: u8,
    ) {
        let frames = frames();
        let mut bytes = frames[which.index(frames.len())].to_bytes();
        let at = at.index(bytes.len());
        bytes[at] = value;
        if let Ok(frame) = Frame::from_bytes(&bytes) {
            prop_assert_eq!(frame.to_bytes(), bytes);
        }
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

#[test]
fn frames_are_read_back_one_after_the_other_and_a_torn_one_is_told_from_an_end() {
    run(async {
        let mut wire = Vec::new();
        for frame in frames() {
            write(&mut wire, &frame).await.unwrap();
        }
        let (mut rest, mut heard) = (&wire[..], 0);
        for frame in frames() {
            assert_eq!(read(&mut rest, 1 << 10, |n| heard += n).await, Ok(frame));
        }
        assert_eq!(heard, wire.len());
        assert_eq!(read(&mut rest, 1 << 10, |_| ()).await, Err(FrameError::Closed));
        assert_eq!(read(&mut &wire[..3], 9, |_| ()).await, Err(FrameError::Torn { got: 3, length: 4 }));
        let first = frames()[0].to_bytes().len();
        let cut = read(&mut &wire[..10], 1 << 10, |_| ()).await;
        assert_eq!(cut, Err(FrameError::Torn { got: 6, length: first }));
    });
}

#[test]
fn a_length_over_the_limit_is_refused_before_anything_is_set_aside() {
    let wire = u32::MAX.to_le_bytes();
    let refused = FrameError::TooLong { length: u32::MAX as usize, limit: 100 };
    assert_eq!(run(read(&mut &wire[..], 100, |_| ())), Err(refused));
}
