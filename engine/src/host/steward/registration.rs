//! What has to be on record before an epoch can open: those who run the parties, and the committee.

use crate::settlement::{Office, Port, SettlementError, read, signed};
use chain::{
    Ledger, Payload,
    modules::{
        identity::{Register, Roles, SetStatus, Status},
        usage::{Seating, SetCommittee, Standby},
    },
    signature::PublicKey,
};
use primitives::{Digest, Domain, PartyId, PersonId, hash};
use proofs::committee::{Committee, CommitteeError, Member};
use rand_chacha::ChaCha20Rng;
use serde::{Deserialize, Serialize};

/// What a host gives away for the record: nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberFile {
    /// Public keys of its host.
    pub member: Member,
    /// Public key of the account of whoever runs it.
    pub operator: PublicKey,
}

/// Whoever runs a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operator {
    /// Who. A person is on record under a name that follows from the first key of the account.
    pub person: PersonId,
    /// Key of the account.
    pub key: PublicKey,
}

impl Operator {
    /// Whoever has this key.
    pub fn new(key: PublicKey) -> Self {
        Self { person: PersonId(named(b"person", &key).0), key }
    }

    fn register(&self) -> Register {
        Register {
            person: self.person,
            key: self.key,
            roles: Roles::COMMITTEE,
            credential: named(b"credential", &self.key),
            nullifier: named(b"nullifier", &self.key),
        }
    }
}

fn named(purpose: &[u8], key: &PublicKey) -> Digest {
    hash::hash(Domain::Credential, &[b"operator", purpose, key.as_bytes()])
}

/// What the registrar signs so that somebody is on record and may act.
pub fn admitted(register: Register) -> [Payload; 2] {
    let activate = SetStatus { person: register.person, status: Status::Active };
    [Payload::Register(register), Payload::SetStatus(activate)]
}

/// Who puts a committee on record, and what is put there.
pub struct Registration {
    registrar: Office,
    /// Whoever runs the parties, in order of seat, and whoever stands by.
    operators: Vec<Operator>,
    committee: SetCommittee,
}

impl Registration {
    /// The committee of these members, in order of seat, and of who stands by, whose operators a registrar admits. A party
    /// that is silent for longer than `patience` seconds may be replaced, and a third one that does not commit to the beacon
    /// is waited for as long.
    ///
    /// # Errors
    /// If two have the same keys.
    pub fn new(
        registrar: Office,
        (members, standby): ([MemberFile; 3], Option<MemberFile>),
        patience: u32,
    ) -> Result<Self, CommitteeError> {
        let of_parties = members.each_ref().map(|of| Operator::new(of.operator));
        let committee = Committee::new(members.map(|of| of.member))?;
        let standby = standby.map(|of| (Operator::new(of.operator), of.member));
        let operators =
            of_parties.into_iter().chain(standby.as_ref().map(|(operator, _)| *operator)).collect();
        let standby = standby.map(|(operator, member)| Standby { operator: operator.person, member });
        let seating = Seating { operators: of_parties.map(|operator| operator.person), standby, patience };
        Ok(Self { registrar, operators, committee: SetCommittee { committee, seating } })
    }

    /// Puts the next thing on record that is not there yet: what it was, or `None` if all is there.
    ///
    /// # Errors
    /// If the ledger refuses it.
    pub fn act(
        &self,
        port: &dyn Port,
        steward: &Office,
        rng: &mut ChaCha20Rng,
    ) -> Result<Option<String>, SettlementError> {
        let Some((what, payload)) = read(port, |ledger| self.due(ledger)) else { return Ok(None) };
        let by = if matches!(payload, Payload::SetCommittee(_)) { steward } else { &self.registrar };
        signed(port, by, payload, rng)?;
        Ok(Some(what))
    }

    /// What is next, and how it is called.
    fn due(&self, ledger: &Ledger) -> Option<(String, Payload)> {
        let state = ledger.state();
        for (number, operator) in (1..).zip(&self.operators) {
            let [register, activate] = admitted(operator.register());
            match state.identities.get(&operator.person) {
                None => return Some((format!("operator {number}"), register)),
                Some(on) if on.status == Status::Pending => {
                    return Some((format!("operator {number} is active"), activate));
                }
                Some(_) => {}
            }
        }
        let SetCommittee { committee, seating } = &self.committee;
        let seat = state.committee_for(state.next_epoch(ledger.origin()));
        let seated = seat.is_some_and(|seat| seat.committee == *committee && seat.seating == *seating);
        // Where the standby took a seat, the record is right until these members are others.
        let void = state.replacements.iter().any(|seat| {
            let opening = state.openings.get(&seat.epoch);
            let lost = opening.map(|opening| opening.committee.member(seat.party));
            lost.is_some_and(|lost| PartyId::ALL.iter().any(|party| committee.member(*party) == lost))
        });
        (!seated && !void).then(|| ("the committee".into(), Payload::SetCommittee(self.committee.clone())))
    }
}
