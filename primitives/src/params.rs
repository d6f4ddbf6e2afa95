//! Governance parameters of an epoch, their bounds, and the presets that ship (economics notes, section 2b).
//!
//! Every quantity is an integer at a stated scale, so that two machines never disagree.

use crate::{BasisPoints, Credits, Digest, Domain, Encode, codec_struct, hash, limits};
use serde::{Deserialize, Serialize};
use std::{fmt, ops::RangeInclusive, str::FromStr};
use thiserror::Error;

/// One in 2^-32 units, the scale of exponents, ratios and multipliers.
pub const ONE_Q32: u64 = 1 << 32;
/// One in 2^-16 units, the scale of `value(j)`.
pub const ONE_Q16: u32 = 1 << 16;

/// A number of 2^-32 units from a fraction, rounded down: `q32(35, 100)` is 0.35.
pub const fn q32(numerator: u64, denominator: u64) -> u64 {
    ((numerator as u128 * ONE_Q32 as u128) / denominator as u128) as u64
}

/// Parameters that governance sets, versioned by epoch (spec 10.4). Scales: `Q32` means 2^-32 units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GovernanceParams {
    /// Exponent of usage in a work's weight, Q32 (spec 7.4).
    pub alpha: u64,
    /// Exponent of bandwidth credibility, Q32 (spec 7.4).
    pub beta: u64,
    /// Slope of diminishing returns, Q32 (spec 8.1).
    pub k: u64,
    /// Credibility of a work without any receipt, Q32, above zero (spec 5.3).
    pub b_min: u64,
    /// Bonus for diversity of regions, Q32 (spec 8.2).
    pub delta: u64,
    /// Smallest price multiplier, Q32 (spec 8.3).
    pub price_min: u64,
    /// Largest price multiplier, Q32 (spec 8.3).
    pub price_max: u64,
    /// Whether prices are normalised inside each category (spec 8.3).
    pub price_normalised: bool,
    /// Whether each tier's pool is shared among that tier's usage alone.
    pub pool_by_tier: bool,
    /// Share of revenue for the Eco-Reserve.
    pub eco_share: BasisPoints,
    /// Share of revenue for infrastructure: node rewards.
    pub infra_share: BasisPoints,
    /// Protocol fee.
    pub fee_share: BasisPoints,
    /// Fewest listeners of an epoch with which a (work, tier) cell is published. 0 and 1 are the same: of a cell without
    /// a listener there is nothing to publish.
    pub k_anonymity: u32,
    /// Views of one work by one subscriber that count.
    pub j_max: u16,
    /// Most value that one subscriber adds in one epoch, in 2^-18 views.
    pub value_cap: u64,
    /// Listeners at which a work has half of the listener credit in its reputation.
    pub listeners_half: u32,
    /// Weight of the past in a work's reputation, Q32, below one.
    pub reputation_decay: u64,
}

codec_struct!(GovernanceParams {
    alpha,
    beta,
    k,
    b_min,
    delta,
    price_min,
    price_max,
    price_normalised,
    pool_by_tier,
    eco_share,
    infra_share,
    fee_share,
    k_anonymity,
    j_max,
    value_cap,
    listeners_half,
    reputation_decay,
});

/// A parameter outside its bounds.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParamsError {
    /// A parameter is outside its range; all three numbers are at the parameter's own scale.
    #[error("parameter {name} is {value}, outside {min} to {max}")]
    OutOfBounds {
        /// Field name.
        name: &'static str,
        /// Value found.
        value: u64,
        /// Smallest value allowed.
        min: u64,
        /// Largest value allowed.
        max: u64,
    },
    /// The smallest price is above the largest.
    #[error("price_min {min} is above price_max {max}")]
    PriceRange {
        /// Smallest price, Q32.
        min: u64,
        /// Largest price, Q32.
        max: u64,
    },
    /// Eco-Reserve, infrastructure and fee together leave nothing for creators.
    #[error("deductions of {total} basis points leave nothing for creators")]
    Deductions {
        /// Sum of the three shares.
        total: u32,
    },
}

