//! What the three parties do in an epoch: accept, anchor, freeze, prove.

use super::*;

impl World {
    pub(crate) fn works(&self, epoch: EpochId) -> WorkBases {
        let opening = self.ledger.state().openings.get(&epoch).expect("an open epoch");
        WorkBases::new(&opening.shards().expect("shards")[self.shard.0 as usize])
    }

    /// Adds a bundle to the running commitments, as the parties would.
    pub(crate) fn accept(&mut self, epoch: EpochId, (group, counts): &Bundle) {
        let works = self.works(epoch);
        let mut vector = vec![Scalar::ZERO; works.points().len()];
        for (index, count) in counts {
            vector[usize::from(*index)] += count.to_scalar();
        }
        let shares = TierShares::of(&vector, &mut self.rng);
        let commitments = shares.commitments(&works);
        self.add(*group, &commitments, &shares);
    }

    /// Adds the shares of a bundle, with the commitments to them.
    pub(crate) fn add(&mut self, group: Group, commitments: &[RistrettoPoint; 3], shares: &TierShares) {
        let width = shares.entries[0].len();
        self.line.running.add(group, commitments);
        self.line.groups.entry(group).or_insert_with(|| TierShares::zero(width)).add(shares);
    }

    /// The header over what was accepted since the last, signed by its leader and the party after it.
    pub(crate) fn header(&mut self, epoch: EpochId, count: u32) -> SignedHeader {
        let mut batch_root = Digest::default();
        self.rng.fill_bytes(&mut batch_root.0);
        let header = BatchHeader {
            chain: CHAIN,
            epoch,
            shard: self.shard,
            view: 0,
            position: self.line.batches,
            previous: self.line.last,
            batch_root,
            count,
            running: self.line.running.clone(),
        };
        self.sign_header(header)
    }

    pub(crate) fn sign_header(&self, header: BatchHeader) -> SignedHeader {
        let leader = header.leader();
        let signatures = self.quorum(&header.signing_digest(), &[leader, leader.next()]);
        SignedHeader { header, signatures }
    }

    pub(crate) fn quorum(&self, message: &Digest, who: &[PartyId]) -> Signatures {
        let mut signatures = Signatures::default();
        for party in who {
            signatures.insert(*party, self.parties[party.index()].sign(message));
        }
        signatures
    }

    pub(crate) fn anchor(&mut self, signed: SignedHeader) {
        (self.line.last, self.line.batches) = (signed.header.digest(), signed.header.position + 1);
        self.open_ok(Payload::AnchorHeader(signed));
    }

    /// The root of what the parties have of the shard in hand.
    pub(crate) fn root_of(&self, line: &Line, epoch: EpochId) -> EpochRoot {
        EpochRoot { chain: CHAIN, epoch, shard: self.shard, batches: line.batches, last: line.last }
    }

    pub(crate) fn root(&self, epoch: EpochId) -> SignedRoot {
        let root = self.root_of(&self.line, epoch);
        let signatures = self.quorum(&root.digest(), &PartyId::ALL);
        SignedRoot { root, signatures }
    }

