//! What is handed in, in which order: subscribers shuffled by the seed and taken in groups; the bundles of a group are
//! proved in parallel and shuffled, those of one subscriber in their order. The attacker is the first subscriber in that order who has an event, and attacks
//! follow the honest bundles of its group.

use super::DemoError;
use crate::{
    adversary::{self, Attack},
    device::{Device, Parcel},
    progress::{Progress, Stage},
    workload::{Workload, draw},
    world::World,
};
use engine::message::OpenedEpoch;
use primitives::limits::WINDOWS;
use rand::seq::SliceRandom;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Subscribers whose bundles are made at a time: enough to keep every core busy, few enough that the bundles of a large
/// run are not in memory all at once.
const GROUP: usize = 24;

/// Something to hand in.
pub(super) enum Submission {
    /// An honest bundle of a subscriber, by place in the workload.
    Honest(usize, Parcel),
    /// A bundle that must be refused.
    Attack(Box<Attack>),
}

/// The order of a run.
pub(super) struct Schedule {
    seed: u64,
    groups: Vec<Vec<usize>>,
    attacker: Option<usize>,
}

impl Schedule {
    pub(super) fn new(workload: &Workload) -> Self {
        let seed = workload.seed;
        let active = |i: &usize| !workload.subscribers[*i].events.is_empty();
        let mut order: Vec<usize> = (0..workload.subscribers.len()).filter(active).collect();
        order.shuffle(&mut draw::rng("submission", seed, "subscribers"));
        let attacker = order.first().copied();
        Self { seed, groups: order.chunks(GROUP).map(<[usize]>::to_vec).collect(), attacker }
    }

    /// Number of groups.
    pub(super) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Makes everything that is handed in with group `number`.
    pub(super) fn group(
        &self,
        number: usize,
        (world, workload, epoch): (&World, &Workload, &OpenedEpoch),
        progress: &dyn Progress,
    ) -> Result<Vec<Submission>, DemoError> {
        // Windows pass as the groups do.
        let window = (number * usize::from(WINDOWS) / self.groups.len()) as u16;
        let make = |place: &usize| {
            let mut device = Device::new(world, epoch, &workload.subscribers[*place])?;
            let parcels = device.bundles(window)?;
            progress.advance(Stage::Bundles, parcels.len() as u64);
            let attacks = if self.attacker == Some(*place) {
                adversary::attacks(&mut device, &parcels, window)?.into()
            } else {
                Vec::new()
            };
            Ok((*place, parcels, attacks))
        };
        let made: Vec<_> = self.groups[number].par_iter().map(make).collect::<Result<_, DemoError>>()?;
        // Bundles of different subscribers mix; those of one come in their order, each goes on from the one before.
        let (mut turns, mut attacks, mut parcels) = (Vec::new(), Vec::new(), BTreeMap::new());
        for (place, made, tried) in made {
            turns.extend(made.iter().map(|_| place));
            parcels.insert(place, made.into_iter());
            attacks.extend(tried.into_iter().map(|attack| Submission::Attack(Box::new(attack))));
        }
        turns.shuffle(&mut draw::rng("submission", self.seed, &number.to_string()));
        let next = |place| Some(Submission::Honest(place, parcels.get_mut(&place)?.next()?));
        let mut honest: Vec<_> = turns.into_iter().filter_map(next).collect();
        honest.extend(attacks);
        Ok(honest)
    }
}
