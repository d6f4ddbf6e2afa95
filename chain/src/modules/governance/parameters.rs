//! Every number that governance can change, by name: what a proposal says, what a page shows, and where it stands.
//!
//! A change names a parameter and a value, never a whole set: two proposals that change different parameters do not undo
//! each other.

use super::{Rules, Version};
use crate::state::{Fields, ToFelts};
use primitives::{
    BasisPoints, CodecError, Credits, Decode, Encode, GovernanceParams, Reader, Writer, codec_struct,
};
use std::{fmt, str::FromStr};

/// A number as a parameter holds it.
trait Value: Sized {
    fn number(&self) -> u64;
    fn of(number: u64) -> Option<Self>;
}

macro_rules! integers {
    ($($t:ty),*) => {$(
        impl Value for $t {
            fn number(&self) -> u64 {
                u64::from(*self)
            }
            fn of(number: u64) -> Option<Self> {
                Self::try_from(number).ok()
            }
        }
    )*};
}
integers!(u8, u16, u32, u64);

impl Value for bool {
    fn number(&self) -> u64 {
        u64::from(*self)
    }
    fn of(number: u64) -> Option<Self> {
        (number < 2).then_some(number == 1)
    }
}

impl Value for Credits {
    fn number(&self) -> u64 {
        self.0
    }
    fn of(number: u64) -> Option<Self> {
        Some(Self(number))
    }
}

impl Value for BasisPoints {
    fn number(&self) -> u64 {
        self.get().into()
    }
    fn of(number: u64) -> Option<Self> {
        Self::new(u16::try_from(number).ok()?)
    }
}

/// How much a decision weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// A vote decides.
    Ordinary,
    /// A larger majority, the council, and a longer notice (chain spec 7.2).
    High,
}

macro_rules! parameters {
    ($($tag:literal $weight:ident $name:literal $variant:ident: $($field:ident).+),* $(,)?) => {
        /// A parameter of epochs or a rule of the ledger.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Parameter {
            $(#[doc = concat!("`", $name, "`")] $variant = $tag,)*
        }

        impl Parameter {
            /// All of them, in order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its name: that of the field, with the module before it for a rule.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// How much a change of it weighs.
            pub fn weight(self) -> Weight {
                match self {
                    $(Self::$variant => Weight::$weight,)*
                }
            }

            /// Its value at its own scale: Q32 numbers in units of 2^-32, shares in basis points, times in seconds.
            pub fn get(self, at: &Settings) -> u64 {
                match self {
                    $(Self::$variant => Value::number(&at.$($field).+),)*
                }
            }

            /// Sets it. `false` if it cannot hold the value at all; bounds are checked on the whole.
            pub fn set(self, at: &mut Settings, value: u64) -> bool {
                match self {
                    $(Self::$variant => match Value::of(value) {
                        Some(value) => {
                            at.$($field).+ = value;
                            true
                        }
                        None => false,
                    },)*
                }
            }
        }

        impl Decode for Parameter {
            fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
                match u16::decode(r)? {
                    $($tag => Ok(Self::$variant),)*
                    _ => Err(CodecError::Invalid { what: "parameter" }),
                }
            }
        }
    };
}

