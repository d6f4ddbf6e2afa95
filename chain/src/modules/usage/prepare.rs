//! Before an epoch opens: its committee, its keys, its beacon.

use super::{
    Beacon, CommitBeacon, IssuerKey, KeyState, PublishKeys, RegionKey, RegionSigner, RevealBeacon,
    SetCommittee, TierKey, UsageError,
    seats::{check_seating, reseat},
};
use crate::{
    ledger::Context,
    modules::identity::{Roles, acts_as},
    state::{Draft, State},
};
use primitives::{ChainId, Digest, Domain, Encode, EpochId, PartyId, PersonId, Tier, hash, limits};
use proofs::blind::BlindKey;
use std::collections::BTreeSet;

pub(super) fn only_steward(draft: &Draft<'_>, signer: PersonId) -> Result<(), UsageError> {
    if acts_as(draft, signer, Roles::STEWARD) { Ok(()) } else { Err(UsageError::NotSteward { signer }) }
}

pub(super) fn only_next(draft: &Draft<'_>, at: &Context<'_>, epoch: EpochId) -> Result<(), UsageError> {
    let expected = draft.base().next_epoch(at.genesis);
    if epoch == expected { Ok(()) } else { Err(UsageError::NotNextEpoch { expected, found: epoch }) }
}

/// Contributions so far to the beacon of an epoch that has not opened, without those of a committee that was replaced.
pub(super) fn beacons<'a>(draft: &'a Draft<'_>, epoch: EpochId) -> impl Iterator<Item = &'a Beacon> {
    PartyId::ALL.into_iter().filter_map(move |party| beacon(draft, epoch, party))
}

fn beacon<'a>(draft: &'a Draft<'_>, epoch: EpochId, party: PartyId) -> Option<&'a Beacon> {
    let seat = draft.base().committees.get(&epoch);
    let spent = |commitment| seat.is_some_and(|seat| seat.spent.contains(commitment));
    draft.get::<Beacon>(&(epoch, party)).filter(|beacon| !spent(&beacon.commitment))
}

impl State {
    /// Contributions so far to the beacon of an epoch that has not opened, by party, without those of a committee that was
    /// replaced.
    pub fn contributions(&self, epoch: EpochId) -> impl Iterator<Item = &Beacon> {
        let seat = self.committees.get(&epoch);
        let spent = move |beacon: &&Beacon| seat.is_some_and(|seat| seat.spent.contains(&beacon.commitment));
        let of = move |party| self.beacons.get(&(epoch, party));
        PartyId::ALL.into_iter().filter_map(of).filter(move |beacon| !spent(beacon))
    }
}

/// The first epoch of whose beacon nobody has revealed anything. What is fixed before is drawn from blindly, as long as
/// one party that reveals is honest.
pub(crate) fn undrawn(draft: &Draft<'_>, at: &Context<'_>) -> EpochId {
    let next = draft.base().next_epoch(at.genesis);
    if beacons(draft, next).any(|beacon| beacon.value.is_some()) { EpochId(next.0 + 1) } else { next }
}

/// Runs [`SetCommittee`].
pub(crate) fn set_committee(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &SetCommittee,
) -> Result<(), UsageError> {
    only_steward(draft, signer)?;
    let from = draft.base().next_epoch(at.genesis);
    // Whoever knows the beacon must not be able to ask for another one.
    if beacons(draft, from).filter(|beacon| beacon.value.is_some()).count() >= 2 {
        return Err(UsageError::CommitteeFixed { epoch: from });
    }
    let SetCommittee { committee, seating } = action.clone();
    check_seating(draft.base(), &committee, &seating)?;
    reseat(draft, from, committee, seating);
    Ok(())
}

/// Runs [`PublishKeys`].
pub(crate) fn publish_keys(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &PublishKeys,
) -> Result<(), UsageError> {
    only_steward(draft, signer)?;
    let epoch = action.epoch;
    match draft.base().key_state(epoch) {
        KeyState::Pending => only_next(draft, at, epoch)?,
        KeyState::Active => return Err(UsageError::KeysActive { epoch }),
        KeyState::Expired => return Err(UsageError::KeysExpired { epoch }),
    }
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
    check_keys(draft, action)?;
    for key in &action.tiers {
        draft.put(IssuerKey { epoch, tier: key.tier, key: key.key.clone() });
    }
    for signer in &action.regions {
        let (region, denomination) = (signer.region, signer.denomination);
        draft.put(RegionKey { epoch, region, denomination, key: signer.key.clone() });
    }
    Ok(())
}

/// A blind signature says nothing but "under this key". So each key is one, and stands for one tier, or one region and
/// denomination, in one epoch: else a cheap tier's token would pass for a dear one's, or last year's for today's.
fn check_keys(draft: &Draft<'_>, action: &PublishKeys) -> Result<(), UsageError> {
    for TierKey { tier, key } in &action.tiers {
        BlindKey::from_der(key).map_err(|error| UsageError::TierKey { tier: *tier, error })?;
    }
    for RegionSigner { region, denomination, key } in &action.regions {
        let (region, denomination) = (*region, *denomination);
        BlindKey::from_der(key).map_err(|error| UsageError::RegionKey { region, denomination, error })?;
    }
    let on_record = draft.base().keys_on_record();
    let mut distinct = BTreeSet::new();
    for key in action.tiers.iter().map(|k| &k.key).chain(action.regions.iter().map(|k| &k.key)) {
        if !distinct.insert(key) {
            return Err(UsageError::KeyReused);
        }
        if let Some(epoch) = on_record.get(key.as_slice()) {
            return Err(UsageError::KeyOnRecord { epoch: *epoch });
        }
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
    if seat.from == epoch && seat.spent.contains(&commitment) {
        return Err(UsageError::CommitmentSpent { party });
    }
    if beacon(draft, epoch, party).is_some() {
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
    let beacon = beacon(draft, epoch, party).ok_or(UsageError::NotCommitted { party })?.clone();
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
