//! What became of the bundles: asked of the parties, and checked against the chain's record.

use super::{
    Client, ClientError, Done, LinkError, Parties, Receipt, Record, Standing, Trouble, file,
    make::Parcel,
    outcome::{Outcome, promises, refusals},
    plan::Plan,
    retire::forget,
};
use primitives::{
    CodecError, Decode, Digest, Encode, EpochId, PartyId, Reader, ShardIndex, Writer, codec_struct,
};
use proofs::{
    inclusion::Inclusion,
    tally::{SignedHeader, SignedRoot},
};

/// Where a bundle stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BundleState {
    /// It is not made yet, or nobody has taken it in.
    Open,
    /// These parties have taken it in; their receipts hold.
    Provisional {
        /// Who.
        by: Vec<PartyId>,
    },
    /// It is in an anchored batch: the inclusion holds against a header that the committee signed.
    Final {
        /// Shard.
        shard: ShardIndex,
        /// Position of the batch.
        position: u64,
        /// Place in the batch.
        index: u32,
    },
    /// Parties refuse it, and nobody has taken it in.
    Refused {
        /// Who, and why in a word.
        by: Vec<(PartyId, String)>,
    },
    /// Its epoch is frozen and no party shows it in a batch, though these promised. Receipts and root are kept in the file:
    /// whoever has the list of bundles under the root sees that the promise was broken.
    Missing {
        /// Who promised.
        promised: Vec<PartyId>,
        /// The file.
        evidence: String,
    },
    /// It was sent, no party shows it in a batch, and none has to any more: the epoch after its own is over. Whether it was
    /// counted nobody says now, and nobody is accused.
    Forgotten {
        /// Who promised. Nobody, if all answers were lost.
        promised: Vec<PartyId>,
    },
    /// Its epoch is frozen without it, and nobody had promised.
    NotInTime,
}

/// A bundle and what was found out about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleStatus {
    /// Its place among the subscriber's bundles, from 0.
    pub place: usize,
    /// Its identifier, once it is made.
    pub bundle: Option<Digest>,
    /// Where it stands.
    pub state: BundleState,
    /// What is wrong with parties that were asked.
    pub troubles: Vec<(PartyId, Trouble)>,
    /// What is wrong with the record, if the state rests on it.
    pub record: Option<Trouble>,
}

/// A final receipt, with the header that it holds against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalReceipt {
    /// The receipt.
    pub inclusion: Inclusion,
    /// The header, with the committee's signatures.
    pub header: SignedHeader,
}

codec_struct!(FinalReceipt { inclusion, header });

/// What shows that a promise was broken, together with the list of bundles under the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenPromise {
    /// The promises, one a party at most.
    pub promises: Vec<Receipt>,
    /// What the epoch froze.
    pub root: SignedRoot,
}

impl Encode for BrokenPromise {
    fn encode(&self, w: &mut Writer) {
        w.seq(&self.promises);
        self.root.encode(w);
    }
}

impl Decode for BrokenPromise {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { promises: r.seq(PartyId::ALL.len())?, root: Decode::decode(r)? })
    }
}

impl FinalReceipt {
    fn state(&self) -> BundleState {
        let Inclusion { shard, position, index, .. } = self.inclusion;
        BundleState::Final { shard, position, index }
    }
}

/// What the parties say of one bundle.
#[derive(Default)]
struct Found {
    confirmed: Option<FinalReceipt>,
    promises: Vec<Receipt>,
    refused: Vec<(PartyId, String)>,
    troubles: Vec<(PartyId, Trouble)>,
    /// Parties that could be asked.
    answered: usize,
    /// Of these, parties that say it is in no batch.
    denied: usize,
}

impl Client {
    /// Where every bundle stands. What is found out for good is kept. Once nothing is left to decide or the epoch is over,
    /// all that is secret is deleted: the key, the events, the openings.
    ///
    /// # Errors
    /// If the files cannot be read or written. What parties or record do wrong is in the result.
    pub fn status(
        &self,
        parties: &dyn Parties,
        record: &dyn Record,
    ) -> Result<Vec<BundleStatus>, ClientError> {
        let done: Option<Done> = self.journal.get(file::DONE)?;
        let plan: Option<Plan> = self.journal.get(file::PLAN)?;
        let planned = plan.as_ref().map(|plan| plan.summary);
        let Some(summary) = done.as_ref().map(|done| done.summary).or(planned) else { return Ok(Vec::new()) };
        let count = usize::try_from(summary.bundles).unwrap_or_default();
        let mut statuses = Vec::with_capacity(count);
        for place in 0..count {
            statuses.push(match self.parcel(place)? {
                Some(parcel) => self.status_of((place, &parcel), parties, record)?,
                None => {
                    let shard = plan.as_ref().and_then(|plan| Some(plan.bundles.get(place)?.shard));
                    self.status_of_unmade(place, shard, record)
                }
            });
        }
        let decided = |status: &BundleStatus| {
            use BundleState::{Final, Forgotten, Missing, NotInTime};
            matches!(status.state, Final { .. } | Missing { .. } | Forgotten { .. } | NotInTime)
        };
        // What parties do not answer keeps no key alive.
        let is_over = || record.is_over(self.epoch.shards[0].epoch).unwrap_or(false);
        if statuses.iter().all(decided) || (plan.is_some() && is_over()) {
            forget(&self.journal, Done { summary })?;
        }
        Ok(statuses)
    }

