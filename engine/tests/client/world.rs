//! An epoch of three shards, parties that verify what they get, a record that anchors it, and ways to go wrong.

use chain::modules::usage::Seating;
use engine::{
    client::{
        Answer, Clock, Disk, Folder, LinkError, Parties, Patience, Play, Receipt, Record, Settings, Signers,
        Standing, UsageLog,
    },
    issuer::{
        Code, IssuerError, ReceiptIssuer, Record as OnChain, Serving, Standing as Stands, Subscriber,
        TokenIssuer, keys,
    },
    message::OpenedEpoch,
};
use primitives::{
    ChainId, Decode, Digest, EpochId, PartyId, PersonId, Preset, Region, RegionTag, ShardIndex, Tier, WorkId,
    limits,
};
use proofs::{
    blind::BlindSignature,
    bundle::{self, Bundle},
    committee::Signatures,
    epoch::{EpochContext, EpochKeys, TierRules},
    inclusion::{FinalBatch, Inclusion, batch_root},
    receipt::Denomination,
    shard::Shard,
    tally::{BatchHeader, EpochRoot, SignedHeader, SignedRoot},
    testing::{TestCommittee, committee, issuer, other_issuer, receipt_issuer, works},
    wire::WirePoint,
};
use rand_core::OsRng;
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet, VecDeque},
    io,
    panic::resume_unwind,
    path::Path,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use zeroize::Zeroizing;

pub(crate) const CHAIN: ChainId = ChainId(5);
pub(crate) const EPOCH: EpochId = EpochId(3);
/// The one after it.
pub(crate) const NEXT: EpochId = EpochId(EPOCH.0 + 1);
/// Most bundles of a subscriber.
pub(crate) const MAX_BUNDLES: u16 = 4;
const SHARDS: usize = 3;
const WORKS: u16 = 10;

/// The work at a place of a shard.
pub(crate) fn work(shard: usize, place: usize) -> WorkId {
    works(WORKS * SHARDS as u16)[shard * usize::from(WORKS) + place]
}

/// The region that serves the subscriber.
pub(crate) fn region() -> Region {
    Region::all().next().unwrap()
}

fn committee_of_all() -> &'static TestCommittee {
    static COMMITTEE: OnceLock<TestCommittee> = OnceLock::new();
    COMMITTEE.get_or_init(|| committee(11))
}

/// The epoch, with a cap on what a subscriber adds.
pub(crate) fn epoch_with_cap(value_cap: u64) -> OpenedEpoch {
    let rules =
        |issuer: &proofs::blind::BlindIssuer| TierRules { issuer: issuer.public().clone(), value_cap };
    let keys = EpochKeys {
        beacon: Digest([9; 32]),
        tiers: [(Tier(1), rules(issuer())), (Tier(2), rules(other_issuer()))].into(),
        regions: Denomination::all().map(|d| ((region(), d), receipt_issuer(d).public().clone())).collect(),
        committee: committee_of_all().public.clone(),
    };
    let all = works(WORKS * SHARDS as u16);
    let context = |(at, works): (usize, &[WorkId])| {
        let shard = Shard::new(ShardIndex(at as u32), works.to_vec()).unwrap();
        Arc::new(EpochContext::new(CHAIN, EPOCH, keys.clone(), shard, Preset::Spec.params()))
    };
    let shards: Arc<[_]> = all.chunks(usize::from(WORKS)).enumerate().map(context).collect();
    OpenedEpoch {
        resting: shards.iter().map(|_| BTreeSet::new()).collect(),
        room: limits::MAX_SUBSCRIBER_EPOCHS,
        shards,
        max_bundles: Arc::new([(Tier(1), MAX_BUNDLES), (Tier(2), MAX_BUNDLES)].into()),
        sold: Arc::default(),
        seating: Seating { operators: [21, 22, 23].map(|n| PersonId([n; 32])), standby: None, patience: 60 },
    }
}

pub(crate) fn epoch() -> OpenedEpoch {
    epoch_with_cap(Preset::Spec.params().value_cap)
}

pub(crate) fn settings() -> Settings {
    let patience =
        Patience { attempts: 4, first: Duration::from_millis(500), longest: Duration::from_secs(60) };
    Settings { tier: Tier(1), region: RegionTag(Some(region())), window: 2, delay: Duration::ZERO, patience }
}

/// A play of a whole work.
pub(crate) fn play(time: u64, work: WorkId, backed: bool) -> Play {
    Play { time, work, played: 200, length: 200, backed }
}

