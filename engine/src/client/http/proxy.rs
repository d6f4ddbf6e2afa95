//! The way into an anonymising network: a SOCKS5 proxy (RFC 1928) that looks names up at its other end.

use super::HttpError;
use primitives::ids::to_hex;
use rand_core::{CryptoRng, RngCore};
use reqwest::{Proxy, Url};

/// A proxy, and credentials by which it keeps those who are spoken to apart. Tor builds circuits of their own for whoever
/// shows other credentials (`IsolateSOCKSAuth`, on unless it is switched off): so no exit sees that a subscriber speaks
/// to both a party and an issuer, and nothing that was said in an earlier run shares a circuit with this one.
#[derive(Clone)]
pub struct Circuits {
    url: Url,
    run: String,
}

impl Circuits {
    /// Circuits of a proxy at an address of the form `socks5h://host:port`, new ones for this run. Asks it nothing yet.
    ///
    /// # Errors
    /// If the address is another. `socks5://` is, for whoever looks names up by itself tells the resolver whom it speaks to.
    pub fn new(url: &str, rng: &mut (impl RngCore + CryptoRng)) -> Result<Self, HttpError> {
        let bad = || HttpError::Proxy { url: url.to_owned() };
        let parsed: Url = url.parse().map_err(|_| bad())?;
        let is_plain = parsed.username().is_empty() && parsed.password().is_none();
        let has_more = !["", "/"].contains(&parsed.path()) || parsed.query().is_some();
        if parsed.scheme() != "socks5h" || !parsed.has_host() || !is_plain || has_more {
            return Err(bad());
        }
        let mut run = [0; 16];
        rng.fill_bytes(&mut run);
        Ok(Self { url: parsed, run: to_hex(&run) })
    }

    /// The proxy for whom a name stands.
    pub(super) fn of(&self, whom: &str) -> Result<Proxy, HttpError> {
        let bad = || HttpError::Proxy { url: self.url.to_string() };
        let mut url = self.url.clone();
        url.set_username(whom).and_then(|()| url.set_password(Some(&self.run))).map_err(|()| bad())?;
        Proxy::all(url).map_err(|_| bad())
    }
}
