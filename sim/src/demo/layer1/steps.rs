//! What is done on L1, in its order.

use super::{Connected, Gas, OnLayer1, Paid, Tried};
use crate::{
    demo::DemoError,
    progress::{Progress, Stage},
    workload::Workload,
    world::{self, World},
};
use chain::{
    Block, Genesis, Ledger,
    bridge::{
        Anchor, AnchorError, Attestation, Attester, B256, Batch, Committed, Policy, Port, PrivateKeySigner,
        Receipt, Sender, U256,
        attester::domain,
        batch::root_on_layer1,
        batches,
        contracts::{
            mirror::EpochMirror::EpochMirrorErrors as MirrorError,
            rollup::AttestedRollup::AttestedRollupErrors as RollupError,
            vault::PayoutVault::PayoutVaultErrors as VaultError,
        },
        epoch::mirrored,
        refusal::Refusal,
    },
    ledger::EpochProof,
    modules::{dapr::Claim, usage::Epoch},
};
use primitives::{Credits, Layer1Address, PartyId};
use std::{cell::RefCell, collections::BTreeMap, path::Path, rc::Rc};

/// Wei that a creator is given to pay for gas: a tenth of an ether.
const GAS_MONEY: u64 = 100_000_000_000_000_000;
/// Transactions besides batches, creators and claims: four contracts, the mirror, and three to fund the vault.
const FIXED_STEPS: usize = 8;

/// What the rollup has to show.
pub(in crate::demo) struct Shown<'a> {
    pub(in crate::demo) genesis: Genesis,
    pub(in crate::demo) blocks: &'a [Block],
    pub(in crate::demo) epoch: &'a Epoch,
    pub(in crate::demo) proof: &'a EpochProof,
    /// Payouts to accounts on L1.
    pub(in crate::demo) claims: Vec<Claim>,
}

type Account = Anchor<Rc<RefCell<dyn Port>>>;

/// Anchors every block, mirrors the epoch, funds the vault and has the creators claim. Journals go to `scratch`.
pub(in crate::demo) fn run(
    connected: Connected,
    (world, workload): (&World, &Workload),
    shown: &Shown<'_>,
    scratch: &Path,
    progress: &dyn Progress,
) -> Result<OnLayer1, DemoError> {
    let Connected { port, operator, name: node } = connected;
    let creators: Vec<usize> = world::on_layer1(workload).into_iter().collect();
    let genesis = Ledger::genesis(shown.genesis.clone()).map_err(chain::node::NodeError::from)?;
    let first_root = root_on_layer1(&genesis.clone().state_root());
    let cut = cut(shown.blocks, first_root);
    let steps = FIXED_STEPS + cut.len() + creators.len() + shown.claims.len();
    progress.begin(Stage::Layer1, steps as u64);
    let mut run = Run { progress, gas: BTreeMap::new(), tried: Vec::new() };

    let open = |key: PrivateKeySigner| {
        let journal = scratch.join(format!("{}.journal", key.address()));
        Sender::open(Rc::clone(&port), key, journal, Policy::default()).map_err(AnchorError::from)
    };
    let members = PartyId::ALL.map(|party| world::layer1_key(world.seed, &party.to_string()));
    let committee = members.each_ref().map(PrivateKeySigner::address);
    let (mut operator, receipts) = Anchor::deploy(open(operator)?, first_root, committee, world.reserve)?;
    receipts.iter().for_each(|receipt| run.spent("deploy a contract", receipt));

    let domain = domain(operator.sender().chain_id(), operator.contracts().rollup);
    let attester = |party: PartyId| {
        let record = scratch.join(format!("attested-by-{party}.log"));
        Attester::open(party, members[party.index()].clone(), domain.clone(), genesis.clone(), record)
    };
    let [first, second, third] = PartyId::ALL.map(attester);
    run.anchor(&mut operator, &mut [first?, second?, third?], shown.blocks)?;
    let position = operator.position()?;
    let last_root = cut.last().map_or(first_root, |batch| batch.new_root);

    let settled = root_on_layer1(&shown.proof.state_root);
    let epoch_batch = cut.iter().find(|batch| batch.new_root == settled).map_or(0, |batch| batch.number);
    run.mirror(&mut operator, shown, epoch_batch)?;
    let mirror_equal = mirrored(shown.epoch) == Some(operator.epoch(world.epoch)?);

    run.fund(&mut operator, shown)?;
    let mut paid = Vec::new();
    for creator in creators {
        let name = &workload.creators[creator].name;
        let key = world::layer1_key(world.seed, name);
        let receipt = operator.give(key.address(), U256::from(GAS_MONEY))?;
        run.spent("give a creator wei for gas", &receipt);
        let claims: Vec<_> =
            shown.claims.iter().filter(|claim| claim.payee == world.payees[creator]).collect();
        let mut own = Anchor::attach(open(key)?, operator.contracts());
        paid.push(run.pay(&mut own, name, &claims)?);
    }
    run.lie_about_claims(&mut operator, &shown.claims);
    let epoch_root = operator.root_after(epoch_batch)?;
    let remaining = operator.remaining(world.epoch)?.0;
    progress.end(Stage::Layer1);
    Ok(OnLayer1 {
        node,
        contracts: operator.contracts(),
        blocks: shown.blocks.len() as u64,
        batches: cut.len() as u64,
        bytes: cut.iter().map(|batch| batch.data.len() as u64).sum(),
        last_root: position.1,
        epoch_batch,
        epoch_root,
        anchored: position == (cut.len() as u64, last_root),
        mirror_equal,
        paid,
        remaining,
        refusals: run.tried,
        gas: run.gas,
    })
}

