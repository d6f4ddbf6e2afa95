//! The one secret of a host, from which its keys follow.

use crate::{link::LinkKey, party::PartySecrets};
use primitives::{Domain, PartyId, hash};
use proofs::{
    committee::{Member, PartySigner},
    sharing::KemKey,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use rand_core::{CryptoRng, RngCore};
use zeroize::Zeroizing;

/// The secret of a host: 32 random bytes. The key that signs, which also proves who the host is on its links, and the key
/// that opens sealed shares follow from it.
#[derive(Clone)]
pub struct HostSecret(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for HostSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HostSecret(..)")
    }
}

impl HostSecret {
    /// A fresh secret.
    pub fn generate(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let mut secret = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *secret);
        Self(secret)
    }

    /// The secret that was kept as these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes to keep, where nobody else reads them.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    fn rng(&self, purpose: &[u8]) -> ChaCha20Rng {
        ChaCha20Rng::from_seed(hash::hash(Domain::HostSecret, &[&*self.0, purpose]).0)
    }

    /// Its keys in a seat.
    pub fn secrets(&self, party: PartyId) -> PartySecrets {
        PartySecrets {
            signer: PartySigner::generate(party, &mut self.rng(b"signing")),
            kem: KemKey::generate(&mut self.rng(b"sealing")),
        }
    }

    /// Its public keys, as they are on record of the committee.
    pub fn member(&self) -> Member {
        let PartySecrets { signer, kem } = self.secrets(PartyId::ALL[0]);
        Member { signing: signer.public(), kem: kem.public() }
    }

    /// The key by which it proves on links who it is: the one that signs.
    pub fn link_key(&self) -> LinkKey {
        let mut seed = Zeroizing::new([0; 32]);
        self.rng(b"signing").fill_bytes(&mut *seed);
        LinkKey::from_seed(&seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_proves_on_links_the_key_that_is_on_record() {
        let secret = HostSecret::from_bytes([7; 32]);
        assert_eq!(secret.link_key().public(), secret.member().signing);
        assert_eq!(HostSecret::from_bytes(*secret.expose()).member(), secret.member());
        assert_ne!(HostSecret::from_bytes([8; 32]).member(), secret.member());
        assert_eq!(format!("{secret:?}"), "HostSecret(..)");
    }
}
