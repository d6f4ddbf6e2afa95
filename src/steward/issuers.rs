//! Whose public keys go on record: of each issuer those for the tiers or regions that the settings give it, and nothing else
//! that it shows. An issuer that shows keys of others for a purpose of its own neither gets them on record nor keeps theirs away:
//! with each key comes a proof that whoever has it meant it for that purpose (`proofs/src/possession.rs`), and a key that stands
//! for something already is found before the ledger is asked. So it is known who keeps an epoch from opening. One that a tier
//! passes to may show what the issuer before it made for that tier, and then signs nothing: that is no more than being silent.

use chain::modules::usage::{PublishKeys, RegionSigner, TierKey};
use engine::client::http::{HttpKeys, ShownKey};
use primitives::{ChainId, EpochId, Region, Tier};
use proofs::{blind::BlindError, possession::Purpose, receipt::Denomination};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    thread::{self, ScopedJoinHandle},
};

/// An issuer in the settings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Issuer {
    url: String,
    /// Tiers of which it signs tokens.
    #[serde(default)]
    tiers: Vec<Tier>,
    /// Regions of which it signs receipts.
    #[serde(default)]
    regions: Vec<Region>,
}

/// What is wrong with a list of issuers, of which somebody has to sign tokens of every tier that is sold.
pub(super) fn check(issuers: &[Issuer], sold: impl IntoIterator<Item = Tier>) -> Result<(), String> {
    let (mut tiers, mut regions) = (BTreeSet::new(), BTreeSet::new());
    for Issuer { url, tiers: own_tiers, regions: own_regions } in issuers {
        if own_tiers.is_empty() == own_regions.is_empty() {
            return Err(format!(
                "issuers: {url}: give either `tiers`, of which it signs tokens, or `regions`, of which it signs receipts"
            ));
        }
        HttpKeys::new(url).map_err(|error| format!("issuers: {error}"))?;
        if let Some(tier) = own_tiers.iter().find(|tier| !tiers.insert(**tier)) {
            return Err(format!("issuers: tier {tier} is named twice"));
        }
        if let Some(region) = own_regions.iter().find(|region| !regions.insert(**region)) {
            return Err(format!("issuers: region {region} is named twice"));
        }
    }
    match sold.into_iter().find(|tier| !tiers.contains(tier)) {
        Some(tier) => Err(format!("issuers: nobody signs tokens of tier {tier}, which is on sale")),
        None => Ok(()),
    }
}

/// What an issuer shows, or why it cannot be asked.
pub(super) type Answer = Result<Vec<ShownKey>, String>;

/// Asks every issuer for its keys of an epoch, all of them at once.
pub(super) fn ask(issuers: &[Issuer], epoch: EpochId) -> Vec<Answer> {
    let answer = |issuer: &Issuer| {
        let service = HttpKeys::new(&issuer.url).map_err(|error| error.to_string())?;
        service.of(epoch).map_err(|error| error.to_string())
    };
    thread::scope(|scope| {
        let asked: Vec<_> = issuers.iter().map(|issuer| scope.spawn(move || answer(issuer))).collect();
        let ended =
            |asked: ScopedJoinHandle<'_, Answer>| asked.join().unwrap_or_else(|_| Err("failed".into()));
        asked.into_iter().map(ended).collect()
    })
}

/// The keys of an epoch of what their issuers answered, where `on_record` are all that are on record by now. The ledger takes
/// all or none: what it would refuse is found here, for here it is known who showed it.
///
/// # Errors
/// Who has not shown what it is to show, and why.
pub(super) fn keys(
    issuers: &[Issuer],
    answers: Vec<Answer>,
    (chain, epoch): (ChainId, EpochId),
    on_record: &BTreeMap<&[u8], EpochId>,
) -> Result<PublishKeys, String> {
    let (mut tiers, mut regions, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    let mut shown_by: BTreeMap<Vec<u8>, &str> = BTreeMap::new();
    for (issuer, answer) in issuers.iter().zip(answers) {
        let url = issuer.url.as_str();
        let own = answer.and_then(|shown| issuer.own(&shown, (chain, epoch), on_record));
        for ShownKey { purpose, key, .. } in own.unwrap_or_else(|error| {
            wrong.push(format!("{url} {error}"));
            Vec::new()
        }) {
            if let Some(other) = shown_by.insert(key.clone(), url) {
                // Each proved that it has it. Which of them it is the other's of, nobody can tell.
                wrong.push(format!("{url} has the same key for {purpose} as {other} has for something else"));
            }
            match purpose {
                Purpose::Token(tier) => tiers.push(TierKey { tier, key }),
                Purpose::Receipt(region, of) => {
                    regions.push(RegionSigner { region, denomination: of.views(), key });
                }
            }
        }
    }
    if !wrong.is_empty() {
        return Err(wrong.join("; "));
    }
    tiers.sort_by_key(|key| key.tier);
    regions.sort_by_key(|signer| (signer.region, signer.denomination));
    Ok(PublishKeys { epoch, tiers, regions })
}

impl Issuer {
    /// What it is to have keys for.
    fn purposes(&self) -> Vec<Purpose> {
        let all = |region: &Region| {
            let region = *region;
            Denomination::all().map(move |of| Purpose::Receipt(region, of))
        };
        let tiers = self.tiers.iter().map(|tier| Purpose::Token(*tier));
        tiers.chain(self.regions.iter().flat_map(all)).collect()
    }

    /// Of what it shows its own, whatever else is there: each a key that it has proved to have, and that stands for nothing yet.
    fn own(
        &self,
        shown: &[ShownKey],
        at: (ChainId, EpochId),
        on_record: &BTreeMap<&[u8], EpochId>,
    ) -> Result<Vec<ShownKey>, String> {
        let epoch = at.1;
        let own = |purpose: Purpose| {
            let found = shown.iter().find(|key| key.purpose == purpose);
            let found = found.ok_or_else(|| format!("has no key for epoch {epoch} and {purpose}"))?;
            match (found.check(at), on_record.get(found.key.as_slice())) {
                (Err(BlindError::Signature), _) => {
                    Err(format!("shows no proof that the key for epoch {epoch} and {purpose} is its own"))
                }
                (Err(error), _) => Err(format!("has no sound key for epoch {epoch} and {purpose}: {error}")),
                (Ok(()), Some(of)) => Err(format!(
                    "shows a key for epoch {epoch} and {purpose} that is on record for epoch {of}: its operator makes another"
                )),
                (Ok(()), None) => Ok(found.clone()),
            }
        };
        self.purposes().into_iter().map(own).collect()
    }
}

#[cfg(test)]
mod tests;
