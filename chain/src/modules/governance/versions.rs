//! Parameters and rules, versioned by epoch (spec 10.4; chain spec 8, "on-chain versioning of contracts and
//! configuration").
//!
//! A version holds from an epoch on. A change of a parameter from epoch `f` on holds until the next change of the same
//! parameter, whatever else changes in between and in whatever order the changes were enacted.

use super::{Change, GovernanceError, Rules, Settings};
use crate::{
    ledger::Genesis,
    state::{Draft, Fields, State, ToFelts, leaf},
};
use primitives::{
    CodecError, Decode, Encode, EpochId, GovernanceParams, Reader, Writer, params::ParamsError,
};
use std::collections::BTreeMap;

/// Most changes of one proposal, and of one version.
pub const MAX_CHANGES: usize = 256;

/// Parameters and rules that hold from an epoch on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// First epoch in which they hold.
    pub from: EpochId,
    /// Parameters of epochs.
    pub params: GovernanceParams,
    /// Rules of the ledger.
    pub rules: Rules,
    /// What changes with this version, by parameter.
    pub changes: Vec<Change>,
    /// The last proposal that changed something of it. None of those at genesis.
    pub proposal: Option<u64>,
    /// Epoch by which governance looks at it again.
    pub review_by: Option<EpochId>,
}

impl Encode for Version {
    fn encode(&self, w: &mut Writer) {
        self.from.encode(w);
        self.params.encode(w);
        self.rules.encode(w);
        w.seq(&self.changes);
        self.proposal.encode(w);
        self.review_by.encode(w);
    }
}

impl Decode for Version {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            from: Decode::decode(r)?,
            params: Decode::decode(r)?,
            rules: Decode::decode(r)?,
            changes: r.seq(MAX_CHANGES)?,
            proposal: Decode::decode(r)?,
            review_by: Decode::decode(r)?,
        })
    }
}

impl ToFelts for Version {
    fn felts(&self, out: &mut Fields) {
        out.push(&self.from).push(&self.params.digest()).push(&self.rules.digest());
        out.push(&self.changes).push(&self.proposal).push(&self.review_by);
    }
}

leaf!(Version by from: EpochId);

impl Version {
    /// What a chain begins with.
    pub(crate) fn first(from: EpochId, params: GovernanceParams, rules: Rules) -> Self {
        Self { from, params, rules, changes: Vec::new(), proposal: None, review_by: None }
    }

    /// The same with a change that it does not itself overrule.
    fn with(&mut self, change: Change) -> Result<(), GovernanceError> {
        let mut settings = Settings::from(&*self);
        let Change { parameter, value } = change;
        if !parameter.set(&mut settings, value) {
            return Err(GovernanceError::Value { parameter, value });
        }
        (self.params, self.rules) = (settings.params, settings.rules);
        Ok(())
    }

    fn check(&self) -> Result<(), GovernanceError> {
        let outside = |error: ParamsError| GovernanceError::Params { from: self.from, error };
        self.params.check().map_err(outside)?;
        self.rules.check().map_err(|error| GovernanceError::Rules { from: self.from, error })
    }
}

/// What enacting changes from an epoch on does to the versions: the one of that epoch, and those after it as far as they
/// leave the parameters alone. Fails where one of them would be outside its bounds.
pub(super) fn changed(
    draft: &Draft<'_>,
    (from, changes): (EpochId, &[Change]),
    (proposal, review_by): (u64, Option<EpochId>),
) -> Result<Vec<Version>, GovernanceError> {
    let state = draft.base();
    let before = state.version_of(from);
    let mut first = before.clone();
    if before.from != from {
        (first.from, first.changes) = (from, Vec::new());
    }
    (first.proposal, first.review_by) = (Some(proposal), review_by);
    let mut own: BTreeMap<_, _> = first.changes.iter().map(|change| (change.parameter, *change)).collect();
    own.extend(changes.iter().map(|change| (change.parameter, *change)));
    first.changes = own.into_values().collect();
    for change in changes {
        first.with(*change)?;
    }
    let mut versions = vec![first];
    let mut open: Vec<Change> = changes.to_vec();
    for later in state.versions.range(EpochId(from.0.saturating_add(1))..) {
        open.retain(|change| !later.changes.iter().any(|own| own.parameter == change.parameter));
        let mut later = later.clone();
        for change in &open {
            later.with(*change)?;
        }
        versions.push(later);
    }
    versions.iter().try_for_each(Version::check)?;
    Ok(versions)
}

impl State {
    /// Parameters and rules of an epoch.
    ///
    /// # Panics
    ///
    /// For an epoch before the first of the chain.
    pub fn version_of(&self, epoch: EpochId) -> &Version {
        self.versions.range(..=epoch).next_back().expect("genesis has a version for the first epoch")
    }

    /// The last epoch that opened, or the first that will.
    pub fn running_epoch(&self, genesis: &Genesis) -> EpochId {
        self.epochs.iter().next_back().map_or(genesis.first_epoch, |last| last.epoch)
    }

    /// Parameters and rules in force: those of the last epoch that opened, or of the first before any has.
    pub fn in_force(&self, genesis: &Genesis) -> &Version {
        self.version_of(self.running_epoch(genesis))
    }
}
