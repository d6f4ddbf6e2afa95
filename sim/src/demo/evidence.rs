//! What is shown against parties: `evidence.json`.

use super::Stopped;
use engine::Evidence;
use primitives::{Encode, ids::to_hex};
use serde::Serialize;

/// A row of `evidence.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EvidenceRow {
    /// `equivocation`, `omission` or `double-use`: anybody can check it with the committee's keys and the record. `word`: what one party says.
    pub kind: &'static str,
    /// Whom it is against, if anybody.
    pub party: Option<u8>,
    /// Who says so, if it is a party's word.
    pub by: Option<u8>,
    /// What it is about.
    pub what: String,
    /// The evidence in its canonical encoding, as hexadecimal digits.
    pub bytes: Option<String>,
}

impl EvidenceRow {
    /// Rows of evidence, and of a party's word where the run stopped.
    pub(super) fn of(evidence: &[Evidence], stopped: Option<&Stopped>) -> Vec<Self> {
        let row = |evidence: &Evidence| Self {
            kind: match evidence {
                Evidence::Equivocation(_) => "equivocation",
                Evidence::Omission(_) => "omission",
                Evidence::DoubleUse(_) => "double-use",
            },
            party: Some(u8::from(evidence.party())),
            by: None,
            what: in_words(evidence),
            bytes: Some(to_hex(&evidence.to_bytes())),
        };
        let word = stopped.map(|stopped| Self {
            kind: "word",
            party: stopped.named.map(u8::from),
            by: stopped.accuser.map(u8::from),
            what: stopped.reason.clone(),
            bytes: None,
        });
        evidence.iter().map(row).chain(word).collect()
    }
}

/// What evidence is about, in words.
pub(super) fn in_words(evidence: &Evidence) -> String {
    let party = evidence.party();
    match evidence {
        Evidence::Equivocation(both) => {
            let header = &both.first.header;
            format!(
                "party {party} signed two headers for position {} and view {} of shard {}",
                header.position, header.view, header.shard
            )
        }
        Evidence::Omission(omission) => {
            format!(
                "party {party} signed a root of shard {} that leaves an anchored batch out",
                omission.root.shard
            )
        }
        Evidence::DoubleUse(both) => {
            let [first, second] = [&both.first.place, &both.second.place];
            format!(
                "party {party} signed for two bundles that use the same, at position {} of shard {} and at position {} of \
                 shard {}",
                first.position, first.shard, second.position, second.shard
            )
        }
    }
}
