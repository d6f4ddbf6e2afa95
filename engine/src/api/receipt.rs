//! Provisional receipts: a party says that it has taken a bundle in.
//!
//! A receipt follows from the bundle and the party's key alone. Whoever hands in the same bytes twice, because an answer
//! got lost, gets the same receipt twice. It says no time: a time would tell bundles of one device apart from others.
//! A bundle without a final receipt (`proofs::inclusion`) by the end of its epoch, and this receipt, show together that the
//! party did not keep its word.

use primitives::{
    ChainId, Digest, Domain, Encode, EpochId, PartyId, codec_struct, hash,
    ids::{from_hex, to_hex},
};
use proofs::committee::{Committee, CommitteeError, PartySigner};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A party's word that it has taken a bundle in: its proof holds, and it is on the party's disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Chain of the bundle's epoch.
    pub chain: ChainId,
    /// Epoch of the bundle.
    pub epoch: EpochId,
    /// Who says so.
    pub party: PartyId,
    /// The bundle's identifier.
    pub bundle: Digest,
    /// The party's Ed25519 signature.
    #[serde(serialize_with = "as_hex", deserialize_with = "of_hex")]
    pub signature: [u8; 64],
}

codec_struct!(Receipt { chain, epoch, party, bundle, signature });

impl Receipt {
    /// Gives a receipt. The same bundle gets the same one, byte for byte.
    pub fn sign(signer: &PartySigner, chain: ChainId, epoch: EpochId, bundle: Digest) -> Self {
        let party = signer.party();
        let signature = signer.sign(&signing_digest(chain, epoch, party, &bundle));
        Self { chain, epoch, party, bundle, signature }
    }

    /// Checks the party's signature.
    ///
    /// # Errors
    /// If it does not verify under the party's key in this committee, which is to be that of the epoch.
    pub fn verify(&self, committee: &Committee) -> Result<(), CommitteeError> {
        let message = signing_digest(self.chain, self.epoch, self.party, &self.bundle);
        committee.verify(self.party, &message, &self.signature)
    }
}

fn signing_digest(chain: ChainId, epoch: EpochId, party: PartyId, bundle: &Digest) -> Digest {
    let parts: [&[u8]; 4] = [&chain.to_bytes(), &epoch.to_bytes(), &party.to_bytes(), &bundle.0];
    hash::hash(Domain::ProvisionalReceipt, &parts)
}

fn as_hex<S: Serializer>(signature: &[u8; 64], s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(&to_hex(signature))
}

fn of_hex<'de, D: Deserializer<'de>>(d: D) -> Result<[u8; 64], D::Error> {
    let bytes = from_hex(&String::deserialize(d)?).map_err(D::Error::custom)?;
    bytes.try_into().map_err(|_| D::Error::custom("a signature has 64 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::Decode;
    use proofs::testing::committee;

    #[test]
    fn a_receipt_is_the_same_for_the_same_bundle_and_holds_for_nothing_else() {
        let committee = committee(11);
        let signer = &committee.signers[1];
        let give = || Receipt::sign(signer, ChainId(5), EpochId(3), Digest([7; 32]));
        let receipt = give();
        assert_eq!(receipt, give());
        assert_eq!(receipt.verify(&committee.public), Ok(()));
        assert_eq!(Receipt::from_bytes(&receipt.to_bytes()), Ok(receipt.clone()));
        let json = serde_json::to_string(&receipt).unwrap();
        assert_eq!(serde_json::from_str::<Receipt>(&json).unwrap(), receipt);
        let mut signature = receipt.signature;
        signature[0] ^= 1;
        let changed = [
            Receipt { chain: ChainId(6), ..receipt.clone() },
            Receipt { epoch: EpochId(4), ..receipt.clone() },
            Receipt { party: PartyId::ALL[2], ..receipt.clone() },
            Receipt { bundle: Digest([8; 32]), ..receipt.clone() },
            Receipt { signature, ..receipt.clone() },
        ];
        for changed in changed {
            let party = changed.party;
            assert_eq!(changed.verify(&committee.public), Err(CommitteeError::Signature { party }));
        }
    }
}
