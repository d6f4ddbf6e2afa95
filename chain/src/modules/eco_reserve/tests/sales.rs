//! Offers and sales.

use super::*;
use crate::transaction::{EnvelopeError, Payload};

/// A world with one asset.
fn with_land() -> World {
    let mut world = World::new();
    world.acquire(1, 400_000);
    world
}

#[test]
fn an_asset_is_sold_to_whom_it_is_offered() {
    let mut world = with_land();
    world.offer(1, 450_000);
    world.buy(BUYER, 1, 450_000).expect("sold");
    let sold = EcoStatus::Disposed { buyer: BUYER, proceeds: Credits(450_000) };
    assert_eq!(world.asset(1).status, sold);
    assert_eq!((world.fund(), world.balance(BUYER)), (FUND + 50_000, PURSE - 450_000));
    world.ledger.seal();
}

#[test]
fn what_cannot_be_bought_by_whom() {
    let mut world = with_land();
    let (asset, buyer) = (id(1), BUYER);
    let refused = |error: EcoError| Err(TxError::Eco(error));
    assert_eq!(world.buy(BUYER, 9, 1), refused(EcoError::Unknown { asset: id(9) }));
    assert_eq!(world.buy(BUYER, 1, 1), refused(EcoError::NotForSale { asset }));
    world.offer(1, 450_000);
    // Somebody else, even at the right price.
    assert_eq!(world.buy(SELLER, 1, 450_000), refused(EcoError::NotTheBuyer { asset, buyer }));
    let (expected, found) = (Credits(450_000), Credits(449_999));
    assert_eq!(world.buy(BUYER, 1, 449_999), refused(EcoError::Price { asset, expected, found }));
    world.buy(BUYER, 1, 450_000).expect("sold");
    // Twice, by the same or another, or through another offer.
    assert_eq!(world.buy(BUYER, 1, 450_000), refused(EcoError::Disposed { asset }));
    let again = world.offer_of(1);
    world.refuse_decision(|draft, at| offer(draft, at, asset, &again), EcoError::Disposed { asset });
    world.refuse_decision(|draft, at| withdraw_offer(draft, at, asset), EcoError::Disposed { asset });
    world.refuse_decision(|draft, at| reject_valuation(draft, at, asset), EcoError::Disposed { asset });
    let once_more = land(1, 1);
    world.refuse_decision(|draft, at| acquire(draft, at, &once_more), EcoError::AlreadyAcquired { asset });
    world.pass(14 * DAY);
    assert_eq!(world.push(0, 1, figures(1), 1), refused(EcoError::Disposed { asset }));
    assert_eq!(world.accept(1), refused(EcoError::Disposed { asset }));
}

#[test]
fn a_buyer_without_money_gets_nothing() {
    let mut world = with_land();
    let price = PURSE + 1;
    world.offer(1, price);
    let short = TreasuryError::Balance { person: BUYER, balance: Credits(PURSE), amount: Credits(price) };
    assert_eq!(world.buy(BUYER, 1, price), Err(TxError::Eco(EcoError::Treasury(short))));
    assert!(matches!(world.asset(1).status, EcoStatus::ForSale(_)));
    assert_eq!((world.fund(), world.balance(BUYER)), (FUND - 400_000, PURSE));
}

#[test]
fn an_offer_ends() {
    let mut world = with_land();
    world.offer(1, 450_000);
    let (asset, until) = (id(1), world.offer_of(0).until);
    let second = Offer { buyer: SELLER, ..world.offer_of(1) };
    let stands = EcoError::OfferStands { asset, buyer: BUYER };
    world.refuse_decision(|draft, at| offer(draft, at, asset, &second), stands);
    world.pass(7 * DAY + 1);
    assert_eq!(world.buy(BUYER, 1, 450_000), Err(TxError::Eco(EcoError::OfferOver { asset, until })));
    let over = EcoError::OfferOver { asset, until: second.until };
    world.refuse_decision(|draft, at| offer(draft, at, asset, &second), over);
    let latest = world.ledger.now().after(MAX_OFFER_SECONDS);
    let third = Offer { until: latest.after(1), ..world.offer_of(1) };
    let long = EcoError::OfferTooLong { asset, until: third.until, latest };
    world.refuse_decision(|draft, at| offer(draft, at, asset, &third), long);
    // It can be offered anew, and bought until the last moment.
    world.offer(1, 440_000);
    world.pass(7 * DAY);
    world.buy(BUYER, 1, 440_000).expect("sold");
}

#[test]
fn an_offer_can_be_taken_back() {
    let mut world = with_land();
    let asset = id(1);
    world.refuse_decision(|draft, at| withdraw_offer(draft, at, asset), EcoError::NotForSale { asset });
    world.offer(1, 450_000);
    world.decide(|draft, at| withdraw_offer(draft, at, asset)).expect("taken back");
    assert_eq!(world.buy(BUYER, 1, 450_000), Err(TxError::Eco(EcoError::NotForSale { asset })));
    let stranger = PersonId([0xee; 32]);
    let to_nobody = Offer { buyer: stranger, ..world.offer_of(1) };
    let nobody = EcoError::Treasury(TreasuryError::NoAccount { person: stranger });
    world.refuse_decision(|draft, at| offer(draft, at, asset, &to_nobody), nobody);
    world
        .refuse_decision(|draft, at| offer(draft, at, id(9), &to_nobody), EcoError::Unknown { asset: id(9) });
}

#[test]
fn a_tampered_purchase_is_not_the_buyers() {
    let mut world = with_land();
    world.acquire(2, 1);
    world.offer(1, 450_000);
    world.offer(2, 5);
    let good = world.sign(BUYER, Payload::BuyAsset(BuyAsset { asset: id(1), price: Credits(450_000) }));
    let edits: [fn(&mut BuyAsset); 2] = [|b| b.asset = id(2), |b| b.price = Credits(5)];
    for edit in edits {
        let mut tx = good.clone();
        let Payload::BuyAsset(purchase) = &mut tx.payload else { unreachable!("a purchase") };
        edit(purchase);
        let refused = EnvelopeError::Signature { signer: BUYER };
        assert_eq!(world.apply(&tx), Err(TxError::Envelope(refused)));
    }
    world.apply(&good).expect("sold");
}
