//! Before an epoch opens: its committee, its keys, its beacon.

use super::{
    Beacon, CommitBeacon, CommitteeSeat, IssuerKey, PublishKeys, RegionKey, RevealBeacon, SetCommittee,
    UsageError,
};
use crate::{ledger::Context, state::Draft};
use primitives::{ChainId, Digest, Domain, Encode, EpochId, PartyId, PersonId, Tier, hash, limits};
use std::collections::BTreeSet;

pub(super) fn only_steward(at: &Context<'_>, signer: PersonId) -> Result<(), UsageError> {
    if signer == at.genesis.steward.person { Ok(()) } else { Err(UsageError::NotSteward { signer }) }
}

pub(super) fn only_next(draft: &Draft<'_>, at: &Context<'_>, epoch: EpochId) -> Result<(), UsageError> {
    let expected = draft.base().next_epoch(at.genesis);
    if epoch == expected { Ok(()) } else { Err(UsageError::NotNextEpoch { expected, found: epoch }) }
}

/// Contributions of an epoch so far.
pub(super) fn beacons<'a>(draft: &'a Draft<'_>, epoch: EpochId) -> impl Iterator<Item = &'a Beacon> {
    PartyId::ALL.into_iter().filter_map(move |party| draft.get::<Beacon>(&(epoch, party)))
}

/// Runs [`SetCommittee`].
pub(crate) fn set_committee(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &SetCommittee,
) -> Result<(), UsageError> {
    only_steward(at, signer)?;
    let from = draft.base().next_epoch(at.genesis);
    // Who has committed under one set of keys must be the one who reveals.
    if beacons(draft, from).next().is_some() {
        return Err(UsageError::CommitteeFixed { epoch: from });
    }
    draft.put(CommitteeSeat { from, committee: action.committee.clone() });
    Ok(())
}

/// Runs [`PublishKeys`].
pub(crate) fn publish_keys(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &PublishKeys,
) -> Result<(), UsageError> {
    only_steward(at, signer)?;
    let epoch = action.epoch;
    only_next(draft, at, epoch)?;
    if draft.base().issuer_keys.range((epoch, Tier(0))..).next().is_some() {
        return Err(UsageError::KeysPublished { epoch });
    }
    if action.tiers.is_empty() {
        return Err(UsageError::NoTierKey);
    }
    if let Some(pair) = action.tiers.windows(2).find(|pair| pair[0].tier >= pair[1].tier) {
        return Err(UsageError::TierKeyOrder { tier: pair[1].tier });
    }
    let place = |i: usize| (action.regions[i].region, action.regions[i].denomination);
    if let Some(i) = (1..action.regions.len()).find(|i| place(i - 1) >= place(*i)) {
        let (region, denomination) = place(i);
        return Err(UsageError::RegionKeyOrder { region, denomination });
    }
    let known = |denomination: u8| limits::RECEIPT_DENOMINATIONS.contains(&denomination);
    if let Some(signer) = action.regions.iter().find(|signer| !known(signer.denomination)) {
        return Err(UsageError::Denomination { denomination: signer.denomination });
    }
    let keys = action.tiers.iter().map(|k| &k.key).chain(action.regions.iter().map(|k| &k.key));
    let mut distinct = BTreeSet::new();
    for key in keys {
        if key.len() != limits::RSA_KEY_BYTES {
            return Err(UsageError::KeyLength { bytes: key.len() });
        }
        // A blind signature says nothing but "under this key": a cheap tier's token would pass for a dear one's.
        if !distinct.insert(key) {
            return Err(UsageError::KeyReused);
        }
    }
    for key in &action.tiers {
        draft.put(IssuerKey { epoch, tier: key.tier, key: key.key.clone() });
    }
    for signer in &action.regions {
        let (region, denomination) = (signer.region, signer.denomination);
        draft.put(RegionKey { epoch, region, denomination, key: signer.key.clone() });
    }
    Ok(())
}

/// What a party commits with to its contribution `value`.
pub fn beacon_commitment(chain: ChainId, epoch: EpochId, party: PartyId, value: &Digest) -> Digest {
    hash::hash(Domain::BeaconCommitment, &[&chain.to_bytes(), &epoch.to_bytes(), &party.to_bytes(), &value.0])
}

/// What a party signs of its commitment. Chain, epoch and party are in it, so that an old commitment cannot be put
/// on record again in its name.
pub fn beacon_signing_digest(chain: ChainId, epoch: EpochId, party: PartyId, commitment: &Digest) -> Digest {
    let parts: [&[u8]; 5] =
        [b"signature", &chain.to_bytes(), &epoch.to_bytes(), &party.to_bytes(), &commitment.0];
    hash::hash(Domain::BeaconCommitment, &parts)
}

/// Runs [`CommitBeacon`].
pub(crate) fn commit_beacon(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    action: &CommitBeacon,
) -> Result<(), UsageError> {
    let CommitBeacon { epoch, party, commitment, signature } = *action;
    only_next(draft, at, epoch)?;
    let seat = draft.base().committee_for(epoch).ok_or(UsageError::NoCommittee { epoch })?;
    if draft.has::<Beacon>(&(epoch, party)) {
        return Err(UsageError::AlreadyCommitted { party });
    }
    if beacons(draft, epoch).any(|beacon| beacon.value.is_some()) {
        return Err(UsageError::RevealsBegun { epoch });
    }
    let message = beacon_signing_digest(at.genesis.chain, epoch, party, &commitment);
    seat.committee.verify(party, &message, &signature)?;
    draft.put(Beacon { epoch, party, commitment, value: None });
    Ok(())
}

/// Runs [`RevealBeacon`].
pub(crate) fn reveal_beacon(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    action: &RevealBeacon,
) -> Result<(), UsageError> {
    let RevealBeacon { epoch, party, value } = *action;
    only_next(draft, at, epoch)?;
    let beacon = draft.get::<Beacon>(&(epoch, party)).ok_or(UsageError::NotCommitted { party })?.clone();
    if beacon.value.is_some() {
        return Err(UsageError::AlreadyRevealed { party });
    }
    let count = beacons(draft, epoch).count();
    if count < 2 {
        return Err(UsageError::TooFewCommitments { count });
    }
    if beacon_commitment(at.genesis.chain, epoch, party, &value) != beacon.commitment {
        return Err(UsageError::RevealMismatch { party });
    }
    draft.put(Beacon { value: Some(value), ..beacon });
    Ok(())
}
