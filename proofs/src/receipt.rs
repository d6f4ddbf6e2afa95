//! Bandwidth receipts (spec 5.3; protocol notes, section 2).
//!
//! A serving node lets a client obtain a blind signature under its region's key of the epoch for the denomination that
//! it served. There is a key for each denomination: a blind signer does not see what it signs, so a single key would
//! let a client turn a receipt for one view into one for sixteen. The signed message binds the receipt to the client's
//! key of the epoch through a secret serial, so that a receipt is of no use to anybody else and the region learns
//! nothing of its holder. Serials are shown when receipts are spent.

use crate::{
    blind::{BlindError, BlindIssuer, BlindKey, BlindSignature, Pending},
    wire::WirePoint,
};
use primitives::{
    ChainId, CodecError, Decode, Digest, Domain, Encode, EpochId, Reader, Region, Writer, codec_struct, hash,
    limits,
};
use rand_core::{CryptoRng, RngCore};

/// How many views a receipt stands for: 1, 4 or 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Denomination(u8);

impl Denomination {
    /// Every denomination, smallest first.
    pub fn all() -> impl Iterator<Item = Self> {
        limits::RECEIPT_DENOMINATIONS.into_iter().map(Self)
    }

    /// A denomination, if there is one of `views`.
    pub fn new(views: u8) -> Option<Self> {
        limits::RECEIPT_DENOMINATIONS.contains(&views).then_some(Self(views))
    }

    /// Number of views.
    pub fn views(self) -> u8 {
        self.0
    }

    /// Fewest receipts that stand for exactly `views` views, largest first.
    pub fn cover(mut views: usize) -> Vec<Self> {
        let mut cover = Vec::new();
        for denomination in limits::RECEIPT_DENOMINATIONS.into_iter().rev() {
            while views >= usize::from(denomination) {
                cover.push(Self(denomination));
                views -= usize::from(denomination);
            }
        }
        cover
    }
}

impl Encode for Denomination {
    fn encode(&self, w: &mut Writer) {
        self.0.encode(w);
    }
}

impl Decode for Denomination {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Self::new(u8::decode(r)?).ok_or(CodecError::Invalid { what: "receipt denomination" })
    }
}

/// A receipt, as a bundle shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Views it stands for.
    pub denomination: Denomination,
    /// The serial `r`, secret until the receipt is spent.
    pub serial: [u8; 32],
    /// The region's signature.
    pub signature: BlindSignature,
}

codec_struct!(Receipt { denomination, serial, signature });

/// What a receipt's signature is on.
pub fn message(
    chain: ChainId,
    epoch: EpochId,
    region: Region,
    denomination: Denomination,
    key: &WirePoint,
    serial: &[u8; 32],
) -> Digest {
    let binding = hash::hash(Domain::ReceiptBinding, &[&key.0, serial]);
    let parts: [&[u8]; 5] =
        [&chain.to_bytes(), &epoch.to_bytes(), &[region.into()], &denomination.to_bytes(), &binding.0];
    hash::hash(Domain::Receipt, &parts)
}

/// A receipt that waits for the signer's answer. Its encoding is for the holder's own disk.
pub struct PendingReceipt {
    denomination: Denomination,
    serial: [u8; 32],
    pending: Pending,
}

codec_struct!(PendingReceipt { denomination, serial, pending });

impl std::fmt::Debug for PendingReceipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PendingReceipt(..)")
    }
}

impl PendingReceipt {
    /// Views that the receipt will stand for.
    pub fn denomination(&self) -> Denomination {
        self.denomination
    }

    /// Reads the signer's answer; the receipt verifies.
    ///
    /// # Errors
    /// [`BlindError::Response`] if the answer does not lead to a valid signature.
    pub fn finish(self, answer: &BlindSignature) -> Result<Receipt, BlindError> {
        let Self { denomination, serial, pending } = self;
        Ok(Receipt { denomination, serial, signature: pending.finish(answer)? })
    }
}

