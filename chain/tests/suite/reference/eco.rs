//! The Eco-Reserve: assets, reports, medians, and the journal.

use super::{
    identity::ORACLE,
    model::{Model, later},
};
use chain::modules::{
    eco_reserve::{
        Acquisition, AssetId, BuyAsset, EcoChange, EcoError, EcoKind, Figures, Mrv, Offer, Offered,
        PushValuation, Sold, Spent, Valued,
    },
    treasury::{Fund, TreasuryError},
};
use primitives::{BasisPoints, Credits, Digest, PersonId, Time};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    Held,
    Offered(Offer),
    Sold(PersonId, Credits),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asset {
    pub(super) kind: EcoKind,
    pub(super) entity: Digest,
    pub(super) seller: PersonId,
    pub(super) cost: Credits,
    pub(super) acquired: Time,
    /// What counts, and from when the oldest report behind it is.
    pub(super) valued: (Figures, Time),
    pub(super) pending: Option<(Figures, Time)>,
    pub(super) round: u32,
    pub(super) state: State,
}

impl Asset {
    /// Whether somebody sold it or may buy it.
    fn concerns(&self, person: PersonId) -> bool {
        self.seller == person || matches!(&self.state, State::Offered(offer) if offer.buyer == person)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) figures: Figures,
    pub(super) document: Digest,
    pub(super) round: u32,
    pub(super) at: Time,
}

impl Model {
    pub(super) fn held(&self, asset: AssetId) -> Result<Asset, EcoError> {
        match self.assets.get(&asset) {
            None => Err(EcoError::Unknown { asset }),
            Some(Asset { state: State::Sold(..), .. }) => Err(EcoError::Disposed { asset }),
            Some(held) => Ok(held.clone()),
        }
    }

    fn put(&mut self, id: AssetId, asset: Asset, what: EcoChange) {
        self.assets.insert(id, asset);
        self.journal.push((self.now, what));
    }

    fn least_haircut(&self, kind: EcoKind) -> BasisPoints {
        let name = match kind {
            EcoKind::Land => "land",
            EcoKind::Conservation => "conservation",
            EcoKind::Carbon => "carbon",
            EcoKind::Water => "water",
            EcoKind::Biodiversity => "biodiversity",
            EcoKind::Other => "other",
        };
        points(self.rule(&format!("eco.haircuts.{name}")))
    }

    pub(super) fn acquire(&mut self, action: &Acquisition) -> Result<(), EcoError> {
        let Acquisition { title, kind, entity, seller, cost, haircut, mrv } = *action;
        if self.assets.contains_key(&title) {
            return Err(EcoError::AlreadyAcquired { asset: title });
        }
        let least = self.least_haircut(kind);
        if haircut < least {
            return Err(EcoError::Haircut { kind, least, found: haircut });
        }
        self.drain(Fund::Eco, cost.0.into())?;
        self.pay(seller, cost.0.into())?;
        let (acquired, valued) = (self.now, (Figures { value: cost, haircut, mrv }, self.now));
        let (pending, round, state) = (None, 0, State::Held);
        let asset = Asset { kind, entity, seller, cost, acquired, valued, pending, round, state };
        self.put(title, asset, EcoChange::Acquired(action.clone()));
        Ok(())
    }

    pub(super) fn offer(&mut self, asset: AssetId, offer: &Offer) -> Result<(), EcoError> {
        let mut held = self.held(asset)?;
        if let State::Offered(before) = &held.state
            && before.until >= self.now
        {
            return Err(EcoError::OfferStands { asset, buyer: before.buyer });
        }
        if offer.until < self.now {
            return Err(EcoError::OfferOver { asset, until: offer.until });
        }
        let latest = Time(self.now.0 + 366 * 24 * 60 * 60);
        if offer.until > latest {
            return Err(EcoError::OfferTooLong { asset, until: offer.until, latest });
        }
        if !self.accounts.contains_key(&offer.buyer) {
            return Err(TreasuryError::NoAccount { person: offer.buyer }.into());
        }
        held.state = State::Offered(offer.clone());
        self.put(asset, held, EcoChange::Offered(Offered { asset, offer: offer.clone() }));
        Ok(())
    }

    pub(super) fn withdraw_offer(&mut self, asset: AssetId) -> Result<(), EcoError> {
        let mut held = self.held(asset)?;
        if held.state == State::Held {
            return Err(EcoError::NotForSale { asset });
        }
        held.state = State::Held;
        self.put(asset, held, EcoChange::Withdrawn(asset));
        Ok(())
    }

    pub(super) fn buy_asset(&mut self, by: PersonId, action: &BuyAsset) -> Result<(), EcoError> {
        let BuyAsset { asset, price } = *action;
        let mut held = self.held(asset)?;
        let State::Offered(offer) = held.state.clone() else {
            return Err(EcoError::NotForSale { asset });
        };
        if offer.buyer != by {
            return Err(EcoError::NotTheBuyer { asset, buyer: offer.buyer });
        }
        if offer.until < self.now {
            return Err(EcoError::OfferOver { asset, until: offer.until });
        }
        if offer.price != price {
            return Err(EcoError::Price { asset, expected: offer.price, found: price });
        }
        self.take(by, price.0.into())?;
        *self.money.fund(Fund::Eco) += i128::from(price.0);
        (held.state, held.pending) = (State::Sold(by, price), None);
        self.put(asset, held, EcoChange::Sold(Sold { asset, buyer: by, price }));
        Ok(())
    }

