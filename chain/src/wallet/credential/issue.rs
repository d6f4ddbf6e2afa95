//! An issuer's side: credentials and nullifiers.

use super::{CREDENTIAL_TYPE, DidKey, SigningKey, token};
use crate::modules::identity::Roles;
use ed25519_dalek::Signer;
use hkdf::Hkdf;
use primitives::{Digest, Domain, Time};
use serde_json::{Value, json};
use sha2::Sha512;
use std::fmt;
use zeroize::Zeroizing;

/// How a credential stands in a JWT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Data model 1.1: in the claim `vc`.
    V1,
    /// Data model 2.0: the claims are the credential.
    V2,
}

impl Encoding {
    /// Both.
    pub const ALL: [Self; 2] = [Self::V1, Self::V2];

    /// The type in the header.
    pub(super) fn typ(self) -> &'static str {
        match self {
            Self::V1 => "JWT",
            Self::V2 => "vc+jwt",
        }
    }

    /// The data model's context.
    pub(super) fn context(self) -> &'static str {
        match self {
            Self::V1 => "https://www.w3.org/2018/credentials/v1",
            Self::V2 => "https://www.w3.org/ns/credentials/v2",
        }
    }
}

/// What an issuer says of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Of whom.
    pub subject: DidKey,
    /// What they may act as.
    pub roles: Roles,
    /// The human behind it, by [`personhood_nullifier`].
    pub nullifier: Digest,
    /// First second in which it holds.
    pub from: Time,
    /// First second in which it holds no more.
    pub until: Time,
}

/// Writes a credential and signs it.
pub fn issue(issuer: &SigningKey, statement: &Statement, encoding: Encoding) -> String {
    let did = DidKey::of(issuer);
    let header = json!({ "alg": token::ALGORITHM, "typ": encoding.typ(), "kid": did.key_name() });
    let payload = claims(&did, statement, encoding);
    token::write(header.to_string().as_bytes(), payload.to_string().as_bytes(), |signed| {
        issuer.sign(signed).to_bytes()
    })
}

fn claims(issuer: &DidKey, statement: &Statement, encoding: Encoding) -> Value {
    let (issuer, subject) = (issuer.to_string(), statement.subject.to_string());
    let roles: Vec<_> =
        Roles::NAMED.iter().filter(|(_, role)| statement.roles.has(*role)).map(|(name, _)| *name).collect();
    let context = json!([encoding.context()]);
    let types = json!(["VerifiableCredential", CREDENTIAL_TYPE]);
    let described = json!({ "id": subject, "roles": roles, "personhood": statement.nullifier.to_string() });
    let (from, until) = (statement.from.0, statement.until.0);
    match encoding {
        Encoding::V1 => json!({
            "iss": issuer,
            "sub": subject,
            "nbf": from,
            "exp": until,
            "vc": { "@context": context, "type": types, "credentialSubject": described },
        }),
        Encoding::V2 => json!({
            "@context": context,
            "type": types,
            "issuer": issuer,
            "credentialSubject": described,
            "nbf": from,
            "exp": until,
        }),
    }
}

/// The secret that an issuer's nullifiers come from. Wiped on drop, never shown.
pub struct PersonhoodKey(Zeroizing<[u8; 32]>);

impl PersonhoodKey {
    /// A key of 32 bytes that were drawn at random.
    pub fn new(secret: [u8; 32]) -> Self {
        Self(Zeroizing::new(secret))
    }
}

impl fmt::Debug for PersonhoodKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonhoodKey(..)")
    }
}

/// The nullifier of a human: a keyed hash (HKDF with SHA-512) of what tells one human from all others, such as the
/// number of an identity document, in the one spelling that the issuer keeps to.
///
/// The same human gets the same nullifier, so that the ledger registers them once. Without the key nobody can compute
/// or test one, however few attributes there are; whoever has the key can, so **the issuer can tell whose a nullifier
/// on the chain is**. Two issuers give one human two nullifiers, and so two registrations, unless they share the key:
/// one human, one vote holds as far as the trusted issuers are one, share a key, or divide people between them.
pub fn personhood_nullifier(key: &PersonhoodKey, attribute: &[u8]) -> Digest {
    let hash = Hkdf::<Sha512>::new(Some(Domain::Personhood.label().as_bytes()), &key.0[..]);
    let mut nullifier = Digest::default();
    hash.expand(attribute, &mut nullifier.0).expect("32 bytes are fewer than HKDF has");
    nullifier
}
