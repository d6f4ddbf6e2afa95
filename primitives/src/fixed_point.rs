//! Deterministic fixed-point logarithm, exponential and power.
