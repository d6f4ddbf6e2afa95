//! A desk that verifies real bundles and remembers what it took in, and does as it is told otherwise.

use chain::{
    light::SignerKeys,
    modules::{
        dapr::payout::Split,
        usage::{CarriedUsage, IssuerKey, ListedWork, Opening, RegionKey, Seating, TierSales},
    },
};
use engine::{
    Evidence, Phase, Refusal,
    api::{Busy, Desk, Edition, EpochInfo, Outcome, Receipt, Statements, Status, Submission},
    opening::EpochDocument,
    party::evidence::{Equivocation, Signed},
    telemetry::Telemetry,
};
use primitives::{
    BasisPoints, CategoryId, Credits, Decode, Digest, EpochId, PartyId, PersonId, ShardIndex, Tier, Time,
    params::{ONE_Q32, TierTerms},
};
use proofs::{
    bundle::{Bundle, verify},
    epoch::EpochContext,
    inclusion::{FinalBatch, Inclusion, batch_root},
    tally::BatchHeader,
    testing::{TestCommittee, small},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

/// Epoch whose record cannot be read.
pub(super) const UNREADABLE: EpochId = EpochId(13);
/// An epoch for whose record there is no room.
pub(super) const BUSY: EpochId = EpochId(14);

/// What stands for what is published of bundles.
pub(super) const STREAM: &[u8] = b"all parts of it";

/// What the desk does with bundles.
#[derive(Clone)]
pub(super) enum Manner {
    /// Verifies them.
    Verify,
    /// The same, after a while.
    Slow(Duration),
    /// Says that they are in hand.
    Pending,
    /// Refuses them.
    Refuse(Refusal, Option<Duration>),
}

pub(super) struct FakeDesk {
    pub(super) committee: TestCommittee,
    pub(super) context: Arc<EpochContext>,
    pub(super) telemetry: Telemetry,
    edition: Arc<Edition>,
    manner: Mutex<Manner>,
    open: Mutex<bool>,
    trouble: Mutex<Option<String>>,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    receipts: BTreeMap<Digest, Receipt>,
    pseudonyms: BTreeSet<Digest>,
    stand: BTreeMap<Digest, Status>,
}

impl FakeDesk {
    pub(super) fn new() -> Arc<Self> {
        let (committee, context) = small();
        let document = document(&context);
        Arc::new(Self {
            edition: Arc::new(Edition::new(document, Digest([4; 32])).unwrap()),
            context: Arc::new(context),
            committee,
            telemetry: Telemetry::new(Time(1_700_000_000)),
            manner: Mutex::new(Manner::Verify),
            open: Mutex::new(true),
            trouble: Mutex::default(),
            taken: Arc::default(),
        })
    }

    pub(super) fn behave(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    pub(super) fn set_open(&self, open: bool) {
        *self.open.lock().unwrap() = open;
    }

    pub(super) fn set_trouble(&self, trouble: Option<&str>) {
        *self.trouble.lock().unwrap() = trouble.map(str::to_owned);
    }

    /// Says of a bundle how it stands.
    pub(super) fn stand(&self, id: Digest, status: Status) {
        self.taken.lock().unwrap().stand.insert(id, status);
    }

    pub(super) fn count(&self) -> usize {
        self.taken.lock().unwrap().receipts.len()
    }

    /// A final receipt of a bundle that is alone in its batch.
    pub(super) fn inclusion(&self, id: Digest) -> (BatchHeader, Inclusion) {
        let header = header(&self.context, batch_root(&[id]));
        let found = FinalBatch::new(&header, vec![id]).receipt(0).expect("it has one");
        (header, found)
    }
}

fn header(context: &EpochContext, batch_root: Digest) -> BatchHeader {
    BatchHeader {
        chain: context.chain,
        epoch: context.epoch,
        shard: ShardIndex(0),
        view: 0,
        position: 3,
        previous: Digest::default(),
        batch_root,
        count: 1,
        running: Default::default(),
    }
}

/// What a chain would have on record of a context.
pub(super) fn document(context: &EpochContext) -> EpochDocument {
    let tier = |(tier, rules): (&Tier, &proofs::epoch::TierRules)| TierTerms {
        tier: *tier,
        price: Credits(5_000_000),
        max_bundles: 3,
        value_cap: rules.value_cap,
    };
    let listed = |work: &primitives::WorkId| ListedWork {
        work: *work,
        creator: PersonId([9; 32]),
        category: CategoryId(0),
        price: ONE_Q32,
        splits: vec![Split { payee: PersonId([9; 32]), share: BasisPoints::WHOLE }],
        shard: ShardIndex(0),
        resting: false,
    };
    let keys = &context.keys;
    let opening = Opening {
        epoch: context.epoch,
        chain: context.chain,
        key: keys.beacon,
        block: Digest([3; 32]),
        opened: Time(1_800_000_000),
        reveals: PartyId::ALL.map(|party| (party, Digest([1; 32]))).into(),
        committee: keys.committee.clone(),
        seating: Seating { operators: [21, 22, 23].map(|n| PersonId([n; 32])), standby: None, patience: 60 },
        params: context.params.clone(),
        tiers: keys.tiers.iter().map(tier).collect(),
        sold: keys.tiers.keys().map(|tier| TierSales { tier: *tier, subscriptions: 40 }).collect(),
        works: context.shard.works().iter().map(listed).collect(),
        shard_width: 16,
        rooms: vec![CarriedUsage::none(ShardIndex(0)).room()],
    };
    let epoch = context.epoch;
    let issuer = |(tier, rules): (&Tier, &proofs::epoch::TierRules)| IssuerKey {
        epoch,
        tier: *tier,
        key: rules.issuer.der().to_vec(),
    };
    let region =
        |((region, denomination), key): (&(_, proofs::receipt::Denomination), &proofs::blind::BlindKey)| {
            RegionKey { epoch, region: *region, denomination: denomination.views(), key: key.der().to_vec() }
        };
    let (issuers, regions) =
        (keys.tiers.iter().map(issuer).collect(), keys.regions.iter().map(region).collect());
    EpochDocument::new(opening, issuers, regions).unwrap()
}

/// Verifies a bundle and takes it in, once.
fn take(
    taken: &Mutex<Taken>,
    context: &EpochContext,
    signer: &proofs::committee::PartySigner,
    bytes: &[u8],
) -> Submission {
    let bundle = Bundle::from_bytes(bytes).expect("the API hands over nothing else");
    let id = bundle.id();
    let mut taken = taken.lock().unwrap();
    if let Some(receipt) = taken.receipts.get(&id) {
        return Submission::Taken(receipt.clone());
    }
    if let Err(error) = verify(context, &bundle) {
        return Submission::Refused { refusal: error.into(), retry_after: None };
    }
    let pseudonyms = bundle.pseudonyms(context);
    if let Some(event) = pseudonyms.iter().position(|pseudonym| taken.pseudonyms.contains(pseudonym)) {
        return Submission::Refused { refusal: Refusal::Replay { event }, retry_after: None };
    }
    taken.pseudonyms.extend(pseudonyms);
    let receipt = Receipt::sign(signer, context.chain, context.epoch, id);
    taken.receipts.insert(id, receipt.clone());
    Submission::Taken(receipt)
}

impl Desk for FakeDesk {
    fn epoch(&self) -> Option<EpochInfo> {
        self.open.lock().unwrap().then(|| EpochInfo {
            party: PartyId::ALL[0],
            phase: Phase::Collect,
            opens: Some(Time(1_700_000_000)),
            closes: None,
            edition: self.edition.clone(),
        })
    }

    fn submit(&self, id: Digest, bytes: Arc<[u8]>) -> Outcome {
        let (manner, taken) = (self.manner.lock().unwrap().clone(), self.taken.clone());
        let (context, signer) = (self.context.clone(), self.committee.signers[0].clone());
        assert_eq!(id, Bundle::from_bytes(&bytes).unwrap().id(), "the identifier is the bundle's");
        Box::pin(async move {
            match manner {
                Manner::Verify => take(&taken, &context, &signer, &bytes),
                Manner::Slow(time) => {
                    tokio::time::sleep(time).await;
                    take(&taken, &context, &signer, &bytes)
                }
                Manner::Pending => Submission::Pending,
                Manner::Refuse(refusal, retry_after) => Submission::Refused { refusal, retry_after },
            }
        })
    }

    fn status(&self, id: &Digest) -> Status {
        let taken = self.taken.lock().unwrap();
        let receipt = || taken.receipts.get(id).cloned().map(Status::Provisional);
        taken.stand.get(id).cloned().or_else(receipt).unwrap_or(Status::Unknown)
    }

    fn record(&self, epoch: EpochId) -> Result<Option<Arc<[u8]>>, Busy> {
        assert!(epoch != UNREADABLE, "a disk that fails");
        if epoch == BUSY {
            return Err(Busy);
        }
        Ok((epoch == EpochId(1)).then(|| br#"{"epoch":1}"#.as_slice().into()))
    }

    fn statements(&self, epoch: EpochId) -> Option<Statements> {
        assert!(epoch != UNREADABLE, "a disk that fails");
        let signers = SignerKeys::from(&self.context.keys);
        (epoch == EpochId(1)).then_some(Statements { bytes: STREAM.len() as u64, signers })
    }

    fn statements_part(&self, epoch: EpochId, part: u32) -> Result<Option<Arc<[u8]>>, Busy> {
        self.record(epoch).map(|found| found.filter(|_| part == 0).map(|_| STREAM.into()))
    }

    fn evidence(&self) -> Vec<Arc<Evidence>> {
        let signed = |n: u8| Signed { header: header(&self.context, Digest([n; 32])), signature: [n; 64] };
        let found = Equivocation { party: PartyId::ALL[1], first: signed(1), second: signed(2) };
        vec![Arc::new(Evidence::Equivocation(found))]
    }

    fn health(&self) -> Result<(), String> {
        self.trouble.lock().unwrap().clone().map_or(Ok(()), Err)
    }

    fn ready(&self) -> Result<(), Vec<String>> {
        self.trouble.lock().unwrap().clone().map_or(Ok(()), |reason| Err(vec![reason]))
    }

    fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }
}
