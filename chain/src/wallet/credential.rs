//! Credentials of persons: W3C Verifiable Credentials as signed JWT, read strictly.
//!
//! A registrar calls [`verify`] before it signs a `Register` transaction; nothing here runs in the ledger. Both
//! encodings of credentials as JWT are taken: data model 1.1 (section 6.3.1: header `typ` is `JWT`, the credential
//! stands in the claim `vc`) and data model 2.0 ("Securing Verifiable Credentials using JOSE and COSE", section 3.1:
//! `typ` is `vc+jwt`, the claims are the credential). Issuers and subjects are `did:key` with Ed25519, so no network is
//! asked for a key, and the one algorithm is EdDSA.
//!
//! A credential says `roles`, names from [`Roles::NAMED`], and `personhood`, a nullifier of 64 hexadecimal digits:
//!
//! ```json
//! { "iss": "did:key:z6Mk...", "sub": "did:key:z6Mk...", "nbf": 1767225600, "exp": 1798761600,
//!   "vc": { "@context": ["https://www.w3.org/2018/credentials/v1"],
//!           "type": ["VerifiableCredential", "CleanWebIdentityCredential"],
//!           "credentialSubject": { "id": "did:key:z6Mk...", "roles": ["creator"], "personhood": "5f0c..." } } }
//! ```
//!
//! Where the standards let a reader choose, this one refuses: a credential that somebody else reads otherwise is none.
//! Lists of revoked credentials are not looked up, so a credential that names one is refused too
//! ([`CredentialError::Status`]). Whoever has seen a credential could bring it, so the subject signs which account it
//! is for ([`Holding`]).

mod claims;
mod date;
mod did;
mod error;
mod holder;
mod issue;
mod json;
mod token;

pub use did::{DidError, DidKey};
pub use ed25519_dalek::SigningKey;
pub use error::{CredentialError, Part};
pub use holder::Holding;
pub use issue::{Encoding, PersonhoodKey, Statement, issue, personhood_nullifier};

use crate::modules::identity::{Register, Roles};
use crate::signature::PublicKey;
use claims::Claims;
use primitives::{Digest, Domain, PersonId, Time, hash};
use std::collections::BTreeSet;
use token::Token;

/// Longest credential that is read. One of this form has some 800 bytes; the rest is room for a name of its type, an
/// issuer's remarks and longer contexts.
pub const MAX_JWT_BYTES: usize = 8 * 1024;

/// The type of credential that is taken, besides `VerifiableCredential`.
pub const CREDENTIAL_TYPE: &str = "CleanWebIdentityCredential";

/// What a credential says, once it is known to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Who says it.
    pub issuer: DidKey,
    /// Of whom.
    pub subject: DidKey,
    /// What they may act as; at least one role.
    pub roles: Roles,
    /// The same for every credential that the issuer gives the same human.
    pub nullifier: Digest,
    /// First second in which it holds no more.
    pub expires: Time,
}

/// Checks a credential: its form, that a trusted issuer signed it, and that it holds `now`.
///
/// There is no leeway for clocks that differ: who wants some gives another `now`.
///
/// Errors: [`CredentialError`], the first rule that is broken.
pub fn verify(jwt: &[u8], trusted: &BTreeSet<DidKey>, now: Time) -> Result<Verified, CredentialError> {
    let token = Token::read(jwt)?;
    let encoding = token.encoding()?;
    let claims = Claims::of(&token.payload, encoding)?;
    let issuer = claims.issuer()?;
    if !trusted.contains(&issuer) {
        return Err(CredentialError::UnknownIssuer { issuer });
    }
    token.check_key_name(&issuer)?;
    if !issuer.signed(token.signed, &token.signature) {
        return Err(CredentialError::Signature { issuer });
    }
    claims.check_form()?;
    let expires = claims.check_time(now)?;
    let (subject, roles, nullifier) = (claims.subject()?, claims.roles()?, claims.nullifier()?);
    Ok(Verified { issuer, subject, roles, nullifier, expires })
}

/// What goes on the chain of a credential. Whoever has no `salt` cannot try out credentials against it; the registrar
/// keeps both for as long as it may have to answer for a registration.
pub fn commitment(jwt: &[u8], salt: &[u8; 32]) -> Digest {
    hash::hash(Domain::Credential, &[salt, jwt])
}

impl Verified {
    /// The registration that a registrar signs for this credential, once the subject has shown that the account is
    /// theirs ([`Holding::verify`]).
    pub fn registration(&self, person: PersonId, key: PublicKey, credential: Digest) -> Register {
        Register { person, key, roles: self.roles, credential, nullifier: self.nullifier }
    }
}

#[cfg(test)]
mod tests;