/// Plays of two shards, five of them backed: two bundles, of which one has two receipts and the other one.
pub(crate) fn log() -> UsageLog {
    let mut plays: Vec<_> = (0..5).map(|n| play(n, work(0, n as usize), true)).collect();
    plays.push(play(9, work(0, 0), false));
    plays.push(play(7, work(2, 1), false));
    plays.push(play(8, work(2, 1), true));
    UsageLog::new(plays)
}

/// A machine that dies after so many steps, and stays dead.
#[derive(Clone)]
pub(crate) struct Fuse(Arc<AtomicI64>);

/// What a dead machine unwinds with.
pub(crate) struct Killed;

impl Fuse {
    pub(crate) fn after(steps: i64) -> Self {
        Self(Arc::new(AtomicI64::new(steps)))
    }

    pub(crate) fn never() -> Self {
        Self::after(i64::MAX)
    }

    /// Steps that are left.
    pub(crate) fn left(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn step(&self) {
        if self.0.fetch_sub(1, Ordering::SeqCst) <= 0 {
            resume_unwind(Box::new(Killed));
        }
    }
}

/// A disk of a machine that may die before and after each write.
pub(crate) struct MortalDisk {
    pub(crate) folder: Folder,
    pub(crate) fuse: Fuse,
}

impl Disk for MortalDisk {
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.fuse.step();
        self.folder.write(name, bytes)?;
        self.fuse.step();
        Ok(())
    }

    fn read(&self, name: &str) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        self.folder.read(name)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.fuse.step();
        self.folder.remove(name)
    }

    fn names(&self) -> io::Result<Vec<String>> {
        self.folder.names()
    }
}

/// Time that passes by sleeping alone.
#[derive(Default)]
pub(crate) struct TestClock {
    now: Cell<Duration>,
    pub(crate) slept: RefCell<Vec<Duration>>,
}

impl Clock for TestClock {
    fn now(&self) -> Duration {
        self.now.get()
    }

    fn sleep(&self, pause: Duration) {
        self.now.set(self.now.get() + pause);
        self.slept.borrow_mut().push(pause);
    }

    /// As long as somebody is at work, no time passes.
    fn wait(&self, _: Duration, came: &mut dyn FnMut(Duration) -> bool) {
        while !came(Duration::from_secs(1)) {}
    }
}

/// Issuers in this process, on a disk that outlives the client.
pub(crate) struct LocalSigners {
    tokens: Mutex<TokenIssuer>,
    receipts: Mutex<ReceiptIssuer>,
    code: Code,
    fuse: Fuse,
}

/// A folder with the keys of the epoch.
pub(crate) fn keep_keys(folder: &Path) {
    keys::keep(folder, keys::Purpose::Token(EPOCH, Tier(1)), issuer()).unwrap();
    keys::keep(folder, keys::Purpose::Token(EPOCH, Tier(2)), other_issuer()).unwrap();
    for d in Denomination::all() {
        keys::keep(folder, keys::Purpose::Receipt(EPOCH, region(), d), receipt_issuer(d)).unwrap();
    }
}

/// A chain on which an epoch stands somewhere, with the keys of [`keep_keys`] on record for all epochs.
pub(crate) struct TestChain(Mutex<BTreeMap<EpochId, Stands>>);

impl TestChain {
    pub(crate) fn new() -> Arc<Self> {
        let open = Stands::Open { max_bundles: MAX_BUNDLES };
        Arc::new(Self(Mutex::new([(EPOCH, open)].into())))
    }

    pub(crate) fn put(&self, epoch: EpochId, stands: Stands) {
        self.0.lock().unwrap().insert(epoch, stands);
    }
}

impl OnChain for TestChain {
    fn standing(&self, epoch: EpochId) -> Stands {
        self.0.lock().unwrap().get(&epoch).copied().unwrap_or(Stands::Ahead)
    }

    fn key(&self, purpose: keys::Purpose) -> Option<Vec<u8>> {
        let key = match purpose {
            keys::Purpose::Token(_, Tier(1)) => issuer(),
            keys::Purpose::Token(_, _) => other_issuer(),
            keys::Purpose::Receipt(_, _, d) => receipt_issuer(d),
        };
        Some(key.public().der().to_vec())
    }

    fn chain(&self) -> ChainId {
        CHAIN
    }
}

