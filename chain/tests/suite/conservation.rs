//! Whatever is submitted, no credit appears or disappears, nothing yields, and a refusal leaves no trace.

use crate::world::*;
use chain::{
    Ledger, Payload, Transaction,
    modules::{
        dapr::Claim,
        treasury::{AttestReserve, Burn, Fund, Mint, Supply, Transfer},
        usage::AbandonEpoch,
    },
    state::State,
};
use primitives::{Credits, EpochId, PersonId, Time};
use proptest::prelude::*;
use std::{collections::BTreeMap, sync::OnceLock};

const NEXT: EpochId = EpochId(FIRST.0 + 1);

/// A ledger with payouts to claim, an epoch whose revenue is still to come, and four free transactions an epoch.
fn settled() -> &'static (Ledger, Vec<Claim>) {
    static SETTLED: OnceLock<(Ledger, Vec<Claim>)> = OnceLock::new();
    SETTLED.get_or_init(|| {
        let mut world = World::genesis_with(|genesis| genesis.rules.fees.free_per_epoch = 4).and_works();
        world.ok(REGISTRAR, world.register(CREATORS + 1));
        world.run_epoch(FIRST, &bundles());
        world.prepare(NEXT);
        let opening = world.opening(NEXT);
        world.ok(STEWARD, Payload::OpenEpoch(opening));
        let claims = world.ledger.state().claims_of_epoch(FIRST);
        (world.ledger, claims)
    })
}

/// A step that may be valid or not.
#[derive(Clone, Debug)]
enum Step {
    Claim { which: usize, more: u64 },
    Transfer { from: u8, to: u8, amount: u64, nonce: u64 },
    Revenue { tier: u8, subscriptions: u64 },
    Attest { auditor: usize, document: u8, reserve: u64 },
    Mint { to: u8, amount: u64, reference: u8 },
    Burn { from: u8, amount: u64, reference: u8 },
    Finalise,
    Abandon { epoch: EpochId },
    Seal { after: u32 },
}

fn amount() -> impl Strategy<Value = u64> {
    prop_oneof![6 => 0..30_000_000u64, 1 => any::<u64>()]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (any::<usize>(), prop_oneof![3 => Just(0u64), 1 => 1..9u64]).prop_map(|(which, more)| Step::Claim { which, more }),
        6 => (1..=4u8, 1..=5u8, amount(), prop_oneof![5 => Just(0u64), 1 => 1..3u64])
            .prop_map(|(from, to, amount, nonce)| Step::Transfer { from, to, amount, nonce }),
        1 => (0..3u8, prop_oneof![3 => 0..100u64, 1 => any::<u64>()])
            .prop_map(|(tier, subscriptions)| Step::Revenue { tier, subscriptions }),
        2 => (0..2usize, any::<u8>(), prop_oneof![3 => 0..1u64 << 40, 1 => any::<u64>()])
            .prop_map(|(auditor, document, reserve)| Step::Attest { auditor, document, reserve }),
        4 => (1..=5u8, amount(), 0..20u8).prop_map(|(to, amount, reference)| Step::Mint { to, amount, reference }),
        4 => (1..=4u8, amount(), 0..20u8).prop_map(|(from, amount, reference)| Step::Burn { from, amount, reference }),
        1 => Just(Step::Finalise),
        1 => prop_oneof![Just(FIRST), Just(NEXT)].prop_map(|epoch| Step::Abandon { epoch }),
        2 => prop_oneof![Just(0u32), 0..40 * 86_400u32].prop_map(|after| Step::Seal { after }),
    ]
}

/// The transaction of a step, if it is one.
fn transaction(world: &mut World, claims: &[Claim], step: Step) -> Option<Transaction> {
    Some(match step {
        Step::Seal { after } => {
            world.seal();
            world.ledger.begin(world.ledger.now().after(after));
            return None;
        }
        Step::Finalise => Transaction::open(finalise(FIRST)),
        Step::Abandon { epoch } => {
            let reason = digest(1);
            world.sign(STEWARD, Payload::AbandonEpoch(AbandonEpoch { epoch, reason }))
        }
        Step::Claim { which, more } => {
            let mut claim = claims[which % claims.len()].clone();
            claim.amount = Credits(claim.amount.0 + more);
            Transaction::open(Payload::Claim(claim))
        }
        Step::Transfer { from, to, amount, nonce } => {
            let payload = Payload::Transfer(Transfer { to: person(to), amount: Credits(amount) });
            let next = world.ledger.nonce(&person(from)).unwrap_or(0) + nonce;
            let key = &world.keys[&person(from)];
            Transaction::signed(payload, CHAIN, (person(from), next), key, &mut world.rng)
        }
        Step::Revenue { tier, subscriptions } => {
            let mut report = World::revenue(NEXT, primitives::Tier(tier));
            report.subscriptions = subscriptions;
            world.sign(TREASURY, Payload::ReportRevenue(report))
        }
        Step::Attest { auditor, document, reserve } => {
            let attest = AttestReserve { document: digest(document), reserve: Credits(reserve) };
            world.sign(AUDITORS[auditor], Payload::AttestReserve(attest))
        }
        Step::Mint { to, amount, reference } => {
            let mint = Mint { to: person(to), amount: Credits(amount), reference: digest(reference) };
            world.sign(TREASURY, Payload::Mint(mint))
        }
        Step::Burn { from, amount, reference } => {
            let burn = Burn { amount: Credits(amount), reference: digest(reference) };
            world.sign(person(from), Payload::Burn(burn))
        }
    })
}

