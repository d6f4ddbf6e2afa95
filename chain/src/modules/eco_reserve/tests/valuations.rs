//! Valuations, and oracles that are alone, suspended, interested or in a hurry.

use super::*;
use crate::{
    modules::identity::Status,
    transaction::{EnvelopeError, Payload},
};

/// A world with one asset, long enough ago that reports count.
fn with_land() -> World {
    let mut world = World::new();
    world.acquire(1, 100_000);
    world.pass(14 * DAY);
    world
}

fn refused(error: EcoError) -> Result<(), TxError> {
    Err(TxError::Eco(error))
}

fn too_few(found: usize) -> Result<(), TxError> {
    refused(EcoError::TooFewReports { asset: id(1), expected: 2, found })
}

fn report(value: u64, haircut: u16, hectares: u64, tonnes: u64) -> Figures {
    Figures { value: Credits(value), haircut: points(haircut), mrv: Mrv { hectares, tonnes } }
}

#[test]
fn each_figure_is_the_median_of_what_is_reported() {
    let mut world = with_land();
    world.push(0, 1, report(101_000, 1_100, 12_530, 309), 1).expect("reported");
    world.pass(60);
    world.push(1, 1, report(103_000, 1_300, 12_510, 307), 1).expect("reported");
    world.push(2, 1, report(105_000, 1_200, 12_520, 308), 1).expect("reported");
    world.accept(1).expect("valued");
    let asset = world.asset(1);
    let expected = Valuation { figures: report(103_000, 1_200, 12_520, 308), at: Time(u64::from(14 * DAY)) };
    assert_eq!((asset.valuation, asset.round), (expected, 1));
}

#[test]
fn of_two_reports_the_careful_one_counts() {
    let mut world = with_land();
    world.push(0, 1, report(108_000, 1_100, 12_530, 307), 1).expect("reported");
    world.push(2, 1, report(104_000, 1_300, 12_520, 309), 1).expect("reported");
    world.accept(1).expect("valued");
    assert_eq!(world.asset(1).valuation.figures, report(104_000, 1_300, 12_520, 307));
}

#[test]
fn no_haircut_is_below_the_least_of_its_kind() {
    let mut world = with_land();
    for oracle in [0, 1] {
        world.push(oracle, 1, report(100_000, 0, 12_500, 300), 1).expect("reported");
    }
    world.accept(1).expect("valued");
    assert_eq!(world.asset(1).valuation.figures, report(100_000, 1_000, 12_500, 300));
}

#[test]
fn one_oracle_alone_values_nothing() {
    let mut world = with_land();
    assert_eq!(world.accept(1), too_few(0));
    world.push(0, 1, figures(100_000), 1).expect("reported");
    assert_eq!(world.accept(1), too_few(1));
    // The latest of each counts, not all of one.
    world.push(0, 1, figures(100_000), 2).expect("reported");
    assert_eq!(world.accept(1), too_few(1));
}

#[test]
fn the_word_of_an_oracle_ends_with_the_office() {
    let mut world = with_land();
    for oracle in [0, 1] {
        world.push(oracle, 1, figures(100_000), 1).expect("reported");
    }
    world.set_status(ORACLES[1], Status::Suspended);
    assert_eq!(world.accept(1), too_few(1));
    let signer = ORACLES[1];
    assert_eq!(world.push(1, 1, figures(100_000), 2), refused(EcoError::NotOracle { signer }));
    world.set_status(ORACLES[1], Status::Active);
    world.accept(1).expect("valued");
    let signer = TREASURER;
    assert_eq!(world.push_as(TREASURER, 1, figures(1), 1), refused(EcoError::NotOracle { signer }));
}

#[test]
fn a_document_serves_an_oracle_once() {
    let mut world = with_land();
    world.acquire(2, 100_000);
    world.push(0, 1, figures(100_000), 1).expect("reported");
    let (by, document) = (ORACLES[0], digest(1));
    let used = || refused(EcoError::Treasury(TreasuryError::DocumentUsed { by, document }));
    assert_eq!(world.push(0, 1, figures(100_001), 1), used());
    world.pass(14 * DAY);
    assert_eq!(world.push(0, 1, figures(100_000), 1), used());
    // Nor for another asset.
    assert_eq!(world.push(0, 2, figures(100_000), 1), used());
    world.push(1, 1, figures(100_000), 1).expect("another oracle's");
}

#[test]
fn whoever_sold_the_asset_or_may_buy_it_does_not_value_it() {
    let mut world = with_land();
    let asset = id(1);
    let interested = |signer| refused(EcoError::Interested { asset, signer });
    assert_eq!(world.push_as(SELLER, 1, figures(100_000), 1), interested(SELLER));
    world.push_as(BUYER, 1, figures(100_000), 1).expect("a stranger to the asset, so far");
    world.push(0, 1, figures(100_000), 1).expect("reported");
    world.offer(1, 450_000);
    assert_eq!(world.push_as(BUYER, 1, figures(1), 2), interested(BUYER));
    // What they said before counts no longer either.
    assert_eq!(world.accept(1), too_few(1));
}

