//! Which payloads a wallet may sign.

use super::{Transfer, Vote, WalletSignature, digest, sign, typed_data_json};
use crate::transaction::Payload;
use alloy::{
    primitives::B256,
    signers::{Error as SignerError, SignerSync},
    sol_types::Eip712Domain,
};
use primitives::PersonId;
use serde_json::Value;

/// The typed data of a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signable {
    /// Of a transfer.
    Transfer(Transfer),
    /// Of a vote on a proposal.
    Vote(Vote),
}

impl Signable {
    /// What a wallet signs for a payload, and nothing for those that the account's own key has to sign: **this is the
    /// list**. A wallet shows every value of what it signs, so a payload belongs here only if a person can judge it by
    /// its values, and only if it lets nobody change who signs for the account.
    pub fn of(who: (PersonId, u64), payload: &Payload) -> Option<Self> {
        match payload {
            Payload::Transfer(action) => Some(Self::Transfer(Transfer::of(who, action))),
            Payload::Vote(action) => Some(Self::Vote(Vote::of(who, action))),
            _ => None,
        }
    }

    /// What is signed.
    pub fn digest(&self, domain: &Eip712Domain) -> B256 {
        match self {
            Self::Transfer(message) => digest(message, domain),
            Self::Vote(message) => digest(message, domain),
        }
    }

    /// What a wallet shows: [`typed_data_json`].
    pub fn json(&self, domain: &Eip712Domain) -> Value {
        match self {
            Self::Transfer(message) => typed_data_json(message, domain),
            Self::Vote(message) => typed_data_json(message, domain),
        }
    }

    /// Signs with a key that is here.
    pub fn sign(
        &self,
        domain: &Eip712Domain,
        signer: &impl SignerSync,
    ) -> Result<WalletSignature, SignerError> {
        match self {
            Self::Transfer(message) => sign(message, domain, signer),
            Self::Vote(message) => sign(message, domain, signer),
        }
    }
}
