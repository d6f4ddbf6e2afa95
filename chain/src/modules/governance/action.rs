//! What governance can do, how much each thing weighs, and the doing itself.
//!
//! An action is checked when it is proposed, as far as it can be, so that nobody votes on what can never happen; and
//! again, in full, when it is enacted, by the guards of the module that it concerns.

use super::{
    Change, DAY, GovernanceError, ModuleVersion, Outcome, Weight,
    council::{is_councillor, recall},
    upgrade::upgrade,
    versions::{MAX_CHANGES, changed},
};
use crate::{
    ledger::Context,
    modules::{
        eco_reserve::{self, Acquisition, AssetId, EcoAsset, Offer},
        identity::{Identity, Roles, set_roles},
        node_rewards::{approve_service, check_service, standing_service, withdraw_service},
        treasury::{self, Fund},
        work_registry::{Removal, Work, remove_work},
    },
    state::{
        Draft, Fields, ToFelts,
        fields::{Bytes, codec_enum, number_enum},
    },
};
use primitives::{
    CodecError, Credits, Decode, Digest, Encode, EpochId, PersonId, Reader, Time, WorkId, Writer,
    codec_struct,
};

/// Sums that ordinary decisions take from a fund count together as long as their proposals were made within these
/// seconds: else whoever wants much would ask for it in parts.
const SPENDING_WINDOW: u32 = 182 * DAY;

/// Epochs ahead that a change may lie: beyond, nobody could say what it means.
pub const MAX_EPOCHS_AHEAD: u64 = 104;

/// Changes parameters and rules from an epoch on that has not opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetParameters {
    /// First epoch in which they hold.
    pub from: EpochId,
    /// What changes, by ascending parameter.
    pub changes: Vec<Change>,
    /// Epoch by which governance looks at it again.
    pub review_by: Option<EpochId>,
}

impl Encode for SetParameters {
    fn encode(&self, w: &mut Writer) {
        self.from.encode(w);
        w.seq(&self.changes);
        self.review_by.encode(w);
    }
}

impl Decode for SetParameters {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { from: Decode::decode(r)?, changes: r.seq(MAX_CHANGES)?, review_by: Decode::decode(r)? })
    }
}

/// Gives a person offices, and takes others away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetOffices {
    /// Who.
    pub person: PersonId,
    /// Offices given.
    pub give: Roles,
    /// Offices taken.
    pub take: Roles,
}

codec_struct!(SetOffices { person, give, take });

/// Takes a work out of all epochs from one on, for good or until its creator updates it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveWork {
    /// The work.
    pub work: WorkId,
    /// First epoch without it.
    pub from: EpochId,
    /// How.
    pub removal: Removal,
}

codec_struct!(RemoveWork { work, from, removal });

/// Takes the seat of a councillor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recall {
    /// Whose.
    pub councillor: PersonId,
}

codec_struct!(Recall { councillor });

/// Puts a decision on record that no code carries out: a constitution, a mandate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolve {
    /// Hash of its text.
    pub text: Digest,
}

codec_struct!(Resolve { text });

/// Pays from a fund that belongs to nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spend {
    /// The fund.
    pub fund: Fund,
    /// To whom.
    pub to: PersonId,
    /// How much.
    pub amount: Credits,
}

codec_struct!(Spend { fund, to, amount });

/// Offers an ecological asset to a buyer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferAsset {
    /// The asset.
    pub asset: AssetId,
    /// To whom, at what price, until when.
    pub offer: Offer,
}

codec_struct!(OfferAsset { asset, offer });

/// Takes an offer of an ecological asset back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithdrawOffer {
    /// The asset.
    pub asset: AssetId,
}

codec_struct!(WithdrawOffer { asset });

/// Approves a valuation that changes too much to be taken on the oracles' word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApproveValuation {
    /// The asset.
    pub asset: AssetId,
    /// Which valuation: what was voted on is what is approved.
    pub round: u32,
}

codec_struct!(ApproveValuation { asset, round });

/// Drops what oracles reported of an ecological asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectValuation {
    /// The asset.
    pub asset: AssetId,
}

codec_struct!(RejectValuation { asset });

/// Approves a service that nodes may run for rewards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApproveService {
    /// Hash of its manifest.
    pub manifest: Digest,
    /// Most units of one of its jobs.
    pub most: u64,
}

codec_struct!(ApproveService { manifest, most });

/// Withdraws a service: its jobs earn nothing any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithdrawService {
    /// Hash of its manifest.
    pub manifest: Digest,
}

codec_struct!(WithdrawService { manifest });

