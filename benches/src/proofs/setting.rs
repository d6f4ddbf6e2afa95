//! Both systems over the same works and the same events, and the times of everything that they do.

use super::{BATCH, Bundles, EVENTS, Prio3, RangeProofs};
use crate::measure::{Plan, Samples, Side, by_turns};
use primitives::PartyId;

/// The party that is measured: it holds the share that includes what a bundle shows, which is most work.
const PARTY: PartyId = PartyId::ALL[1];
/// Parties that verify a bundle.
const PARTIES: f64 = 3.0;

/// Both systems.
pub(super) struct Setting {
    pub(super) ours: Bundles,
    /// With two aggregators, and with three.
    pub(super) peers: [Prio3; 2],
    pub(super) range: RangeProofs,
}

/// Seconds of the device, for a bundle.
pub(super) struct Device {
    pub(super) masks: Samples,
    pub(super) masks_floor: Samples,
    /// With the range proof.
    pub(super) prove: Samples,
    /// Without it.
    pub(super) prove_floor: Samples,
    pub(super) range: Samples,
}

/// Seconds of a party, for a bundle.
pub(super) struct Party {
    /// A whole batch.
    pub(super) verify: Samples,
    /// A bundle by itself.
    pub(super) verify_one: Samples,
    /// As many range proofs, by the crate that makes them.
    pub(super) cap: Samples,
    pub(super) signatures: Samples,
    pub(super) decompress: Samples,
    pub(super) multiply: Samples,
    /// For a bundle by itself.
    pub(super) multiply_one: Samples,
    pub(super) products: Samples,
    pub(super) product_floor: Samples,
    pub(super) amounts: Samples,
    pub(super) open: Samples,
    pub(super) check: Samples,
    pub(super) check_multiply: Samples,
    pub(super) sum: Samples,
    pub(super) share_floor: Samples,
}

/// Everything that was measured in the same rounds.
pub(super) struct Times {
    /// Bundles of a batch.
    pub(super) count: usize,
    pub(super) device: Device,
    pub(super) party: Party,
    /// A client of Prio3 for an event, with two and three aggregators.
    pub(super) shard: [Samples; 2],
    /// All aggregators for an event.
    pub(super) aggregate: [Samples; 2],
}

impl Device {
    /// The proof without the cap's range proof.
    pub(super) fn proof(&self) -> Samples {
        Samples::sum(&[(1.0, &self.prove), (-1.0, &self.range)])
    }

    /// All of a device's work.
    pub(super) fn all(&self) -> Samples {
        Samples::sum(&[(1.0, &self.masks), (1.0, &self.prove)])
    }
}

impl Party {
    /// What of a batch is neither signatures nor group elements.
    pub(super) fn scalars(&self) -> Samples {
        let parts = [(1.0, &self.verify), (-1.0, &self.signatures), (-1.0, &self.decompress)];
        Samples::sum(&[&parts[..], &[(-1.0, &self.multiply)]].concat())
    }

    /// Floor of a batch.
    pub(super) fn floor(&self) -> Samples {
        self.floor_with(&self.multiply)
    }

    /// Floor of a bundle by itself.
    pub(super) fn floor_one(&self) -> Samples {
        self.floor_with(&self.multiply_one)
    }

    fn floor_with(&self, multiply: &Samples) -> Samples {
        let parts = [&self.signatures, &self.decompress, multiply, &self.product_floor];
        Samples::sum(&parts.map(|part| (1.0, part)))
    }

    /// All of one party's work on a bundle in a batch.
    pub(super) fn all(&self) -> Samples {
        Samples::sum(&[&self.verify, &self.open, &self.check, &self.sum].map(|part| (1.0, part)))
    }
}

impl Times {
    /// One party's work on an event.
    pub(super) fn one(&self) -> Samples {
        Samples::sum(&[(1.0 / EVENTS as f64, &self.party.all())])
    }

    /// All parties' work on an event.
    pub(super) fn together(&self) -> Samples {
        Samples::sum(&[(PARTIES, &self.one())])
    }
}

impl Setting {
    /// Bundles and reports over `width` works.
    pub(super) fn new(plan: &Plan, width: usize) -> Self {
        eprintln!("bundle proofs, {width} works");
        let ours = Bundles::new(width, plan.size(BATCH, 2));
        let peers = [2, 3].map(|aggregators| Prio3::new(aggregators, &ours.works_of(0), width));
        Self { ours, peers, range: RangeProofs::new() }
    }

    /// Measures everything by turns, with batches of `count` bundles.
    pub(super) fn measure(&self, plan: &Plan, count: usize) -> Times {
        let (ours, [two, three], range) = (&self.ours, &self.peers, &self.range);
        let seeds = ours.open(PARTY, count);
        let accepted = ours.accepted();
        let sums = ours.sum(PARTY, &accepted, &seeds);
        let [
            masks,
            prove,
            range_prove,
            masks_floor,
            prove_floor,
            shard_2,
            shard_3,
            verify,
            verify_one,
            cap,
            signatures,
            decompress,
            multiply,
            multiply_one,
            products,
            product_floor,
            amounts,
            open,
            sum,
            share_floor,
            check,
            check_multiply,
            check_2,
            check_3,
        ] = by_turns(
            plan,
            [
                Side::new("device: masks", 1, || ours.masks()),
                Side::with_setup("device: proof", 1, |watch| {
                    let masks = ours.masks();
                    watch.time(|| ours.prove(masks));
                }),
                Side::new("device: range proof", 1, || range.prove()),
                Side::new("device: floor of the masks", 1, || ours.masks_floor()),
                Side::new("device: floor of the proof", 1, || ours.prover_floor()),
                Side::new("device: Prio3, two aggregators", EVENTS, || two.shard_all()),
                Side::new("device: Prio3, three aggregators", EVENTS, || three.shard_all()),
                Side::new("party: a batch", count, || ours.verify(count)),
                Side::new("party: one bundle", 1, || ours.verify_one()),
                Side::new("party: range proofs", count, || range.verify(count)),
                Side::new("party: signatures", count, || ours.signatures(count)),
                Side::new("party: elements", count, || ours.decompress(count)),
                Side::new("party: multiplication", count, || ours.multiply_batch(count)),
                Side::new("party: multiplication for one", 1, || ours.multiply_batch(1)),
                Side::new("party: products", count, || ours.products(count)),
                Side::new("party: floor of the products", count, || ours.product_floor(count)),
                Side::new("party: amounts", count, || ours.amounts(count)),
                Side::new("party: seeds opened", count, || ours.open(PARTY, count)),
                Side::new("party: sums", count, || ours.sum(PARTY, &accepted, &seeds)),
                Side::new("party: floor of the sums", count, || ours.share_floor(count)),
                Side::new("party: share check", count, || ours.check(PARTY, (&accepted, count), &sums)),
                Side::new("party: multiplication of the share check", count, || ours.multiply_shares(count)),
                Side::new("Prio3, two aggregators", EVENTS, || two.verify_all()),
                Side::new("Prio3, three aggregators", EVENTS, || three.verify_all()),
            ],
        );
        Times {
            count,
            device: Device { masks, masks_floor, prove, prove_floor, range: range_prove },
            party: Party {
                verify,
                verify_one,
                cap,
                signatures,
                decompress,
                multiply,
                multiply_one,
                products,
                product_floor,
                amounts,
                open,
                check,
                check_multiply,
                sum,
                share_floor,
            },
            shard: [shard_2, shard_3],
            aggregate: [check_2, check_3],
        }
    }
}