/// Everything that holds credits, and what came and went.
#[derive(Clone, PartialEq)]
struct Holdings {
    accounts: BTreeMap<PersonId, u64>,
    fees: u64,
    supply: Supply,
    reserve: Credits,
    now: Time,
}

impl Holdings {
    fn of(ledger: &Ledger) -> Self {
        let state: &State = ledger.state();
        let rules = &state.in_force(ledger.origin()).rules.treasury;
        Self {
            accounts: state.accounts.iter().map(|account| (account.owner, account.balance.0)).collect(),
            fees: state.fund(Fund::Fee).0,
            supply: state.total_supply(),
            reserve: state.attested_reserve(ledger.now(), rules),
            now: ledger.now(),
        }
    }
}

/// Whom an accepted payload credits with how much. Nobody else gains anything by it, and nobody gains by anything else.
fn gain(payload: &Payload) -> Option<(PersonId, u64)> {
    match payload {
        Payload::Transfer(transfer) => Some((transfer.to, transfer.amount.0)),
        Payload::Claim(claim) => Some((claim.payee, claim.amount.0)),
        Payload::Mint(mint) => Some((mint.to, mint.amount.0)),
        _ => None,
    }
}

/// What an accepted payload takes from its signer, beside the fee.
fn cost(payload: &Payload) -> u64 {
    match payload {
        Payload::Transfer(transfer) => transfer.amount.0,
        Payload::Burn(burn) => burn.amount.0,
        _ => 0,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Chain spec 3.6: "No built-in yield." A balance grows by what somebody transfers, claims or pays in and by
    /// nothing else, however much time passes.
    #[test]
    fn credits_are_conserved_and_yield_nothing(steps in proptest::collection::vec(step(), 1..60)) {
        let (ledger, claims) = settled();
        let mut world = World::genesis();
        world.ledger = ledger.clone();
        let fee = ledger.origin().rules.fees.transaction.0;
        let mut before = Holdings::of(&world.ledger);
        for step in steps {
            let Some(tx) = transaction(&mut world, claims, step) else {
                let after = Holdings::of(&world.ledger);
                prop_assert!(after.accounts == before.accounts && after.supply == before.supply, "time yields");
                before = after;
                continue;
            };
            let bytes = world.ledger.state().to_bytes();
            if world.ledger.apply(&tx).is_err() {
                prop_assert!(world.ledger.state().to_bytes() == bytes);
                continue;
            }
            let after = Holdings::of(&world.ledger);
            prop_assert_eq!(world.ledger.state().check_conservation(), Ok(()));
            let mut expected = before.accounts.clone();
            if let Some((payee, amount)) = gain(&tx.payload) {
                *expected.get_mut(&payee).expect("an account") += amount;
            }
            let paid = if matches!(tx.payload, Payload::FinaliseEpoch(_)) { 0 } else { after.fees - before.fees };
            prop_assert!(paid == 0 || paid == fee);
            if let Some(authorisation) = &tx.authorisation {
                *expected.get_mut(&authorisation.signer).expect("an account") -= cost(&tx.payload) + paid;
            }
            prop_assert_eq!(&after.accounts, &expected);
            // Minting alone adds to the supply, and never beyond the reserve.
            let mints = matches!(tx.payload, Payload::ReportRevenue(_) | Payload::Mint(_));
            let more = after.supply.minted > before.supply.minted;
            prop_assert!(!more || mints && after.supply.in_existence() <= before.reserve);
            prop_assert!(after.supply.burnt == before.supply.burnt || matches!(tx.payload, Payload::Burn(_)));
            before = after;
        }
    }
}
