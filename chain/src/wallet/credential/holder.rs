//! That a credential's subject wants this account.

use super::{CredentialError, DidKey, SigningKey};
use crate::signature::PublicKey;
use ed25519_dalek::Signer;
use primitives::{ChainId, Digest, Domain, Encode, PersonId, codec_struct, hash};

/// What the subject of a credential signs to be registered.
///
/// A credential is shown to verifiers, and whoever has seen it could bring it to a registrar. This signature says for
/// which account of which chain it was brought, and a registrar asks for it before it registers anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// On which chain.
    pub chain: ChainId,
    /// Under which name.
    pub person: PersonId,
    /// Key of the account.
    pub key: PublicKey,
    /// Commitment to the credential, as it is to go on the chain.
    pub credential: Digest,
}

codec_struct!(Holding { chain, person, key, credential });

impl Holding {
    /// What is signed.
    pub fn digest(&self) -> Digest {
        hash::hash(Domain::CredentialHolder, &[&self.to_bytes()])
    }

    /// The subject's signature.
    pub fn sign(&self, subject: &SigningKey) -> [u8; 64] {
        subject.sign(&self.digest().0).to_bytes()
    }

    /// Checks that the subject signed.
    ///
    /// Errors: [`CredentialError::Holder`].
    pub fn verify(&self, subject: &DidKey, signature: &[u8; 64]) -> Result<(), CredentialError> {
        if subject.signed(&self.digest().0, signature) {
            Ok(())
        } else {
            Err(CredentialError::Holder { subject: *subject })
        }
    }
}