parameters! {
    0 High "alpha" Alpha: params.alpha,
    1 High "beta" Beta: params.beta,
    2 Ordinary "k" K: params.k,
    3 High "b_min" BMin: params.b_min,
    4 High "delta" Delta: params.delta,
    5 High "price_min" PriceMin: params.price_min,
    6 Ordinary "price_max" PriceMax: params.price_max,
    7 High "price_normalised" PriceNormalised: params.price_normalised,
    8 High "pool_by_tier" PoolByTier: params.pool_by_tier,
    9 High "eco_share" EcoShare: params.eco_share,
    10 High "infra_share" InfraShare: params.infra_share,
    11 High "fee_share" FeeShare: params.fee_share,
    12 High "k_anonymity" KAnonymity: params.k_anonymity,
    13 High "j_max" JMax: params.j_max,
    14 High "value_cap" ValueCap: params.value_cap,
    15 High "listeners_half" ListenersHalf: params.listeners_half,
    16 High "reputation_decay" ReputationDecay: params.reputation_decay,
    32 Ordinary "fees.transaction" FeesTransaction: rules.fees.transaction,
    33 High "fees.free_per_epoch" FeesFreePerEpoch: rules.fees.free_per_epoch,
    48 High "governance.discussion" GovernanceDiscussion: rules.governance.discussion,
    49 High "governance.voting" GovernanceVoting: rules.governance.voting,
    50 High "governance.notice" GovernanceNotice: rules.governance.notice,
    51 High "governance.notice_high" GovernanceNoticeHigh: rules.governance.notice_high,
    52 High "governance.expiry" GovernanceExpiry: rules.governance.expiry,
    53 High "governance.quorum" GovernanceQuorum: rules.governance.quorum,
    54 High "governance.majority" GovernanceMajority: rules.governance.majority,
    55 High "governance.majority_high" GovernanceMajorityHigh: rules.governance.majority_high,
    56 High "governance.council_majority" GovernanceCouncilMajority: rules.governance.council_majority,
    57 High "governance.veto_majority" GovernanceVetoMajority: rules.governance.veto_majority,
    58 High "governance.council_seats" GovernanceCouncilSeats: rules.governance.council_seats,
    59 High "governance.council_term" GovernanceCouncilTerm: rules.governance.council_term,
    60 High "governance.jurors" GovernanceJurors: rules.governance.jurors,
    61 High "governance.challenges" GovernanceChallenges: rules.governance.challenges,
    62 High "governance.challenge_period" GovernanceChallengePeriod: rules.governance.challenge_period,
    63 High "governance.jury_period" GovernanceJuryPeriod: rules.governance.jury_period,
    64 High "governance.open_per_person" GovernanceOpenPerPerson: rules.governance.open_per_person,
    65 High "governance.large" GovernanceLarge: rules.governance.large,
    80 High "identity.rotation" IdentityRotation: rules.identity.rotation,
    96 High "treasury.auditors" TreasuryAuditors: rules.treasury.auditors,
    97 High "treasury.attestation_age" TreasuryAttestationAge: rules.treasury.attestation_age,
    98 High "treasury.cap" TreasuryCap: rules.treasury.cap,
    112 High "eco.oracles" EcoOracles: rules.eco.oracles,
    113 Ordinary "eco.report_age" EcoReportAge: rules.eco.report_age,
    114 High "eco.free_change" EcoFreeChange: rules.eco.free_change,
    115 High "eco.pause" EcoPause: rules.eco.pause,
    116 High "eco.haircuts.land" EcoHaircutLand: rules.eco.haircuts.land,
    117 High "eco.haircuts.conservation" EcoHaircutConservation: rules.eco.haircuts.conservation,
    118 High "eco.haircuts.carbon" EcoHaircutCarbon: rules.eco.haircuts.carbon,
    119 High "eco.haircuts.water" EcoHaircutWater: rules.eco.haircuts.water,
    120 High "eco.haircuts.biodiversity" EcoHaircutBiodiversity: rules.eco.haircuts.biodiversity,
    121 High "eco.haircuts.other" EcoHaircutOther: rules.eco.haircuts.other,
    128 Ordinary "nodes.bond" NodesBond: rules.nodes.bond,
    129 Ordinary "nodes.notice" NodesNotice: rules.nodes.notice,
    130 High "nodes.budget" NodesBudget: rules.nodes.budget,
    131 Ordinary "nodes.samples" NodesSamples: rules.nodes.samples,
    132 Ordinary "nodes.replicas" NodesReplicas: rules.nodes.replicas,
    133 High "nodes.client_units" NodesClientUnits: rules.nodes.client_units,
    134 Ordinary "nodes.witnesses" NodesWitnesses: rules.nodes.witnesses,
    135 Ordinary "nodes.uptime_floor" NodesUptimeFloor: rules.nodes.uptime_floor,
    136 High "nodes.node_cap" NodesNodeCap: rules.nodes.node_cap,
    137 High "nodes.operator_cap" NodesOperatorCap: rules.nodes.operator_cap,
    138 High "nodes.slash_wrong" NodesSlashWrong: rules.nodes.slash_wrong,
    139 High "nodes.slash_silent" NodesSlashSilent: rules.nodes.slash_silent,
    140 High "nodes.storage.share" NodesStorageShare: rules.nodes.storage.share,
    141 High "nodes.storage.rate" NodesStorageRate: rules.nodes.storage.rate,
    142 High "nodes.bandwidth.share" NodesBandwidthShare: rules.nodes.bandwidth.share,
    143 High "nodes.bandwidth.rate" NodesBandwidthRate: rules.nodes.bandwidth.rate,
    144 High "nodes.compute.share" NodesComputeShare: rules.nodes.compute.share,
    145 High "nodes.compute.rate" NodesComputeRate: rules.nodes.compute.rate,
    146 High "nodes.uptime.share" NodesUptimeShare: rules.nodes.uptime.share,
    147 High "nodes.uptime.rate" NodesUptimeRate: rules.nodes.uptime.rate,
    148 High "nodes.aggregation.share" NodesAggregationShare: rules.nodes.aggregation.share,
    149 High "nodes.aggregation.rate" NodesAggregationRate: rules.nodes.aggregation.rate,
    150 High "nodes.sequencing.share" NodesSequencingShare: rules.nodes.sequencing.share,
    151 High "nodes.sequencing.rate" NodesSequencingRate: rules.nodes.sequencing.rate,
    152 High "nodes.proving.share" NodesProvingShare: rules.nodes.proving.share,
    153 High "nodes.proving.rate" NodesProvingRate: rules.nodes.proving.rate,
    154 High "nodes.curation.share" NodesCurationShare: rules.nodes.curation.share,
    155 High "nodes.curation.rate" NodesCurationRate: rules.nodes.curation.rate,
}

