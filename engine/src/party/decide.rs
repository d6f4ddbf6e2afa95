//! What the parties decide on shares before anything is opened: which cells have enough listeners, and how the backed
//! views of those are spread over regions (protocol notes, section 6, steps 2 and 3).

use curve25519_dalek::scalar::Scalar;
use mpc::{
    diversity::diversity,
    replicated::Share,
    session::{Abort, Attest, Session},
    share::{ReplicatedTotals, ShareSum},
    threshold::threshold,
};
use primitives::{Digest, GovernanceParams, PartyId, RegionTag, Tier, WorkIndex, field::Residue};
use proofs::{
    committee::{Committee, PartySigner},
    tally::{Group, Squares},
};
use std::collections::{BTreeMap, BTreeSet};

/// What the parties came to.
pub(super) struct Decision {
    /// Works of which a tier's cell is published.
    pub(super) published: BTreeMap<Tier, BTreeSet<WorkIndex>>,
    /// Sums of squares of published works.
    pub(super) squares: Squares,
}

/// What is to be decided, as one party has it.
pub(super) struct Question {
    tiers: Vec<Tier>,
    works: Vec<WorkIndex>,
    least_listeners: u32,
    pool_by_tier: bool,
    /// Shares of this epoch's totals: the cells of each tier in turn.
    cells: Vec<Share>,
    /// Shares of all that may be published, by group of a region.
    regional: BTreeMap<Group, [Vec<Scalar>; 2]>,
}

fn shares([own, next]: [&[Scalar]; 2], at: usize) -> Share {
    Share { own: Residue::from(&own[at]), next: Residue::from(&next[at]) }
}

fn entries(sums: &[ShareSum; 2]) -> [&[Scalar]; 2] {
    sums.each_ref().map(|sum| sum.entries.as_slice())
}

impl Question {
    /// Asks about `works` in `tiers`. This epoch's listeners alone decide, so that one loyal fan never publishes a work
    /// by coming back; what is spread over regions is all that is published, with what was carried.
    pub(super) fn new(
        (tiers, works): (Vec<Tier>, Vec<WorkIndex>),
        (fresh, all): (&ReplicatedTotals<Group>, &ReplicatedTotals<Group>),
        params: &GovernanceParams,
    ) -> Self {
        let of_tier = |tier: &Tier| {
            let sums = fresh.sum(|group| group.tier == *tier);
            works.iter().map(|work| shares(entries(&sums), usize::from(work.0))).collect::<Vec<_>>()
        };
        let cells = tiers.iter().flat_map(of_tier).collect();
        let regional = all.groups().filter(|group| group.region != RegionTag::NONE);
        let regional = regional.map(|group| {
            let sums = all.sum(|other| *other == group);
            (group, entries(&sums).map(<[Scalar]>::to_vec))
        });
        Self {
            regional: regional.collect(),
            least_listeners: params.least_listeners(),
            pool_by_tier: params.pool_by_tier,
            tiers,
            works,
            cells,
        }
    }

    /// Answers it together with the others.
    pub(super) async fn decide(self, mut session: Session) -> Result<Decision, Abort> {
        let Self { tiers, works, least_listeners, pool_by_tier, cells, regional } = self;
        let enough = threshold(&mut session, cells, least_listeners).await?;
        let of_tier = |(tier, bits): (&Tier, &[bool])| {
            let published = works.iter().zip(bits).filter(|(_, bit)| **bit).map(|(work, _)| *work);
            (*tier, published.collect())
        };
        let rows = enough.chunks(works.len().max(1));
        let published: BTreeMap<Tier, BTreeSet<WorkIndex>> = tiers.iter().zip(rows).map(of_tier).collect();

        // For each work and scope, what is published of each region: the sum over the scope's tiers.
        let mut spread = BTreeMap::<(Option<Tier>, WorkIndex), BTreeMap<RegionTag, Share>>::new();
        for (group, [own, next]) in &regional {
            for work in published.get(&group.tier).into_iter().flatten() {
                let share = shares([own, next], usize::from(work.0));
                for scope in Squares::scopes(group.tier, pool_by_tier) {
                    let sum = spread.entry((scope, *work)).or_default().entry(group.region).or_default();
                    *sum = *sum + share;
                }
            }
        }
        let rows = spread.values().map(|regions| regions.values().copied().collect()).collect();
        let sums = diversity(&mut session, rows).await?;
        Ok(Decision { published, squares: Squares::new(spread.into_keys().zip(sums)) })
    }
}

/// Signs barriers with a party's key, and checks those of the committee.
pub(super) struct Barriers {
    pub(super) signer: PartySigner,
    pub(super) committee: Committee,
}

impl Attest for Barriers {
    fn sign(&self, digest: &Digest) -> [u8; 64] {
        self.signer.sign(digest)
    }

    fn verify(&self, party: PartyId, digest: &Digest, signature: &[u8; 64]) -> bool {
        self.committee.verify(party, digest, signature).is_ok()
    }
}
