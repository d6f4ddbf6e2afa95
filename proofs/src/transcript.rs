//! All transcript labels and typed challenges of this crate, in one file.
//!
//! A label names what is appended, and each kind of challenge is a type of its own, so that one is never used where
//! another is meant. The order in which a bundle's transcript is filled is protocol notes, section 3.

use crate::{
    cap::{
        CAP_BITS,
        equation::{FIELDS, INNER, ROUNDS},
    },
    wire::WirePoint,
};
use curve25519_dalek::scalar::Scalar;
use merlin::Transcript;
use primitives::Digest;
use primitives::field::{Plain, Residue};

fn scalar(transcript: &mut Transcript, label: &'static [u8]) -> Scalar {
    let mut wide = [0; 64];
    transcript.challenge_bytes(label, &mut wide);
    Scalar::from_bytes_mod_order_wide(&wide)
}

fn residue(transcript: &mut Transcript, label: &'static [u8]) -> Residue {
    Residue::from(&scalar(transcript, label))
}

/// `rho`: combines the tag equations of a bundle's events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rho(pub Scalar);

/// `tau`: its powers number the works and the entries of a bundle, so that one identity speaks of all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tau(pub Scalar);

/// `x`: the evaluation point of the bundle proof, 128 bits and not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BundleChallenge(pub u128);

impl BundleChallenge {
    /// The challenge as a scalar.
    pub fn scalar(self) -> Scalar {
        Scalar::from(self.0)
    }
}

/// The challenges of a range proof, in the order in which they are drawn.
#[derive(Clone, Copy)]
pub(crate) struct RangeChallenges {
    pub y: Residue,
    pub z: Residue,
    pub x: Residue,
    pub w: Residue,
    /// `u_1` to `u_5` of the inner product.
    pub rounds: [Residue; ROUNDS],
}

/// `c`: the challenge of the tally's Schnorr proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TallyChallenge(pub Scalar);

/// `1, s, s^2, ...`
pub fn powers(s: Scalar) -> impl Iterator<Item = Scalar> {
    std::iter::successors(Some(Scalar::ONE), move |power| Some(power * s))
}

impl Rho {
    /// `1, rho, rho^2, ...`, one a event.
    pub fn powers(self) -> impl Iterator<Item = Scalar> {
        powers(self.0)
    }
}

/// Transcript of a bundle proof.
#[derive(Clone)]
pub struct BundleTranscript(Transcript);

impl BundleTranscript {
    /// Starts with the canonical bytes of the statement.
    pub fn new(statement: &[u8]) -> Self {
        let mut transcript = Transcript::new(b"cwe/v3/bundle");
        transcript.append_message(b"statement", statement);
        Self(transcript)
    }

    /// Appends an element of the first or second message.
    pub fn point(&mut self, label: &'static [u8], point: &WirePoint) {
        self.0.append_message(label, &point.0);
    }

    /// Appends a scalar.
    pub fn scalar(&mut self, label: &'static [u8], value: &Plain) {
        self.0.append_message(label, &value.to_canonical_bytes());
    }

    /// Draws `rho`.
    pub fn rho(&mut self) -> Rho {
        Rho(scalar(&mut self.0, b"rho"))
    }

    /// Draws `tau`.
    pub fn tau(&mut self) -> Tau {
        Tau(scalar(&mut self.0, b"tau"))
    }

    /// Draws `x`.
    pub fn x(&mut self) -> BundleChallenge {
        let mut bytes = [0; 16];
        self.0.challenge_bytes(b"x", &mut bytes);
        // Zero would hide nothing; it comes up once in 2^128.
        BundleChallenge(u128::from_le_bytes(bytes).max(1))
    }