    /// The joint tally proof over the accepted bundles and what was carried before, and the quorum's signatures on it.
    /// What is left over is carried on once the chain has it.
    pub(crate) fn aggregate(&mut self, epoch: EpochId) -> SubmitAggregate {
        let (root, works) = (self.root(epoch).root, self.works(epoch));
        let opening = self.ledger.state().openings.get(&epoch).expect("an open epoch");
        let (listed, resting) =
            (opening.shards().expect("shards")[self.shard.0 as usize].clone(), opening.resting(self.shard));
        let before = self.ledger.state().residual_of(self.shard).commitments;
        let (k, by_tier) = (u64::from(opening.params.least_listeners()), opening.params.pool_by_tier);
        let width = works.points().len();
        let mut shares = BTreeMap::<Tier, TierShares>::new();
        for (group, sums) in &self.line.groups {
            shares.entry(group.tier).or_insert_with(|| TierShares::zero(width)).add(sums);
        }
        for ((shard, tier), (ids, carried)) in &self.carried {
            let from = |at: usize| ids.binary_search(listed.works().get(at)?).ok();
            let lay = |entries: &Vec<Scalar>| {
                (0..width).map(|at| from(at).map_or(Scalar::ZERO, |at| entries[at])).collect()
            };
            let laid =
                TierShares { entries: carried.entries.each_ref().map(lay), blindings: carried.blindings };
            if *shard == self.shard {
                shares.entry(*tier).or_insert_with(|| TierShares::zero(width)).add(&laid);
            }
        }
        let count =
            |sums: &TierShares, at| Count::from_scalar(&sums.total(at)).expect("counts add up to a count");
        let in_the_open = |(group, sums): (&Group, &TierShares)| {
            let counts = (0..width).map(|at| (WorkIndex(at as u16), count(sums, at))).collect();
            (*group, counts)
        };
        let plain: BTreeMap<Group, BTreeMap<WorkIndex, Count>> =
            self.line.groups.iter().map(in_the_open).collect();
        let listeners = |tier, work: WorkIndex| -> u64 {
            let of_tier = plain.iter().filter(|(group, _)| group.tier == tier);
            of_tier.filter_map(|(_, counts)| counts.get(&work)).map(|count| count.listeners).sum()
        };
        let published = |tier, work: WorkIndex| !resting.contains(&work) && listeners(tier, work) >= k;
        let commitments = (&self.line.running, &before);
        let joint = JointTally::prove(&root, &works, commitments, &shares, published, &mut self.rng);

        // Spread over regions is all that is published, with what was carried.
        let mut backed = self.backed.get(&self.shard).cloned().unwrap_or_default();
        for (group, counts) in plain.iter().filter(|(group, _)| group.region != RegionTag::NONE) {
            for (work, count) in counts.iter().filter(|(work, _)| usize::from(work.0) < works.works()) {
                *backed.entry((*group, listed.works()[usize::from(work.0)])).or_default() += count.backed;
            }
        }
        let opened_at = |group: &Group, id: &WorkId| {
            let work = WorkIndex(listed.works().binary_search(id).ok()? as u16);
            joint.totals.get(group.tier, work).map(|_| work)
        };
        let mut regional = BTreeMap::<_, u64>::new();
        for ((group, id), backed) in &backed {
            let Some(work) = opened_at(group, id) else { continue };
            for scope in Squares::scopes(group.tier, by_tier) {
                *regional.entry((scope, work, group.region)).or_default() += backed;
            }
        }
        backed.retain(|(group, id), _| opened_at(group, id).is_none());
        let mut squares = BTreeMap::<_, u128>::new();
        for ((scope, work, _), backed) in regional {
            *squares.entry((scope, work)).or_default() += u128::from(backed) * u128::from(backed);
        }
        let squares = Squares::new(squares.into_iter());
        let open: Vec<usize> = (works.works()..width).collect();
        for (tier, counts) in joint.totals.iter() {
            let opened = counts.keys().map(|work| usize::from(work.0)).chain(open.iter().copied());
            let shares = shares.get_mut(&tier).expect("a tier with totals");
            opened.for_each(|at| shares.entries.iter_mut().for_each(|share| share[at] = Scalar::ZERO));
        }
        let ids = listed.works().to_vec();
        self.line.carries = shares.into_iter().map(|(tier, shares)| (tier, (ids.clone(), shares))).collect();
        (self.line.after, self.line.unopened) = (joint.after.clone(), backed);
        let tally = Tally { totals: joint.totals, squares, after: joint.after };
        self.sign_aggregate(epoch, tally, joint.proof)
    }

    /// What the parties keep of a shard is what the chain has commitments to.
    pub(crate) fn carry_on(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.other_lines.insert(self.shard, line);
        for (shard, line) in std::mem::take(&mut self.other_lines) {
            if self.ledger.state().residual_of(shard).commitments == line.after {
                self.backed.insert(shard, line.unopened);
                self.carried.extend(line.carries.into_iter().map(|(tier, kept)| ((shard, tier), kept)));
            }
        }
    }

    pub(crate) fn sign_aggregate(&self, epoch: EpochId, tally: Tally, proof: TallyProof) -> SubmitAggregate {
        let message = aggregate_digest(&self.root(epoch).root, &tally, &proof);
        let signatures = self.quorum(&message, &PartyId::ALL[1..]);
        SubmitAggregate { epoch, shard: self.shard, tally, proof, signatures }
    }
}
