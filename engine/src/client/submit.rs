//! Hands bundles in: to all three parties, in the order in which they go on from each other.
//!
//! A bundle follows once two parties have taken the one before in. The third gets its bundles as soon as it is there, in
//! the same order; should it never be, the two others have all that the epoch needs. What is sent a second time is what
//! was sent before, byte for byte, and gets the answer that it got before. That a bundle is sent is on disk before it
//! leaves: a party may have it from then on, also where no answer ever comes.

use super::{
    Answer, Client, ClientError, Clock, LinkError, NotBacked, Parties, Progress, Receipt, Standing, Summary,
    file,
    make::Parcel,
    outcome::{Outcome, Outcomes, Trouble, promises, refusals},
    review,
};
use primitives::{Digest, PartyId};
use proofs::committee::QUORUM;
use std::{panic::resume_unwind, thread, time::Duration};

/// Times in a row that a third party may have no answer once two have every bundle: some 15 seconds.
const LAST_ATTEMPTS: u32 = 6;

/// What became of handing in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What became of the log.
    pub summary: Summary,
    /// Plays that a serving node would back, if their receipts were not to be had.
    pub not_backed: Option<NotBacked>,
    /// Identifiers of the bundles, in order.
    pub bundles: Vec<Digest>,
    /// Bundles that each party has taken in, in order of party.
    pub taken: [usize; 3],
    /// Who refused which bundle, by its place, and why in a word.
    pub refused: Vec<(usize, PartyId, String)>,
    /// Parties that have not had everything. Another run hands in what they lack.
    pub troubles: Vec<(PartyId, Trouble)>,
}

impl Report {
    /// Whether every party has answered for every bundle.
    pub fn is_complete(&self) -> bool {
        self.taken.iter().sum::<usize>() + self.refused.len() == self.bundles.len() * PartyId::ALL.len()
    }
}

/// How it goes with one party.
#[derive(Default)]
struct Line {
    /// It has the bundle that is next, and is not done with it.
    waiting: bool,
    /// Times in a row that it had no answer.
    failures: u32,
    /// When it may be asked again.
    not_before: Duration,
    /// The last that went wrong since it last answered.
    trouble: Option<Trouble>,
    /// It is not asked any more in this run.
    over: bool,
}

/// What a party was found to say.
enum Heard {
    Answer(Answer),
    /// It does not know the bundle any more, or has no receipt of it at hand: it gets it once more.
    Again,
}

impl Client {
    /// What the parties said of a bundle so far.
    pub(super) fn outcomes(&self, place: usize) -> Result<Outcomes, ClientError> {
        review::outcomes(&self.journal, place)
    }

    /// Checks that a receipt is the party's, for this bundle.
    pub(super) fn check(&self, receipt: &Receipt, party: PartyId, bundle: &Digest) -> Result<(), Trouble> {
        let context = &self.epoch.shards[0];
        let differs = [
            (receipt.party != party, "party"),
            (receipt.bundle != *bundle, "bundle"),
            ((receipt.chain, receipt.epoch) != (context.chain, context.epoch), "epoch"),
        ];
        if let Some((_, what)) = differs.into_iter().find(|(differs, _)| *differs) {
            return Err(Trouble::OtherReceipt { what });
        }
        receipt.verify(self.epoch.committee()).map_err(Trouble::Forged)
    }