impl GovernanceParams {
    /// Each bounded parameter with its value and range.
    fn bounds(&self) -> [(&'static str, u64, RangeInclusive<u64>); 12] {
        [
            ("alpha", self.alpha, q32(1, 2)..=q32(3, 2)),
            ("beta", self.beta, 0..=q32(2, 1)),
            ("k", self.k, 0..=q32(16, 1)),
            ("b_min", self.b_min, q32(1, 100)..=ONE_Q32),
            ("delta", self.delta, 0..=q32(1, 1)),
            ("price_min", self.price_min, q32(1, 100)..=ONE_Q32),
            ("price_max", self.price_max, ONE_Q32..=q32(100, 1)),
            ("k_anonymity", self.k_anonymity.into(), 0..=1 << 20),
            ("j_max", self.j_max.into(), 1..=limits::MAX_COUNTED_VIEWS.into()),
            ("value_cap", self.value_cap, 1 << limits::EVENT_VALUE_BITS..=(1 << 32) - 1),
            ("listeners_half", self.listeners_half.into(), 1..=1 << 30),
            ("reputation_decay", self.reputation_decay, 0..=ONE_Q32 - 1),
        ]
    }

    /// Checks every bound (spec 10.4).
    pub fn check(&self) -> Result<(), ParamsError> {
        for (name, value, range) in self.bounds() {
            if !range.contains(&value) {
                return Err(ParamsError::OutOfBounds { name, value, min: *range.start(), max: *range.end() });
            }
        }
        if self.price_min > self.price_max {
            return Err(ParamsError::PriceRange { min: self.price_min, max: self.price_max });
        }
        let total =
            [self.eco_share, self.infra_share, self.fee_share].iter().map(|s| u32::from(s.get())).sum();
        if total >= u32::from(BasisPoints::WHOLE.get()) {
            return Err(ParamsError::Deductions { total });
        }
        Ok(())
    }

    /// Digest that proofs, the chain and records are bound to.
    pub fn digest(&self) -> Digest {
        hash::hash(Domain::Params, &[&self.to_bytes()])
    }

    /// Value of the view with index `j` (from 0), in 2^-16: `floor(2^16 / (1 + k j))`, and zero from `j_max` on
    /// (spec 8.1, whose j counts from 1).
    pub fn view_value(&self, j: u16) -> u32 {
        if j >= self.j_max {
            return 0;
        }
        let denominator = u128::from(ONE_Q32) + u128::from(self.k) * u128::from(j);
        u32::try_from((u128::from(ONE_Q16) << 32) / denominator).expect("at most one")
    }

    /// Fewest listeners of an epoch with which a (work, tier) cell is published, at least one.
    pub fn least_listeners(&self) -> u32 {
        self.k_anonymity.max(1)
    }

    /// What an event is worth in 2^-18 views: a view's value times the quarters of the work that were played.
    pub fn event_value(&self, view: u16, quarters: u8) -> u64 {
        u64::from(self.view_value(view)) * u64::from(quarters)
    }

    /// `view_value` of every view index.
    pub fn view_values(&self) -> [u32; limits::VIEW_INDICES as usize] {
        std::array::from_fn(|j| self.view_value(j as u16))
    }
}

/// What a tier costs and allows in an epoch (spec 9; chain spec 3.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierTerms {
    /// The tier.
    pub tier: crate::Tier,
    /// Price of one subscription for one epoch.
    pub price: Credits,
    /// Most bundles that one subscriber may submit in one epoch.
    pub max_bundles: u16,
    /// Most value that one subscriber adds in one epoch, in 2^-18 views: at least one view, and at most the epoch's
    /// `value_cap`.
    pub value_cap: u64,
}

codec_struct!(TierTerms { tier, price, max_bundles, value_cap });

impl TierTerms {
    /// Whether the cap is inside its bounds under `params`.
    pub fn has_a_cap_below(&self, params: &GovernanceParams) -> bool {
        (1 << limits::EVENT_VALUE_BITS..=params.value_cap).contains(&self.value_cap)
    }
}

/// A named set of parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// The values of the specification (spec 7.4).
    Spec,
    /// Inside the multiplier budget, so that no puppet attack pays.
    Guarded,
    /// Plain pro rata, for comparison with the literature.
    Flat,
}