/// Every block as batches.
fn cut(blocks: &[Block], first_root: B256) -> Vec<Batch> {
    blocks.iter().fold(Vec::new(), |mut all: Vec<Batch>, block| {
        let root = all.last().map_or(first_root, |batch| batch.new_root);
        all.extend(batches(all.len() as u64 + 1, root, block));
        all
    })
}

struct Run<'a> {
    progress: &'a dyn Progress,
    gas: BTreeMap<String, Gas>,
    tried: Vec<Tried>,
}

impl Run<'_> {
    fn spent(&mut self, what: &str, receipt: &Receipt) {
        let gas = self.gas.entry(what.into()).or_default();
        gas.transactions += 1;
        gas.gas += receipt.gas;
        self.progress.advance(Stage::Layer1, 1);
    }

    /// Notes how L1 answered a lie.
    fn lied<T>(
        &mut self,
        attempt: &str,
        answer: Result<T, AnchorError>,
        expected: impl Fn(&Refusal) -> bool,
    ) {
        let (answer, as_expected) = match answer {
            Ok(_) => ("it was accepted".into(), false),
            Err(AnchorError::Refused { refusal, .. }) => (refusal.name(), expected(&refusal)),
            Err(error) => (error.to_string(), false),
        };
        self.tried.push(Tried { attempt: attempt.into(), answer, as_expected });
    }

    /// Two members attest each block, a different pair each time. Lies about the first two come first.
    fn anchor(
        &mut self,
        operator: &mut Account,
        attesters: &mut [Attester; 3],
        blocks: &[Block],
    ) -> Result<(), DemoError> {
        let mut attested: Vec<(Batch, [Attestation; 2])> = Vec::new();
        for (turn, block) in blocks.iter().enumerate() {
            let [first, second, third] = attesters.each_mut().map(|member| member.attest(block));
            let (first, second, third) = (first?, second?, third?);
            let (one, two) = match turn % 3 {
                0 => (first, second),
                1 => (second, third),
                _ => (first, third),
            };
            attested.extend(one.into_iter().zip(two).map(|((batch, one), (_, two))| (batch, [one, two])));
        }
        if let [(first, signed), (second, their), ..] = &attested[..] {
            let early = operator.commit(second, their);
            self.lied("a batch out of order", early, |r| {
                matches!(r, Refusal::Rollup(RollupError::OutOfOrder(_)))
            });
            let alone = operator.commit(first, &signed[..1]);
            self.lied("a batch signed by one member", alone, |r| {
                matches!(r, Refusal::Rollup(RollupError::TooFewSignatures(_)))
            });
            let other = Batch { new_root: second.new_root, ..first.clone() };
            let forged = operator.commit(&other, signed);
            self.lied("a batch with another root than was signed", forged, |r| {
                matches!(r, Refusal::Rollup(RollupError::WrongSigner(_)))
            });
        }
        for (batch, pair) in &attested {
            if let Committed::Now(receipt) = operator.commit(batch, pair)? {
                self.spent("commit a batch", &receipt);
            }
        }
        Ok(())
    }

    fn mirror(&mut self, operator: &mut Account, shown: &Shown<'_>, batch: u64) -> Result<(), DemoError> {
        let mut wrong = shown.epoch.clone();
        wrong.shards[0].bundles += 1;
        let lie = operator.mirror(&wrong, shown.proof, batch);
        self.lied("an epoch with one bundle more", lie, |r| {
            matches!(r, Refusal::Mirror(MirrorError::NotInState(_)))
        });
        if let Committed::Now(receipt) = operator.mirror(shown.epoch, shown.proof, batch)? {
            self.spent("mirror the epoch", &receipt);
        }
        Ok(())
    }

    fn fund(&mut self, operator: &mut Account, shown: &Shown<'_>) -> Result<(), DemoError> {
        if let Some(claim) = shown.claims.first() {
            let early = operator.claim(claim);
            self.lied("a claim before the vault is funded", early, |r| {
                matches!(r, Refusal::Vault(VaultError::NotFunded(_)))
            });
        }
        let owed = shown.epoch.summary.as_ref().map_or(Credits::ZERO, |summary| summary.on_layer1);
        for receipt in operator.fund(shown.epoch.epoch, owed)? {
            self.spent("fund the vault", &receipt);
        }
        if let Some(claim) = shown.claims.first() {
            let more = Credits(claim.amount.0 + 1);
            let account = claim.payee.layer1_address().unwrap_or_default();
            let lie = operator.claim_as(claim.epoch, claim.work, account, more, &claim.path);
            self.lied("a claim of one unit more", lie, |r| {
                matches!(r, Refusal::Vault(VaultError::NotOwed(_)))
            });
            let foreign = Layer1Address(operator.sender().account().into_array());
            let lie = operator.claim_as(claim.epoch, claim.work, foreign, claim.amount, &claim.path);
            self.lied("a claim for a foreign payee", lie, |r| {
                matches!(r, Refusal::Vault(VaultError::NotOwed(_)))
            });
        }
        Ok(())
    }

    /// A creator claims from its own account.
    fn pay(&mut self, own: &mut Account, name: &str, claims: &[&Claim]) -> Result<Paid, DemoError> {
        for claim in claims {
            let receipt = own.claim(claim)?;
            self.spent("claim a payout", &receipt);
        }
        let account = own.sender().account();
        let owed: Credits = claims.iter().map(|claim| claim.amount).sum();
        Ok(Paid {
            creator: name.into(),
            account: account.to_string(),
            claims: claims.len() as u64,
            owed: owed.0,
            holds: own.credits(account)?.saturating_to(),
        })
    }

    /// Everybody may send a claim, and nobody twice.
    fn lie_about_claims(&mut self, operator: &mut Account, claims: &[Claim]) {
        if let Some(claim) = claims.last() {
            let again = operator.claim(claim);
            self.lied("a second claim", again, |r| {
                matches!(r, Refusal::Vault(VaultError::AlreadyClaimed(_)))
            });
        }
    }
}