    /// Appends the values of a range proof for the commitment `room`, and draws its challenges: the operations and labels
    /// of the crate `bulletproofs`, whose prover goes on in [`BundleTranscript::for_range_proof`].
    pub(crate) fn range_proof(&mut self, room: &WirePoint, fields: &[[u8; 32]; FIELDS]) -> RangeChallenges {
        let Self(transcript) = self;
        transcript.append_message(b"dom-sep", b"rangeproof v1");
        transcript.append_u64(b"n", CAP_BITS as u64);
        transcript.append_u64(b"m", 1);
        transcript.append_message(b"V", &room.0);
        transcript.append_message(b"A", &fields[0]);
        transcript.append_message(b"S", &fields[1]);
        let [y, z] = [b"y", b"z"].map(|label| residue(transcript, label));
        transcript.append_message(b"T_1", &fields[2]);
        transcript.append_message(b"T_2", &fields[3]);
        let x = residue(transcript, b"x");
        transcript.append_message(b"t_x", &fields[4]);
        transcript.append_message(b"t_x_blinding", &fields[5]);
        transcript.append_message(b"e_blinding", &fields[6]);
        let w = residue(transcript, b"w");
        transcript.append_message(b"dom-sep", b"ipp v1");
        transcript.append_u64(b"n", CAP_BITS as u64);
        let mut rounds = [Residue::ZERO; ROUNDS];
        for (u, [left, right]) in rounds.iter_mut().zip(fields[INNER..].as_chunks().0) {
            transcript.append_message(b"L", left);
            transcript.append_message(b"R", right);
            *u = residue(transcript, b"u");
        }
        RangeChallenges { y, z, x, w, rounds }
    }

    /// The transcript itself, for the range proof, which appends what it sends and draws its challenges from it.
    pub(crate) fn for_range_proof(&mut self) -> &mut Transcript {
        &mut self.0
    }
}

/// Labels of what a bundle's transcript holds after the statement, in order.
pub mod label {
    /// `B'`, commitment to the digits.
    pub const DIGITS: &[u8] = b"B'";
    /// `A'`, commitment to the masks.
    pub const MASKS: &[u8] = b"A'";
    /// `A_sk`.
    pub const KEY: &[u8] = b"A_sk";
    /// `alpha`, sum of the backed masks.
    pub const ALPHA: &[u8] = b"alpha";
    /// `A_{E,i}`.
    pub const EPHEMERAL: &[u8] = b"A_E";
    /// `N`.
    pub const TAG_MASK: &[u8] = b"N";
    /// `C_val`.
    pub const VALUE: &[u8] = b"C_val";
    /// `D_k`.
    pub const COEFFICIENT: &[u8] = b"D_k";
}

/// Transcript of a tally proof.
#[derive(Clone)]
pub struct TallyTranscript(Transcript);

impl TallyTranscript {
    /// An empty transcript.
    #[expect(clippy::new_without_default, reason = "a transcript is started on purpose, never by default")]
    pub fn new() -> Self {
        Self(Transcript::new(b"cwe/v2/tally"))
    }

    /// Appends the digest of the frozen root.
    pub fn root(&mut self, digest: &Digest) {
        self.0.append_message(b"root", &digest.0);
    }

    /// Appends the digest of the bases.
    pub fn generators(&mut self, digest: &Digest) {
        self.0.append_message(b"generators", &digest.0);
    }

    /// Appends the encoded running commitments.
    pub fn running(&mut self, bytes: &[u8]) {
        self.0.append_message(b"running", bytes);
    }

    /// Appends the encoded commitments that earlier epochs left over.
    pub fn carried(&mut self, bytes: &[u8]) {
        self.0.append_message(b"carried", bytes);
    }

    /// Appends the digest of the totals.
    pub fn totals(&mut self, digest: &Digest) {
        self.0.append_message(b"totals", &digest.0);
    }

    /// Appends the digest of one share's openings.
    pub fn openings(&mut self, digest: &Digest) {
        self.0.append_message(b"openings", &digest.0);
    }

    /// Appends the sum of the announcements of a tier.
    pub fn announcement(&mut self, point: &WirePoint) {
        self.0.append_message(b"announcement", &point.0);
    }

    /// Draws `c`.
    pub fn challenge(&mut self) -> TallyChallenge {
        TallyChallenge(scalar(&mut self.0, b"c"))
    }
}

/// Transcript of the proof that a complaint shows the right secret.
#[derive(Clone)]
pub struct ComplaintTranscript(Transcript);

impl ComplaintTranscript {
    /// Starts with the canonical bytes of what the complaint is about.
    pub fn new(statement: &[u8]) -> Self {
        let mut transcript = Transcript::new(b"cwe/v1/complaint");
        transcript.append_message(b"statement", statement);
        Self(transcript)
    }

    /// Appends the two announcements and draws the challenge.
    pub fn challenge(mut self, announcements: [&WirePoint; 2]) -> Scalar {
        for announcement in announcements {
            self.0.append_message(b"announcement", &announcement.0);
        }
        scalar(&mut self.0, b"c")
    }
}