    /// Hands bundles in until every party has answered for all of them, or has had no answer for long enough.
    pub(super) fn submit(
        &self,
        summary: Summary,
        bundles: &[Parcel],
        (parties, clock): (&dyn Parties, &dyn Clock),
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Report, ClientError> {
        let outcomes = (0..bundles.len()).map(|place| self.outcomes(place)).collect::<Result<_, _>>()?;
        let mut round = Round { client: self, bundles, outcomes, lines: Default::default() };
        let mut told = None;
        loop {
            let frontier = round.frontier();
            if told != Some(frontier) {
                progress(Progress::TakenIn { done: frontier, of: bundles.len() });
                told = Some(frontier);
            }
            if frontier < bundles.len() {
                let by = refusals(&round.outcomes[frontier]);
                if by.len() >= QUORUM {
                    return Err(ClientError::Refused { bundle: frontier, by });
                }
            }
            let work = round.work(frontier);
            let Some(soonest) = work.iter().map(|(party, _)| round.lines[party.index()].not_before).min()
            else {
                break;
            };
            let now = clock.now();
            if soonest > now {
                clock.sleep(soonest - now);
                continue;
            }
            let ready = work.into_iter().filter(|(party, _)| round.lines[party.index()].not_before <= now);
            let ready: Vec<_> = ready.collect();
            for (_, place) in &ready {
                round.note(*place)?;
            }
            for (party, place, heard) in round.ask(ready, parties) {
                round.hear((party, place), heard, clock.now())?;
            }
        }
        round.finish(summary)
    }

    /// What is on disk of a run that is over.
    pub(super) fn reported(&self, summary: Summary) -> Result<Report, ClientError> {
        let places = 0..usize::try_from(summary.bundles).unwrap_or_default();
        let mut bundles = Vec::with_capacity(places.len());
        for place in places.clone() {
            // A bundle that was not made before the epoch ended is not there.
            bundles.extend(self.parcel(place)?);
        }
        let outcomes = places.map(|place| self.outcomes(place)).collect::<Result<_, _>>()?;
        Round { client: self, bundles: &bundles, outcomes, lines: Default::default() }.report(summary)
    }
}

/// Handing in, as far as it is.
struct Round<'a> {
    client: &'a Client,
    bundles: &'a [Parcel],
    outcomes: Vec<Outcomes>,
    lines: [Line; 3],
}