#[test]
fn reports_grow_old() {
    let mut world = with_land();
    let age = world.rules().report_age;
    world.push(0, 1, figures(100_000), 1).expect("reported");
    world.pass(age);
    world.push(1, 1, figures(100_000), 1).expect("reported");
    world
        .ledger
        .clone()
        .apply(&crate::Transaction::open(Payload::AcceptValuation(AcceptValuation {
            asset: id(1),
            round: 0,
        })))
        .expect("the last moment");
    world.pass(1);
    assert_eq!(world.accept(1), too_few(1));
}

#[test]
fn a_report_serves_one_valuation() {
    let mut world = with_land();
    for oracle in [0, 1] {
        world.push(oracle, 1, figures(100_000), 1).expect("reported");
    }
    world.accept(1).expect("valued");
    assert_eq!(world.accept(1), too_few(0));
}

/// Enough oracles together could otherwise take many small steps at once.
#[test]
fn small_changes_do_not_add_up_in_a_day() {
    let mut world = with_land();
    for oracle in [0, 1] {
        world.push(oracle, 1, figures(110_000), 1).expect("reported");
    }
    world.accept(1).expect("a tenth more");
    let (asset, earliest) = (id(1), world.asset(1).valuation.at.after(14 * DAY));
    assert_eq!(world.push(0, 1, figures(121_000), 2), refused(EcoError::TooSoon { asset, earliest }));
    world.pass(14 * DAY - 1);
    assert_eq!(world.push(0, 1, figures(121_000), 2), refused(EcoError::TooSoon { asset, earliest }));
    world.pass(1);
    for oracle in [0, 1] {
        world.push(oracle, 1, figures(121_000), 2).expect("reported");
    }
    world.accept(1).expect("another tenth");
}

/// Reports from while a valuation waited are too close to it once it is approved.
#[test]
fn what_was_reported_too_soon_does_not_count_later() {
    let mut world = with_land();
    for oracle in [0, 1] {
        world.push(oracle, 1, figures(200_000), 1).expect("reported");
    }
    world.accept(1).expect("proposed");
    world.pass(DAY);
    for oracle in [0, 1] {
        world.push(oracle, 1, figures(210_000), 2).expect("reported");
    }
    world.decide(|draft, at| approve_valuation(draft, at, id(1), 1)).expect("approved");
    assert_eq!(world.accept(1), too_few(0));
}

#[test]
fn a_flash_change_waits_for_governance() {
    for (value, haircut, waits) in [
        (110_000, 1_000, false),
        (110_001, 1_000, true),
        (90_000, 1_000, false),
        (89_999, 1_000, true),
        // The value stays and what counts of it falls by more than a tenth.
        (100_000, 1_901, true),
        (100_000, 1_900, false),
        (u64::MAX, 1_000, true),
    ] {
        let mut world = with_land();
        for oracle in [0, 1] {
            world.push(oracle, 1, report(value, haircut, 12_500, 300), 1).expect("reported");
        }
        let before = world.asset(1).valuation;
        world.accept(1).expect("taken together");
        let asset = world.asset(1);
        assert_eq!(asset.pending.is_some(), waits, "{value} at {haircut}");
        assert_eq!(asset.valuation == before, waits);
    }
}

/// A world in which a valuation of 200,000 waits.
fn waiting() -> World {
    let mut world = with_land();
    for oracle in [0, 1] {
        world.push(oracle, 1, figures(200_000), 1).expect("reported");
    }
    world.accept(1).expect("proposed");
    world
}

#[test]
fn governance_approves_what_it_voted_on() {
    let mut world = waiting();
    let asset = id(1);
    assert_eq!(world.accept(1), refused(EcoError::AwaitsGovernance { asset, round: 1 }));
    let other = EcoError::OtherRound { asset, expected: 1, found: 0 };
    world.refuse_decision(|draft, at| approve_valuation(draft, at, asset, 0), other);
    // Reports that come while it waits change nothing of it.
    for oracle in [0, 1] {
        world.push(oracle, 1, figures(900_000), 2).expect("reported");
    }
    let pending = world.asset(1).pending.expect("it waits");
    assert_eq!(pending.figures, figures(200_000));
    world.decide(|draft, at| approve_valuation(draft, at, asset, 1)).expect("approved");
    assert_eq!((world.asset(1).valuation, world.asset(1).pending), (pending, None));
    let nothing = EcoError::NothingPending { asset };
    world.refuse_decision(|draft, at| approve_valuation(draft, at, asset, 1), nothing);
}

