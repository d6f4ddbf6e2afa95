//! What theory says that attacks earn (economics notes, section 4), in floating point. Nothing is paid by these: tests
//! hold the integers to them, and a reader can check a figure by hand.
//!
//! `theta` is the creators' share of revenue, `n` honest subscribers, `s` puppets, `rho` the value of a puppet over
//! the mean value of an honest subscriber. All assume a small share of the pool unless they say otherwise.

/// `h_k(n) = sum over j = 1..n of 1 / (1 + k (j - 1))`: what n plays are worth, in views (spec 8.1).
pub fn worth(k: f64, n: u32) -> f64 {
    (0..n).map(|j| 1.0 / (1.0 + k * f64::from(j))).sum()
}

/// Profit of s puppets over the fee of one: `theta rho s (n + s) / (n + rho s) - s`. Exact for any share: the pool grows
/// by the puppets' own fees. Positive for few puppets if and only if `theta rho > 1`.
pub fn puppet_profit(theta: f64, rho: f64, s: f64, n: f64) -> f64 {
    theta * rho * s * (n + s) / (n + rho * s) - s
}

/// The number of puppets with the greatest profit, `s* = (n / rho) (sqrt(theta (rho - 1) / (1 - theta)) - 1)`; `None`
/// where no number pays, or where `theta = 1` and more always pay more.
pub fn best_puppets(theta: f64, rho: f64, n: f64) -> Option<f64> {
    (theta * rho > 1.0 && theta < 1.0).then(|| n / rho * ((theta * (rho - 1.0) / (1.0 - theta)).sqrt() - 1.0))
}

/// Value of a puppet that spreads `plays` over `works`, `x = m h_k(T / m)`, in views. Exact where m divides T.
pub fn catalogue_value(k: f64, plays: u32, works: u32) -> f64 {
    f64::from(works) * worth(k, plays / works)
}

/// Gain of splitting a work's usage over `parts` works: `m^(1 - alpha)`.
pub fn split_by_usage(alpha: f64, parts: u32) -> f64 {
    f64::from(parts).powf(1.0 - alpha)
}

/// Gain of splitting a work of which each listener has n plays, so that diminishing returns begin again:
/// `m h_k(n / m) / h_k(n)` where j counts by work. It is 1 where j counts by creator.
pub fn split_by_reset(k: f64, plays: u32, parts: u32) -> f64 {
    catalogue_value(k, plays, parts) / worth(k, plays)
}

/// Gain of n plays in `epochs` epochs over as many in one, `E h_k(n / E) / h_k(n)`: short epochs blunt k.
pub fn epoch_reset(k: f64, plays: u32, epochs: u32) -> f64 {
    split_by_reset(k, plays, epochs)
}

/// Gain of credibility that is `lambda` times as large: `lambda^beta`.
pub fn fake_bandwidth(lambda: f64, beta: f64) -> f64 {
    lambda.powf(beta)
}

/// What a gain in weight comes to in payout for a work with this share of the pool: `g / (1 + share (g - 1))`.
pub fn on_share(gain: f64, share: f64) -> f64 {
    gain / (1.0 + share * (gain - 1.0))
}
