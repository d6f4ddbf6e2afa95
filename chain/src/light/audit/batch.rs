//! One batch: its bundles by themselves, the root over them, and the step from one header's running commitments to the
//! next.

use super::{At, Audit, Batch, Finding};
use primitives::{CodecError, Decode, Digest, Domain, hash};
use proofs::{
    bundle::{BundleError, Published, verify_all},
    epoch::EpochContext,
    inclusion::batch_root,
    sharing::{Accepted, share_commitments},
    tally::{Group, Running},
};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Most bundles that are verified together: beyond these nothing more is saved, and each takes room.
const AT_ONCE: usize = 64;

impl Audit<'_> {
    /// Checks a batch of the record in the context of its shard.
    pub(super) fn check(&mut self, context: &EpochContext, batch: &Batch) {
        let Batch { shard, position, ref statements } = *batch;
        let header = &self.record.shards[shard.0 as usize].headers[position as usize];
        let (expected, found) = (header.count, statements.len());
        let before = self.findings.len();
        if found != expected as usize {
            self.findings.push(Finding::Count { shard, position, expected, found });
        }
        // What is published has one encoding: its identifier is the hash of these bytes.
        let ids: Vec<_> = statements.par_iter().map(|bytes| hash::hash(Domain::Bundle, &[bytes])).collect();
        if batch_root(&ids) != header.batch_root {
            self.findings.push(Finding::BatchRoot { shard, position });
        }
        let mut groups = BTreeMap::new();
        let mut place = 0;
        for (some, ids) in statements.chunks(AT_ONCE).zip(ids.chunks(AT_ONCE)) {
            for (outcome, id) in look_at(context, some).into_iter().zip(ids) {
                self.note(context, (At { shard, position, place }, *id), outcome, &mut groups);
                place += 1;
            }
        }
        // Of a batch that is not all there, or of which something does not hold, that much is known already.
        if self.findings.len() == before && !self.follows(batch, &groups) {
            self.findings.push(Finding::Running { shard, position });
        }
    }

    /// Notes what became of one bundle.
    fn note(
        &mut self,
        context: &EpochContext,
        (at, id): (At, Digest),
        outcome: Result<(Published, Accepted), Broken>,
        groups: &mut BTreeMap<Group, Vec<Accepted>>,
    ) {
        match outcome {
            Ok((published, accepted)) => {
                self.uses.take(context, (at, id), (&published, &accepted), &mut self.findings);
                groups.entry(published.envelope.group()).or_default().push(accepted);
            }
            Err(Broken::Unreadable(error)) => self.findings.push(Finding::Unreadable { at, id, error }),
            Err(Broken::Bundle(error)) => self.findings.push(Finding::Bundle { at, id, error }),
        }
    }

    /// Whether a header's running commitments are those of the header before with these bundles added.
    fn follows(&self, batch: &Batch, groups: &BTreeMap<Group, Vec<Accepted>>) -> bool {
        let headers = &self.record.shards[batch.shard.0 as usize].headers;
        let running = |position: u64| {
            let header = self.record.header((batch.shard, position), &headers[position as usize]);
            header.expect("the record was verified").header.running
        };
        let mut sums = batch.position.checked_sub(1).map_or_else(Running::default, running);
        for (group, accepted) in groups {
            sums.add(*group, &share_commitments(&accepted.iter().collect::<Vec<_>>()));
        }
        sums == running(batch.position)
    }
}

/// What is wrong with one bundle by itself.
enum Broken {
    Unreadable(CodecError),
    Bundle(BundleError),
}

/// Reads and verifies bundles, all that can be read together.
fn look_at(context: &EpochContext, statements: &[Vec<u8>]) -> Vec<Result<(Published, Accepted), Broken>> {
    let read: Vec<_> = statements.par_iter().map(|bytes| Published::from_bytes(bytes)).collect();
    let readable: Vec<&Published> = read.iter().filter_map(|read| read.as_ref().ok()).collect();
    let mut verified = verify_all(context, &readable).into_iter();
    let join = |read: Result<Published, CodecError>| {
        let published = read.map_err(Broken::Unreadable)?;
        let verified = verified.next().expect("there is a result for each that can be read");
        Ok((published, verified.map_err(Broken::Bundle)?))
    };
    read.into_iter().map(join).collect()
}
