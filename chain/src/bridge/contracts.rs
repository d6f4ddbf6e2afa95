//! Rust bindings of the contracts, made from the committed artefacts: calls, events, errors, and the code to deploy.
//!
//! `contracts/` holds their sources and proves that the artefacts are what these compile to.

#![allow(missing_docs, clippy::all, reason = "generated from the artefacts")]

/// CWE credits on L1.
pub mod credit {
    alloy::sol!(
        #[sol(all_derives)]
        CweCredit,
        "../contracts/artifacts/CweCredit.json"
    );
}

/// Batches of blocks, as the committee attests them.
pub mod rollup {
    alloy::sol!(
        #[sol(all_derives)]
        AttestedRollup,
        "../contracts/artifacts/AttestedRollup.json"
    );
}

/// Final epochs.
pub mod mirror {
    alloy::sol!(
        #[sol(all_derives)]
        EpochMirror,
        "../contracts/artifacts/EpochMirror.json"
    );
}

/// Payouts to accounts on L1.
pub mod vault {
    alloy::sol!(
        #[sol(all_derives)]
        PayoutVault,
        "../contracts/artifacts/PayoutVault.json"
    );
}
