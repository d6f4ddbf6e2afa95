//! What governance does with the Eco-Reserve, from a proposal to the journal.

use super::*;
use chain::modules::{
    eco_reserve::{Acquisition, AssetId, BuyAsset, EcoError, EcoKind, EcoStatus, Mrv, Offer, recount},
    governance::{GovernanceError, OfferAsset, Spend},
    treasury::{Fund, TreasuryError},
};
use primitives::{BasisPoints, Credits};

const LAND: AssetId = AssetId(primitives::Digest([0x1a; 32]));

fn acquisition(cost: u64) -> Acquisition {
    Acquisition {
        title: LAND,
        kind: EcoKind::Land,
        entity: digest(9),
        seller: person(1),
        cost: Credits(cost),
        haircut: BasisPoints::new(1_000).expect("a tenth"),
        mrv: Mrv { hectares: 40_000, tonnes: 0 },
    }
}

fn fund(world: &World) -> u64 {
    world.ledger.state().fund(Fund::Eco).0
}

/// Chain spec 6.5: revenue comes to the reserve, governance buys and sells, and the accounts follow from the journal.
#[test]
fn an_asset_is_voted_in_and_sold_by_vote() {
    let mut world = world();
    run_epoch(&mut world, 0);
    let brought = fund(&world);
    assert!(brought > 1_000);
    decide(&mut world, Action::AcquireAsset(acquisition(1_000)));
    assert_eq!(fund(&world), brought - 1_000);
    let until = world.ledger.now().after(180 * DAY);
    let offer = Offer { buyer: person(1), price: Credits(900), until };
    decide(&mut world, Action::OfferAsset(OfferAsset { asset: LAND, offer }));
    world.ok(person(1), Payload::BuyAsset(BuyAsset { asset: LAND, price: Credits(900) }));
    decide(&mut world, Action::Spend(Spend { fund: Fund::Eco, to: person(2), amount: Credits(7) }));
    world.seal();
    let state = world.ledger.state();
    let recounted = recount(state.eco_events.iter(), state.eco_received()).expect("a journal");
    assert_eq!((recounted.fund, fund(&world)), (u128::from(brought - 107), brought - 107));
    let sold = EcoStatus::Disposed { buyer: person(1), proceeds: Credits(900) };
    assert_eq!(recounted.assets[&LAND].status, sold);
    assert_eq!(recounted.assets.values().collect::<Vec<_>>(), state.eco_assets.iter().collect::<Vec<_>>());
    assert_eq!(state.accounts.get(&person(2)).expect("an account").balance, Credits(7));
}

#[test]
fn a_vote_buys_nothing_that_the_fund_cannot_pay() {
    let mut world = world();
    run_epoch(&mut world, 0);
    let (balance, amount) = (Credits(fund(&world)), Credits(fund(&world) + 1));
    let number = propose(&mut world, Action::AcquireAsset(acquisition(amount.0)));
    carry(&mut world, number, (20, 2));
    wait_for_notice(&mut world, number);
    let short = TreasuryError::FundBalance { fund: Fund::Eco, balance, amount };
    world.refuse_open(enact(number), GovernanceError::Eco(EcoError::Treasury(short)));
}