/// Issuers of a folder for one subscriber of tier 1, and one serving node with so many views, while the epoch is open.
pub(crate) fn issuers(folder: &Path, code: &Code, views: u64) -> (TokenIssuer, ReceiptIssuer) {
    issuers_on(&TestChain::new(), folder, code, views)
}

/// The same on a chain.
pub(crate) fn issuers_on(
    chain: &Arc<TestChain>,
    folder: &Path,
    code: &Code,
    views: u64,
) -> (TokenIssuer, ReceiptIssuer) {
    keep_keys(folder);
    let subscriber = Subscriber::new(code.hash(), Tier(1));
    let serving = Serving::new(code.hash(), views);
    let tokens = TokenIssuer::open(folder, [(code.hash(), subscriber)].into(), chain.clone()).unwrap();
    (tokens, ReceiptIssuer::open(folder, [(code.hash(), serving)].into(), chain.clone()).unwrap())
}

impl LocalSigners {
    pub(crate) fn new(folder: &Path) -> Self {
        // Exactly as many views as the log has backed.
        Self::with_views(folder, 6)
    }

    /// Issuers with so many views to give away.
    pub(crate) fn with_views(folder: &Path, views: u64) -> Self {
        let code = Code::generate(&mut OsRng);
        let (tokens, receipts) = issuers(folder, &code, views);
        Self { tokens: Mutex::new(tokens), receipts: Mutex::new(receipts), code, fuse: Fuse::never() }
    }

    /// The same issuers, asked by a machine that may die.
    pub(crate) fn asked_by(&mut self, fuse: &Fuse) {
        self.fuse = fuse.clone();
    }

    fn steps<T>(&self, sign: impl FnOnce() -> Result<T, IssuerError>) -> Result<T, LinkError> {
        self.fuse.step();
        let signed = sign();
        self.fuse.step();
        signed.map_err(|error| LinkError::Refused { kind: error.kind().into(), text: error.to_string() })
    }
}

impl Signers for LocalSigners {
    fn token(
        &self,
        epoch: EpochId,
        tier: Tier,
        request: &BlindSignature,
    ) -> Result<BlindSignature, LinkError> {
        let code = self.code.reveal();
        self.steps(|| self.tokens.lock().unwrap().sign(code, (epoch, tier), request, &mut OsRng))
    }

    fn receipt(
        &self,
        epoch: EpochId,
        (region, denomination): (Region, Denomination),
        request: &BlindSignature,
    ) -> Result<BlindSignature, LinkError> {
        let (code, at) = (self.code.reveal(), (epoch, region, denomination));
        self.steps(|| self.receipts.lock().unwrap().sign(code, at, request, &mut OsRng))
    }
}

