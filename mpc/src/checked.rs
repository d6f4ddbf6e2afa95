//! Wires that carry a check: security with abort against one malicious party, after Chida et al. 2018 (protocol 5.3).
//!
//! Beside each number x goes `r x` for a key r that nobody knows. A party that adds something to a product has to add
//! as many times r to its check, and does not know r. Before anything is opened, one random combination of all wires is
//! compared with its check; only then is r opened.

use crate::{
    replicated::Share,
    session::{Abort, Session, body},
    step::Name,
};
use primitives::{
    Digest, Domain,
    field::{Plain, Residue},
    hash,
};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore, SeedableRng},
};
use std::ops::{Add, Mul, Sub};

/// A number and its product with the check key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wire {
    /// x.
    pub value: Share,
    /// `r x`.
    pub check: Share,
}

impl Add for Wire {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { value: self.value + other.value, check: self.check + other.check }
    }
}

impl Sub for Wire {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self { value: self.value - other.value, check: self.check - other.check }
    }
}

impl Mul<Residue> for Wire {
    type Output = Self;
    fn mul(self, factor: Residue) -> Self {
        Self { value: self.value * factor, check: self.check * factor }
    }
}

/// Wires that are not checked yet, under one key.
pub struct Checker {
    key: Share,
    wires: Vec<Wire>,
}

impl Checker {
    /// Draws a key (step 1 of protocol 5.3).
    pub(crate) fn new(session: &mut Session) -> Result<Self, Abort> {
        Ok(Self { key: session.draw(Name::Masks)?.share(), wires: Vec::new() })
    }

    /// Gives inputs their checks, in one round (step 3). What they are was shared before.
    pub(crate) async fn inputs(
        &mut self,
        session: &mut Session,
        values: &[Share],
    ) -> Result<Vec<Wire>, Abort> {
        let key = self.key;
        let checks = session.multiply(Name::Convert, values.iter().map(|value| (key, *value))).await?;
        let wires = values.iter().zip(checks).map(|(value, check)| Wire { value: *value, check });
        Ok(self.keep(wires.collect()))
    }

    /// Multiplies wires, in one round (step 4).
    pub(crate) async fn multiply(
        &mut self,
        session: &mut Session,
        name: Name,
        pairs: &[(Wire, Wire)],
    ) -> Result<Vec<Wire>, Abort> {
        let both = pairs.iter().flat_map(|(a, b)| [(a.value, b.value), (a.check, b.value)]);
        let products = session.multiply(name, both).await?;
        let wires = products.as_chunks().0.iter().map(|[value, check]| Wire { value: *value, check: *check });
        Ok(self.keep(wires.collect()))
    }

    fn keep(&mut self, wires: Vec<Wire>) -> Vec<Wire> {
        self.wires.extend(&wires);
        wires
    }

    /// Checks all wires at once, and gives up the key (step 5). Afterwards what they carry may be opened.
    ///
    /// A wire that is wrong passes with a chance of less than 2^-126: the coefficients have 128 bits, and are drawn
    /// after everything that they are of was sent.
    ///
    /// # Errors
    /// If some wire is not what its inputs make it; nobody knows by whose fault.
    pub(crate) async fn verify(self, session: &mut Session) -> Result<(), Abort> {
        let Self { key, wires } = self;
        session.barrier().await?;
        let seed = session.draw(Name::Masks)?.share();
        // Both in one round: whatever is wrong was chosen before the barrier.
        let opened = session.open(Name::CheckKey, &[key, seed]).await?;
        let (key, seed) = (opened[0], opened[1]);
        let (mut value, mut check) = (Share::ZERO, Share::ZERO);
        for (wire, coefficient) in wires.iter().zip(coefficients(seed)) {
            value = value + wire.value * coefficient;
            check = check + wire.check * coefficient;
        }
        let zero = check - value * key;
        // Only whether it is zero may be seen (functionality 3.8): what it is otherwise depends on secrets.
        let mask = session.draw(Name::Masks)?.share();
        let masked = session.multiply(Name::CheckMask, [(zero, mask)].into_iter()).await?;
        if session.open(Name::CheckZero, &masked).await?[0].is_zero() {
            Ok(())
        } else {
            Err(Abort::Product { step: session.last(Name::CheckZero) })
        }
    }
}

impl Session {
    /// Multiplies as many pairs as are given, in one round (Araki et al. 2016, section 3.2). A party that cheats adds a
    /// number of its choice to a product, and can do nothing else (Chida et al. 2018, section 3).
    async fn multiply(
        &mut self,
        name: Name,
        pairs: impl Iterator<Item = (Share, Share)>,
    ) -> Result<Vec<Share>, Abort> {
        let step = self.step(name);
        let mut streams = self.streams(step)?;
        let own: Vec<_> = pairs.map(|(a, b)| a.product_part(b) + streams.zero()).collect();
        let body = self.pass(step, body::write(&own)).await?;
        let next = self.read(self.party().next(), step, &body)?;
        Ok(own.into_iter().zip(next).map(|(own, next)| Share { own, next }).collect())
    }

    /// Opens numbers.
    pub(crate) async fn open(&mut self, name: Name, shares: &[Share]) -> Result<Vec<Residue>, Abort> {
        let (own, next): (Vec<_>, Vec<_>) = shares.iter().map(|share| (share.own, share.next)).unzip();
        let lacking = self.show(name, &own, &next).await?;
        Ok(shares.iter().zip(lacking).map(|(share, third)| share.own + share.next + third).collect())
    }
}

/// Coefficients of 128 bits that a seed expands to.
fn coefficients(seed: Residue) -> impl Iterator<Item = Residue> {
    let Digest(seed) = hash::hash(Domain::CheckCoefficients, &[&Plain::from(seed).to_canonical_bytes()]);
    let mut stream = ChaCha20Rng::from_seed(seed);
    std::iter::repeat_with(move || {
        let mut bytes = [0; 16];
        stream.fill_bytes(&mut bytes);
        Plain::from(u128::from_le_bytes(bytes)).into()
    })
}