impl Receipt {
    /// Obtains a receipt for `key` from the region's signer of `denomination`.
    pub fn issue(
        issuer: &BlindIssuer,
        (chain, epoch, region): (ChainId, EpochId, Region),
        denomination: Denomination,
        key: &WirePoint,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Self, BlindError> {
        let at = (chain, epoch, region);
        let (request, pending) = Self::request(issuer.public(), at, denomination, key, rng)?;
        let answer = issuer.sign(&request, rng)?;
        pending.finish(&answer)
    }

    /// What the region's signer of `denomination` is asked to sign for the holder of `key`, and what the holder keeps to
    /// read the answer. The request says nothing of the holder.
    pub fn request(
        signer: &BlindKey,
        (chain, epoch, region): (ChainId, EpochId, Region),
        denomination: Denomination,
        key: &WirePoint,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<(BlindSignature, PendingReceipt), BlindError> {
        let mut serial = [0; 32];
        rng.fill_bytes(&mut serial);
        let message = message(chain, epoch, region, denomination, key, &serial);
        let (request, pending) = signer.blind(&message.0, rng)?;
        Ok((request, PendingReceipt { denomination, serial, pending }))
    }

    /// Checks that this is `region`'s receipt for the holder of `key`; `region_key` is that of its denomination.
    pub fn verify(
        &self,
        region_key: &BlindKey,
        (chain, epoch, region): (ChainId, EpochId, Region),
        key: &WirePoint,
    ) -> Result<(), BlindError> {
        let message = message(chain, epoch, region, self.denomination, key, &self.serial);
        region_key.verify(&message.0, &self.signature)
    }

    /// How a party remembers that the holder of `key` has spent this receipt. The key is part of it: whoever learns a
    /// serial early cannot spend it in the holder's place with a receipt of their own.
    pub fn spent(&self, region: Region, key: &WirePoint) -> Digest {
        let parts: [&[u8]; 4] = [&[region.into()], &self.denomination.to_bytes(), &key.0, &self.serial];
        hash::hash(Domain::SpentReceipt, &parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{testing::issuer, token::SubscriberKey};
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn a_receipt_is_valid_for_its_holder_region_epoch_and_denomination_alone() {
        let mut rng = ChaCha20Rng::seed_from_u64(4);
        let (own, foreign) =
            (SubscriberKey::generate(&mut rng).public(), SubscriberKey::generate(&mut rng).public());
        let regions: Vec<_> = Region::all().collect();
        let at = (ChainId(1), EpochId(2), regions[0]);
        let receipt = Receipt::issue(issuer(), at, Denomination(4), &own, &mut rng).unwrap();
        let key = issuer().public();
        assert_eq!(receipt.verify(key, at, &own), Ok(()));
        assert_eq!(receipt.verify(key, at, &foreign), Err(BlindError::Signature), "a stolen receipt");
        assert_eq!(receipt.verify(key, (at.0, at.1, regions[1]), &own), Err(BlindError::Signature));
        assert_eq!(receipt.verify(key, (at.0, EpochId(3), at.2), &own), Err(BlindError::Signature));
        let larger = Receipt { denomination: Denomination(16), ..receipt.clone() };
        assert_eq!(larger.verify(key, at, &own), Err(BlindError::Signature));
        let renamed = Receipt { serial: [0; 32], ..receipt.clone() };
        assert_eq!(renamed.verify(key, at, &own), Err(BlindError::Signature));
        assert_eq!(Receipt::from_bytes(&receipt.to_bytes()), Ok(receipt));
    }

    #[test]
    fn a_serial_that_somebody_else_uses_too_is_not_spent_by_it() {
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        let (own, thief) =
            (SubscriberKey::generate(&mut rng).public(), SubscriberKey::generate(&mut rng).public());
        let region = Region::all().next().unwrap();
        let at = (ChainId(1), EpochId(2), region);
        let receipt = Receipt::issue(issuer(), at, Denomination(1), &own, &mut rng).unwrap();
        assert_eq!(receipt.spent(region, &own), receipt.clone().spent(region, &own));
        assert_ne!(receipt.spent(region, &own), receipt.spent(region, &thief));
    }

    #[test]
    fn receipts_cover_a_number_of_views_exactly() {
        for views in 0..=128 {
            let sum: usize = Denomination::cover(views).iter().map(|d| usize::from(d.views())).sum();
            assert_eq!(sum, views);
        }
        assert_eq!(Denomination::new(2), None);
        assert!(Denomination::from_bytes(&[3]).is_err());
    }
}
