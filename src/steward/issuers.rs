//! Whose public keys go on record: of each issuer those for the tiers or regions that the settings give it, and nothing else
//! that it shows. An issuer that lists keys of others neither gets them on record nor keeps theirs away.

use chain::modules::usage::{PublishKeys, RegionSigner, TierKey};
use engine::client::http::HttpKeys;
use primitives::{EpochId, Region, Tier};
use proofs::{blind::BlindKey, receipt::Denomination};
use serde::Deserialize;
use std::collections::BTreeSet;

/// An issuer in the settings.
#[derive(Debug, Deserialize)]
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

/// The keys of an epoch, as their issuers show them. The reason, if somebody cannot be asked or lacks one.
pub(super) fn keys(issuers: &[Issuer], epoch: EpochId) -> Result<PublishKeys, String> {
    let (mut tiers, mut regions) = (Vec::new(), Vec::new());
    for issuer in issuers {
        let url = &issuer.url;
        let service = HttpKeys::new(url).map_err(|error| error.to_string())?;
        let failed = |error| format!("{url} {error}");
        if !issuer.tiers.is_empty() {
            tiers.extend(issuer.of_tiers(epoch, &service.tiers(epoch).map_err(failed)?)?);
        }
        if !issuer.regions.is_empty() {
            regions.extend(issuer.of_regions(epoch, &service.regions(epoch).map_err(failed)?)?);
        }
    }
    tiers.sort_by_key(|key| key.tier);
    regions.sort_by_key(|signer| (signer.region, signer.denomination));
    Ok(PublishKeys { epoch, tiers, regions })
}

impl Issuer {
    fn of_tiers(&self, epoch: EpochId, shown: &[TierKey]) -> Result<Vec<TierKey>, String> {
        let own = |tier: &Tier| {
            let found = shown.iter().find(|key| key.tier == *tier);
            self.sound(epoch, format!("tier {tier}"), found, |found| &found.key)
        };
        self.tiers.iter().map(own).collect()
    }

    fn of_regions(&self, epoch: EpochId, shown: &[RegionSigner]) -> Result<Vec<RegionSigner>, String> {
        let all = |region: &Region| Denomination::all().map(|of| (*region, of.views())).collect::<Vec<_>>();
        let own = |(region, views): (Region, u8)| {
            let found = shown.iter().find(|signer| (signer.region, signer.denomination) == (region, views));
            self.sound(epoch, format!("region {region} and {views} views"), found, |found| &found.key)
        };
        self.regions.iter().flat_map(all).map(own).collect()
    }

    /// What was found, if its key is one.
    fn sound<T: Clone>(
        &self,
        epoch: EpochId,
        what: String,
        found: Option<&T>,
        key: impl Fn(&T) -> &Vec<u8>,
    ) -> Result<T, String> {
        let url = &self.url;
        let found = found.ok_or_else(|| format!("{url} has no key for epoch {epoch} and {what}"))?;
        let sound = BlindKey::from_der(key(found));
        sound.map_err(|error| format!("{url} has no sound key for epoch {epoch} and {what}: {error}"))?;
        Ok(found.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer(url: &str, tiers: &[u8], regions: &[u8]) -> Issuer {
        let tiers = tiers.iter().map(|tier| Tier(*tier)).collect();
        let region = |region: &u8| Region::try_from(*region).expect("a region");
        Issuer { url: url.into(), tiers, regions: regions.iter().map(region).collect() }
    }

    fn key() -> Vec<u8> {
        proofs::testing::issuer().public().der().to_vec()
    }

    #[test]
    fn nothing_is_taken_of_an_issuer_but_what_is_its_own() {
        let one = issuer("http://127.0.0.1:1", &[2], &[]);
        let shown = [1, 2, 3].map(|tier| TierKey { tier: Tier(tier), key: key() });
        let taken = one.of_tiers(EpochId(1), &shown).expect("it has its own");
        assert_eq!(taken.iter().map(|key| key.tier).collect::<Vec<_>>(), [Tier(2)]);
        let lacking = one.of_tiers(EpochId(1), &shown[..1]).expect_err("it lacks its own");
        assert_eq!(lacking, "http://127.0.0.1:1 has no key for epoch 1 and tier 2");
        let broken = one.of_tiers(EpochId(1), &[TierKey { tier: Tier(2), key: vec![7; 9] }]);
        assert!(broken.expect_err("it is none").contains("no sound key for epoch 1 and tier 2"));

        let two = issuer("http://127.0.0.1:2", &[], &[1]);
        let region = |region: u8| Region::try_from(region).expect("a region");
        let of = |at| Denomination::all().map(move |of| (region(at), of.views()));
        let signer = |(region, denomination)| RegionSigner { region, denomination, key: key() };
        let shown: Vec<_> = of(2).chain(of(1)).map(signer).collect();
        let taken = two.of_regions(EpochId(1), &shown).expect("it has its own");
        assert!(
            taken.len() == Denomination::all().count() && taken.iter().all(|own| own.region == region(1))
        );
        assert!(
            two.of_regions(EpochId(1), &shown[..taken.len()]).is_err(),
            "those of another region are none"
        );
    }

    #[test]
    fn a_list_says_who_signs_what() {
        let (tokens, receipts) = (issuer("http://a:1", &[1, 2], &[]), issuer("http://b:1", &[], &[1]));
        assert_eq!(check(&[tokens, receipts], [Tier(1), Tier(2)]), Ok(()));
        for (list, words) in [
            (vec![issuer("http://a:1", &[1], &[1])], "either `tiers`"),
            (vec![issuer("http://a:1", &[], &[])], "either `tiers`"),
            (vec![issuer("a", &[1], &[])], "not an address"),
            (vec![issuer("http://a:1", &[1], &[]), issuer("http://b:1", &[1], &[])], "tier 1 is named twice"),
            (
                vec![issuer("http://a:1", &[], &[3]), issuer("http://b:1", &[], &[3])],
                "region 3 is named twice",
            ),
            (vec![issuer("http://a:1", &[2], &[])], "nobody signs tokens of tier 1"),
        ] {
            let wrong = check(&list, [Tier(1)]).expect_err(words);
            assert!(wrong.contains(words), "{wrong}");
        }
    }
}