impl Round<'_> {
    /// The first bundle that fewer than two parties have taken in; none goes in that comes after it.
    fn frontier(&self) -> usize {
        let lacking = |outcomes: &Outcomes| promises(outcomes).count() < QUORUM;
        self.outcomes.iter().position(lacking).unwrap_or(self.bundles.len())
    }

    /// Who is to get which bundle next.
    fn work(&self, frontier: usize) -> Vec<(PartyId, usize)> {
        let next = |party: PartyId| {
            let open = |outcomes: &Outcomes| outcomes[party.index()].is_none();
            let place = self.outcomes.iter().position(open)?;
            (place <= frontier && !self.lines[party.index()].over).then_some((party, place))
        };
        PartyId::ALL.into_iter().filter_map(next).collect()
    }

    /// Has it on disk that a bundle is sent.
    fn note(&mut self, place: usize) -> Result<(), ClientError> {
        let name = file::of(file::SENT, place);
        if !self.client.journal.has(&name)? {
            self.client.journal.put(&name, &self.bundles[place].id)?;
        }
        Ok(())
    }

    /// Asks parties at the same time. The answers are in order of party.
    fn ask(
        &self,
        work: Vec<(PartyId, usize)>,
        parties: &dyn Parties,
    ) -> Vec<(PartyId, usize, Result<Heard, LinkError>)> {
        let (bundles, lines) = (self.bundles, &self.lines);
        let one = |(party, place): (PartyId, usize)| {
            let Parcel { id, bytes, .. } = &bundles[place];
            if !lines[party.index()].waiting {
                return parties.submit(party, id, bytes).map(Heard::Answer);
            }
            Ok(match parties.standing(party, id)? {
                Standing::Waiting => Heard::Answer(Answer::Waiting),
                Standing::Provisional(receipt) => Heard::Answer(Answer::Promised(receipt)),
                Standing::Refused { kind } => {
                    let text = String::from("found out by asking for its standing");
                    Heard::Answer(Answer::Refused { kind, text })
                }
                Standing::Unknown | Standing::Final => Heard::Again,
            })
        };
        thread::scope(|scope| {
            let spawn = |work| (work, scope.spawn(move || one(work)));
            let running: Vec<_> = work.into_iter().map(spawn).collect();
            let join = |((party, place), handle): (_, thread::ScopedJoinHandle<'_, _>)| {
                (party, place, handle.join().unwrap_or_else(|panic| resume_unwind(panic)))
            };
            running.into_iter().map(join).collect()
        })
    }

    /// Takes an answer. What is for good is on disk when this returns.
    fn hear(
        &mut self,
        (party, place): (PartyId, usize),
        heard: Result<Heard, LinkError>,
        now: Duration,
    ) -> Result<(), ClientError> {
        let line = &mut self.lines[party.index()];
        line.waiting = false;
        let outcome = match heard {
            Ok(Heard::Answer(Answer::Promised(receipt))) => {
                if let Err(trouble) = self.client.check(&receipt, party, &self.bundles[place].id) {
                    // A party that signs what is not so is of no use in this run, however often it is asked.
                    line.trouble = Some(trouble);
                    line.over = true;
                    return Ok(());
                }
                Outcome::Promised(receipt)
            }
            Ok(Heard::Answer(Answer::Refused { kind, text })) => Outcome::refused(&kind, &text),
            Ok(Heard::Answer(Answer::Waiting)) => {
                line.waiting = true;
                self.put_off(party, LinkError::Busy { kind: "waiting".into(), retry_after: None }, now);
                return Ok(());
            }
            Ok(Heard::Again) => {
                self.put_off(party, LinkError::Busy { kind: "forgotten".into(), retry_after: None }, now);
                return Ok(());
            }
            Err(error) => {
                self.put_off(party, error, now);
                return Ok(());
            }
        };
        self.client.journal.put(&file::outcome(place, party), &outcome)?;
        *line = Line::default();
        self.outcomes[place][party.index()] = Some(outcome);
        Ok(())
    }

    /// Leaves a party alone for a while, or for the rest of the run.
    fn put_off(&mut self, party: PartyId, error: LinkError, now: Duration) {
        let enough = self.frontier() == self.bundles.len();
        let line = &mut self.lines[party.index()];
        line.failures += 1;
        let asked = match &error {
            LinkError::Busy { retry_after, .. } => *retry_after,
            _ => None,
        };
        // Two parties are enough: once they have every bundle, the third is not waited for much longer.
        let pause = self.client.settings.patience.pause(line.failures, asked);
        match pause.filter(|_| !enough || line.failures < LAST_ATTEMPTS) {
            Some(pause) => line.not_before = now + pause,
            None => line.over = true,
        }
        line.trouble = Some(Trouble::Link(error));
    }

    fn troubles(&self) -> Vec<(PartyId, Trouble)> {
        let lines = PartyId::ALL.into_iter().zip(&self.lines);
        lines.filter_map(|(party, line)| Some((party, line.trouble.clone()?))).collect()
    }

    fn finish(self, summary: Summary) -> Result<Report, ClientError> {
        let frontier = self.frontier();
        if frontier < self.bundles.len() {
            let promised = promises(&self.outcomes[frontier]).count();
            let troubles = self.troubles();
            return Err(ClientError::TooFewPromises { bundle: frontier, promised, troubles });
        }
        self.report(summary)
    }

    fn report(self, summary: Summary) -> Result<Report, ClientError> {
        let mut taken = [0; 3];
        for receipt in self.outcomes.iter().flat_map(promises) {
            taken[receipt.party.index()] += 1;
        }
        let refused =
            |(place, outcomes)| refusals(outcomes).into_iter().map(move |(party, kind)| (place, party, kind));
        Ok(Report {
            summary,
            not_backed: self.client.lacking()?.map(|lacking| lacking.told),
            bundles: self.bundles.iter().map(|parcel| parcel.id).collect(),
            taken,
            refused: self.outcomes.iter().enumerate().flat_map(refused).collect(),
            troubles: self.troubles(),
        })
    }
}