/// What a party does in place of answering.
#[derive(Clone, Debug)]
pub(crate) enum Mishap {
    Down,
    Busy(Option<Duration>),
    Garbage,
    /// It takes the bundle in, and the answer is lost.
    Lost,
    /// A receipt under another key.
    Forged,
    /// A receipt for another bundle.
    OtherBundle,
    /// It takes the bundle in later.
    Slow,
    Refuse(&'static str),
}

#[derive(Default)]
struct Party {
    mishaps: VecDeque<Mishap>,
    /// Comes in place of a mishap when there is none in the queue.
    always: Option<Mishap>,
    /// Bytes that came, in order, repeats left out.
    came: Vec<Vec<u8>>,
    taken: BTreeMap<Digest, Receipt>,
    cum: Option<WirePoint>,
    waiting: BTreeSet<Digest>,
    finals: BTreeMap<Digest, Inclusion>,
}

/// Three parties that verify what they get, and the chain that anchors it.
pub(crate) struct World {
    pub(crate) epoch: OpenedEpoch,
    parties: [Mutex<Party>; 3],
    headers: Mutex<BTreeMap<ShardIndex, SignedHeader>>,
    roots: Mutex<BTreeMap<ShardIndex, SignedRoot>>,
    /// The last epoch that is settled or given up.
    over: Mutex<Option<EpochId>>,
    pub(crate) fuse: Fuse,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            epoch: epoch(),
            parties: Default::default(),
            headers: Mutex::default(),
            roots: Mutex::default(),
            over: Mutex::default(),
            fuse: Fuse::never(),
        }
    }

    fn party(&self, number: u8) -> std::sync::MutexGuard<'_, Party> {
        self.parties[usize::from(number) - 1].lock().unwrap()
    }

    /// What a party does next in place of answering.
    pub(crate) fn then(&self, party: u8, mishaps: impl IntoIterator<Item = Mishap>) {
        self.party(party).mishaps.extend(mishaps);
    }

    /// What a party does from now on in place of answering.
    pub(crate) fn always(&self, party: u8, mishap: Option<Mishap>) {
        self.party(party).always = mishap;
    }

    /// The different bytes that came to a party, in order.
    pub(crate) fn came(&self, party: u8) -> Vec<Vec<u8>> {
        self.party(party).came.clone()
    }

    /// Anchors a batch of all that the first party has taken in, in every shard.
    pub(crate) fn anchor(&self) {
        let mut by_shard: BTreeMap<ShardIndex, Vec<Digest>> = BTreeMap::new();
        for bytes in self.came(1) {
            let bundle = Bundle::from_bytes(&bytes).unwrap();
            by_shard.entry(bundle.envelope.shard).or_default().push(bundle.id());
        }
        for (shard, bundles) in by_shard {
            let header = BatchHeader {
                chain: CHAIN,
                epoch: EPOCH,
                shard,
                view: 0,
                position: 0,
                previous: Digest::default(),
                batch_root: batch_root(&bundles),
                count: bundles.len() as u32,
                running: Default::default(),
            };
            let batch = FinalBatch::new(&header, bundles);
            for receipt in (0..).map_while(|index| batch.receipt(index)) {
                (1..=3).for_each(|n| {
                    self.party(n).finals.insert(receipt.bundle, receipt.clone());
                });
            }
            let signatures = signed(&header.signing_digest());
            self.headers.lock().unwrap().insert(shard, SignedHeader { header, signatures });
        }
    }

    /// Freezes every shard as it is.
    pub(crate) fn freeze(&self) {
        for shard in 0..SHARDS as u32 {
            let headers = self.headers.lock().unwrap();
            let last = headers.get(&ShardIndex(shard)).map(|header| header.header.digest());
            let (batches, last) = (last.is_some().into(), last.unwrap_or_default());
            let root = EpochRoot { chain: CHAIN, epoch: EPOCH, shard: ShardIndex(shard), batches, last };
            let signatures = signed(&root.digest());
            self.roots.lock().unwrap().insert(ShardIndex(shard), SignedRoot { root, signatures });
        }
    }

    /// An epoch and all before it are over; parties have forgotten bundles of the one before it.
    pub(crate) fn end(&self, epoch: EpochId) {
        *self.over.lock().unwrap() = Some(epoch);
        if epoch > EPOCH {
            for party in &self.parties {
                *party.lock().unwrap() = Party::default();
            }
        }
    }

    /// Changes what the record says of a shard.
    pub(crate) fn with_header(&self, shard: u32, change: impl FnOnce(&mut SignedHeader)) {
        change(self.headers.lock().unwrap().get_mut(&ShardIndex(shard)).unwrap());
    }

    /// Takes a bundle in, if it is valid and goes on from the one before.
    fn take(&self, number: PartyId, bytes: &[u8]) -> Result<Receipt, String> {
        let committee = committee_of_all();
        let bundle = Bundle::from_bytes(bytes).expect("a client sends bundles");
        let mut party = self.parties[number.index()].lock().unwrap();
        if !party.came.iter().any(|came| came == bytes) {
            party.came.push(bytes.to_vec());
        }
        if let Some(receipt) = party.taken.get(&bundle.id()) {
            return Ok(receipt.clone());
        }
        let context = self.epoch.context(bundle.envelope.shard).expect("a shard of the epoch");
        assert_eq!(bundle.envelope.window, 2);
        verified(context, &bundle)?;
        bundle.open(context, number, &committee.kem[number.index()]).map_err(|e| e.to_string())?;
        if party.cum.unwrap_or_default() != bundle.previous {
            return Err("spent-elsewhere".into());
        }
        let sum = bundle.previous.decompress().unwrap() + bundle.proof.value.decompress().unwrap();
        party.cum = Some(sum.into());
        let receipt = Receipt::sign(&committee.signers[number.index()], CHAIN, EPOCH, bundle.id());
        party.taken.insert(bundle.id(), receipt.clone());
        Ok(receipt)
    }

    fn answer(&self, party: PartyId, id: &Digest, bytes: &[u8]) -> Result<Answer, LinkError> {
        let mishap = {
            let mut own = self.parties[party.index()].lock().unwrap();
            let next = own.mishaps.pop_front();
            next.or_else(|| own.always.clone())
        };
        let other = &committee_of_all().signers[party.next().index()];
        match mishap {
            Some(Mishap::Down) => return Err(LinkError::Unreachable { reason: "refused".into() }),
            Some(Mishap::Busy(retry_after)) => {
                return Err(LinkError::Busy { kind: "busy".into(), retry_after });
            }
            Some(Mishap::Garbage) => return Err(LinkError::Garbage { what: "a cat".into() }),
            Some(Mishap::Refuse(kind)) => {
                return Ok(Answer::Refused { kind: kind.into(), text: "x".repeat(9999) });
            }
            Some(Mishap::Forged) => {
                let forged = Receipt { party, ..Receipt::sign(other, CHAIN, EPOCH, *id) };
                return Ok(Answer::Promised(forged));
            }
            Some(Mishap::OtherBundle) => {
                let own = &committee_of_all().signers[party.index()];
                return Ok(Answer::Promised(Receipt::sign(own, CHAIN, EPOCH, Digest([1; 32]))));
            }
            Some(Mishap::Lost) => {
                self.take(party, bytes).unwrap();
                return Err(LinkError::Unreachable { reason: "reset".into() });
            }
            Some(Mishap::Slow) => {
                self.take(party, bytes).unwrap();
                self.parties[party.index()].lock().unwrap().waiting.insert(*id);
                return Ok(Answer::Waiting);
            }
            None => {}
        }
        Ok(match self.take(party, bytes) {
            Ok(receipt) => Answer::Promised(receipt),
            Err(kind) => Answer::Refused { kind, text: String::new() },
        })
    }
}

