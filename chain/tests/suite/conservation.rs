//! Whatever is submitted, no credit appears or disappears, and a refusal leaves no trace.

use crate::world::*;
use chain::{
    Ledger, Payload, Transaction,
    modules::{dapr::Claim, treasury::Transfer, usage::AbandonEpoch},
};
use primitives::{Credits, EpochId};
use proptest::prelude::*;
use std::sync::OnceLock;

const NEXT: EpochId = EpochId(FIRST.0 + 1);

/// A ledger with payouts to claim and an epoch whose revenue is still to come.
fn settled() -> &'static (Ledger, Vec<Claim>) {
    static SETTLED: OnceLock<(Ledger, Vec<Claim>)> = OnceLock::new();
    SETTLED.get_or_init(|| {
        let mut world = World::settled();
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
    Revenue { tier: u8, subscriptions: u64, reserve: u64 },
    Finalise,
    Abandon { epoch: EpochId },
    Seal,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (any::<usize>(), prop_oneof![3 => Just(0u64), 1 => 1..9u64]).prop_map(|(which, more)| Step::Claim { which, more }),
        4 => (1..=4u8, 1..=5u8, 0..30_000_000u64, prop_oneof![5 => Just(0u64), 1 => 1..3u64])
            .prop_map(|(from, to, amount, nonce)| Step::Transfer { from, to, amount, nonce }),
        1 => (0..3u8, prop_oneof![3 => 0..100u64, 1 => any::<u64>()], prop_oneof![3 => Just(1u64 << 40), 1 => any::<u64>()])
            .prop_map(|(tier, subscriptions, reserve)| Step::Revenue { tier, subscriptions, reserve }),
        1 => Just(Step::Finalise),
        1 => prop_oneof![Just(FIRST), Just(NEXT)].prop_map(|epoch| Step::Abandon { epoch }),
        1 => Just(Step::Seal),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn credits_are_conserved(steps in proptest::collection::vec(step(), 1..40)) {
        let (ledger, claims) = settled();
        let mut world = World::genesis();
        world.ledger = ledger.clone();
        let mut minted = ledger.state().minted();
        for step in steps {
            let tx = match step {
                Step::Seal => {
                    world.seal();
                    continue;
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
                Step::Revenue { tier, subscriptions, reserve } => {
                    let mut report = World::revenue(NEXT, primitives::Tier(tier));
                    (report.subscriptions, report.reserve) = (subscriptions, Credits(reserve));
                    world.sign(TREASURY, Payload::ReportRevenue(report))
                }
            };
            let before = world.ledger.state().to_bytes();
            if world.ledger.apply(&tx).is_err() {
                prop_assert!(world.ledger.state().to_bytes() == before);
            }
            prop_assert_eq!(world.ledger.state().check_conservation(), Ok(()));
            // Only a report of revenue mints.
            let reports = matches!(tx.payload, Payload::ReportRevenue(_));
            prop_assert!(world.ledger.state().minted() == minted || reports);
            minted = world.ledger.state().minted();
        }
    }
}