impl Preset {
    /// The parameters of this preset.
    pub fn params(self) -> GovernanceParams {
        let spec = GovernanceParams {
            alpha: ONE_Q32,
            beta: q32(35, 100),
            k: q32(1, 4),
            b_min: q32(55, 100),
            delta: q32(1, 10),
            price_min: q32(8, 10),
            price_max: q32(5, 4),
            price_normalised: false,
            pool_by_tier: false,
            eco_share: BasisPoints::new(500).expect("below the whole"),
            infra_share: BasisPoints::new(800).expect("below the whole"),
            fee_share: BasisPoints::new(200).expect("below the whole"),
            k_anonymity: 5,
            j_max: 32,
            value_cap: 2_000 << limits::EVENT_VALUE_BITS,
            listeners_half: 10,
            reputation_decay: q32(8, 10),
        };
        match self {
            Self::Spec => spec,
            Self::Guarded => GovernanceParams {
                b_min: q32(9, 10),
                delta: 0,
                price_min: q32(98, 100),
                price_max: q32(102, 100),
                value_cap: 200 << limits::EVENT_VALUE_BITS,
                ..spec
            },
            Self::Flat => GovernanceParams {
                beta: 0,
                k: 0,
                delta: 0,
                b_min: ONE_Q32,
                price_min: ONE_Q32,
                price_max: ONE_Q32,
                k_anonymity: 0,
                j_max: limits::MAX_COUNTED_VIEWS,
                value_cap: (1 << 32) - 1,
                ..spec
            },
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Spec => "spec",
            Self::Guarded => "guarded",
            Self::Flat => "flat",
        })
    }
}

impl FromStr for Preset {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "spec" => Ok(Self::Spec),
            "guarded" => Ok(Self::Guarded),
            "flat" => Ok(Self::Flat),
            other => Err(format!("unknown preset {other:?}: choose spec, guarded or flat")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Decode;

    #[test]
    fn presets_are_inside_their_bounds_and_survive_a_round_trip() {
        for preset in [Preset::Spec, Preset::Guarded, Preset::Flat] {
            let params = preset.params();
            assert_eq!(params.check(), Ok(()));
            assert_eq!(GovernanceParams::from_bytes(&params.to_bytes()), Ok(params));
            assert_eq!(preset.to_string().parse(), Ok(preset));
        }
    }

    #[test]
    fn each_bound_is_enforced_on_both_sides() {
        let spec = Preset::Spec.params();
        let broken = [
            GovernanceParams { alpha: 0, ..spec.clone() },
            GovernanceParams { beta: q32(3, 1), ..spec.clone() },
            GovernanceParams { k: q32(17, 1), ..spec.clone() },
            GovernanceParams { b_min: 0, ..spec.clone() },
            GovernanceParams { delta: q32(2, 1), ..spec.clone() },
            GovernanceParams { price_min: 0, ..spec.clone() },
            GovernanceParams { price_max: q32(1, 2), ..spec.clone() },
            GovernanceParams { k_anonymity: u32::MAX, ..spec.clone() },
            GovernanceParams { j_max: 0, ..spec.clone() },
            GovernanceParams { j_max: 64, ..spec.clone() },
            GovernanceParams { value_cap: 0, ..spec.clone() },
            GovernanceParams { listeners_half: 0, ..spec.clone() },
            GovernanceParams { reputation_decay: ONE_Q32, ..spec.clone() },
        ];
        for params in broken {
            assert!(matches!(params.check(), Err(ParamsError::OutOfBounds { .. })), "{params:?}");
        }
        let whole = GovernanceParams { eco_share: BasisPoints::WHOLE, ..spec };
        assert_eq!(whole.check(), Err(ParamsError::Deductions { total: 11_000 }));
    }

    #[test]
    fn value_falls_as_spec_8_1_says_and_ends_at_j_max() {
        let spec = Preset::Spec.params();
        assert_eq!(spec.view_value(0), ONE_Q16);
        assert_eq!(spec.view_value(4), ONE_Q16 / 2);
        assert_eq!(spec.view_value(1), ONE_Q16 * 4 / 5);
        assert_eq!(spec.view_value(31), (65536.0 / 8.75_f64) as u32);
        assert_eq!(spec.view_value(32), 0);
        assert!(Preset::Flat.params().view_values()[..63].iter().all(|v| *v == ONE_Q16));
        assert_eq!(Preset::Flat.params().view_value(63), 0);
    }
}
