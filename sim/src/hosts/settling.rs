//! From one epoch to the next, and what came of each.

use super::{Hosts, HostsError, LOOK_EVERY, MOVING, clients::Reported, devices::HandedIn, registry};
use crate::{
    check::{self, Comparison, TruthRow, event_value},
    progress::{Progress, Stage},
    workload::SubscriberSpec,
};
use chain::{
    Ledger,
    light::{self, EpochRecord},
    modules::usage::{Epoch as EpochOnRecord, Phase},
    node::wait_until,
};
use engine::settlement::Plan;
use primitives::{EpochId, RegionTag};
use std::{collections::BTreeMap, time::Instant};

/// What came of a run.
#[derive(Debug)]
pub struct Settled {
    /// The public record of the epoch, which a light client has checked.
    pub record: EpochRecord,
    /// How it compares with a plaintext count of what was handed in.
    pub comparison: Comparison,
    /// Bundles that were handed in.
    pub bundles: usize,
    /// Clients of subscribers that handed in, each a process.
    pub clients: usize,
}

/// An epoch that is closed while the next one takes bundles in.
pub(super) struct Before {
    epoch: EpochId,
    truth: Vec<TruthRow>,
    bundles: usize,
}

/// What those who hold an office are to do, by epoch; an epoch whose books are to stay open is left alone once it has totals.
#[derive(Default)]
pub(super) struct Desk {
    pub(super) plans: BTreeMap<EpochId, Plan>,
    pub(super) unreported: Option<EpochId>,
}

impl Desk {
    pub(super) fn plan(&self, ledger: &Ledger, epoch: EpochId) -> Option<Plan> {
        let has_totals = |epoch: &EpochOnRecord| epoch.phase == Phase::Aggregated;
        let is_left =
            self.unreported == Some(epoch) && ledger.state().epochs.get(&epoch).is_some_and(has_totals);
        self.plans.get(&epoch).filter(|_| !is_left).cloned()
    }
}

impl Hosts {
    /// Whether revenue of the epoch in hand is left unreported once it has totals, so that its books stay open.
    pub fn leave_unreported(&self, leave: bool) {
        self.desk.lock().expect("no panic").unreported = leave.then_some(self.world.epoch);
    }

    /// Goes on to the next epoch, which opens as soon as nothing more can be added to the one in hand. That one is closed
    /// meanwhile.
    ///
    /// # Errors
    /// If its keys cannot be put on record.
    pub fn turn(&mut self, progress: &dyn Progress) -> Result<(), HostsError> {
        let (epoch, truth, bundles) = (self.world.epoch, self.truth(), self.bundles());
        self.before = Some(Before { epoch, truth, bundles });
        (self.handed_in, self.reported) = (Vec::new(), Vec::new());
        self.world.turn(&self.workload, None, progress)?;
        registry::publish(&self.world, &self.mirror, progress)?;
        self.desk.lock().expect("no panic").plans.insert(self.world.epoch, self.world.plan());
        Ok(())
    }

    /// Waits until the epoch before the one in hand is settled, and checks what came of it.
    ///
    /// # Errors
    /// If it is not settled in time, or its record does not hold.
    ///
    /// # Panics
    /// If there is none.
    pub fn settled_before(&mut self, progress: &dyn Progress) -> Result<Settled, HostsError> {
        let before = self.before.take().expect("an epoch before this one");
        self.settled_of(before, progress)
    }

    /// Waits until the epoch is settled, checks what came of it, and ends everything.
    ///
    /// # Errors
    /// If it is not settled in time, or its record does not hold.
    pub fn settle(mut self, progress: &dyn Progress) -> Result<Settled, HostsError> {
        let settled = self.settled(progress)?;
        self.end();
        Ok(settled)
    }

    /// Waits until the epoch is settled, and checks what came of it. Everything goes on running.
    ///
    /// # Errors
    /// If it is not settled in time, or its record does not hold.
    pub fn settled(&mut self, progress: &dyn Progress) -> Result<Settled, HostsError> {
        let (epoch, truth, bundles) = (self.world.epoch, self.truth(), self.bundles());
        let clients = self.reported.len();
        let settled = self.settled_of(Before { epoch, truth, bundles }, progress)?;
        Ok(Settled { clients, ..settled })
    }

    fn settled_of(&mut self, of: Before, progress: &dyn Progress) -> Result<Settled, HostsError> {
        progress.begin(Stage::Settling, 1);
        let Before { epoch, truth, bundles } = of;
        let over = |ledger: &Ledger| ledger.state().epochs.get(&epoch).is_some_and(|on| on.is_over());
        let begun = Instant::now();
        while !wait_until(&self.mirror, LOOK_EVERY, over) {
            if let Some(offices) = self.offices.take_if(|offices| offices.is_finished()) {
                offices.join().expect("no panic")?;
            }
            if begun.elapsed() > self.options.window + MOVING {
                return Err(HostsError::Stalled { what: "end", dir: self.options.dir.clone() });
            }
        }
        progress.end(Stage::Settling);
        let record = self.mirror.read(|ledger| light::record(ledger, epoch))?;
        light::verify(&record, None).map_err(HostsError::Light)?;
        let (comparison, carried) = check::compare(&truth, &record, &self.carried);
        self.carried = carried;
        Ok(Settled { record, comparison, bundles, clients: 0 })
    }

    /// Bundles of the epoch in hand.
    fn bundles(&self) -> usize {
        self.handed_in.len() + self.reported.iter().map(|reported| reported.bundles).sum::<usize>()
    }

    /// What was handed in, in the open: what devices put into bundles, and all that is in the logs of clients.
    fn truth(&self) -> Vec<TruthRow> {
        let by_devices = self.handed_in.iter().flat_map(|HandedIn { subscriber, parcel }| {
            parcel.events.iter().map(|place| self.row(*subscriber, *place, parcel.region))
        });
        let by_clients = self.reported.iter().flat_map(|Reported { subscriber, .. }| {
            let SubscriberSpec { events, region, .. } = &self.workload.subscribers[*subscriber];
            (0..events.len()).map(|place| self.row(*subscriber, place, *region))
        });
        by_devices.chain(by_clients).collect()
    }

    /// One event of a subscriber, by its place, with the region of its bundle.
    fn row(&self, subscriber: usize, place: usize, region: RegionTag) -> TruthRow {
        let (params, subscriber) = (&self.options.params, &self.workload.subscribers[subscriber]);
        let event = &subscriber.events[place];
        TruthRow {
            epoch: self.world.epoch.0,
            subscriber: subscriber.name.clone(),
            tier: subscriber.tier.0,
            region: u8::from(region),
            work_id: self.world.works[event.work],
            view: event.view,
            quarters: event.quarters,
            backed: u8::from(event.backed),
            value: event_value(params.k, params.j_max, event.view, event.quarters),
        }
    }
}
