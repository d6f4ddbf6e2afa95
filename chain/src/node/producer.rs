//! The shell around the sequencer: a clock, a journal, a log, and those who wait for an answer.

use super::{
    Journal, NodeError, Notice, Store,
    shared::{Shared, Standing},
};
use crate::{
    Transaction,
    sequencer::{Answer, Effect, Sequencer, Taken},
};
use primitives::{Digest, Time};
use rand_core::OsRng;
use std::{
    collections::BTreeMap,
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::sync::oneshot;

/// Longest pause between two looks at the clock.
const TICK: Duration = Duration::from_millis(100);
/// Transactions of one round: they share one `fsync`, and each of them waits for it.
const ROUND: usize = 256;

/// A transaction, and who waits to hear what becomes of it.
pub(super) struct Submission {
    pub(super) transaction: Transaction,
    pub(super) reply: oneshot::Sender<Answer>,
}

/// The time by this machine's clock. A clock before 1970 gives zero.
pub fn now() -> Time {
    Time(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}

/// The sequencer with what it needs of the world.
pub(super) struct Producer {
    core: Sequencer,
    store: Store,
    journal: Journal,
    shared: Arc<Shared>,
    replies: BTreeMap<Digest, Vec<oneshot::Sender<Answer>>>,
}

impl Producer {
    /// Takes what the journal holds, in its places.
    pub(super) fn start(
        mut core: Sequencer,
        store: Store,
        journal: Journal,
        taken: Vec<Taken>,
        shared: Arc<Shared>,
    ) -> Result<Self, NodeError> {
        shared.count(&taken);
        let effects = core.restore(now(), taken, &mut OsRng)?;
        let mut producer = Self { core, store, journal, shared, replies: BTreeMap::new() };
        producer.carry_out(effects, &|_| {})?;
        Ok(producer)
    }

    /// Makes blocks until it is told to stop, and then the block in hand.
    pub(super) fn run(
        mut self,
        submissions: &Receiver<Submission>,
        stop: &AtomicBool,
        notice: &dyn Fn(Notice),
    ) -> Result<(), NodeError> {
        let mut behind = false;
        while !stop.load(Ordering::Relaxed) {
            let (clock, last) = (now(), self.core.ledger().now());
            // Once for each time: blocks go on with the time of the last one until the clock is there.
            if clock < last && !behind {
                notice(Notice::ClockBehind { now: clock, last });
            }
            behind = clock < last;
            let mut effects = self.round(submissions);
            effects.extend(self.core.turn(now(), &mut OsRng));
            effects.extend(self.core.tick(now(), &mut OsRng));
            self.carry_out(effects, notice)?;
        }
        let effects = self.core.finish(now(), &mut OsRng);
        self.carry_out(effects, notice)
    }

    /// Takes what came, and waits a moment if nothing did.
    fn round(&mut self, submissions: &Receiver<Submission>) -> Vec<Effect> {
        let patience = if self.core.has_line() { Duration::ZERO } else { TICK };
        let mut effects = Vec::new();
        let mut next = submissions.recv_timeout(patience);
        for _ in 0..ROUND {
            let Ok(Submission { transaction, reply }) = next else {
                if next.is_err_and(|error| error == RecvTimeoutError::Disconnected) {
                    std::thread::sleep(patience);
                }
                break;
            };
            self.replies.entry(transaction.id()).or_default().push(reply);
            effects.extend(self.core.submit(now(), transaction, &mut OsRng));
            next = submissions.try_recv().map_err(|_| RecvTimeoutError::Timeout);
        }
        effects
    }

    /// Carries effects out in their order. What is written down goes to disk in one piece before anything that comes
    /// after it.
    fn carry_out(&mut self, effects: Vec<Effect>, notice: &dyn Fn(Notice)) -> Result<(), NodeError> {
        let (mut written, mut told, mut blocks) = (Vec::new(), Vec::new(), Vec::new());
        for effect in effects {
            match effect {
                Effect::Write(taken) => written.push(taken),
                Effect::Tell { transaction, answer } => told.push((transaction, answer)),
                Effect::Append(sealed) => {
                    self.write(&mut written, &mut told)?;
                    self.store.append(&sealed)?;
                    self.journal.done(sealed.block.height)?;
                    notice(Notice::block(&sealed.block));
                    blocks.push(*sealed);
                }
            }
        }
        self.write(&mut written, &mut told)?;
        if let Some(ledger) = self.core.sealed() {
            self.shared.advance(blocks, ledger);
        }
        Ok(())
    }

    fn write(&mut self, written: &mut Vec<Taken>, told: &mut Vec<(Digest, Answer)>) -> Result<(), NodeError> {
        if let Some(height) = written.first().map(|taken| taken.height) {
            self.shared.count(written);
            self.journal.write(height, mem::take(written))?;
        }
        for (transaction, answer) in mem::take(told) {
            self.shared.stands(transaction, Standing::from(answer.clone()));
            for reply in self.replies.remove(&transaction).unwrap_or_default() {
                // Whoever asked may be gone.
                drop(reply.send(answer.clone()));
            }
        }
        Ok(())
    }
}