/// What governance can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Change parameters and rules.
    SetParameters(SetParameters),
    /// Give and take offices.
    SetOffices(SetOffices),
    /// Deprecate or remove a work.
    RemoveWork(RemoveWork),
    /// Recall a councillor.
    Recall(Recall),
    /// Put another version of a module in force.
    Upgrade(ModuleVersion),
    /// Put a decision on record.
    Resolve(Resolve),
    /// Pay from a fund.
    Spend(Spend),
    /// Buy an ecological asset.
    AcquireAsset(Acquisition),
    /// Offer an ecological asset.
    OfferAsset(OfferAsset),
    /// Take an offer back.
    WithdrawOffer(WithdrawOffer),
    /// Approve a valuation.
    ApproveValuation(ApproveValuation),
    /// Reject what oracles report.
    RejectValuation(RejectValuation),
    /// Approve a service that nodes run.
    ApproveService(ApproveService),
    /// Withdraw it.
    WithdrawService(WithdrawService),
}

codec_enum!(Action("action") {
    0 => SetParameters,
    1 => SetOffices,
    2 => RemoveWork,
    3 => Recall,
    4 => Upgrade,
    5 => Resolve,
    6 => Spend,
    7 => AcquireAsset,
    8 => OfferAsset,
    9 => WithdrawOffer,
    10 => ApproveValuation,
    11 => RejectValuation,
    12 => ApproveService,
    13 => WithdrawService,
});

impl ToFelts for Action {
    fn felts(&self, out: &mut Fields) {
        out.push(&Bytes(&self.to_bytes()));
    }
}

number_enum! {
    /// Who has to agree to an action.
    Path("path") {
        /// A vote, by simple majority. The council may veto.
        Ordinary = 0,
        /// A vote, by the larger majority, and the council. The council may veto; the notice is longer.
        High = 1,
        /// A vote, by the larger majority. The council has no say, since it is about the council.
        People = 2,
    }
}

impl Action {
    /// Who has to agree (chain spec 7.2, "High-impact changes: require multi-step approval (e.g., council + vote)").
    ///
    /// `large` is the sum from which on money weighs much, with what else ordinary decisions took from the same fund
    /// lately.
    pub(super) fn path(&self, draft: &Draft<'_>, now: Time, large: Credits) -> Path {
        let sum = |amount: Credits| if amount >= large { Path::High } else { Path::Ordinary };
        match self {
            // Chain spec 6.5: "Governance: decides on large acquisitions or policy changes."
            Self::Spend(_) | Self::AcquireAsset(_) => {
                let (fund, amount) = self.takes().expect("both take from a fund");
                sum(Credits(amount.0.saturating_add(taken_lately(draft, now, fund).0)))
            }
            // At whatever price: a large asset that is given away weighs as much as one that is sold.
            Self::OfferAsset(OfferAsset { asset, offer }) => {
                let asset = draft.get::<EcoAsset>(asset);
                let worth =
                    asset.map_or(Credits::ZERO, |asset| asset.cost.max(asset.valuation.figures.value));
                sum(offer.price.max(worth))
            }
            Self::WithdrawOffer(_) | Self::ApproveValuation(_) | Self::RejectValuation(_) => Path::Ordinary,
            Self::SetParameters(action) => {
                let weight = action.changes.iter().map(|change| change.parameter.weight()).max();
                if weight == Some(Weight::High) { Path::High } else { Path::Ordinary }
            }
            Self::RemoveWork(action) => match action.removal {
                Removal::Deprecated => Path::Ordinary,
                Removal::Removed => Path::High,
            },
            Self::SetOffices(_) | Self::Upgrade(_) | Self::Resolve(_) => Path::High,
            Self::Recall(_) => Path::People,
            Self::ApproveService(_) | Self::WithdrawService(_) => Path::Ordinary,
        }
    }

    /// What it takes from a fund.
    fn takes(&self) -> Option<(Fund, Credits)> {
        match self {
            Self::Spend(action) => Some((action.fund, action.amount)),
            Self::AcquireAsset(action) => Some((Fund::Eco, action.cost)),
            _ => None,
        }
    }

