//! The outside of a credential: three parts, a header, a signature (RFC 7515, section 7.1).

use super::{CredentialError, DidKey, Encoding, MAX_JWT_BYTES, Part, json};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

/// What the one algorithm is called.
pub(super) const ALGORITHM: &str = "EdDSA";

/// A token whose signature is not checked yet.
pub(super) struct Token<'a> {
    header: Map<String, Value>,
    pub(super) payload: Map<String, Value>,
    /// The bytes that are signed: header and payload as they came.
    pub(super) signed: &'a [u8],
    pub(super) signature: [u8; 64],
}

impl<'a> Token<'a> {
    /// Takes a token apart.
    pub(super) fn read(jwt: &'a [u8]) -> Result<Self, CredentialError> {
        if jwt.len() > MAX_JWT_BYTES {
            return Err(CredentialError::TooLong { bytes: jwt.len() });
        }
        let parts: Vec<_> = jwt.split(|byte| *byte == b'.').collect();
        let [header, payload, signature] = parts[..] else {
            return Err(CredentialError::Parts { found: parts.len() });
        };
        let signed = &jwt[..header.len() + 1 + payload.len()];
        let header = json::object(Part::Header, &bytes(Part::Header, header)?)?;
        let payload = json::object(Part::Payload, &bytes(Part::Payload, payload)?)?;
        let signature = bytes(Part::Signature, signature)?;
        let wrong = CredentialError::SignatureLength { bytes: signature.len() };
        let signature = signature.try_into().map_err(|_| wrong)?;
        Ok(Self { header, payload, signed, signature })
    }

    /// Checks the header, and says how the credential stands in the payload.
    pub(super) fn encoding(&self) -> Result<Encoding, CredentialError> {
        // RFC 7515, section 4.1.11: "If any of the listed extension Header Parameters are not understood and supported
        // by the recipient, then the JWS is invalid."
        if self.header.contains_key("crit") {
            return Err(CredentialError::Critical);
        }
        // Members such as jwk or x5u bring a key along, or a place to fetch one from. There is one key: the issuer's.
        if let Some(member) = self.header.keys().find(|m| !["alg", "typ", "kid"].contains(&m.as_str())) {
            return Err(CredentialError::Header { member: member.clone() });
        }
        match self.text("alg")? {
            ALGORITHM => {}
            found => return Err(CredentialError::Algorithm { found: found.into() }),
        }
        let found = self.text("typ")?;
        Encoding::ALL
            .into_iter()
            .find(|encoding| encoding.typ() == found)
            .ok_or_else(|| CredentialError::Type { found: found.into() })
    }

    /// Checks that the header names no other key than the issuer's.
    pub(super) fn check_key_name(&self, issuer: &DidKey) -> Result<(), CredentialError> {
        if !self.header.contains_key("kid") {
            return Ok(());
        }
        let found = self.text("kid")?;
        if found == issuer.key_name() {
            return Ok(());
        }
        Err(CredentialError::KeyName { issuer: *issuer, found: found.into() })
    }

    fn text(&self, member: &'static str) -> Result<&str, CredentialError> {
        let value = self.header.get(member).ok_or(CredentialError::Missing { member })?;
        value.as_str().ok_or(CredentialError::Form { member, expected: "a text" })
    }
}

/// Writes a token of two parts and what `sign` says to them.
pub(super) fn write(header: &[u8], payload: &[u8], sign: impl FnOnce(&[u8]) -> [u8; 64]) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = sign(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// RFC 7515, section 2: base64url "with all trailing '=' characters omitted". Bits that no byte takes are zero, or one
/// token would have several texts.
fn bytes(part: Part, text: &[u8]) -> Result<Vec<u8>, CredentialError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| CredentialError::Base64 { part })
}