    /// A bundle's final receipt, if it has one.
    ///
    /// # Errors
    /// If its file cannot be read.
    pub fn final_receipt(&self, place: usize) -> Result<Option<FinalReceipt>, ClientError> {
        Ok(self.journal.get(&file::of(file::FINAL, place))?)
    }

    /// What shows that a bundle is missing, if it is.
    ///
    /// # Errors
    /// If its file cannot be read.
    pub fn broken_promise(&self, place: usize) -> Result<Option<BrokenPromise>, ClientError> {
        Ok(self.journal.get(&file::of(file::MISSING, place))?)
    }

    /// Where a bundle stands that was never made. Without a plan the client is done.
    fn status_of_unmade(&self, place: usize, shard: Option<ShardIndex>, record: &dyn Record) -> BundleStatus {
        let (state, record) = match shard.map(|shard| self.frozen(shard, record)) {
            None | Some(Ok(Some(_))) => (BundleState::NotInTime, None),
            Some(Ok(None)) => (BundleState::Open, None),
            Some(Err(trouble)) => (BundleState::Open, Some(trouble)),
        };
        BundleStatus { place, bundle: None, state, troubles: Vec::new(), record }
    }

    fn status_of(
        &self,
        (place, parcel): (usize, &Parcel),
        parties: &dyn Parties,
        record: &dyn Record,
    ) -> Result<BundleStatus, ClientError> {
        let bundle = Some(parcel.id);
        if let Some(known) = self.final_receipt(place)? {
            let (state, troubles) = (known.state(), Vec::new());
            return Ok(BundleStatus { place, bundle, state, troubles, record: None });
        }
        let absent = file::of(file::ABSENT, place);
        if self.journal.has(&absent)? {
            let (state, troubles) = (BundleState::NotInTime, Vec::new());
            return Ok(BundleStatus { place, bundle, state, troubles, record: None });
        }
        let Found { confirmed, promises, refused, troubles, answered, denied } =
            self.found((place, parcel), parties, record)?;
        if let Some(confirmed) = confirmed {
            self.journal.put(&file::of(file::FINAL, place), &confirmed)?;
            return Ok(BundleStatus { place, bundle, state: confirmed.state(), troubles, record: None });
        }
        let by: Vec<PartyId> = promises.iter().map(|receipt| receipt.party).collect();
        let left = !by.is_empty() || self.journal.has(&file::of(file::SENT, place))?;
        let found = self.frozen(parcel.shard, record).and_then(|root| {
            let forgotten = root.is_some() && left && self.is_forgotten(record)?;
            Ok((root, forgotten))
        });
        let ((frozen, forgotten), record) = match found {
            Ok(found) => (found, None),
            Err(trouble) => ((None, false), Some(trouble)),
        };
        let evidence = file::of(file::MISSING, place);
        let state = match frozen {
            // What was kept while parties had to show it stays what it is.
            Some(_) if forgotten && self.broken_promise(place)?.is_none() => {
                BundleState::Forgotten { promised: by }
            }
            // What is final two parties signed: of any two that deny it one would know it. Its plays may come again.
            Some(root) if denied >= 2 && by.is_empty() => {
                self.journal.put(&absent, &root)?;
                BundleState::NotInTime
            }
            Some(root) if answered >= 2 && !by.is_empty() => {
                if !forgotten {
                    self.journal.put(&evidence, &BrokenPromise { promises, root })?;
                }
                BundleState::Missing { promised: by, evidence }
            }
            _ if !by.is_empty() => BundleState::Provisional { by },
            _ if !refused.is_empty() => BundleState::Refused { by: refused },
            _ => BundleState::Open,
        };
        Ok(BundleStatus { place, bundle, state, troubles, record })
    }

