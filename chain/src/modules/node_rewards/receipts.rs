//! What clients give nodes: receipts for jobs, and vouchers for content served.
//!
//! A job's receipt names its client, an account on record, and is signed by it. A voucher names nobody: the client picks
//! the node and lets its region sign blindly, so that neither region nor ledger learn who was served.

use super::{
    NodeId,
    sum_tree::{self, Sum},
};
use crate::{
    signature::{PublicKey, SecretKey, Signature, SignatureError},
    state::ToFelts,
};
use primitives::{ChainId, Digest, Domain, Encode, EpochId, PersonId, Region, codec_struct, hash};
use proofs::blind::{BlindError, BlindIssuer, BlindKey, BlindSignature, Pending};
use rand_core::{CryptoRng, RngCore};

/// A job, as its client saw it done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The service.
    pub manifest: Digest,
    /// The node that did it.
    pub node: NodeId,
    /// The client.
    pub client: PersonId,
    /// What the client calls it. No two jobs of a client for a node in an epoch are called the same.
    pub job: Digest,
    /// What it took, in units of the service.
    pub units: u64,
    /// The epoch.
    pub epoch: EpochId,
}

codec_struct!(Job { manifest, node, client, job, units, epoch });

impl Job {
    /// What the client signs, on this chain.
    fn message(&self, chain: ChainId) -> Digest {
        hash::hash(Domain::JobReceipt, &[&chain.to_bytes(), &self.to_bytes()])
    }

    /// The client's receipt.
    pub fn sign(self, chain: ChainId, key: &SecretKey, rng: &mut (impl RngCore + CryptoRng)) -> JobReceipt {
        // Two elements: what an account signs of a transaction is one, and the length is signed too.
        let signature = key.sign(&self.message(chain).to_felts(), rng);
        JobReceipt { job: self, key: key.public_key(), signature }
    }
}

/// A client's receipt for a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobReceipt {
    /// The job.
    pub job: Job,
    /// The client's key at that time. A client may get another before the receipt is looked at.
    pub key: PublicKey,
    /// The client's signature.
    pub signature: Signature,
}

codec_struct!(JobReceipt { job, key, signature });

impl JobReceipt {
    /// Key and leaf in the tree of its client's jobs.
    pub fn entry(&self) -> (Digest, Sum) {
        let key = sum_tree::key(&self.job.job.0);
        (key, sum_tree::leaf(&key, self.job.units, &self.value()))
    }

    /// What its entry stands for.
    pub(super) fn value(&self) -> Digest {
        hash::hash(Domain::JobReceipt, &[&self.job.to_bytes()])
    }

    /// Checks the signature under the key that the receipt names.
    ///
    /// # Errors
    /// [`SignatureError::Equation`].
    pub fn verify(&self, chain: ChainId) -> Result<(), SignatureError> {
        self.key.verify(&self.job.message(chain).to_felts(), &self.signature)
    }
}

/// What a voucher is for: chain, epoch, region and node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    /// Chain.
    pub chain: ChainId,
    /// Epoch.
    pub epoch: EpochId,
    /// Region of the node.
    pub region: Region,
    /// The node. It is in the message before it is blinded: nobody else can hand the voucher in.
    pub node: NodeId,
}

impl Served {
    /// What the region signs without seeing it.
    fn message(&self, serial: &[u8; 32]) -> Digest {
        let Self { chain, epoch, region, node } = self;
        let parts: [&[u8]; 5] = [&chain.to_bytes(), &epoch.to_bytes(), &region.to_bytes(), &node.0, serial];
        hash::hash(Domain::Voucher, &parts)
    }
}

/// A voucher: the client was served one unit by the node. One unit is what a region signs once for, the same everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voucher {
    /// Drawn by the client: no two vouchers have the same.
    pub serial: [u8; 32],
    /// The region's signature.
    pub signature: BlindSignature,
}

codec_struct!(Voucher { serial, signature });

/// A request that waits for the region's answer.
pub struct VoucherRequest {
    serial: [u8; 32],
    pending: Pending,
}

