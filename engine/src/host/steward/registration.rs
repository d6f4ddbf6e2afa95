//! What has to be on record before an epoch can open: those who run the parties, and the committee.

use crate::settlement::{Office, Port, SettlementError, read, signed};
use chain::{
    Ledger, Payload,
    modules::{
        identity::{Register, Roles, SetStatus, Status},
        usage::{Seating, SetCommittee},
    },
    signature::PublicKey,
};
use primitives::{Digest, Domain, PartyId, PersonId, hash};
use proofs::committee::{Committee, CommitteeError, Member};
use rand_chacha::ChaCha20Rng;
use serde::{Deserialize, Serialize};

/// What a party gives away for the record: nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberFile {
    /// The seat that it is to have.
    pub party: PartyId,
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
    operators: [Operator; 3],
    committee: SetCommittee,
}

impl Registration {
    /// The committee of these members, in order of seat, whose operators a registrar admits. Nobody stands by. A third party
    /// that does not commit to the beacon is waited for as many blocks as `patience` says.
    ///
    /// # Errors
    /// If two have the same keys.
    pub fn new(registrar: Office, members: [MemberFile; 3], patience: u32) -> Result<Self, CommitteeError> {
        let operators = members.each_ref().map(|of| Operator::new(of.operator));
        let committee = Committee::new(members.map(|of| of.member))?;
        let persons = operators.map(|operator| operator.person);
        let seating = Seating { operators: persons, standby: None, patience };
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
        for (party, operator) in PartyId::ALL.into_iter().zip(&self.operators) {
            let [register, activate] = admitted(operator.register());
            match state.identities.get(&operator.person) {
                None => return Some((format!("the operator of party {party}"), register)),
                Some(on) if on.status == Status::Pending => {
                    return Some((format!("the operator of party {party} as active"), activate));
                }
                Some(_) => {}
            }
        }
        let SetCommittee { committee, seating } = &self.committee;
        let seat = state.committee_for(state.next_epoch(ledger.origin()));
        let seated = seat.is_some_and(|seat| seat.committee == *committee && seat.seating == *seating);
        (!seated).then(|| ("the committee".into(), Payload::SetCommittee(self.committee.clone())))
    }
}
