//! What happens next: plausible things, many of which break a rule.

mod eco;
mod elections;
mod epochs;
mod money;
mod people;
mod proposals;
mod works;

use super::{history::History, mutate::mutate};
use chain::Payload;
use primitives::PersonId;

/// Something that somebody might submit.
type Draft = Option<Signed>;

/// Who signs, if somebody does, and what.
type Signed = (Option<PersonId>, Payload);

/// Makes one up.
type Draw = fn(&mut History) -> Draft;

/// Everything that may happen, and how often.
const DRAWS: [(u64, Draw); 36] = [
    (3, people::register),
    (4, people::set_status),
    (2, people::rotate),
    (3, works::register),
    (3, works::update),
    (1, works::deprecate),
    (4, money::transfer),
    (3, money::mint),
    (2, money::burn),
    (6, money::attest),
    (1, works::to_the_last_credit),
    (8, money::claim),
    (5, epochs::report),
    (1, epochs::abandon),
    (1, epochs::finalise),
    (1, epochs::out_of_turn),
    (6, eco::push),
    (4, eco::accept),
    (3, eco::buy),
    (6, proposals::propose),
    (1, proposals::withdraw),
    (2, proposals::deliberate),
    (18, proposals::vote),
    (9, proposals::say),
    (2, proposals::enact),
    (2, elections::call),
    (5, elections::stand),
    (7, elections::elect),
    (1, elections::close),
    (4, elections::open_case),
    (1, elections::withdraw_case),
    (1, elections::draw_jury),
    (4, elections::challenge),
    (6, elections::jury_vote),
    (1, elections::close_case),
    (26, epochs::go_on),
];

impl History {
    /// One transaction, or what the parties do next.
    pub(super) fn step(&mut self) {
        let whole = DRAWS.iter().map(|(weight, _)| weight).sum();
        let mut place = self.below(whole);
        for (weight, draw) in DRAWS {
            if place < weight {
                if let Some((signer, payload)) = draw(self) {
                    self.try_out(signer, payload);
                }
                return;
            }
            place -= weight;
        }
    }

    /// Submits something, now and then with something wrong about it.
    fn try_out(&mut self, mut signer: Option<PersonId>, mut payload: Payload) {
        if self.chance(8) {
            mutate(self, &mut payload);
        }
        if signer.is_some() && self.chance(6) {
            signer = Some(self.someone(0));
        }
        if self.chance(5) {
            self.submit_tampered(signer, payload)
        } else {
            self.submit(signer, payload)
        };
    }

    /// What can be done because its time has come.
    pub(super) fn what_is_due(&mut self) {
        for draw in [proposals::due, elections::due, elections::case_due, eco::due] {
            for (signer, payload) in draw(self) {
                if self.chance(60) {
                    self.submit(signer, payload);
                }
            }
        }
    }
}