impl Encode for Parameter {
    fn encode(&self, w: &mut Writer) {
        (*self as u16).encode(w);
    }
}

impl ToFelts for Parameter {
    fn felts(&self, out: &mut Fields) {
        out.push(&(*self as u16));
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Parameter {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().copied().find(|parameter| parameter.name() == text);
        found.ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|parameter| parameter.name()).collect();
            format!("unknown parameter {text:?}: one of {}", names.join(", "))
        })
    }
}

/// Parameters and rules together, as a change finds and leaves them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Parameters of epochs.
    pub params: GovernanceParams,
    /// Rules of the ledger.
    pub rules: Rules,
}

impl From<&Version> for Settings {
    fn from(version: &Version) -> Self {
        Self { params: version.params.clone(), rules: version.rules.clone() }
    }
}

/// A parameter and its new value, at the parameter's own scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub parameter: Parameter,
    /// Its new value.
    pub value: u64,
}

codec_struct!(Change { parameter, value });

impl ToFelts for Change {
    fn felts(&self, out: &mut Fields) {
        out.push(&self.parameter).push(&self.value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::Preset;

    fn settings() -> Settings {
        Settings { params: Preset::Spec.params(), rules: Rules::default() }
    }

    #[test]
    fn names_and_numbers_are_read_back() {
        for parameter in Parameter::ALL {
            assert_eq!(parameter.name().parse(), Ok(*parameter));
            assert_eq!(Parameter::from_bytes(&parameter.to_bytes()), Ok(*parameter));
        }
        assert!("gamma".parse::<Parameter>().is_err());
    }

    #[test]
    fn each_parameter_is_one_place_of_its_own() {
        for parameter in Parameter::ALL {
            let mut changed = settings();
            // No more than a bit holds, for switches; another value than the one there.
            let value = 1 - parameter.get(&changed).min(1);
            assert!(parameter.set(&mut changed, value), "{parameter}");
            assert_eq!(parameter.get(&changed), value);
            let others = Parameter::ALL.iter().filter(|other| *other != parameter);
            for other in others {
                assert_eq!(other.get(&changed), other.get(&settings()), "{parameter} changes {other}");
            }
        }
    }

    /// Whatever is bound by a version can be changed by a proposal: a field without a parameter would be out of reach.
    #[test]
    fn every_byte_of_the_settings_belongs_to_a_parameter() {
        let mut all = settings();
        for parameter in Parameter::ALL {
            let value = parameter.get(&all);
            assert!(parameter.set(&mut all, value ^ 1) || *parameter == Parameter::PriceNormalised);
        }
        let count = |settings: &Settings| {
            let json = serde_json::to_value((&settings.params, &settings.rules)).expect("plain numbers");
            leaves(&json)
        };
        assert_eq!(count(&all), Parameter::ALL.len());
    }

    fn leaves(json: &serde_json::Value) -> usize {
        match json {
            serde_json::Value::Array(items) => items.iter().map(leaves).sum(),
            serde_json::Value::Object(fields) => fields.values().map(leaves).sum(),
            _ => 1,
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut settings = settings();
        assert!(!Parameter::PriceNormalised.set(&mut settings, 2));
        assert!(!Parameter::EcoShare.set(&mut settings, 10_001));
        assert!(!Parameter::JMax.set(&mut settings, 1 << 16));
        assert_eq!(settings, super::tests::settings());
    }
}
