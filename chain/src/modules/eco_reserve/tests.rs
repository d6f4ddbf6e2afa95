//! Assets from their purchase to their sale, and whoever tries to have it otherwise.

mod history;
mod sales;
mod valuations;
mod world;

use super::*;
use crate::{
    ledger::TxError,
    modules::{
        governance::{DAY, RulesError},
        treasury::{Fund, TreasuryError},
    },
};
use primitives::{BasisPoints, Credits, PersonId, Time};
use world::*;

#[test]
fn an_asset_is_bought_from_the_fund_and_its_seller_is_paid() {
    let mut world = World::new();
    world.pass(100);
    world.decide(|draft, at| acquire(draft, at, &land(1, 400_000))).expect("bought");
    let asset = world.asset(1);
    assert_eq!((asset.cost, asset.acquired), (Credits(400_000), Time(100)));
    assert_eq!(asset.valuation, Valuation { figures: land(1, 400_000).figures(), at: Time(100) });
    assert_eq!((asset.status, asset.round, asset.pending), (EcoStatus::Held, 0, None));
    assert_eq!(world.fund(), FUND - 400_000);
    assert_eq!(world.balance(SELLER), PURSE + 400_000);
    world.ledger.seal();
}

#[test]
fn what_cannot_be_bought() {
    let mut world = World::new();
    world.acquire(1, 400_000);
    let refuse = |world: &mut World, action: Acquisition, error: EcoError| {
        world.refuse_decision(|draft, at| acquire(draft, at, &action), error);
    };
    // The same title once more, whatever else is said of it.
    let again = Acquisition { kind: EcoKind::Water, entity: digest(88), ..land(1, 1) };
    let haircut = BasisPoints::WHOLE;
    refuse(&mut world, Acquisition { haircut, ..again }, EcoError::AlreadyAcquired { asset: id(1) });
    let (kind, least, found) = (EcoKind::Land, points(1_000), points(999));
    let risky = Acquisition { haircut: found, ..land(2, 1) };
    refuse(&mut world, risky, EcoError::Haircut { kind, least, found });
    // A contract asks for a larger haircut than land.
    let (kind, least, found) = (EcoKind::Carbon, points(4_000), points(1_000));
    refuse(&mut world, Acquisition { kind, ..land(2, 1) }, EcoError::Haircut { kind, least, found });
    let (fund, balance, amount) = (Fund::Eco, Credits(FUND - 400_000), Credits(FUND));
    let short = TreasuryError::FundBalance { fund, balance, amount };
    refuse(&mut world, land(2, FUND), EcoError::Treasury(short));
    let nobody = PersonId([0xee; 32]);
    let unknown = TreasuryError::NoAccount { person: nobody };
    refuse(&mut world, Acquisition { seller: nobody, ..land(2, 1) }, EcoError::Treasury(unknown));
}

#[test]
fn what_is_given_counts_nothing_until_it_is_valued() {
    let mut world = World::new();
    world.acquire(1, 0);
    assert_eq!(world.totals()[&EcoKind::Land].value, 0);
    assert_eq!(world.totals()[&EcoKind::Land].assets, 1);
}

#[test]
fn haircuts_are_rounded_against_the_reserve() {
    let figures =
        |value, haircut| Figures { value: Credits(value), haircut: points(haircut), ..Figures::default() };
    assert_eq!(figures(1_000, 2_500).after_haircut(), Credits(750));
    assert_eq!(figures(999, 2_500).after_haircut(), Credits(749));
    assert_eq!(figures(999, 0).after_haircut(), Credits(999));
    assert_eq!(figures(u64::MAX, 10_000).after_haircut(), Credits(0));
}

#[test]
fn totals_are_by_kind_and_stale_valuations_count_nothing() {
    let mut world = World::new();
    world.acquire(1, 300_000);
    let kind = EcoKind::Carbon;
    let carbon = Acquisition { kind, haircut: points(5_000), ..land(2, 200_000) };
    world.decide(|draft, at| acquire(draft, at, &carbon)).expect("bought");
    let age = world.rules().report_age;
    world.pass(10 * DAY);
    world.acquire(3, 100_000);
    let Mrv { hectares, tonnes } = land(1, 0).mrv;
    let (hectares, tonnes) = (u128::from(hectares), u128::from(tonnes));
    let all = EcoTotals {
        assets: 2,
        stale: 0,
        cost: 400_000,
        value: 400_000,
        after_haircut: 360_000,
        hectares: 2 * hectares,
        tonnes: 2 * tonnes,
    };
    assert_eq!(world.totals()[&EcoKind::Land], all);
    let contract = EcoTotals {
        assets: 1,
        cost: 200_000,
        value: 200_000,
        after_haircut: 100_000,
        hectares,
        tonnes,
        stale: 0,
    };
    assert_eq!(world.totals()[&kind], contract);
    // The last moment at which the first two count, and the next.
    world.pass(age - 10 * DAY);
    assert_eq!(world.totals()[&EcoKind::Land], all);
    world.pass(1);
    let one = EcoTotals { stale: 1, value: 100_000, after_haircut: 90_000, hectares, tonnes, ..all };
    assert_eq!(world.totals()[&EcoKind::Land], one);
    let stale = EcoTotals { assets: 1, stale: 1, cost: 200_000, ..EcoTotals::default() };
    assert_eq!(world.totals()[&kind], stale);
    // What is sold is gone from the totals.
    world.sell(3, 50_000);
    let left = EcoTotals { assets: 1, stale: 1, cost: 300_000, ..EcoTotals::default() };
    assert_eq!(world.totals()[&EcoKind::Land], left);
}

#[test]
fn rules_have_bounds() {
    let outside = |change: fn(&mut EcoRules)| {
        let mut rules = EcoRules::default();
        change(&mut rules);
        rules.check().map_err(|RulesError { name, .. }| name)
    };
    assert_eq!(outside(|_| {}), Ok(()));
    assert_eq!(outside(|r| r.oracles = 0), Err("eco.oracles"));
    assert_eq!(outside(|r| r.report_age = DAY - 1), Err("eco.report_age"));
    assert_eq!(outside(|r| r.pause = r.report_age / 2 + 1), Err("eco.pause"));
}

/// Records and actions survive their codec, and a status that does not exist is none.
#[test]
fn codecs_are_canonical() {
    use primitives::{Decode, Encode};
    let mut world = World::new();
    world.acquire(1, 300_000);
    world.offer(1, 5);
    world.pass(14 * DAY);
    for oracle in [0, 1] {
        world.push(oracle, 1, figures(100_000), 1).expect("reported");
    }
    world.accept(1).expect("proposed");
    world.acquire(2, 1);
    world.sell(2, 3);
    for event in world.ledger.state().eco_events.iter() {
        assert_eq!(EcoEvent::from_bytes(&event.to_bytes()).as_ref(), Ok(event));
    }
    for asset in world.ledger.state().eco_assets.iter() {
        let bytes = asset.to_bytes();
        assert_eq!(EcoAsset::from_bytes(&bytes).as_ref(), Ok(asset));
        assert!(EcoAsset::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    }
    assert!(EcoStatus::from_bytes(&[3]).is_err());
    assert!(EcoChange::from_bytes(&[9]).is_err());
    assert!(EcoKind::from_bytes(&[6]).is_err());
}
