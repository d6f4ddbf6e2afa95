//! Credits come against attested reserves and go by redemption; transactions beyond the free ones cost a fee.

use crate::world::*;
use chain::{
    Genesis, Payload,
    ledger::Authority,
    modules::{
        identity::{Roles, SetStatus, Status},
        treasury::{AttestReserve, Burn, Fund, Mint, Supply, Transfer, TreasuryError},
        usage::UsageError,
    },
    signature::SecretKey,
    transaction::EnvelopeError,
};
use primitives::{Credits, Digest, EpochId, PersonId, Time};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

const DAY: u32 = 86_400;

/// A chain with active creators, where no auditor has attested anything.
fn bare(change: impl FnOnce(&mut Genesis)) -> World {
    World::genesis_with(change).and_works()
}

fn attest(n: u8, reserve: u64) -> Payload {
    Payload::AttestReserve(AttestReserve { document: digest(n), reserve: Credits(reserve) })
}

fn mint_to(to: PersonId, amount: u64, n: u8) -> Payload {
    Payload::Mint(Mint { to, amount: Credits(amount), reference: digest(n) })
}

fn mint(amount: u64, n: u8) -> Payload {
    mint_to(person(1), amount, n)
}

fn burn(amount: u64, n: u8) -> Payload {
    Payload::Burn(Burn { amount: Credits(amount), reference: digest(n) })
}

fn uncovered(reserve: u64, supply: u64) -> TreasuryError {
    TreasuryError::Reserve { reserve: Credits(reserve), supply: Credits(supply) }
}

fn balance(world: &World, n: u8) -> u64 {
    world.ledger.state().accounts.get(&person(n)).expect("an account").balance.0
}

fn wait(world: &mut World, seconds: u32) {
    world.seal();
    world.ledger.begin(world.ledger.now().after(seconds));
}

#[test]
fn credits_come_against_what_two_auditors_attest() {
    let mut world = bare(|_| {});
    world.refuse(TREASURY, mint(100, 1), uncovered(0, 100));
    world.ok(AUDITORS[0], attest(1, 1_000));
    // One auditor alone, however much it says.
    world.refuse(TREASURY, mint(100, 1), uncovered(0, 100));
    world.ok(AUDITORS[1], attest(1, 150));
    world.refuse(TREASURY, mint(151, 1), uncovered(150, 151));
    world.ok(TREASURY, mint(100, 1));
    world.refuse(TREASURY, mint(51, 2), uncovered(150, 151));
    world.ok(TREASURY, mint(50, 2));
    assert_eq!(balance(&world, 1), 150);
    let expected = Supply { minted: Credits(150), burnt: Credits(0) };
    assert_eq!(world.ledger.state().total_supply(), expected);
    world.seal();
}

#[test]
fn a_third_auditor_neither_raises_nor_lowers_what_two_agree_on() {
    let third = PersonId([6; 32]);
    let key = || SecretKey::generate(&mut ChaCha20Rng::seed_from_u64(6));
    let world = |said: u64| {
        let mut world = bare(|genesis| {
            genesis.offices.push(Authority { person: third, key: key().public_key(), roles: Roles::AUDITOR });
        });
        world.keys.insert(third, key());
        world.ok(AUDITORS[0], attest(1, 500));
        world.ok(AUDITORS[1], attest(1, 500));
        world.ok(third, attest(1, said));
        world
    };
    for said in [0, u64::MAX] {
        let mut world = world(said);
        world.refuse(TREASURY, mint(501, 1), uncovered(500, 501));
        world.ok(TREASURY, mint(500, 1));
    }
}

#[test]
fn attestations_grow_old() {
    let mut world = bare(|_| {});
    world.ok(AUDITORS[0], attest(1, 500));
    wait(&mut world, 10 * DAY);
    world.ok(AUDITORS[1], attest(1, 500));
    wait(&mut world, 25 * DAY);
    world.ok(TREASURY, mint(100, 1));
    wait(&mut world, 1);
    world.refuse(TREASURY, mint(100, 2), uncovered(0, 200));
    // The same paper is no news.
    let (by, document) = (AUDITORS[0], digest(1));
    world.refuse(by, attest(1, 500), TreasuryError::DocumentUsed { by, document });
    world.ok(by, attest(2, 500));
    world.ok(TREASURY, mint(100, 2));
}

