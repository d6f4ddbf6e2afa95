//! What an Ethereum wallet shows and signs: typed data by EIP-712.
//!
//! The domain has a name, a version, the chain's number and a salt:
//!
//! * `chainId` is the number of our chain, not that of the L1 below it. A wallet that insists on the network that it is
//!   connected to has to know ours, as it knows any rollup.
//! * `salt` is the digest of the genesis. Numbers of chains are handed out by nobody; the genesis is what a chain is.
//!   A signature for one ledger is worth nothing on another of the same number.
//! * There is no `verifyingContract`: no contract checks these, and an address made up would say that one does. A domain
//!   with other fields has another type hash, so that nothing signed for a contract is ever taken here.
//!
//! Every message names the person and the account's nonce, so that it applies once.

use crate::modules::{dapr, governance, treasury};
use crate::signature::PublicKey;
use alloy::{
    primitives::{B256, Signature, U256, hex},
    signers::{Error as SignerError, SignerSync},
    sol_types::{Eip712Domain, SolStruct},
};
use primitives::{ChainId, Digest, Layer1Address, PersonId};
use serde_json::{Map, Value, json};
use thiserror::Error;

mod payload;

pub use messages::{BindKey, Claim, Transfer, Vote};
pub use payload::Signable;

/// Name of the domain, which a wallet shows.
pub const DOMAIN_NAME: &str = "Clean Web Economy";
/// Version of the messages.
pub const DOMAIN_VERSION: &str = "1";
/// Bytes of a wallet's signature: `r`, `s`, and `v`, which is 27 or 28.
pub const WALLET_SIGNATURE_BYTES: usize = 65;

/// A wallet's signature.
pub type WalletSignature = [u8; WALLET_SIGNATURE_BYTES];

/// Why a signature is none of any wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WalletError {
    /// `v` is another number than the two that wallets give. Some libraries take others for the same.
    #[error("v is {found}, and neither 27 nor 28")]
    Parity {
        /// The last byte.
        found: u8,
    },
    /// `s` is in the upper half of the numbers below the group order. Its negative, with the other `v`, would be a
    /// second signature by the same wallet of the same message (EIP-2, for transactions).
    #[error("s is in the upper half of its range")]
    HighS,
    /// `r` or `s` is zero or beyond the group order, or `r` is of no point.
    #[error("no key gives this signature")]
    NoKey,
}

mod messages {
    #![allow(missing_docs, reason = "the macro's own functions; fields and structs have theirs")]

    alloy::sol! {
        /// A wallet binds itself to a person and the key of their account.
        #[derive(Debug, PartialEq, Eq)]
        struct BindKey {
            /// Whose account.
            bytes32 person;
            /// The account's nonce.
            uint64 nonce;
            /// The account's key, compressed.
            bytes32 key;
        }

        /// Credits go to another account.
        #[derive(Debug, PartialEq, Eq)]
        struct Transfer {
            /// Who pays.
            bytes32 person;
            /// The account's nonce.
            uint64 nonce;
            /// Who is paid.
            bytes32 to;
            /// How much, in the smallest unit.
            uint64 amount;
        }

        /// A payee asks somebody to bring their claim. The ledger takes claims from anybody and does not ask for this; a
        /// service that brings them may.
        #[derive(Debug, PartialEq, Eq)]
        struct Claim {
            /// The payee.
            bytes32 person;
            /// The account's nonce.
            uint64 nonce;
            /// Epoch of the payout.
            uint64 epoch;
            /// Work that it is for.
            bytes32 work;
            /// How much, in the smallest unit.
            uint64 amount;
        }

        /// A vote on a proposal.
        #[derive(Debug, PartialEq, Eq)]
        struct Vote {
            /// Who votes.
            bytes32 person;
            /// The account's nonce.
            uint64 nonce;
            /// The proposal.
            uint64 proposal;
            /// What they choose: 0 is no, 1 is yes, 2 is neither.
            uint8 choice;
        }
    }
}

/// A message of this project: a struct of numbers and values of 32 bytes, and nothing else.
pub trait Message: SolStruct + sealed::Sealed {}

mod sealed {
    pub trait Sealed {}
}

macro_rules! message {
    ($($name:ident),*) => {$(
        impl sealed::Sealed for $name {}
        impl Message for $name {}
    )*};
}
message!(BindKey, Transfer, Claim, Vote);

impl BindKey {
    /// The binding of an account's key.
    pub fn of((person, nonce): (PersonId, u64), key: &PublicKey) -> Self {
        Self { person: person.0.into(), nonce, key: (*key.as_bytes()).into() }
    }
}

