//! A run whose parties stopped: what is known of why, and what its folder holds. Nothing was opened that does not hold,
//! and nothing was paid.

use super::{
    Options,
    evidence::EvidenceRow,
    folder::{MANIFEST_FILE, METRICS_FILE, Manifest},
};
use crate::{
    folder::{FolderError, Staging, write_json},
    workload::Workload,
};
use engine::Evidence;
use primitives::PartyId;
use serde::Serialize;
use std::fmt::{self, Display, Formatter};

/// What somebody shows against a party.
pub const EVIDENCE_FILE: &str = "evidence.json";

/// Why a run came to no end.
#[derive(Clone, Debug)]
pub struct Stopped {
    /// The party that stopped first, if one did.
    pub accuser: Option<PartyId>,
    /// The party that it names, if it names one.
    pub named: Option<PartyId>,
    /// Why.
    pub reason: String,
    /// The phase in which it was.
    pub phase: &'static str,
    /// Evidence that was found on the way.
    pub evidence: Vec<Evidence>,
}

impl Stopped {
    /// Who is named, by evidence or by another party's word.
    pub fn named(&self) -> Option<PartyId> {
        self.evidence.first().map(Evidence::party).or(self.named)
    }
}

impl Display for Stopped {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        self.named().map_or(Ok(()), |party| write!(f, " (party {party} is named)"))
    }
}

/// `metrics.json` of a run that was aborted.
#[derive(Serialize)]
struct Metrics {
    seed: u64,
    k_anonymity: u32,
    adversary: Option<String>,
    aborted: bool,
    named_party: Option<u8>,
    reason: String,
    phase: &'static str,
    accuser: Option<u8>,
    paid_total: u64,
}

/// Writes the folder of a run that was aborted: how to get it again, what is known, and the evidence.
pub fn commit(
    staging: Staging,
    options: &Options,
    workload: &Workload,
    stopped: &Stopped,
) -> Result<(), FolderError> {
    let metrics = Metrics {
        seed: workload.seed,
        k_anonymity: options.params().k_anonymity,
        adversary: options.adversary.map(|adversary| adversary.to_string()),
        aborted: true,
        named_party: stopped.named().map(u8::from),
        reason: stopped.reason.clone(),
        phase: stopped.phase,
        accuser: stopped.accuser.map(u8::from),
        paid_total: 0,
    };
    let rows = EvidenceRow::of(&stopped.evidence, Some(stopped));
    staging.commit(|dir| {
        let path = dir.join(MANIFEST_FILE);
        match Manifest::new(options, workload) {
            Ok(manifest) => write_json(path, &manifest)?,
            Err(error) => return Err(FolderError::Json { path, error }),
        }
        write_json(dir.join(METRICS_FILE), &metrics)?;
        write_json(dir.join(EVIDENCE_FILE), &rows)
    })
}