#[test]
fn only_active_auditors_attest_and_their_word_ends_with_their_office() {
    let mut world = bare(|_| {});
    let signer = person(1);
    world.refuse(signer, attest(1, 500), TreasuryError::NotAuditor { signer });
    for auditor in AUDITORS {
        world.ok(auditor, attest(1, 500));
    }
    let suspend = SetStatus { person: AUDITORS[1], status: Status::Suspended };
    world.ok(REGISTRAR, Payload::SetStatus(suspend));
    world.refuse(TREASURY, mint(1, 1), uncovered(0, 1));
    let signer = AUDITORS[1];
    world.refuse(signer, attest(2, 500), TreasuryError::NotAuditor { signer });
    let back = SetStatus { person: AUDITORS[1], status: Status::Active };
    world.ok(REGISTRAR, Payload::SetStatus(back));
    world.ok(TREASURY, mint(1, 1));
}

#[test]
fn who_mints_attests_nothing() {
    let both = Roles::TREASURER.with(Roles::AUDITOR);
    let mut world = bare(|genesis| genesis.offices[2].roles = both);
    world.refuse(TREASURY, attest(1, 500), TreasuryError::AuditorMints { signer: TREASURY });
}

#[test]
fn minting() {
    let mut world = bare(|genesis| genesis.rules.treasury.cap = Credits(1_000_000));
    for auditor in AUDITORS {
        world.ok(auditor, attest(1, u64::MAX));
    }
    let signer = person(1);
    world.refuse(signer, mint(1, 1), TreasuryError::NotTreasurer { signer });
    world.refuse(TREASURY, mint(0, 1), TreasuryError::NothingToMove);
    let nobody = PersonId([9; 32]);
    world.refuse(TREASURY, mint_to(nobody, 1, 1), TreasuryError::NoAccount { person: nobody });
    let (cap, supply) = (Credits(1_000_000), Credits(1_000_001));
    world.refuse(TREASURY, mint(supply.0, 1), TreasuryError::Cap { cap, supply });
    world.ok(TREASURY, mint(1_000_000, 1));
    world.refuse(TREASURY, mint(1, 1), TreasuryError::PaymentUsed { reference: digest(1) });
    world.refuse(TREASURY, mint(1, 2), TreasuryError::Cap { cap, supply });
    world.refuse(TREASURY, mint(u64::MAX, 2), TreasuryError::Overflow);
    // Revenue is minted under the same cap.
    world.prepare(FIRST);
    let opening = world.opening(FIRST);
    let revenue = opening.tiers[0].price.checked_mul(4).expect("fits");
    world.ok(STEWARD, Payload::OpenEpoch(opening));
    let supply = cap.checked_add(revenue).expect("fits");
    let report = Payload::ReportRevenue(World::revenue(FIRST, TIERS[0]));
    world.refuse(TREASURY, report, UsageError::Treasury(TreasuryError::Cap { cap, supply }));
}

#[test]
fn a_payment_in_is_on_record() {
    let mut world = bare(|_| {});
    wait(&mut world, 7);
    for auditor in AUDITORS {
        world.ok(auditor, attest(1, 500));
    }
    world.ok(TREASURY, mint(20, 3));
    let deposit = world.ledger.state().deposits.get(&digest(3)).expect("on record");
    assert_eq!((deposit.to, deposit.amount, deposit.at), (person(1), Credits(20), Time(7)));
}

#[test]
fn burning() {
    let mut world = bare(|_| {});
    for auditor in AUDITORS {
        world.ok(auditor, attest(1, 500));
    }
    world.ok(TREASURY, mint(300, 1));
    world.ok(TREASURY, mint_to(person(2), 100, 2));
    let (holder, reference) = (person(1), digest(1));
    world.refuse(holder, burn(0, 1), TreasuryError::NothingToMove);
    let (balance_now, amount) = (Credits(300), Credits(301));
    let missing = TreasuryError::Balance { person: holder, balance: balance_now, amount };
    world.refuse(holder, burn(301, 1), missing);
    // Somebody who takes the reference first takes it for themselves alone.
    world.ok(person(2), burn(1, 1));
    world.ok(holder, burn(120, 1));
    world.refuse(holder, burn(1, 1), TreasuryError::RedemptionUsed { holder, reference });
    world.ok(holder, burn(30, 2));
    let state = world.ledger.state();
    let expected = Supply { minted: Credits(400), burnt: Credits(151) };
    assert_eq!((state.total_supply(), balance(&world, 1)), (expected, 150));
    let redemption = state.redemptions.get(&(holder, reference)).expect("on record");
    assert_eq!(redemption.amount, Credits(120));
    world.seal();
}

