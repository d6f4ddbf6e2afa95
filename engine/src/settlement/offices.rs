//! Those who hold an office: the steward opens epochs, auditors attest the reserve, the treasury reports revenue.

use super::{Port, SettlementError, read};
use chain::{
    Ledger, Payload, Transaction,
    modules::{
        dapr::FinaliseEpoch,
        treasury::AttestReserve,
        usage::{OpenEpoch, Phase, ReportRevenue, TierSales},
    },
    signature::SecretKey,
};
use primitives::{Credits, Digest, Domain, EpochId, PartyId, PersonId, Tier, hash, params::TierTerms};
use rand_chacha::ChaCha20Rng;

/// A person who holds an office, with the key of their account.
pub struct Office {
    /// Who.
    pub person: PersonId,
    /// Key.
    pub key: SecretKey,
}

/// What is to be opened and reported.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The epoch.
    pub epoch: EpochId,
    /// Its tiers.
    pub tiers: Vec<TierTerms>,
    /// Most works of one shard.
    pub shard_width: u16,
    /// Subscriptions sold, one entry for each tier, in the same order.
    pub sales: Vec<(Tier, u64)>,
    /// What the auditors' documents about the reserve are named after. Each auditor's has a hash of its own.
    pub attestation: Digest,
    /// What the reserve holds in all, as they found it.
    pub reserve: Credits,
}

/// The offices of an epoch, all held by one host: what a pilot has. Elsewhere each of them is somebody else's.
pub struct Offices {
    /// Opens epochs.
    pub steward: Office,
    /// Reports revenue.
    pub treasury: Office,
    /// Attest the reserve.
    pub auditors: Vec<Office>,
    /// What they are to do.
    pub plan: Plan,
    /// Hedges their signatures.
    pub rng: ChaCha20Rng,
}

/// What is due.
enum Due {
    Opening,
    Reports,
}

impl Offices {
    /// Does what is due on the chain by now; whether anything was. Of the beacon all three reveals are waited for, or
    /// two if nobody is to be waited for any longer.
    ///
    /// # Errors
    /// If the ledger refuses it.
    pub fn act(&mut self, port: &dyn Port, hurry: bool) -> Result<bool, SettlementError> {
        let due = read(port, |ledger| self.due(ledger, hurry));
        match due {
            None => return Ok(false),
            Some(Due::Opening) => self.open(port)?,
            Some(Due::Reports) => self.report(port)?,
        }
        Ok(true)
    }

    fn due(&self, ledger: &Ledger, hurry: bool) -> Option<Due> {
        let (state, epoch) = (ledger.state(), self.plan.epoch);
        match state.epochs.get(&epoch) {
            None => {
                let revealed = state.contributions(epoch).filter(|beacon| beacon.value.is_some()).count();
                let least = if hurry { 2 } else { PartyId::ALL.len() };
                (revealed >= least).then_some(Due::Opening)
            }
            // Epochs are settled in their order.
            Some(on_record) => {
                let is_next = state.in_hand(ledger.origin()).first() == Some(&epoch);
                (is_next && on_record.phase == Phase::Aggregated).then_some(Due::Reports)
            }
        }
    }

    fn open(&mut self, port: &dyn Port) -> Result<(), SettlementError> {
        let Plan { epoch, tiers, sales, shard_width, .. } = self.plan.clone();
        let sold = |(tier, subscriptions)| TierSales { tier, subscriptions };
        let sold = sales.into_iter().map(sold).collect();
        let payload = Payload::OpenEpoch(OpenEpoch { epoch, tiers, sold, shard_width });
        signed(port, &self.steward, payload, &mut self.rng)
    }

    /// Every auditor says what the reserve holds, each in a document of its own; the treasury reports what tiers brought;
    /// and payouts are computed.
    fn report(&mut self, port: &dyn Port) -> Result<(), SettlementError> {
        let Plan { epoch, attestation, reserve, ref sales, .. } = self.plan;
        let reported = |tier| read(port, |ledger| ledger.state().revenues.get(&(epoch, tier)).is_some());
        let open: Vec<_> = sales.iter().filter(|(tier, _)| !reported(*tier)).copied().collect();
        if !open.is_empty() {
            for auditor in &self.auditors {
                let document = hash::hash(Domain::Attestation, &[&attestation.0, &auditor.person.0]);
                // Whoever was stopped on the way has said so already, and a document serves once.
                let said =
                    |ledger: &Ledger| ledger.state().citations.get(&(auditor.person, document)).is_some();
                if read(port, said) {
                    continue;
                }
                let payload = Payload::AttestReserve(AttestReserve { document, reserve });
                signed(port, auditor, payload, &mut self.rng)?;
            }
        }
        for (tier, subscriptions) in open {
            let payload = Payload::ReportRevenue(ReportRevenue { epoch, tier, subscriptions });
            signed(port, &self.treasury, payload, &mut self.rng)?;
        }
        port.submit(&Transaction::open(Payload::FinaliseEpoch(FinaliseEpoch { epoch })))
    }
}

/// Hands in a transaction of an office.
pub(crate) fn signed(
    port: &dyn Port,
    office: &Office,
    payload: Payload,
    rng: &mut ChaCha20Rng,
) -> Result<(), SettlementError> {
    let (chain, nonce) = read(port, |ledger| (ledger.origin().chain, ledger.nonce(&office.person)));
    let nonce = nonce.ok_or(SettlementError::Record("an office has no account"))?;
    port.submit(&Transaction::signed(payload, chain, (office.person, nonce), &office.key, rng))
}
