//! The inside of a credential: what it says, read from either encoding.

use super::{CREDENTIAL_TYPE, CredentialError, DidKey, Encoding, date};
use crate::modules::identity::Roles;
use primitives::{Digest, Time};
use serde_json::{Map, Value};

type Object = Map<String, Value>;

/// What a token claims, and the credential in it.
pub(super) struct Claims<'a> {
    encoding: Encoding,
    /// The claims of the token.
    token: &'a Object,
    /// The credential: the claim `vc`, or all of it.
    credential: &'a Object,
}

impl<'a> Claims<'a> {
    pub(super) fn of(token: &'a Object, encoding: Encoding) -> Result<Self, CredentialError> {
        let credential = match (encoding, token.get("vc")) {
            (Encoding::V1, Some(vc)) => object("vc", vc)?,
            (Encoding::V1, None) => return Err(CredentialError::Missing { member: "vc" }),
            // VC-JOSE-COSE, section 3.1.1: "The JWT Claim Names vc and vp MUST NOT be present".
            (Encoding::V2, Some(_)) => return Err(CredentialError::Wrapped),
            (Encoding::V2, None) => token,
        };
        Ok(Self { encoding, token, credential })
    }

    /// Who issued, by the token or the credential; if both say it, they say the same.
    pub(super) fn issuer(&self) -> Result<DidKey, CredentialError> {
        // VC data model, "issuer": a URL, or an object with a URL as its id.
        let inside = match self.credential.get("issuer") {
            Some(Value::Object(named)) => Some(named.get("id").unwrap_or(&Value::Null)),
            said => said,
        };
        did("issuer", self.token.get("iss"), inside)
    }

    /// Of whom it is, by the token or the credential; if both say it, they say the same.
    pub(super) fn subject(&self) -> Result<DidKey, CredentialError> {
        did("credentialSubject.id", self.token.get("sub"), self.described()?.get("id"))
    }

    /// Checks that this is a credential of ours, for anybody's eyes, and not to be looked up anywhere.
    pub(super) fn check_form(&self) -> Result<(), CredentialError> {
        let expected = self.encoding.context();
        // VC data model: "the first item is a URL with the value" of the data model's context.
        let contexts = texts("@context", self.member("@context")?)?;
        if contexts.first() != Some(&expected) {
            return Err(CredentialError::Context { expected });
        }
        let types = texts("type", self.member("type")?)?;
        if !["VerifiableCredential", CREDENTIAL_TYPE].iter().all(|wanted| types.contains(wanted)) {
            return Err(CredentialError::OtherCredential);
        }
        if self.token.contains_key("aud") {
            return Err(CredentialError::Audience);
        }
        if self.credential.contains_key("credentialStatus") {
            return Err(CredentialError::Status);
        }
        Ok(())
    }

    /// Checks that the credential holds now, by everything in it that says when; gives its end.
    pub(super) fn check_time(&self, now: Time) -> Result<Time, CredentialError> {
        let [inside_from, inside_until] = match self.encoding {
            Encoding::V1 => ["issuanceDate", "expirationDate"],
            Encoding::V2 => ["validFrom", "validUntil"],
        };
        let outside = |name| self.token.get(name).map(|value| date::seconds(name, value)).transpose();
        let inside = |name| self.credential.get(name).map(|value| date::date(name, value)).transpose();
        let from = outside("nbf")?.max(inside(inside_from)?).unwrap_or_default();
        let ends = [outside("exp")?, inside(inside_until)?];
        let until = ends.into_iter().flatten().min().ok_or(CredentialError::Missing { member: "exp" })?;
        if now < from {
            return Err(CredentialError::NotYet { from, now });
        }
        if now >= until {
            return Err(CredentialError::Expired { until, now });
        }
        Ok(until)
    }

    pub(super) fn roles(&self) -> Result<Roles, CredentialError> {
        let member = "credentialSubject.roles";
        let named = self.described()?.get("roles").ok_or(CredentialError::Missing { member })?;
        let mut roles = Roles::default();
        for name in texts(member, named)? {
            let role = Roles::named(name).ok_or_else(|| CredentialError::Role { name: name.into() })?;
            roles = roles.with(role);
        }
        if roles.is_empty() { Err(CredentialError::NoRole) } else { Ok(roles) }
    }

    pub(super) fn nullifier(&self) -> Result<Digest, CredentialError> {
        let member = "credentialSubject.personhood";
        let said = self.described()?.get("personhood").ok_or(CredentialError::Missing { member })?;
        let found = text(member, said)?;
        found.parse().map_err(|_| CredentialError::Nullifier { found: found.into() })
    }

    /// The one subject: a list of several would be several persons.
    fn described(&self) -> Result<&'a Object, CredentialError> {
        object("credentialSubject", self.member("credentialSubject")?)
    }

    fn member(&self, member: &'static str) -> Result<&'a Value, CredentialError> {
        self.credential.get(member).ok_or(CredentialError::Missing { member })
    }
}

/// A `did:key` that stands in one place of two, or in both.
fn did(
    member: &'static str,
    outside: Option<&Value>,
    inside: Option<&Value>,
) -> Result<DidKey, CredentialError> {
    if outside.is_some() && inside.is_some() && outside != inside {
        return Err(CredentialError::Disagree { member });
    }
    let said = outside.or(inside).ok_or(CredentialError::Missing { member })?;
    text(member, said)?.parse().map_err(|error| CredentialError::Did { member, error })
}

fn object<'a>(member: &'static str, value: &'a Value) -> Result<&'a Object, CredentialError> {
    value.as_object().ok_or(CredentialError::Form { member, expected: "an object" })
}

fn text<'a>(member: &'static str, value: &'a Value) -> Result<&'a str, CredentialError> {
    value.as_str().ok_or(CredentialError::Form { member, expected: "a text" })
}

fn texts<'a>(member: &'static str, value: &'a Value) -> Result<Vec<&'a str>, CredentialError> {
    let wrong = CredentialError::Form { member, expected: "a list of texts" };
    let items = value.as_array().ok_or(wrong.clone())?;
    items.iter().map(|item| item.as_str().ok_or(wrong.clone())).collect()
}
