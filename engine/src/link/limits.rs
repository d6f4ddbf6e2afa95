//! Every limit of a link, with its reason, and the times that it keeps.

use super::frame::DATA_HEAD;
use std::time::Duration;

/// Longest payload of one frame, in bytes. The longest letters are about a whole shard of 4,096 works: a hand-over holds
/// up to 144 sums of 128 KiB and commitments to three shares of 72 groups, 47 MB together. The next power of two.
pub const MAX_PAYLOAD: usize = 64 << 20;
/// Longest body of a frame: a payload with its kind, its number and its length.
pub const MAX_BODY: usize = DATA_HEAD + MAX_PAYLOAD;
/// Longest body before the greeting is over. A greeting has about 100 bytes; nobody needs room for more until then.
pub const MAX_GREETING: usize = 256;
/// Most payloads that wait for one peer. An epoch has fewer letters from one party to another in a minute.
pub const MAX_QUEUED_FRAMES: usize = 1 << 14;
/// Most bytes that wait for one peer: four of the longest letters. Three peers together stay below a gigabyte.
pub const MAX_QUEUED_BYTES: usize = 4 * MAX_PAYLOAD;
/// Most connections that have not proved their key yet: a socket each, and little else. One more, and one of them is closed,
/// from where most of them come: whoever holds connections open without a word cannot keep a peer out.
pub const MAX_UNAUTHENTICATED: usize = 128;
/// Most refusals of callers that are told in a minute, so that strangers cannot fill a log.
pub const MAX_REFUSALS_A_MINUTE: u32 = 60;
/// Payloads after which an acknowledgement is sent at once.
pub const ACK_FRAMES: u64 = 64;
/// Bytes of payloads after which an acknowledgement is sent at once: the sender must keep them until then.
pub const ACK_BYTES: usize = 1 << 20;
/// How long an acknowledgement waits for more to acknowledge.
pub const ACK_DELAY: Duration = Duration::from_millis(20);
/// Most steps that are watched for one peer: some for each of 64 shards. What is beyond is not watched.
pub const MAX_STEPS: usize = 512;
/// Most bytes that are read at once: what a stranger's announced length can make this host set aside.
pub const CHUNK: usize = 64 << 10;
/// How long a refused caller may take to read why. A socket that is closed with bytes unread takes the reason with it.
pub const LINGER: Duration = Duration::from_secs(1);
/// Most bytes that are read of a refused caller meanwhile, and thrown away.
pub const MAX_LINGER: u64 = 256 << 10;
/// Longest address of a peer: a DNS name of 253 bytes, a colon, a port.
pub const MAX_ADDRESS: usize = 253 + 1 + 5;
/// How long accepting waits after the system refused a new socket: it has none left, and asking at once gives none.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

const _: () = {
    assert!(MAX_QUEUED_BYTES >= MAX_PAYLOAD, "the longest payload fits into an empty queue");
    assert!(MAX_BODY < u32::MAX as usize, "a length has 32 bits");
    assert!(MAX_GREETING < CHUNK && CHUNK < MAX_BODY);
    assert!(ACK_FRAMES < MAX_QUEUED_FRAMES as u64, "an acknowledgement comes before a queue is full");
};

/// The times that links keep. [`Timing::default`] is for hosts that are far from each other; tests are in more of a hurry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Longest time from a connection to the end of the greeting.
    pub handshake: Duration,
    /// How often a ping is sent.
    pub ping: Duration,
    /// Silence after which a connection is dropped. Far more than [`Timing::ping`].
    pub silence: Duration,
    /// First wait before dialling again.
    pub first_wait: Duration,
    /// Longest wait before dialling again.
    pub longest_wait: Duration,
    /// How long a connection must have held for the waits to begin anew.
    pub steady: Duration,
    /// How long a step may take before it counts as stalled.
    pub patience: Duration,
    /// How long nothing of what was sent may be acknowledged before that counts as stalled.
    pub unacknowledged: Duration,
    /// How long a stop waits for what was sent to be acknowledged.
    pub flush: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            // Some round trips around the globe, on a bad line.
            handshake: Duration::from_secs(10),
            ping: Duration::from_secs(3),
            // Five pings: a line that forgets a packet repeats it within a second.
            silence: Duration::from_secs(15),
            first_wait: Duration::from_millis(200),
            // Short enough that nobody waits long for a peer that is back, long enough to be no load for it.
            longest_wait: Duration::from_secs(30),
            steady: Duration::from_secs(60),
            patience: Duration::from_secs(30),
            unacknowledged: Duration::from_secs(20),
            flush: Duration::from_secs(5),
        }
    }
}