#[test]
fn what_waits_too_long_lapses() {
    let mut world = waiting();
    let (asset, until) =
        (id(1), world.asset(1).pending.expect("it waits").at.after(world.rules().report_age));
    world.pass(world.rules().report_age);
    for oracle in [0, 1] {
        world.push(oracle, 1, figures(105_000), 2).expect("reported");
    }
    assert_eq!(world.accept(1), refused(EcoError::AwaitsGovernance { asset, round: 1 }));
    world.pass(1);
    let lapsed = EcoError::Lapsed { asset, until };
    world.refuse_decision(|draft, at| approve_valuation(draft, at, asset, 1), lapsed);
    world.accept(1).expect("valued");
    assert_eq!((world.asset(1).valuation.figures, world.asset(1).pending), (figures(105_000), None));
}

#[test]
fn governance_drops_what_was_reported() {
    let mut world = waiting();
    let asset = id(1);
    for oracle in [0, 1] {
        world.push(oracle, 1, figures(105_000), 2).expect("reported");
    }
    world.decide(|draft, at| reject_valuation(draft, at, asset)).expect("dropped");
    let nothing = EcoError::NothingPending { asset };
    world.refuse_decision(|draft, at| approve_valuation(draft, at, asset, 2), nothing);
    assert_eq!(world.accept(1), too_few(0));
    assert_eq!(world.asset(1).valuation.figures, figures(100_000));
    world.push(0, 1, figures(105_000), 3).expect("reported");
    world.push(1, 1, figures(105_000), 3).expect("reported");
    world.accept(1).expect("valued");
}

#[test]
fn an_asset_that_is_not_there_has_no_value() {
    let mut world = with_land();
    let unknown = || EcoError::Unknown { asset: id(9) };
    assert_eq!(world.push(0, 9, figures(1), 1), refused(unknown()));
    assert_eq!(world.accept(9), refused(unknown()));
    world.refuse_decision(|draft, at| approve_valuation(draft, at, id(9), 0), unknown());
    world.refuse_decision(|draft, at| reject_valuation(draft, at, id(9)), unknown());
}

#[test]
fn a_tampered_report_is_not_the_oracles() {
    let mut world = with_land();
    world.acquire(2, 1);
    let push = PushValuation { asset: id(1), figures: figures(100_000), document: digest(1) };
    let good = world.sign(ORACLES[0], Payload::PushValuation(push));
    let edits: [fn(&mut PushValuation); 6] = [
        |p| p.asset = id(2),
        |p| p.figures.value.0 += 1,
        |p| p.figures.haircut = points(1),
        |p| p.figures.mrv.hectares += 1,
        |p| p.figures.mrv.tonnes += 1,
        |p| p.document = digest(2),
    ];
    for edit in edits {
        let mut tx = good.clone();
        let Payload::PushValuation(report) = &mut tx.payload else { unreachable!("a report") };
        edit(report);
        let signer = ORACLES[0];
        assert_eq!(world.apply(&tx), Err(TxError::Envelope(EnvelopeError::Signature { signer })));
    }
    world.apply(&good).expect("reported");
    // What nobody signs has one form.
    let accept = Payload::AcceptValuation(AcceptValuation { asset: id(1), round: 0 });
    let signed = world.sign(ORACLES[0], accept);
    assert_eq!(world.apply(&signed), Err(TxError::Envelope(EnvelopeError::NeedlesslySigned)));
}

/// Each acceptance is a transaction of its own, and not the same one again.
#[test]
fn an_acceptance_names_the_round_that_it_is_about() {
    let mut world = with_land();
    for oracle in [0, 1] {
        world.push(oracle, 1, figures(100_000), 1).expect("reported");
    }
    let asset = id(1);
    let accept = |round| crate::Transaction::open(Payload::AcceptValuation(AcceptValuation { asset, round }));
    let other = |expected, found| refused(EcoError::OtherRound { asset, expected, found });
    assert_eq!(world.apply(&accept(1)), other(0, 1));
    world.apply(&accept(0)).expect("valued");
    assert_eq!(world.apply(&accept(0)), other(1, 0));
}

/// What an asset protects is said on the same word as its value.
#[test]
fn a_jump_of_what_an_asset_protects_waits_for_governance() {
    let jumps: [fn(&mut Mrv); 2] = [|mrv| mrv.tonnes = u64::MAX, |mrv| mrv.hectares *= 2];
    for jump in jumps {
        let mut world = with_land();
        let mut much = figures(100_000);
        jump(&mut much.mrv);
        for oracle in [0, 1] {
            world.push(oracle, 1, much, 1).expect("reported");
        }
        let before = world.asset(1).valuation;
        world.accept(1).expect("taken together");
        let asset = world.asset(1);
        assert_eq!(asset.valuation, before);
        assert_eq!(asset.pending.map(|pending| pending.figures.mrv), Some(much.mrv));
    }
}
