//! The rules that governance sets for the ledger itself, beside the parameters of an epoch, and their bounds.
//!
//! Every amount of time is in seconds of block time, every share in basis points. A set of rules is versioned with the
//! parameters: both hold from an epoch on.

use super::units::told;
use crate::modules::{
    eco_reserve::EcoRules, identity::IdentityRules, node_rewards::NodeRules, treasury::TreasuryRules,
};
use primitives::{BasisPoints, Credits, Digest, Domain, Encode, codec_struct, hash};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use thiserror::Error;

/// One day in seconds.
pub const DAY: u32 = 86_400;

/// A rule outside its bounds.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{name} is {}, outside {} to {}", told(name, *value), told(name, *min), told(name, *max))]
pub struct RulesError {
    /// Name of the rule.
    pub name: &'static str,
    /// Value found.
    pub value: u64,
    /// Smallest value allowed.
    pub min: u64,
    /// Largest value allowed.
    pub max: u64,
}

/// Refuses a value outside its range.
pub(crate) fn within(name: &'static str, value: u64, range: RangeInclusive<u64>) -> Result<(), RulesError> {
    let (min, max) = range.into_inner();
    if (min..=max).contains(&value) { Ok(()) } else { Err(RulesError { name, value, min, max }) }
}

/// What a transaction costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fees {
    /// Fee of a transaction that an account signs, once its free ones are used.
    pub transaction: Credits,
    /// Transactions of an account in one epoch that cost nothing. Accounts belong to persons on record, one each, so that
    /// nobody gets more of them by having more accounts; and whoever has no credits yet can register a work.
    pub free_per_epoch: u32,
}

codec_struct!(Fees { transaction, free_per_epoch });

/// How decisions are made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GovernanceRules {
    /// Between a proposal and the begin of its vote.
    pub discussion: u32,
    /// How long a vote is open.
    pub voting: u32,
    /// Between the end of a vote and the earliest enactment.
    pub notice: u32,
    /// The same for what has a high impact.
    pub notice_high: u32,
    /// How long a proposal can be enacted after the notice, before it expires.
    pub expiry: u32,
    /// Part of the electorate that has to vote.
    pub quorum: BasisPoints,
    /// Part of yes among yes and no that has to be passed.
    pub majority: BasisPoints,
    /// The same for what has a high impact.
    pub majority_high: BasisPoints,
    /// Part of the council's seats that approves what has a high impact.
    pub council_majority: BasisPoints,
    /// Part of the council's seats that vetoes what is queued.
    pub veto_majority: BasisPoints,
    /// Seats of the council.
    pub council_seats: u8,
    /// Longest time in a seat without a new election.
    pub council_term: u32,
    /// Jurors of a case.
    pub jurors: u8,
    /// Jurors that each side may challenge.
    pub challenges: u8,
    /// How long jurors can be challenged, from their draw on.
    pub challenge_period: u32,
    /// How long jurors can vote, after that.
    pub jury_period: u32,
    /// Proposals and cases of one person that are undecided at a time.
    pub open_per_person: u8,
    /// Sum from which on spending has a high impact.
    pub large: Credits,
}

codec_struct!(GovernanceRules {
    discussion,
    voting,
    notice,
    notice_high,
    expiry,
    quorum,
    majority,
    majority_high,
    council_majority,
    veto_majority,
    council_seats,
    council_term,
    jurors,
    challenges,
    challenge_period,
    jury_period,
    open_per_person,
    large,
});

/// Longest of the periods.
pub(super) const MAX_PERIOD: u32 = 365 * DAY;
/// Fewest free transactions of an epoch: whoever holds no credits still votes on a proposal and in an election, sits on a
/// jury, and registers a work.
pub const MIN_FREE: u32 = 4;
/// Most seats of the council.
pub const MAX_COUNCIL_SEATS: u8 = 31;
/// Most jurors of a case.
pub const MAX_JURORS: u8 = 31;

