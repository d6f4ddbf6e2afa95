//! Why a credential is refused.

use super::{CREDENTIAL_TYPE, DidError, DidKey, MAX_JWT_BYTES};
use primitives::Time;
use std::fmt;
use thiserror::Error;

/// A part of a JWT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Says how it is signed.
    Header,
    /// Says what is signed.
    Payload,
    /// The signature.
    Signature,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        })
    }
}

/// Which rule a credential breaks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// Longer than any that is read.
    #[error("{bytes} bytes are more than the {MAX_JWT_BYTES} of the longest credential")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// A JWT is three parts with dots between them.
    #[error("{found} parts with dots between them, where there are three")]
    Parts {
        /// How many there are.
        found: usize,
    },
    /// A part is not base64url without padding, or not the one spelling of its bytes.
    #[error("the {part} is not canonical base64url without padding")]
    Base64 {
        /// Which.
        part: Part,
    },
    /// A part is not a JSON object.
    #[error("the {part} is not a JSON object")]
    Json {
        /// Which.
        part: Part,
    },
    /// An object names a member twice, and readers differ in which of them counts.
    #[error("the {part} names {member:?} twice")]
    Repeated {
        /// In which part.
        part: Part,
        /// The member.
        member: String,
    },
    /// The header has extensions that have to be understood (RFC 7515, section 4.1.11). None is here.
    #[error("the header has critical extensions")]
    Critical,
    /// The header has a member that is not known here, such as a key that it brings itself.
    #[error("the header has {member:?}, which is not understood")]
    Header {
        /// The member.
        member: String,
    },
    /// Another algorithm than EdDSA, or none.
    #[error("the algorithm is {found:?}, and not EdDSA")]
    Algorithm {
        /// What the header says.
        found: String,
    },
    /// Not the type of a credential as JWT.
    #[error("the type is {found:?}, and neither JWT nor vc+jwt")]
    Type {
        /// What the header says.
        found: String,
    },
    /// The header names another key than the issuer's.
    #[error("the header names the key {found:?}, which is not that of {issuer}")]
    KeyName {
        /// Who issued.
        issuer: DidKey,
        /// What the header says.
        found: String,
    },
    /// The signature has not 64 bytes.
    #[error("a signature of {bytes} bytes, where there are 64")]
    SignatureLength {
        /// Its length.
        bytes: usize,
    },
    /// The issuer did not sign this.
    #[error("signature of {issuer} does not verify")]
    Signature {
        /// Who issued.
        issuer: DidKey,
    },
    /// Something has to be said and is not.
    #[error("{member} is missing")]
    Missing {
        /// Where it would stand.
        member: &'static str,
    },
    /// Something is not of the kind that it has to be.
    #[error("{member} is not {expected}")]
    Form {
        /// Where it stands.
        member: &'static str,
        /// What would stand there.
        expected: &'static str,
    },
    /// Something is said in two places, and differently.
    #[error("{member} is said twice, and differently")]
    Disagree {
        /// What.
        member: &'static str,
    },
    /// A credential of data model 2.0 does not stand in a claim of its own.
    #[error("the claim vc has no place under vc+jwt")]
    Wrapped,
    /// The first context is not that of the data model.
    #[error("the first context is not {expected}")]
    Context {
        /// The data model's.
        expected: &'static str,
    },
    /// Some other credential.
    #[error("not a VerifiableCredential and {CREDENTIAL_TYPE}")]
    OtherCredential,
    /// A credential for somebody else's eyes (RFC 7519, section 4.1.3).
    #[error("the credential names an audience")]
    Audience,
    /// A credential that may have been revoked, which is not looked up here.
    #[error("the credential names a list of revocations, which is not looked up")]
    Status,
    /// The issuer or the subject is no `did:key`.
    #[error("{member}: {error}")]
    Did {
        /// Whose.
        member: &'static str,
        /// Why it is none.
        error: DidError,
    },
    /// The issuer is not among the trusted.
    #[error("{issuer} is not a trusted issuer")]
    UnknownIssuer {
        /// Who issued.
        issuer: DidKey,
    },
    /// The credential does not hold yet.
    #[error("it is {now}, and the credential holds from {from} on")]
    NotYet {
        /// Its first second.
        from: Time,
        /// The time.
        now: Time,
    },
    /// The credential holds no more.
    #[error("it is {now}, and the credential held until {until}")]
    Expired {
        /// The first second after it.
        until: Time,
        /// The time.
        now: Time,
    },
    /// A role that does not exist.
    #[error("there is no role {name:?}")]
    Role {
        /// What the credential says.
        name: String,
    },
    /// No role at all.
    #[error("the credential names no role")]
    NoRole,
    /// The nullifier is not 32 bytes in lower-case hexadecimal digits.
    #[error("{found:?} is no nullifier of 64 lower-case hexadecimal digits")]
    Nullifier {
        /// What the credential says.
        found: String,
    },
    /// The subject did not sign for this account.
    #[error("{subject} did not sign for this account")]
    Holder {
        /// Whose credential it is.
        subject: DidKey,
    },
}