impl VoucherRequest {
    /// The client's first step: what the region is sent, and what the client keeps.
    ///
    /// # Errors
    /// If the key is unusable.
    pub fn new(
        served: &Served,
        key: &BlindKey,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<(BlindSignature, Self), BlindError> {
        let mut serial = [0; 32];
        rng.fill_bytes(&mut serial);
        let (request, pending) = key.blind(&served.message(&serial).0, rng)?;
        Ok((request, Self { serial, pending }))
    }

    /// The client's last step: the voucher, which it gives the node.
    ///
    /// # Errors
    /// If the region's answer leads to no valid signature.
    pub fn finish(self, answer: &BlindSignature) -> Result<Voucher, BlindError> {
        Ok(Voucher { serial: self.serial, signature: self.pending.finish(answer)? })
    }
}

impl Voucher {
    /// All steps at once, with the region's signer at hand.
    ///
    /// # Errors
    /// Those of the steps.
    pub fn issue(
        served: &Served,
        issuer: &BlindIssuer,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Self, BlindError> {
        let (request, waiting) = VoucherRequest::new(served, issuer.public(), rng)?;
        let answer = issuer.sign(&request, rng)?;
        waiting.finish(&answer)
    }

    /// Key and leaf in a tree of vouchers: each is one unit.
    pub fn entry(&self) -> (Digest, Sum) {
        let key = sum_tree::key(&self.serial);
        (key, sum_tree::leaf(&key, 1, &Digest(self.serial)))
    }

    /// Checks the region's signature.
    ///
    /// # Errors
    /// [`BlindError::Signature`].
    pub fn verify(&self, served: &Served, key: &BlindKey) -> Result<(), BlindError> {
        key.verify(&served.message(&self.serial).0, &self.signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proofs::testing::{issuer, other_issuer};
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn a_receipt_is_the_clients_word_on_every_field() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (key, other) = (SecretKey::generate(&mut rng), SecretKey::generate(&mut rng));
        let job = Job {
            manifest: Digest([1; 32]),
            node: NodeId([2; 32]),
            client: PersonId([3; 32]),
            job: Digest([4; 32]),
            units: 5,
            epoch: EpochId(6),
        };
        let receipt = job.clone().sign(ChainId(1), &key, &mut rng);
        assert_eq!(receipt.verify(ChainId(1)), Ok(()));
        assert_eq!(receipt.verify(ChainId(2)), Err(SignatureError::Equation));
        let tamper: [fn(&mut Job); 6] = [
            |job| job.manifest.0[0] ^= 1,
            |job| job.node.0[0] ^= 1,
            |job| job.client.0[0] ^= 1,
            |job| job.job.0[0] ^= 1,
            |job| job.units += 1,
            |job| job.epoch.0 += 1,
        ];
        for change in tamper {
            let mut changed = receipt.clone();
            change(&mut changed.job);
            assert_eq!(changed.verify(ChainId(1)), Err(SignatureError::Equation));
        }
        let claimed = JobReceipt { key: other.public_key(), ..receipt.clone() };
        assert_eq!(claimed.verify(ChainId(1)), Err(SignatureError::Equation));
        let forged = JobReceipt { signature: job.sign(ChainId(1), &other, &mut rng).signature, ..receipt };
        assert_eq!(forged.verify(ChainId(1)), Err(SignatureError::Equation));
    }

    #[test]
    fn a_voucher_is_good_for_its_node_region_epoch_and_chain_alone() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let regions: Vec<_> = Region::all().collect();
        let served =
            Served { chain: ChainId(1), epoch: EpochId(2), region: regions[0], node: NodeId([3; 32]) };
        let voucher = Voucher::issue(&served, issuer(), &mut rng).expect("an honest region");
        let key = issuer().public();
        assert_eq!(voucher.verify(&served, key), Ok(()));
        for other in [
            Served { chain: ChainId(2), ..served },
            Served { epoch: EpochId(3), ..served },
            Served { region: regions[1], ..served },
            Served { node: NodeId([4; 32]), ..served },
        ] {
            assert_eq!(voucher.verify(&other, key), Err(BlindError::Signature));
        }
        assert_eq!(voucher.verify(&served, other_issuer().public()), Err(BlindError::Signature));
        let renamed = Voucher { serial: [0; 32], ..voucher.clone() };
        assert_eq!(renamed.verify(&served, key), Err(BlindError::Signature));
        let mut forged = voucher;
        forged.signature[255] ^= 1;
        assert_eq!(forged.verify(&served, key), Err(BlindError::Signature));
    }

    #[test]
    fn a_region_does_not_see_what_it_signs() {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let region = Region::all().next().expect("a region");
        let served = Served { chain: ChainId(1), epoch: EpochId(2), region, node: NodeId([3; 32]) };
        let (request, waiting) =
            VoucherRequest::new(&served, issuer().public(), &mut rng).expect("a usable key");
        let answer = issuer().sign(&request, &mut rng).expect("a request");
        let voucher = waiting.finish(&answer).expect("an honest region");
        assert_ne!(voucher.signature, answer, "what the region gave is not what is handed in");
        let (_, waiting) = VoucherRequest::new(&served, issuer().public(), &mut rng).expect("a usable key");
        assert_eq!(waiting.finish(&answer), Err(BlindError::Response), "an answer to another request");
    }
}
