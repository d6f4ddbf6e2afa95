//! What stands behind the API: the party's process, as the API sees it.

use super::{edition::Edition, receipt::Receipt};
use crate::{effect::Refusal, message::Phase, party::evidence::Evidence, telemetry::Telemetry};
use chain::light::SignerKeys;
use primitives::{Digest, EpochId, PartyId, Time};
use proofs::inclusion::Inclusion;
use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

/// What becomes of a bundle that was handed in, once it is known.
pub type Outcome = Pin<Box<dyn Future<Output = Submission> + Send>>;

/// The party's process. The API asks it, and knows nothing of actors, stores or the chain.
///
/// All but [`Desk::submit`], [`Desk::record`] and what is published of bundles are asked from a thread that serves many
/// clients, and answer from memory.
pub trait Desk: Send + Sync + 'static {
    /// The epoch that is open, or the last one that was. `None` before the first.
    fn epoch(&self) -> Option<EpochInfo>;

    /// Takes a bundle in. `bytes` is a canonical bundle whose identifier is `id`; nothing else of it was checked.
    ///
    /// The outcome comes when the bundle is verified and on disk. The same bytes get the same receipt again, however often
    /// they come and whatever became of the first answer. Who drops the outcome takes nothing back: what the desk took in
    /// hand it finishes, and [`Desk::status`] tells.
    ///
    /// The desk keeps no address of a client, because it never gets one.
    fn submit(&self, id: Digest, bytes: Arc<[u8]>) -> Outcome;

    /// How a bundle stands.
    fn status(&self, id: &Digest) -> Status;

    /// The public record of an epoch, as JSON, if it is final. Asked on a thread that may wait for a disk.
    ///
    /// # Errors
    /// If readers have as many others as there is room for.
    fn record(&self, epoch: EpochId) -> Result<Option<Arc<[u8]>>, Busy>;

    /// What there is for an audit of an epoch, if it is here. Asked on a thread that may wait for a disk.
    fn statements(&self, epoch: EpochId) -> Option<Statements>;

    /// One part, from 0 on, of what is published of an epoch's bundles (`chain::light::audit::stream`): [`PART_BYTES`] of them,
    /// or fewer if it is the last. Asked on a thread that may wait for a disk.
    ///
    /// # Errors
    /// If readers have as many others as there is room for, or the disk does not give it.
    fn statements_part(&self, epoch: EpochId, part: u32) -> Result<Option<Arc<[u8]>>, Busy>;

    /// Evidence against parties that this one found or was shown.
    fn evidence(&self) -> Vec<Arc<Evidence>>;

    /// Whether the process is alive.
    ///
    /// # Errors
    /// What is broken, if only a restart mends it.
    fn health(&self) -> Result<(), String>;

    /// Whether the party can take bundles in and answer for them.
    ///
    /// # Errors
    /// Every reason why it cannot, one each. They name no bundle and no client.
    fn ready(&self) -> Result<(), Vec<String>>;

    /// The party's numbers. The API counts requests and connections in them, and refusals of bytes that are no bundle. What
    /// the desk takes in or refuses it counts itself.
    fn telemetry(&self) -> &Telemetry;

    /// The party's numbers in the text format of Prometheus. A desk that measures something only when it is asked does so
    /// here, before it renders.
    fn metrics(&self) -> String {
        self.telemetry().render()
    }
}

/// Bytes of a part of what is published of bundles.
pub const PART_BYTES: usize = 1 << 20;

/// What there is for an audit of an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statements {
    /// How long the stream of what is published of its bundles is.
    pub bytes: u64,
    /// Keys of the blind signers, under which the bundles verify.
    pub signers: SignerKeys,
}

/// There is no room for what is asked for just now, or the disk does not give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

/// What a client needs to know of the epoch.
#[derive(Clone, Debug)]
pub struct EpochInfo {
    /// Who says so.
    pub party: PartyId,
    /// How far the epoch is.
    pub phase: Phase,
    /// When bundles are taken in from, if it is known.
    pub opens: Option<Time>,
    /// When bundles are taken in no longer, if it is known.
    pub closes: Option<Time>,
    /// What the epoch opened with. It is the same until the next one.
    pub edition: Arc<Edition>,
}

/// What became of a bundle that was handed in.
#[derive(Clone, Debug)]
pub enum Submission {
    /// It was taken in, now or before.
    Taken(Receipt),
    /// It is not counted.
    Refused {
        /// Why.
        refusal: Refusal,
        /// When it may come again. Without it, what the API says in general counts.
        retry_after: Option<Duration>,
    },
    /// It is in hand, and nothing is known yet.
    Pending,
}

/// How a bundle stands.
#[derive(Clone, Debug)]
pub enum Status {
    /// It never came, or too long ago.
    Unknown,
    /// It is in hand.
    Waiting,
    /// It was taken in.
    Provisional(Receipt),
    /// It is in a batch that the chain has anchored.
    Final(Box<Inclusion>),
    /// It is not counted.
    Refused(Refusal),
}