impl Transfer {
    /// What a payload asks for.
    pub fn of((person, nonce): (PersonId, u64), action: &treasury::Transfer) -> Self {
        Self { person: person.0.into(), nonce, to: action.to.0.into(), amount: action.amount.0 }
    }
}

impl Claim {
    /// What a payee asks to be brought.
    pub fn of(nonce: u64, claim: &dapr::Claim) -> Self {
        let (epoch, amount) = (claim.epoch.0, claim.amount.0);
        Self { person: claim.payee.0.into(), nonce, epoch, work: claim.work.0.into(), amount }
    }
}

impl Vote {
    /// What a payload asks for.
    pub fn of((person, nonce): (PersonId, u64), action: &governance::Vote) -> Self {
        let (proposal, choice) = (action.proposal, action.choice as u8);
        Self { person: person.0.into(), nonce, proposal, choice }
    }
}

/// The domain of a ledger's messages, from its number and the digest of its genesis.
pub fn domain(chain: ChainId, genesis: Digest) -> Eip712Domain {
    Eip712Domain::new(
        Some(DOMAIN_NAME.into()),
        Some(DOMAIN_VERSION.into()),
        Some(U256::from(chain.0)),
        None,
        Some(genesis.0.into()),
    )
}

/// What is signed of a message.
pub fn digest<M: Message>(message: &M, domain: &Eip712Domain) -> B256 {
    message.eip712_signing_hash(domain)
}

/// Signs a message with a key that is here. Keys in a browser sign [`typed_data_json`].
pub fn sign<M: Message>(
    message: &M,
    domain: &Eip712Domain,
    signer: &impl SignerSync,
) -> Result<WalletSignature, SignerError> {
    signer.sign_hash_sync(&digest(message, domain)).map(|signature| signature.as_bytes())
}

/// The wallet that signed. Nobody can make a second signature out of one: the forms that other readers take besides are
/// refused.
///
/// Errors: [`WalletError`].
pub fn recover(digest: &B256, signature: &WalletSignature) -> Result<Layer1Address, WalletError> {
    let [rs @ .., v] = signature;
    let odd = match v {
        27 => false,
        28 => true,
        found => return Err(WalletError::Parity { found: *found }),
    };
    let signature = Signature::from_bytes_and_parity(rs, odd);
    // The library would take it, and turn it around.
    if signature.normalize_s().is_some() {
        return Err(WalletError::HighS);
    }
    let address = signature.recover_address_from_prehash(digest).map_err(|_| WalletError::NoKey)?;
    Ok(Layer1Address(address.into_array()))
}

/// A message as wallets take it: the second parameter of `eth_signTypedData_v4`.
///
/// It is made from what is hashed, the type's text and the encoded words, so that a wallet shows what it signs and
/// nothing else. Numbers are decimal texts: a browser's own numbers end at 2^53.
pub fn typed_data_json<M: Message>(message: &M, domain: &Eip712Domain) -> Value {
    let (name, fields) = fields_of(&M::eip712_encode_type());
    let (own, domain_fields) = fields_of(&domain.encode_type());
    let mut said = Map::new();
    let data = message.eip712_encode_data();
    for ((kind, field), word) in fields.iter().zip(data.as_chunks::<32>().0) {
        said.insert(field.clone(), in_words(kind, word).into());
    }
    let list = |fields: &[(String, String)]| -> Vec<Value> {
        fields.iter().map(|(kind, name)| json!({ "name": name, "type": kind })).collect()
    };
    let mut types = Map::new();
    types.insert(own, list(&domain_fields).into());
    types.insert(name.clone(), list(&fields).into());
    json!({
        "types": types,
        "primaryType": name,
        "domain": {
            "name": domain.name,
            "version": domain.version,
            "chainId": domain.chain_id.map(|id| id.to_string()),
            "salt": domain.salt.map(|salt| salt.to_string()),
        },
        "message": said,
    })
}

/// Name of a struct, and type and name of each of its fields, from its text `Name(type field,...)`.
fn fields_of(text: &str) -> (String, Vec<(String, String)>) {
    let (name, fields) = text.trim_end_matches(')').split_once('(').expect("encodeType has a bracket");
    let field = |field: &str| {
        let (kind, name) = field.split_once(' ').expect("encodeType has a type and a name for each field");
        (kind.to_owned(), name.to_owned())
    };
    (name.to_owned(), fields.split(',').map(field).collect())
}

/// A word of encoded data as JSON has it.
fn in_words(kind: &str, word: &[u8; 32]) -> String {
    if kind.starts_with("uint") { U256::from_be_bytes(*word).to_string() } else { hex::encode_prefixed(word) }
}

#[cfg(test)]
mod tests;