impl GovernanceRules {
    fn check(&self) -> Result<(), RulesError> {
        let period = u64::from(DAY / 24)..=u64::from(MAX_PERIOD);
        for (name, value) in [
            ("governance.discussion", self.discussion),
            ("governance.voting", self.voting),
            ("governance.notice", self.notice),
            ("governance.notice_high", self.notice_high),
            ("governance.expiry", self.expiry),
            ("governance.council_term", self.council_term),
            ("governance.challenge_period", self.challenge_period),
            ("governance.jury_period", self.jury_period),
        ] {
            within(name, value.into(), period.clone())?;
        }
        // Notice is what lets those who disagree leave: a high impact never has less of it.
        within("governance.notice_high", self.notice_high.into(), self.notice.into()..=*period.end())?;
        within("governance.quorum", self.quorum.get().into(), 100..=9_000)?;
        within("governance.majority", self.majority.get().into(), 5_000..=9_000)?;
        within(
            "governance.majority_high",
            self.majority_high.get().into(),
            self.majority.get().into()..=9_000,
        )?;
        within("governance.council_majority", self.council_majority.get().into(), 5_000..=10_000)?;
        // A veto that fewer than half of the seats can cast would let a minority block everything.
        within("governance.veto_majority", self.veto_majority.get().into(), 5_001..=10_000)?;
        within("governance.council_seats", self.council_seats.into(), 3..=MAX_COUNCIL_SEATS.into())?;
        within("governance.jurors", self.jurors.into(), 3..=MAX_JURORS.into())?;
        // An even panel could end in a tie by design.
        within("jurors, odd", u64::from(self.jurors % 2), 1..=1)?;
        within("governance.challenges", self.challenges.into(), 0..=self.jurors.into())?;
        within("governance.open_per_person", self.open_per_person.into(), 1..=100)
    }
}

/// All rules of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// What a transaction costs.
    pub fees: Fees,
    /// How decisions are made.
    pub governance: GovernanceRules,
    /// Who is put on record how.
    pub identity: IdentityRules,
    /// How credits come and go.
    pub treasury: TreasuryRules,
    /// How ecological assets are valued.
    pub eco: EcoRules,
    /// How nodes are rewarded.
    pub nodes: NodeRules,
}

codec_struct!(Rules { fees, governance, identity, treasury, eco, nodes });

impl Rules {
    /// Checks every bound.
    pub fn check(&self) -> Result<(), RulesError> {
        within("fees.transaction", self.fees.transaction.0, 0..=Credits::ONE.0)?;
        within("fees.free_per_epoch", self.fees.free_per_epoch.into(), MIN_FREE.into()..=u32::MAX.into())?;
        self.governance.check()?;
        self.identity.check()?;
        self.treasury.check()?;
        self.eco.check()?;
        self.nodes.check()
    }

    /// Digest of the whole.
    pub fn digest(&self) -> Digest {
        hash::hash(Domain::Rules, &[&self.to_bytes()])
    }
}

impl Default for Rules {
    /// The rules that a chain begins with where nothing else is said.
    fn default() -> Self {
        let points = |points| BasisPoints::new(points).expect("a part of the whole");
        Self {
            fees: Fees { transaction: Credits(1_000), free_per_epoch: 64 },
            governance: GovernanceRules {
                discussion: 7 * DAY,
                voting: 7 * DAY,
                notice: 2 * DAY,
                notice_high: 14 * DAY,
                expiry: 28 * DAY,
                quorum: points(1_000),
                majority: points(5_000),
                majority_high: points(6_667),
                council_majority: points(5_000),
                veto_majority: points(6_667),
                council_seats: 5,
                council_term: 182 * DAY,
                jurors: 7,
                challenges: 2,
                challenge_period: 3 * DAY,
                jury_period: 7 * DAY,
                open_per_person: 3,
                large: Credits(100_000 * Credits::ONE.0),
            },
            identity: IdentityRules::default(),
            treasury: TreasuryRules::default(),
            eco: EcoRules::default(),
            nodes: NodeRules::default(),
        }
    }
}