    /// Whether parties need not know the epoch's bundles any more: they keep the names until the epoch after it is over.
    fn is_forgotten(&self, record: &dyn Record) -> Result<bool, Trouble> {
        let next = EpochId(self.epoch.shards[0].epoch.0.saturating_add(1));
        record.is_over(next).map_err(Trouble::Record)
    }

    /// Asks every party about a bundle, beside what it said before.
    fn found(
        &self,
        (place, parcel): (usize, &Parcel),
        parties: &dyn Parties,
        record: &dyn Record,
    ) -> Result<Found, ClientError> {
        let Parcel { id, shard, .. } = parcel;
        let outcomes = self.outcomes(place)?;
        let mut found = Found { refused: refusals(&outcomes), ..Found::default() };
        for receipt in promises(&outcomes) {
            match self.check(receipt, receipt.party, id) {
                Ok(()) => found.promises.push(receipt.clone()),
                Err(trouble) => found.troubles.push((receipt.party, trouble)),
            }
        }
        for party in PartyId::ALL {
            let said = parties.standing(party, id).map_err(Trouble::Link);
            found.answered += usize::from(said.is_ok());
            let waits = matches!(said, Ok(Standing::Waiting));
            match said.and_then(|standing| self.learn((party, *shard), id, standing, (parties, record))) {
                Ok(Learnt::Final(receipt)) => {
                    found.confirmed = Some(*receipt);
                    break;
                }
                Ok(Learnt::Promised(receipt)) if outcomes[party.index()].is_none() => {
                    self.journal.put(&file::outcome(place, party), &Outcome::Promised(receipt.clone()))?;
                    found.promises.push(receipt);
                }
                Ok(Learnt::Promised(_)) => {}
                Ok(Learnt::Refused(kind)) => {
                    found.denied += 1;
                    if outcomes[party.index()].is_none() {
                        found.refused.push((party, kind));
                    }
                }
                // Whoever is not done with it denies nothing.
                Ok(Learnt::Nothing) => found.denied += usize::from(!waits),
                Err(trouble) => found.troubles.push((party, trouble)),
            }
        }
        Ok(found)
    }

    /// Checks what a party says of a bundle.
    fn learn(
        &self,
        (party, shard): (PartyId, ShardIndex),
        id: &Digest,
        standing: Standing,
        (parties, record): (&dyn Parties, &dyn Record),
    ) -> Result<Learnt, Trouble> {
        match standing {
            Standing::Unknown | Standing::Waiting => Ok(Learnt::Nothing),
            Standing::Refused { kind } => Ok(Learnt::Refused(kind)),
            Standing::Provisional(receipt) => {
                self.check(&receipt, party, id)?;
                Ok(Learnt::Promised(receipt))
            }
            Standing::Final => {
                let inclusion =
                    parties.inclusion(party, id).map_err(Trouble::Link)?.ok_or(Trouble::NoInclusion)?;
                let (context, position) = (&self.epoch.shards[0], inclusion.position);
                let place = (inclusion.chain, inclusion.epoch, inclusion.shard, inclusion.bundle);
                if place != (context.chain, context.epoch, shard, *id) {
                    return Err(Trouble::OtherReceipt { what: "bundle" });
                }
                let header = record.header(context.epoch, shard, position).map_err(Trouble::Record)?;
                let header = header.ok_or(Trouble::NotAnchored { position })?;
                header.verify(self.epoch.committee()).map_err(Trouble::Unsigned)?;
                inclusion.verify(&header.header).map_err(Trouble::Inclusion)?;
                Ok(Learnt::Final(Box::new(FinalReceipt { inclusion, header })))
            }
        }
    }

    /// The frozen root of a shard, if it is on record and the committee's.
    fn frozen(&self, shard: ShardIndex, record: &dyn Record) -> Result<Option<SignedRoot>, Trouble> {
        let context = &self.epoch.shards[0];
        let Some(root) = record.root(context.epoch, shard).map_err(Trouble::Record)? else { return Ok(None) };
        let place = (root.root.chain, root.root.epoch, root.root.shard);
        if place != (context.chain, context.epoch, shard) {
            let what = String::from("the record's root is of another epoch or shard");
            return Err(Trouble::Record(LinkError::Garbage { what }));
        }
        root.verify(self.epoch.committee()).map_err(Trouble::Unsigned)?;
        Ok(Some(root))
    }
}

/// What a party's word is worth, once checked.
enum Learnt {
    Nothing,
    Refused(String),
    Promised(Receipt),
    Final(Box<FinalReceipt>),
}