    /// Refuses what could never be enacted, however the vote ends.
    pub(super) fn check(&self, draft: &Draft<'_>, at: &Context<'_>) -> Result<(), GovernanceError> {
        match self {
            Self::SetParameters(action) => {
                check_order(&action.changes)?;
                check_epoch(draft, at, action.from)?;
                if let Some(review) = action.review_by.filter(|review| *review <= action.from) {
                    return Err(GovernanceError::Review { review, from: action.from });
                }
                changed(draft, (action.from, &action.changes), (0, action.review_by)).map(drop)
            }
            Self::SetOffices(action) => {
                let SetOffices { person, give, take } = *action;
                if !draft.has::<Identity>(&person) {
                    return Err(GovernanceError::Unknown { person });
                }
                let offices = give.with(take);
                // Elections seat councillors, and recalls unseat them; credentials are the registrars' to see.
                if offices.is_empty() || !Roles::GIVEN.has(offices) {
                    return Err(GovernanceError::NotAnOffice { person });
                }
                Ok(())
            }
            Self::RemoveWork(action) => {
                check_epoch(draft, at, action.from)?;
                let work = action.work;
                if draft.has::<Work>(&work) { Ok(()) } else { Err(GovernanceError::UnknownWork { work }) }
            }
            Self::Recall(Recall { councillor }) => {
                let person = *councillor;
                if is_councillor(draft, at, person) {
                    Ok(())
                } else {
                    Err(GovernanceError::NotCouncillor { person })
                }
            }
            Self::Upgrade(version) => upgrade(draft, at, version).map(drop),
            // What an asset is worth says how much its sale weighs: it has to be there.
            Self::OfferAsset(action) => Ok(eco_reserve::held(draft, action.asset).map(drop)?),
            // Whether there is enough in the fund is known when it is enacted.
            Self::Spend(_)
            | Self::AcquireAsset(_)
            | Self::WithdrawOffer(_)
            | Self::ApproveValuation(_)
            | Self::RejectValuation(_)
            | Self::Resolve(_) => Ok(()),
            Self::ApproveService(action) => Ok(check_service(draft, action.manifest, action.most)?),
            Self::WithdrawService(action) => Ok(standing_service(draft, action.manifest).map(drop)?),
        }
    }

    /// Does it.
    pub(super) fn run(
        &self,
        draft: &mut Draft<'_>,
        at: &Context<'_>,
        proposal: u64,
    ) -> Result<(), GovernanceError> {
        self.check(draft, at)?;
        match self {
            Self::SetParameters(action) => {
                let SetParameters { from, changes, review_by } = action;
                for version in changed(draft, (*from, changes), (proposal, *review_by))? {
                    draft.put(version);
                }
            }
            Self::SetOffices(SetOffices { person, give, take }) => set_roles(draft, *person, (*give, *take))?,
            Self::RemoveWork(action) => remove_work(draft, at, action.work, (action.removal, action.from))?,
            Self::Recall(Recall { councillor }) => recall(draft, at, *councillor),
            Self::Upgrade(version) => {
                let version = upgrade(draft, at, version)?;
                draft.put(version);
            }
            Self::Resolve(_) => {}
            Self::Spend(Spend { fund, to, amount }) => treasury::spend(draft, at, *fund, *to, *amount)?,
            Self::AcquireAsset(action) => eco_reserve::acquire(draft, at, action)?,
            Self::OfferAsset(OfferAsset { asset, offer }) => eco_reserve::offer(draft, at, *asset, offer)?,
            Self::WithdrawOffer(action) => eco_reserve::withdraw_offer(draft, at, action.asset)?,
            Self::ApproveValuation(ApproveValuation { asset, round }) => {
                eco_reserve::approve_valuation(draft, at, *asset, *round)?;
            }
            Self::RejectValuation(action) => eco_reserve::reject_valuation(draft, at, action.asset)?,
            Self::ApproveService(action) => approve_service(draft, at, action.manifest, action.most)?,
            Self::WithdrawService(action) => withdraw_service(draft, at, action.manifest)?,
        }
        Ok(())
    }
}

/// What ordinary decisions took from a fund lately.
fn taken_lately(draft: &Draft<'_>, now: Time, fund: Fund) -> Credits {
    let proposals = draft.base().proposals.iter().rev();
    let sums = proposals
        .take_while(|proposal| now < proposal.created.after(SPENDING_WINDOW))
        .filter(|proposal| proposal.outcome == Outcome::Enacted && proposal.path == Path::Ordinary)
        .filter_map(|proposal| proposal.action.takes())
        .filter_map(|(from, amount)| (from == fund).then_some(amount.0));
    Credits(sums.fold(0, u64::saturating_add))
}

fn check_order(changes: &[Change]) -> Result<(), GovernanceError> {
    if changes.is_empty() {
        return Err(GovernanceError::NoChange);
    }
    match changes.windows(2).find(|pair| pair[0].parameter >= pair[1].parameter) {
        Some(pair) => Err(GovernanceError::ChangeOrder { parameter: pair[1].parameter }),
        None => Ok(()),
    }
}

/// An epoch from which something may hold: one that has not opened, and not one that nobody alive will see.
pub(super) fn check_epoch(draft: &Draft<'_>, at: &Context<'_>, from: EpochId) -> Result<(), GovernanceError> {
    let earliest = draft.base().next_epoch(at.genesis);
    let latest = EpochId(earliest.0.saturating_add(MAX_EPOCHS_AHEAD));
    if (earliest..=latest).contains(&from) {
        Ok(())
    } else {
        Err(GovernanceError::Epoch { from, earliest, latest })
    }
}
