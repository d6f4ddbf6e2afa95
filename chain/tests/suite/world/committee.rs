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
        let width = works.points().len();
        let mut vector = vec![Scalar::ZERO; width];
        for (index, count) in counts {
            vector[usize::from(*index)] += count.to_scalar();
        }
        let [first, second] =
            [(); 2].map(|()| (0..width).map(|_| Scalar::random(&mut self.rng)).collect::<Vec<_>>());
        let third = vector.iter().zip(&first).zip(&second).map(|((u, a), b)| u - a - b).collect();
        let shares = [first, second, third].map(|entries| {
            let blinding = Scalar::random(&mut self.rng);
            BatchShare { entries, blinding }
        });
        let commitments = shares.each_ref().map(|share| works.commit(&share.entries, &share.blinding));
        self.add(*group, &commitments, &shares);
    }

    /// Adds the shares of a bundle, with the commitments to them.
    pub(crate) fn add(&mut self, group: Group, commitments: &[RistrettoPoint; 3], shares: &[BatchShare; 3]) {
        let width = shares[0].entries.len();
        self.line.running.add(group, commitments);
        let held = self.line.held.entry(group).or_insert_with(|| Held {
            shares: std::array::from_fn(|_| vec![Scalar::ZERO; width]),
            blindings: [Scalar::ZERO; 3],
        });
        for (i, share) in shares.iter().enumerate() {
            held.blindings[i] += share.blinding;
            held.shares[i].iter_mut().zip(&share.entries).for_each(|(sum, entry)| *sum += entry);
        }
        self.line.totals.touch(group);
        for work in 0..width {
            let total: Scalar = held.shares.iter().map(|share| share[work]).sum();
            let count = Count::from_scalar(&total).expect("counts add up to a count");
            self.line.totals.insert(group, WorkIndex(work as u16), count);
        }
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

    pub(crate) fn root(&self, epoch: EpochId) -> SignedRoot {
        let (batches, last) = (self.line.batches, self.line.last);
        let root = EpochRoot { chain: CHAIN, epoch, shard: self.shard, batches, last };
        let signatures = self.quorum(&root.digest(), &PartyId::ALL);
        SignedRoot { root, signatures }
    }

    /// The joint tally proof over the accepted bundles, and the quorum's signatures on it.
    pub(crate) fn aggregate(&mut self, epoch: EpochId) -> SubmitAggregate {
        let root = self.root(epoch).root;
        let generators = self.works(epoch).digest();
        let openings: [ShareOpenings; 3] = std::array::from_fn(|i| ShareOpenings {
            rows: self
                .line
                .held
                .iter()
                .map(|(group, held)| OpeningRow {
                    group: *group,
                    shares: held.shares[i].iter().copied().map(WireScalar::from).collect(),
                })
                .collect(),
        });
        let digests = [0, 1, 2].map(|i: usize| openings[i].digest());
        let statement = TallyStatement {
            root: &root,
            generators,
            running: &self.line.running,
            totals: &self.line.totals,
        };
        let (transcript, lambda) = statement.bind(&digests);
        let announced = [0, 1, 2].map(|i: usize| announce(&root.digest(), &openings[i], &mut self.rng));
        let announcement: RistrettoPoint = announced.iter().map(|(_, point)| point).sum();
        let challenge = challenge(transcript, &announcement);
        let mut response = Scalar::ZERO;
        for (i, (nonce, _)) in announced.into_iter().enumerate() {
            let blindings = ShareBlindings(self.line.held.values().map(|held| held.blindings[i]).collect());
            response += respond(nonce, &blindings, lambda, challenge);
        }
        let (announcement, response) = (WirePoint::from(announcement), WireScalar::from(response));
        let proof = TallyProof { openings: digests, announcement, response };
        self.sign_aggregate(epoch, self.line.totals.clone(), proof)
    }

    pub(crate) fn sign_aggregate(
        &self,
        epoch: EpochId,
        totals: Totals,
        proof: TallyProof,
    ) -> SubmitAggregate {
        let message = aggregate_digest(&self.root(epoch).root, &totals, &proof);
        let signatures = self.quorum(&message, &PartyId::ALL[1..]);
        SubmitAggregate { epoch, shard: self.shard, totals, proof, signatures }
    }
}
