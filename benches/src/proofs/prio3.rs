//! Prio3Histogram: shards of events, and what all aggregators do with them, in one process and without transport.

use prio::{
    codec::Encode,
    vdaf::{
        Aggregatable, Aggregator, Client, Vdaf, VerifyTransition,
        prio3::{Prio3Histogram, optimal_chunk_length},
    },
};

type Output = <Prio3Histogram as Vdaf>::OutputShare;
type Aggregate = <Prio3Histogram as Vdaf>::AggregateShare;

const CONTEXT: &[u8] = b"benches";
const VERIFY_KEY: [u8; 32] = [7; 32];

/// One event as it is uploaded.
pub(crate) struct Report {
    nonce: [u8; 16],
    public: <Prio3Histogram as Vdaf>::PublicShare,
    inputs: Vec<<Prio3Histogram as Vdaf>::InputShare>,
}

/// The events of one bundle, as Prio3 has them: a report each.
///
/// The library draws a client's randomness itself, so that nothing of it can be seeded; its work does not depend on it.
pub(crate) struct Prio3 {
    vdaf: Prio3Histogram,
    works: Vec<usize>,
    reports: Vec<Report>,
    chunk: usize,
}

impl Prio3 {
    /// Reports of events of `works` over `buckets` buckets.
    pub(crate) fn new(aggregators: u8, works: &[usize], buckets: usize) -> Self {
        let chunk = optimal_chunk_length(buckets);
        let vdaf = Prio3Histogram::new_histogram(aggregators, buckets, chunk).expect("valid sizes");
        let mut new = Self { vdaf, works: works.to_vec(), reports: Vec::new(), chunk };
        new.reports = new.shard_all();
        new
    }

    /// Length of a chunk.
    pub(crate) fn chunk(&self) -> usize {
        self.chunk
    }

    fn shard(&self, at: usize) -> Report {
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&(at as u64).to_le_bytes());
        let (public, inputs) = self.vdaf.shard(CONTEXT, &self.works[at], &nonce).expect("a bucket");
        Report { nonce, public, inputs }
    }

    /// A client's work: a report for each event.
    pub(crate) fn shard_all(&self) -> Vec<Report> {
        (0..self.works.len()).map(|at| self.shard(at)).collect()
    }

    /// What all aggregators do with a report, up to their output shares.
    fn verify(&self, report: &Report) -> Vec<Output> {
        let begin = |(id, input)| {
            self.vdaf
                .verify_init(&VERIFY_KEY, CONTEXT, id, &(), &report.nonce, &report.public, input)
                .expect("a well-formed report")
        };
        let (states, messages): (Vec<_>, Vec<_>) = report.inputs.iter().enumerate().map(begin).unzip();
        let decision =
            self.vdaf.verifier_shares_to_message(CONTEXT, &(), messages).expect("an honest report");
        let finish = |state| match self.vdaf.verify_next(CONTEXT, state, decision.clone()) {
            Ok(VerifyTransition::Finish(output)) => output,
            _ => panic!("Prio3 takes one round, and the report is honest"),
        };
        states.into_iter().map(finish).collect()
    }

    /// Output shares of all reports, for each aggregator.
    pub(crate) fn outputs(&self) -> Vec<Vec<Output>> {
        let mut outputs = vec![Vec::new(); self.aggregators()];
        for report in &self.reports {
            for (own, output) in outputs.iter_mut().zip(self.verify(report)) {
                own.push(output);
            }
        }
        outputs
    }

    /// Sums without a report.
    pub(crate) fn zero(&self) -> Aggregate {
        self.vdaf.aggregate_init(&())
    }

    /// The aggregators' work: every report verified and added to each aggregator's sum.
    pub(crate) fn verify_all(&self) -> Vec<Aggregate> {
        let mut sums = vec![self.zero(); self.aggregators()];
        for report in &self.reports {
            for (sum, output) in sums.iter_mut().zip(self.verify(report)) {
                sum.accumulate(&output).expect("one length");
            }
        }
        sums
    }

    /// Events of each bucket, from all sums together. Not measured: it shows that the sums are right.
    #[cfg(test)]
    pub(crate) fn counts(&self) -> Vec<u64> {
        let counts = prio::vdaf::Collector::unshard(&self.vdaf, &(), self.verify_all(), self.reports.len())
            .expect("all shares");
        counts.into_iter().map(|n| u64::try_from(n).expect("few events")).collect()
    }

    /// Bytes of a report.
    pub(crate) fn upload(&self) -> f64 {
        let report = &self.reports[0];
        let inputs: usize = report.inputs.iter().map(bytes).sum();
        (bytes(&report.public) + inputs) as f64
    }

    /// Bytes that the aggregators send each other for a report: a message from each, and the decision back to all but
    /// the one that makes it.
    pub(crate) fn exchange(&self) -> f64 {
        let report = &self.reports[0];
        let begin = |(id, input)| {
            let begun =
                self.vdaf.verify_init(&VERIFY_KEY, CONTEXT, id, &(), &report.nonce, &report.public, input);
            begun.expect("a well-formed report").1
        };
        let messages: Vec<_> = report.inputs.iter().enumerate().map(begin).collect();
        let sent: usize = messages[1..].iter().map(bytes).sum();
        let decision =
            self.vdaf.verifier_shares_to_message(CONTEXT, &(), messages).expect("an honest report");
        (sent + (self.aggregators() - 1) * bytes(&decision)) as f64
    }

    fn aggregators(&self) -> usize {
        self.reports[0].inputs.len()
    }
}

fn bytes(message: &impl Encode) -> usize {
    message.get_encoded().expect("an encodable message").len()
}
