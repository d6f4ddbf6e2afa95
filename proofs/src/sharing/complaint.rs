//! Complaints: proof that a share which was sealed to a party is of no use (protocol notes, section 4).
//!
//! A holder shows the secret that it has in common with whoever made the bundle, `K = sk E_i`, with a proof that it is
//! right: `log_B PK = log_E K` (Chaum and Pedersen 1992). Anybody opens the seal with it and sees what the holder saw. A
//! complaint that holds strikes the bundle; one that does not names the party that made it.
//!
//! `K` opens nothing but this share of this bundle: check (g) has shown that the exponent of the ephemeral is known to
//! whoever made the bundle, so it is not a copy of somebody else's. That is why a complaint takes an [`Accepted`]: there
//! is none for a bundle that has not passed every check.

use crate::{
    bundle::Bundle,
    epoch::EpochContext,
    generators::bases,
    sharing::{KemKey, SealError, held, seal::shared_secret, split::Accepted},
    transcript::ComplaintTranscript,
    wire::WirePoint,
};
use curve25519_dalek::{
    ristretto::RistrettoPoint,
    scalar::Scalar,
    traits::{IsIdentity, VartimeMultiscalarMul},
};
use primitives::field::Plain;
use primitives::{Digest, Domain, Encode, PartyId, Writer, codec_struct, hash};
use rand_core::{CryptoRng, RngCore};
use thiserror::Error;
use zeroize::Zeroizing;

/// What is wrong with a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Grievance {
    /// It cannot be read.
    Unreadable(SealError),
    /// It does not open its commitment.
    DoesNotOpen,
}

/// Why a complaint does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ComplaintError {
    /// It is about another bundle.
    #[error("the complaint is about another bundle")]
    OtherBundle,
    /// The party does not hold the share.
    #[error("party {party} does not hold share {share}")]
    NotAHolder {
        /// Who complains.
        party: PartyId,
        /// About which share.
        share: PartyId,
    },
    /// The secret is not a group element.
    #[error("the secret is not a usable group element")]
    Secret,
    /// Nothing proves that the secret is the party's.
    #[error("the proof that the secret is party {party}'s does not hold")]
    Proof {
        /// Who complains.
        party: PartyId,
    },
    /// The share can be read and opens its commitment.
    #[error("share {share} can be read and opens its commitment")]
    Unfounded {
        /// Which share.
        share: PartyId,
    },
}

/// A holder's word, with evidence, that a share of a bundle is of no use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Identifier of the bundle.
    pub bundle: Digest,
    /// Who complains.
    pub party: PartyId,
    /// About which share.
    pub share: PartyId,
    /// `K`.
    pub secret: WirePoint,
    /// Challenge of the proof.
    pub challenge: Plain,
    /// Response of the proof.
    pub response: Plain,
}

codec_struct!(Complaint { bundle, party, share, secret, challenge, response });

/// What a complaint's proof is bound to.
fn transcript(
    context: &EpochContext,
    (bundle, party, share): (&Digest, PartyId, PartyId),
    secret: &WirePoint,
) -> ComplaintTranscript {
    let mut w = Writer::default();
    context.digest.encode(&mut w);
    bundle.encode(&mut w);
    party.encode(&mut w);
    share.encode(&mut w);
    secret.encode(&mut w);
    ComplaintTranscript::new(&w.finish())
}

impl Complaint {
    /// Complains of a share of an accepted bundle. `id` is the bundle's identifier.
    ///
    /// # Errors
    /// If the ephemeral is not a group element, which no accepted bundle has.
    pub fn new(
        context: &EpochContext,
        (id, bundle, _): (Digest, &Bundle, &Accepted),
        (party, key): (PartyId, &KemKey),
        share: PartyId,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Self, SealError> {
        let ephemeral = &bundle.ephemerals[share.index()];
        let secret = shared_secret(ephemeral, share, key)?;
        let ephemeral = ephemeral.decompress();
        let ephemeral = ephemeral.ok_or(SealError::Ephemeral { share })?;
        let secret = WirePoint::from(secret);
        // A nonce that came twice would give the party's key away. It hangs on the key and on what is said, so that a bad
        // source of randomness alone does no harm.
        let mut fresh = Zeroizing::new([0; 32]);
        rng.fill_bytes(fresh.as_mut());
        let said = [&context.digest.0[..], &id.0, &[u8::from(party), u8::from(share)], &secret.0];
        let parts = [&[&key.0.as_bytes()[..], fresh.as_ref()], &said[..]].concat();
        let wide = Zeroizing::new(hash::hash_wide(Domain::ComplaintNonce, &parts));
        let nonce = Zeroizing::new(Scalar::from_bytes_mod_order_wide(&wide));
        let announcements: [WirePoint; 2] = [(*nonce * bases().kem).into(), (*nonce * ephemeral).into()];
        let challenge = transcript(context, (&id, party, share), &secret).challenge(announcements.each_ref());
        let response = *nonce + challenge * key.0;
        let (challenge, response) = (Plain::from(&challenge), Plain::from(&response));
        Ok(Self { bundle: id, party, share, secret, challenge, response })
    }

    /// Checks the evidence, and says what is wrong with the share. Anybody can, with the accepted bundle.
    pub fn verify(
        &self,
        context: &EpochContext,
        (id, bundle, accepted): (Digest, &Bundle, &Accepted),
    ) -> Result<Grievance, ComplaintError> {
        let Self { party, share, .. } = *self;
        if self.bundle != id {
            return Err(ComplaintError::OtherBundle);
        }
        if !held(party).contains(&share) {
            return Err(ComplaintError::NotAHolder { party, share });
        }
        let secret = self.secret.decompress().filter(|k| !k.is_identity()).ok_or(ComplaintError::Secret)?;
        let proves = self.proves(context, bundle, &secret).unwrap_or(false);
        if !proves {
            return Err(ComplaintError::Proof { party });
        }
        let sealing = context.sealing_context(&bundle.envelope);
        let sealed = (share, &bundle.ephemerals[share.index()]);
        match bundle.sealed().open_with(sealed, party, &secret, &sealing) {
            Err(error) => Ok(Grievance::Unreadable(error)),
            // Whoever sees the complaint can open the seal, so nothing here is secret.
            Ok(seed) if !seed.opens(&context.works, &accepted.masks[share.index()]) => {
                Ok(Grievance::DoesNotOpen)
            }
            Ok(_) => Err(ComplaintError::Unfounded { share }),
        }
    }

    /// Whether `K` has the same logarithm to the ephemeral as the party's key has to its base.
    fn proves(&self, context: &EpochContext, bundle: &Bundle, secret: &RistrettoPoint) -> Option<bool> {
        let public = context.keys.committee.member(self.party).kem.decompress()?;
        let ephemeral = bundle.ephemerals[self.share.index()].decompress()?;
        let (challenge, response) = (Scalar::from(self.challenge), Scalar::from(self.response));
        let announcement = |base: RistrettoPoint, image: RistrettoPoint| {
            let scalars = [response, -challenge];
            WirePoint::from(RistrettoPoint::vartime_multiscalar_mul(scalars, [base, image]))
        };
        let announcements = [announcement(bases().kem, public), announcement(ephemeral, *secret)];
        let transcript = transcript(context, (&self.bundle, self.party, self.share), &self.secret);
        Some(transcript.challenge(announcements.each_ref()) == challenge)
    }
}

#[cfg(test)]
mod tests;
