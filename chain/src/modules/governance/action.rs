//! What governance can do, how much each thing weighs, and the doing itself.
//!
//! An action is checked when it is proposed, as far as it can be, so that nobody votes on what can never happen; and
//! again, in full, when it is enacted, by the guards of the module that it concerns.

use super::{
    Change, GovernanceError, ModuleVersion, Weight,
    council::{is_councillor, recall},
    upgrade::upgrade,
    versions::{MAX_CHANGES, changed},
};
use crate::{
    ledger::Context,
    modules::{
        identity::{Identity, Roles, set_roles},
        work_registry::{Removal, Work, remove_work},
    },
    state::{
        Draft, Fields, ToFelts,
        fields::{Bytes, codec_enum},
    },
};
use primitives::{
    CodecError, Decode, Digest, Encode, EpochId, PersonId, Reader, WorkId, Writer, codec_struct,
};

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
}

codec_enum!(Action("action") {
    0 => SetParameters,
    1 => SetOffices,
    2 => RemoveWork,
    3 => Recall,
    4 => Upgrade,
    5 => Resolve,
});

impl ToFelts for Action {
    fn felts(&self, out: &mut Fields) {
        out.push(&Bytes(&self.to_bytes()));
    }
}

/// Who has to agree to an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// A vote, by simple majority. The council may veto.
    Ordinary,
    /// A vote, by the larger majority, and the council. The council may veto; the notice is longer.
    High,
    /// A vote, by the larger majority. The council has no say, since it is about the council.
    People,
}

impl Action {
    /// Who has to agree (chain spec 7.2, "High-impact changes: require multi-step approval (e.g., council + vote)").
    pub fn path(&self) -> Path {
        match self {
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
            Self::Resolve(_) => Ok(()),
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
        }
        Ok(())
    }
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
