//! Subscribers' devices in this program, and how they hand in.

use super::{AGAIN, GROUP, Hosts, HostsError, STARTING};
use crate::{
    device::{Device, Parcel},
    progress::{Progress, Stage},
};
use engine::{
    client::{Answer, LinkError, Parties, http::HttpParties},
    message::OpenedEpoch,
};
use primitives::PartyId;
use rayon::prelude::*;
use std::{sync::Mutex, thread, time::Instant};

/// A bundle that was handed in, and whose it is.
pub(super) struct HandedIn {
    pub(super) subscriber: usize,
    pub(super) parcel: Parcel,
}

/// The bundles of one subscriber, to be handed in.
pub struct Made {
    subscriber: usize,
    parcels: Vec<Parcel>,
}

impl Made {
    /// How many bundles and events there are, padding not counted.
    pub fn count(&self) -> (usize, usize) {
        (self.parcels.len(), self.parcels.iter().map(|parcel| parcel.events.len()).sum())
    }

    /// Bytes of the bundles.
    pub fn bytes(&self) -> usize {
        self.parcels.iter().map(|parcel| parcel.bytes.len()).sum()
    }
}

impl Hosts {
    /// Has devices make their bundles, and hands each to all three parties. A bundle that two took in is handed in; the
    /// third gets it from them.
    ///
    /// # Errors
    /// If a bundle cannot be made, or two parties do not take it in.
    pub fn hand_in(&mut self, opened: &OpenedEpoch, progress: &dyn Progress) -> Result<(), HostsError> {
        progress.begin(Stage::Bundles, self.workload.subscribers.len() as u64);
        let places: Vec<usize> = (0..self.workload.subscribers.len()).collect();
        for group in places.chunks(GROUP) {
            let made = self.make(opened, group)?;
            self.submit(made, GROUP, progress)?;
        }
        progress.end(Stage::Bundles);
        Ok(())
    }

    /// Has the devices of some subscribers, by their places, make their bundles.
    ///
    /// # Errors
    /// If a bundle cannot be made.
    pub fn make(&self, opened: &OpenedEpoch, places: &[usize]) -> Result<Vec<Made>, HostsError> {
        let (world, workload) = (&self.world, &self.workload);
        let make = |place: &usize| {
            let mut device = Device::new(world, opened, &workload.subscribers[*place])?;
            Ok::<_, HostsError>(Made { subscriber: *place, parcels: device.bundles(0)? })
        };
        places.par_iter().map(make).collect()
    }

    /// Hands bundles in to all three parties, those of `lanes` subscribers side by side: a subscriber's own go on from each
    /// other.
    ///
    /// # Errors
    /// If two parties do not take one in.
    pub fn submit(
        &mut self,
        made: Vec<Made>,
        lanes: usize,
        progress: &dyn Progress,
    ) -> Result<(), HostsError> {
        let http = &self.http;
        let handed = in_lanes(made, lanes, |Made { subscriber, parcels }| {
            parcels.iter().try_for_each(|parcel| submit(http, parcel))?;
            progress.advance(Stage::Bundles, 1);
            Ok(parcels.into_iter().map(move |parcel| HandedIn { subscriber, parcel }))
        })?;
        self.handed_in.extend(handed.into_iter().flatten());
        Ok(())
    }
}

/// Hands a bundle to all three parties, the same bytes again as long as fewer than two have taken it in.
fn submit(http: &HttpParties, parcel: &Parcel) -> Result<(), HostsError> {
    let begun = Instant::now();
    let mut taken = [false; 3];
    loop {
        let mut reason = String::new();
        for party in PartyId::ALL.into_iter().filter(|party| !taken[party.index()]).collect::<Vec<_>>() {
            match http.submit(party, &parcel.id, &parcel.bytes) {
                Ok(Answer::Promised(_)) => taken[party.index()] = true,
                Ok(Answer::Waiting) => {}
                Ok(Answer::Refused { text, .. }) => reason = format!("party {party}: {text}"),
                Err(LinkError::Busy { .. }) => {}
                Err(error) => reason = format!("party {party}: {error}"),
            }
        }
        let count = taken.iter().filter(|taken| **taken).count();
        if count == 3 || (count == 2 && begun.elapsed() > AGAIN) {
            return Ok(());
        }
        if begun.elapsed() > STARTING {
            return Err(HostsError::NotTaken { bundle: parcel.id, count, reason });
        }
        thread::sleep(AGAIN);
    }
}

/// Does something with each of a list, with `lanes` of them at a time. What comes of them is in no order. After one that
/// fails no other is begun.
pub(super) fn in_lanes<I: Send, T: Send>(
    list: Vec<I>,
    lanes: usize,
    act: impl Fn(I) -> Result<T, HostsError> + Sync,
) -> Result<Vec<T>, HostsError> {
    let next = Mutex::new(list.into_iter());
    let lane = || {
        let mut done = Vec::new();
        loop {
            let Some(one) = next.lock().expect("no panic").next() else { return Ok(done) };
            match act(one) {
                Ok(came) => done.push(came),
                Err(error) => {
                    next.lock().expect("no panic").by_ref().for_each(drop);
                    return Err(error);
                }
            }
        }
    };
    let lanes: Vec<Result<Vec<T>, HostsError>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..lanes.max(1)).map(|_| scope.spawn(lane)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    lanes.into_iter().collect::<Result<Vec<_>, _>>().map(|done| done.into_iter().flatten().collect())
}
