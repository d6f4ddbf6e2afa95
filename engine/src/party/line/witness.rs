//! Signatures on headers of one position, and what two of them show.

use crate::party::{
    collect::{Fault, FaultReason},
    evidence::{Equivocation, Evidence, Signed},
};
use primitives::PartyId;
use proofs::tally::BatchHeader;
use std::collections::BTreeMap;

/// Most signatures of a position that are remembered: more than honest parties give.
const MAX_SEEN: usize = 64;

/// State: the first header that each party was seen to sign in each view.
#[derive(Default)]
pub(super) struct Witness(BTreeMap<(PartyId, u32), Signed>);

impl Witness {
    /// Notes a signature that holds, on a header of this position.
    ///
    /// # Errors
    /// If the same party signed another header for the same view: no honest party does, and two signatures prove it.
    pub(super) fn see(
        &mut self,
        party: PartyId,
        header: &BatchHeader,
        signature: &[u8; 64],
    ) -> Result<(), Fault> {
        let second = || Signed { header: header.clone(), signature: *signature };
        match self.0.get(&(party, header.view)) {
            Some(first) if first.header != *header => {
                let found = Equivocation { party, first: first.clone(), second: second() };
                let evidence = vec![Evidence::Equivocation(found)];
                Err(Fault { evidence, ..FaultReason::Equivocation.of(party) })
            }
            Some(_) => Ok(()),
            None => {
                if self.0.len() < MAX_SEEN {
                    self.0.insert((party, header.view), second());
                }
                Ok(())
            }
        }
    }

    /// The position is final.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