/// Money that is redeemed leaves the reserve. If an attestation from before went on covering it, credits could be burnt,
/// paid out, and minted again with nothing behind them.
#[test]
fn what_was_redeemed_since_an_attestation_covers_nothing() {
    let mut world = bare(|_| {});
    for auditor in AUDITORS {
        world.ok(auditor, attest(1, 500));
    }
    world.ok(TREASURY, mint(500, 1));
    world.ok(person(1), burn(200, 1));
    world.refuse(TREASURY, mint(200, 2), uncovered(300, 500));
    // Auditors who looked after that say what is there.
    for auditor in AUDITORS {
        world.ok(auditor, attest(2, 400));
    }
    world.refuse(TREASURY, mint(101, 2), uncovered(400, 401));
    world.ok(TREASURY, mint(100, 2));
}

#[test]
fn a_tampered_action_is_another_action() {
    let mut world = bare(|_| {});
    for auditor in AUDITORS {
        world.ok(auditor, attest(1, 500));
    }
    world.ok(TREASURY, mint(300, 1));
    let refuse = |world: &mut World, signer: PersonId, good: Payload, edit: &dyn Fn(&mut Payload)| {
        let mut tx = world.sign(signer, good);
        edit(&mut tx.payload);
        world.refuse_tx(&tx, EnvelopeError::Signature { signer });
    };
    let other = Digest([77; 32]);
    let edits: [&dyn Fn(&mut Payload); 2] = [
        &|p| {
            if let Payload::AttestReserve(a) = p {
                a.document = other
            }
        },
        &|p| {
            if let Payload::AttestReserve(a) = p {
                a.reserve.0 += 1
            }
        },
    ];
    for edit in edits {
        refuse(&mut world, AUDITORS[0], attest(2, 500), edit);
    }
    let edits: [&dyn Fn(&mut Payload); 3] = [
        &|p| {
            if let Payload::Mint(m) = p {
                m.to = person(2)
            }
        },
        &|p| {
            if let Payload::Mint(m) = p {
                m.amount.0 += 1
            }
        },
        &|p| {
            if let Payload::Mint(m) = p {
                m.reference = other
            }
        },
    ];
    for edit in edits {
        refuse(&mut world, TREASURY, mint(100, 2), edit);
    }
    let edits: [&dyn Fn(&mut Payload); 2] = [
        &|p| {
            if let Payload::Burn(b) = p {
                b.amount.0 += 1
            }
        },
        &|p| {
            if let Payload::Burn(b) = p {
                b.reference = other
            }
        },
    ];
    for edit in edits {
        refuse(&mut world, person(1), burn(100, 2), edit);
    }
}

#[test]
fn transactions_beyond_the_free_ones_cost_a_fee() {
    let fee = Credits(10);
    let mut world = bare(|genesis| {
        genesis.rules.fees.transaction = fee;
        genesis.rules.fees.free_per_epoch = 4;
    });
    for auditor in AUDITORS {
        world.ok(auditor, attest(1, 500));
    }
    let transfer = |amount| Payload::Transfer(Transfer { to: person(3), amount: Credits(amount) });
    // Two works of the first creator are on record, and two of the second.
    world.ok(TREASURY, mint(100, 1));
    for _ in 0..2 {
        world.ok(person(1), transfer(1));
    }
    assert_eq!((balance(&world, 1), world.ledger.state().fund(Fund::Fee)), (98, Credits(0)));
    world.ok(person(1), transfer(1));
    assert_eq!((balance(&world, 1), world.ledger.state().fund(Fund::Fee)), (87, fee));
    // The fee comes first: what is left cannot be sent twice.
    let (signer, amount) = (person(1), Credits(78));
    let short = TreasuryError::Balance { person: signer, balance: Credits(77), amount };
    world.refuse(signer, transfer(78), short);
    world.ok(signer, transfer(77));
    world.refuse(signer, transfer(1), EnvelopeError::Fee { signer, balance: Credits(0), fee });
    // Whoever has used nothing yet of theirs goes on for nothing, and an office's duty is always free.
    world.ok(person(3), transfer_to(person(1), 9));
    world.refuse(signer, transfer(1), EnvelopeError::Fee { signer, balance: Credits(9), fee });
    for n in 2..9 {
        world.ok(AUDITORS[0], attest(n, 500));
    }
    // The next epoch brings free ones again.
    world.run_epoch(FIRST, &bundles());
    let next = EpochId(FIRST.0 + 1);
    world.prepare(next);
    world.open(next);
    for _ in 0..4 {
        world.ok(signer, transfer(1));
    }
    world.refuse(signer, transfer(1), EnvelopeError::Fee { signer, balance: Credits(5), fee });
    world.seal();
}

fn transfer_to(to: PersonId, amount: u64) -> Payload {
    Payload::Transfer(Transfer { to, amount: Credits(amount) })
}