    pub(super) fn push_valuation(&mut self, by: PersonId, action: &PushValuation) -> Result<(), EcoError> {
        let PushValuation { asset, figures, document } = *action;
        if !self.acts(by, ORACLE) {
            return Err(EcoError::NotOracle { signer: by });
        }
        let held = self.held(asset)?;
        if held.concerns(by) {
            return Err(EcoError::Interested { asset, signer: by });
        }
        let earliest = self.after(held.valued.1, "eco.pause");
        if self.now < earliest {
            return Err(EcoError::TooSoon { asset, earliest });
        }
        self.cite(by, document)?;
        let report = Report { figures, document, round: held.round, at: self.now };
        self.reports.insert((asset, by), report);
        Ok(())
    }

    /// Reports that count now: of this round, fresh, not too soon, of active oracles without an interest.
    fn counted(&self, id: AssetId, asset: &Asset) -> Vec<(PersonId, Report)> {
        let earliest = self.after(asset.valued.1, "eco.pause");
        let mut counted = Vec::new();
        for ((of, oracle), report) in &self.reports {
            let fresh = self.now <= self.after(report.at, "eco.report_age") && report.at >= earliest;
            let heard = self.acts(*oracle, ORACLE) && !asset.concerns(*oracle);
            if *of == id && report.round == asset.round && fresh && heard {
                counted.push((*oracle, report.clone()));
            }
        }
        counted
    }

    pub(super) fn accept_valuation(&mut self, asset: AssetId, round: u32) -> Result<(), EcoError> {
        let mut held = self.held(asset)?;
        if round != held.round {
            return Err(EcoError::OtherRound { asset, expected: held.round, found: round });
        }
        if let Some((_, at)) = held.pending
            && self.now <= self.after(at, "eco.report_age")
        {
            return Err(EcoError::AwaitsGovernance { asset, round: held.round });
        }
        let reports = self.counted(asset, &held);
        let (expected, found) = (usize::try_from(self.rule("eco.oracles")).expect("few"), reports.len());
        if found < expected {
            return Err(EcoError::TooFewReports { asset, expected, found });
        }
        let figures = careful(&reports, self.least_haircut(held.kind));
        let oldest = reports.iter().map(|(_, report)| report.at).min().expect("a report");
        let by = reports.iter().map(|(oracle, report)| (*oracle, report.document)).collect();
        let valued = Valued { asset, figures, oldest, reports: by };
        held.round += 1;
        if changes_too_much(&held.valued.0, &figures, self.rule("eco.free_change")) {
            held.pending = Some((figures, oldest));
            self.put(asset, held, EcoChange::Proposed(valued));
        } else {
            (held.valued, held.pending) = ((figures, oldest), None);
            self.put(asset, held, EcoChange::Valued(valued));
        }
        Ok(())
    }

    pub(super) fn approve_valuation(&mut self, asset: AssetId, round: u32) -> Result<(), EcoError> {
        let mut held = self.held(asset)?;
        let pending = held.pending.take().ok_or(EcoError::NothingPending { asset })?;
        if round != held.round {
            return Err(EcoError::OtherRound { asset, expected: held.round, found: round });
        }
        let until = later(pending.1, self.rule("eco.report_age"));
        if until < self.now {
            return Err(EcoError::Lapsed { asset, until });
        }
        held.valued = pending;
        self.put(asset, held, EcoChange::Approved(asset));
        Ok(())
    }

    pub(super) fn reject_valuation(&mut self, asset: AssetId) -> Result<(), EcoError> {
        let mut held = self.held(asset)?;
        (held.pending, held.round) = (None, held.round + 1);
        self.put(asset, held, EcoChange::Rejected(asset));
        Ok(())
    }

    pub(super) fn record_spending(&mut self, to: PersonId, amount: Credits) {
        self.journal.push((self.now, EcoChange::Spent(Spent { to, amount })));
    }
}

fn points(points: i128) -> BasisPoints {
    u16::try_from(points).ok().and_then(BasisPoints::new).expect("a part of the whole")
}

/// Of each figure the largest that more than half of the oracles vouch for, and of haircuts the least that more than half
/// find enough.
fn careful(reports: &[(PersonId, Report)], least: BasisPoints) -> Figures {
    let count = reports.len();
    let figure = |of: fn(&Figures) -> u64| {
        let all: Vec<u64> = reports.iter().map(|(_, report)| of(&report.figures)).collect();
        // More than half say at least so much: with an even number, the lower of the two in the middle.
        let reached = |value: &u64| all.iter().filter(|other| *other >= value).count() * 2 > count;
        all.iter().copied().filter(reached).max().expect("all say at least the least")
    };
    let haircuts: Vec<BasisPoints> = reports.iter().map(|(_, report)| report.figures.haircut).collect();
    let heard = |value: &BasisPoints| haircuts.iter().filter(|other| *other <= value).count() * 2 > count;
    let haircut = haircuts.iter().copied().filter(heard).min().expect("all find the largest enough");
    Figures {
        value: Credits(figure(|f| f.value.0)),
        haircut: haircut.max(least),
        mrv: Mrv { hectares: figure(|f| f.mrv.hectares), tonnes: figure(|f| f.mrv.tonnes) },
    }
}

/// Whether the value, as it is or after its haircut, or what is protected moves by more than a part of itself.
fn changes_too_much(before: &Figures, after: &Figures, part: i128) -> bool {
    let all = |figures: &Figures| {
        let value = i128::from(figures.value.0);
        let after_haircut = value * (10_000 - i128::from(figures.haircut.get())) / 10_000;
        [value, after_haircut, figures.mrv.hectares.into(), figures.mrv.tonnes.into()]
    };
    let moves = |(old, new): (i128, i128)| (new - old).abs() * 10_000 > old * part;
    all(before).into_iter().zip(all(after)).any(moves)
}