/// Two signatures, the first leader's among them.
fn signed(message: &Digest) -> Signatures {
    let mut signatures = Signatures::default();
    for signer in &committee_of_all().signers[..2] {
        signatures.insert(signer.party(), signer.sign(message));
    }
    signatures
}

/// Whether the proof holds. Three parties need not find that out three times.
fn verified(context: &EpochContext, bundle: &Bundle) -> Result<(), String> {
    static KNOWN: Mutex<BTreeSet<Digest>> = Mutex::new(BTreeSet::new());
    if !KNOWN.lock().unwrap().contains(&bundle.id()) {
        bundle::verify(context, bundle).map_err(|error| error.to_string())?;
        KNOWN.lock().unwrap().insert(bundle.id());
    }
    Ok(())
}

impl Parties for World {
    fn submit(&self, party: PartyId, id: &Digest, bytes: &[u8]) -> Result<Answer, LinkError> {
        self.fuse.step();
        let answer = self.answer(party, id, bytes);
        self.fuse.step();
        answer
    }

    fn standing(&self, party: PartyId, bundle: &Digest) -> Result<Standing, LinkError> {
        self.fuse.step();
        let mut party = self.parties[party.index()].lock().unwrap();
        if let Some(Mishap::Down) = party.always {
            return Err(LinkError::Unreachable { reason: "refused".into() });
        }
        if party.finals.contains_key(bundle) {
            return Ok(Standing::Final);
        }
        if party.waiting.remove(bundle) {
            return Ok(Standing::Waiting);
        }
        Ok(party
            .taken
            .get(bundle)
            .map_or(Standing::Unknown, |receipt| Standing::Provisional(receipt.clone())))
    }

    fn inclusion(&self, party: PartyId, bundle: &Digest) -> Result<Option<Inclusion>, LinkError> {
        Ok(self.parties[party.index()].lock().unwrap().finals.get(bundle).cloned())
    }
}

impl Record for World {
    fn header(
        &self,
        epoch: EpochId,
        shard: ShardIndex,
        position: u64,
    ) -> Result<Option<SignedHeader>, LinkError> {
        assert_eq!(epoch, EPOCH);
        let headers = self.headers.lock().unwrap();
        Ok(headers.get(&shard).filter(|header| header.header.position == position).cloned())
    }

    fn root(&self, epoch: EpochId, shard: ShardIndex) -> Result<Option<SignedRoot>, LinkError> {
        assert_eq!(epoch, EPOCH);
        Ok(self.roots.lock().unwrap().get(&shard).cloned())
    }

    fn is_over(&self, epoch: EpochId) -> Result<bool, LinkError> {
        Ok(self.over.lock().unwrap().is_some_and(|last| epoch <= last))
    }
}
