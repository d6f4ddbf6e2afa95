//! Oracles report, and buyers buy.

use super::{
    super::{eco::State, history::History, identity::ORACLE},
    Draft, Signed,
};
use chain::{
    Payload,
    modules::eco_reserve::{
        AcceptValuation, Acquisition, AssetId, BuyAsset, EcoKind, Figures, Mrv, Offer, PushValuation,
    },
};
use primitives::{BasisPoints, Credits};

pub(super) fn some_asset(h: &mut History) -> AssetId {
    let assets: Vec<AssetId> = h.model.assets.keys().copied().collect();
    let unknown = AssetId(primitives::Digest([0xaa; 32]));
    if h.chance(4) { unknown } else { h.pick(&assets).unwrap_or(unknown) }
}

fn points(h: &mut History, from: u64, to: u64) -> BasisPoints {
    BasisPoints::new((from + h.below(to - from)) as u16).expect("a part of the whole")
}

/// Something to be bought, for what the fund may have.
pub(super) fn acquisition(h: &mut History) -> Acquisition {
    let kinds = [EcoKind::Land, EcoKind::Carbon, EcoKind::Water, EcoKind::Biodiversity];
    let fund = h.model.money.in_fund(chain::modules::treasury::Fund::Eco);
    let most = u64::try_from(fund).expect("a fund") / 2 + 1;
    Acquisition {
        title: if h.chance(10) { some_asset(h) } else { AssetId(h.paper()) },
        kind: h.pick(&kinds).expect("a kind"),
        entity: h.paper(),
        seller: if h.chance(20) { h.someone(ORACLE) } else { h.someone(0) },
        cost: Credits(h.below(most)),
        haircut: if h.chance(10) { points(h, 0, 1_000) } else { points(h, 4_000, 6_000) },
        mrv: Mrv { hectares: h.below(1_000), tonnes: h.below(1_000) },
    }
}

/// Where there is nothing yet there is little to do.
fn idle(h: &mut History) -> bool {
    h.model.assets.is_empty() && h.chance(90)
}

pub(super) fn push(h: &mut History) -> Draft {
    if idle(h) {
        return None;
    }
    let (mut oracle, asset) = (h.someone(ORACLE), some_asset(h));
    let seller = h.model.assets.get(&asset).map(|asset| asset.seller);
    if let Some(seller) = seller.filter(|seller| h.model.acts(*seller, ORACLE) && h.chance(30)) {
        oracle = seller;
    }
    let before = h.model.assets.get(&asset).map_or(1_000, |asset| asset.valued.0.value.0);
    let spread = if h.chance(70) { before / 20 } else { before };
    let value = Credits(before - spread.min(before) / 2 + h.below(spread + 1));
    let kept = h.model.assets.get(&asset).map_or(4_000, |asset| asset.valued.0.haircut.get());
    let haircut = if h.chance(60) { BasisPoints::new(kept).expect("kept") } else { points(h, 500, 6_000) };
    // What is protected mostly stays as it is.
    let known = h.model.assets.get(&asset).map(|asset| asset.valued.0.mrv);
    let other = Mrv { hectares: h.below(1_000), tonnes: h.below(1_000) };
    let mrv = known.filter(|_| h.chance(80)).unwrap_or(other);
    let push = PushValuation { asset, figures: Figures { value, haircut, mrv }, document: h.paper() };
    Some((Some(oracle), Payload::PushValuation(push)))
}

pub(super) fn accept(h: &mut History) -> Draft {
    if idle(h) {
        return None;
    }
    let asset = some_asset(h);
    let round = h.model.assets.get(&asset).map_or(0, |asset| asset.round) + u32::from(h.chance(10));
    Some((None, Payload::AcceptValuation(AcceptValuation { asset, round })))
}

pub(super) fn buy(h: &mut History) -> Draft {
    let offered = h.model.assets.iter().filter(|(_, asset)| matches!(asset.state, State::Offered(_)));
    let offered: Vec<AssetId> = offered.map(|(id, _)| *id).collect();
    if idle(h) || (offered.is_empty() && h.chance(80)) {
        return None;
    }
    let any = some_asset(h);
    let asset = if h.chance(85) { h.pick(&offered).unwrap_or(any) } else { any };
    let offer = h.model.assets.get(&asset).and_then(|known| match &known.state {
        State::Offered(offer) => Some((offer.buyer, offer.price)),
        State::Held | State::Sold(..) => None,
    });
    let (buyer, mut price) = offer.unwrap_or((h.someone(0), Credits(1)));
    price.0 += u64::from(h.chance(10));
    Some((Some(buyer), Payload::BuyAsset(BuyAsset { asset, price })))
}

/// Whoever may buy something does.
pub(super) fn due(h: &mut History) -> Vec<Signed> {
    let offered = h.model.assets.iter().filter_map(|(asset, known)| match &known.state {
        State::Offered(offer) => Some((*asset, offer)),
        State::Held | State::Sold(..) => None,
    });
    let buy = |(asset, offer): (_, &Offer)| {
        (Some(offer.buyer), Payload::BuyAsset(BuyAsset { asset, price: offer.price }))
    };
    offered.map(buy).collect()
}
