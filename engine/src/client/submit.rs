//! Hands bundles in: to all three parties, in the order in which they go on from each other.
//!
//! A bundle follows once two parties have taken the one before in. The third gets its bundles as soon as it is there, in
//! the same order; should it never be, the two others have all that the epoch needs. Each party has a line of its own: one
//! that takes its time keeps no other waiting, unless its word is one of the two. What is sent a second time is what
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
use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::mpsc,
    thread,
    time::Duration,
};

/// How parties go by, in order.
const PARTIES: [&str; 3] = ["party 1", "party 2", "party 3"];
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
    /// It is being asked.
    asked: bool,
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

/// What came of asking a party about a bundle: an answer, or none, or a panic that goes on in the thread of the round.
type Came = ((PartyId, usize), thread::Result<Result<Heard, LinkError>>);

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
        thread::scope(|scope| {
            let (answers, came) = mpsc::channel::<Came>();
            let mut told = None;
            loop {
                let frontier = round.frontier();
                if told != Some(frontier) {
                    progress(Progress::TakenIn { done: frontier, of: bundles.len() });
                    told = Some(frontier);
                }
                let refused = round.outcomes.get(frontier).map(refusals).filter(|by| by.len() >= QUORUM);
                let now = clock.now();
                // Whoever is being asked may still say that it has taken the bundle in; nobody is asked any more.
                let due = if refused.is_some() { Vec::new() } else { round.due(frontier, now) };
                for (party, place) in due {
                    let waiting = round.begin((party, place))?;
                    let (parcel, answers) = (&bundles[place], answers.clone());
                    scope.spawn(move || {
                        let heard = catch_unwind(AssertUnwindSafe(|| ask((party, parcel), waiting, parties)));
                        // Nobody listens any more to a round that has ended.
                        drop(answers.send(((party, place), heard)));
                    });
                }
                let soonest = round.soonest(frontier).filter(|_| refused.is_none());
                let heard = match (round.is_asking(), soonest) {
                    (false, None) => {
                        return refused
                            .map_or(Ok(()), |by| Err(ClientError::Refused { bundle: frontier, by }));
                    }
                    (false, Some(at)) => {
                        clock.sleep(at.saturating_sub(now));
                        None
                    }
                    (true, None) => came.recv().ok(),
                    (true, Some(at)) => {
                        let mut heard = None;
                        clock.wait(at.saturating_sub(now), &mut |pause| {
                            heard = came.recv_timeout(pause).ok();
                            heard.is_some()
                        });
                        heard
                    }
                };
                if let Some((place, heard)) = heard {
                    round.hear(place, heard.unwrap_or_else(|panic| resume_unwind(panic)), clock.now())?;
                    round.tell(place.0, clock);
                }
            }
        })?;
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

/// Hands a party a bundle, or asks where one stands that it has.
fn ask(
    (party, parcel): (PartyId, &Parcel),
    waiting: bool,
    parties: &dyn Parties,
) -> Result<Heard, LinkError> {
    let Parcel { id, bytes, .. } = parcel;
    if !waiting {
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

    /// Who is not being asked and is to get which bundle next.
    fn work(&self, frontier: usize) -> impl Iterator<Item = (PartyId, usize)> {
        PartyId::ALL.into_iter().filter_map(move |party| {
            let open = |outcomes: &Outcomes| outcomes[party.index()].is_none();
            let (place, line) = (self.outcomes.iter().position(open)?, &self.lines[party.index()]);
            (place <= frontier && !line.over && !line.asked).then_some((party, place))
        })
    }

    /// Whom to ask now.
    fn due(&self, frontier: usize, now: Duration) -> Vec<(PartyId, usize)> {
        self.work(frontier).filter(|(party, _)| self.lines[party.index()].not_before <= now).collect()
    }

    /// When somebody is to be asked next.
    fn soonest(&self, frontier: usize) -> Option<Duration> {
        self.work(frontier).map(|(party, _)| self.lines[party.index()].not_before).min()
    }

    /// Whether somebody is being asked.
    fn is_asking(&self) -> bool {
        self.lines.iter().any(|line| line.asked)
    }

    /// Has it on disk that a bundle is sent. Returns whether the party has it already, and is to be asked for its standing.
    fn begin(&mut self, (party, place): (PartyId, usize)) -> Result<bool, ClientError> {
        let name = file::of(file::SENT, place);
        if !self.client.journal.has(&name)? {
            self.client.journal.put(&name, &self.bundles[place].id)?;
        }
        let line = &mut self.lines[party.index()];
        line.asked = true;
        Ok(line.waiting)
    }

    /// Takes an answer. What is for good is on disk when this returns.
    fn hear(
        &mut self,
        (party, place): (PartyId, usize),
        heard: Result<Heard, LinkError>,
        now: Duration,
    ) -> Result<(), ClientError> {
        let line = &mut self.lines[party.index()];
        (line.asked, line.waiting) = (false, false);
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

    /// Says that a party is waited for, if it had no answer more than once.
    fn tell(&self, party: PartyId, clock: &dyn Clock) {
        let line = &self.lines[party.index()];
        if let Some(Trouble::Link(error)) = &line.trouble
            && line.failures > 1
            && !line.over
        {
            clock.waits(PARTIES[party.index()], error);
        }
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
