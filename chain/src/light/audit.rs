//! The audit of an epoch: every accepted bundle is verified again, by anybody, from what is published of it (protocol
//! notes, section 5).
//!
//! The light client takes the running commitments of signed headers as they are. Three parties together can sign
//! commitments of bundles that nobody ever proved anything of; the totals open them, and a record of that holds.
//! [`audit`] leaves nothing to signatures: proof, token, receipts and tags of each bundle, the root over each batch, the
//! running commitments from one header to the next, and all that may be there only once in an epoch.
//!
//! What it does not show: that bundles which were handed in were also accepted; that sealed shares open, for which their
//! holders' signatures stand; and, where a bundle goes on from one that was left out ([`Verdict::gaps`]), that the
//! subscriber kept to the cap up to there.

mod batch;
mod finding;
pub mod stream;
mod uses;

pub use finding::{At, Finding};

use super::{ContextError, EpochRecord, Refused, SignerKeys, Verdict as LightVerdict, verify};
use primitives::{Digest, ShardIndex};
use proofs::epoch::EpochContext;
use thiserror::Error;
use uses::Uses;

/// What is published of the bundles of one batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The shard.
    pub shard: ShardIndex,
    /// Position in the shard's chain of batches.
    pub position: u64,
    /// The encodings of what is published, in the order of the batch. Whether they are any is for the audit to say:
    /// parties that have a leaf without a bundle may put there what they like.
    pub statements: Vec<Vec<u8>>,
}

/// An epoch whose bundles all hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What the light client says of the record.
    pub light: LightVerdict,
    /// Events that were counted, padding included.
    pub events: u64,
    /// Receipts that were spent.
    pub receipts: u64,
    /// Subscribers.
    pub subscribers: u64,
    /// Bundles that go on from one that is in no batch: it was left out, on evidence or on a party's word. That their
    /// subscribers kept to the cap before is not shown.
    pub gaps: Vec<(At, Digest)>,
}

/// Why there is no verdict, or not the hoped-for one.
#[derive(Debug, Error)]
pub enum AuditError<E> {
    /// The record itself does not hold.
    #[error(transparent)]
    Record(Refused),
    /// Record and keys make no context.
    #[error(transparent)]
    Context(ContextError),
    /// Batches cannot be read.
    #[error("batches cannot be read")]
    Source(E),
    /// Something of the batches does not hold.
    #[error("{} of the published bundles", findings.len())]
    Refused {
        /// Everything that was found, in the order of the batches and then of subscribers; at least one finding.
        findings: Vec<Finding>,
    },
}

/// Verifies a record as [`verify()`] does, against `trusted_root` if one is given, and then every bundle of its batches,
/// which come by shard and position. `done` hears of the number of bundles that were checked, batch by batch.
///
/// The result depends on nothing but the arguments: neither on randomness nor on the number of threads.
pub fn audit<E>(
    record: &EpochRecord,
    signers: &SignerKeys,
    trusted_root: Option<Digest>,
    batches: impl IntoIterator<Item = Result<Batch, E>>,
    mut done: impl FnMut(u64),
) -> Result<Verdict, AuditError<E>> {
    let light = verify(record, trusted_root).map_err(AuditError::Record)?;
    let mut audit = Audit::new(record, signers);
    for batch in batches {
        let batch = batch.map_err(AuditError::Source)?;
        audit.take(&batch).map_err(AuditError::Context)?;
        done(batch.statements.len() as u64);
    }
    audit.miss(audit.places.len());
    let Audit { mut findings, uses, .. } = audit;
    let terms = |tier| record.tiers.iter().find(|terms| terms.tier == tier);
    let gaps = uses.conclude(&terms, &mut findings);
    if !findings.is_empty() {
        return Err(AuditError::Refused { findings });
    }
    let (events, receipts, subscribers) = uses.counts();
    Ok(Verdict { light, events, receipts, subscribers, gaps })
}

/// An audit under way.
struct Audit<'a> {
    record: &'a EpochRecord,
    signers: &'a SignerKeys,
    /// Every batch of the record, in order.
    places: Vec<(ShardIndex, u64)>,
    /// The next one.
    next: usize,
    /// The context of the shard that was looked at last.
    context: Option<EpochContext>,
    uses: Uses,
    findings: Vec<Finding>,
}

impl<'a> Audit<'a> {
    fn new(record: &'a EpochRecord, signers: &'a SignerKeys) -> Self {
        let of_shard = |(shard, part): (ShardIndex, &super::record::ShardRecord)| {
            (0..part.headers.len() as u64).map(move |position| (shard, position))
        };
        let places = (0..).map(ShardIndex).zip(&record.shards).flat_map(of_shard).collect();
        let (uses, findings) = Default::default();
        Self { record, signers, places, next: 0, context: None, uses, findings }
    }

    /// Checks a batch, if it is the next one or a later one; those between are missing then.
    fn take(&mut self, batch: &Batch) -> Result<(), ContextError> {
        let Batch { shard, position, .. } = *batch;
        match self.places.binary_search(&(shard, position)) {
            Ok(place) if place >= self.next => {
                self.miss(place);
                self.next = place + 1;
                let context = self.context.take().filter(|context| context.shard.index() == shard);
                let context = context.map_or_else(|| self.record.context(shard, self.signers), Ok)?;
                self.check(&context, batch);
                self.context = Some(context);
            }
            _ => self.findings.push(Finding::Unexpected { shard, position }),
        }
        Ok(())
    }

    /// Notes that all batches before `place` that have not come are missing.
    fn miss(&mut self, place: usize) {
        let missing = |(shard, position): &_| Finding::Missing { shard: *shard, position: *position };
        self.findings.extend(self.places[self.next..place].iter().map(missing));
    }
}
