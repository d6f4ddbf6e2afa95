//! What histories reached.

use super::model::{Answer, Model};
use chain::Payload;
use std::{collections::BTreeMap, fmt::Debug};

/// What a history reached: how often each kind of transaction came to each answer.
#[derive(Default)]
pub(super) struct Seen(pub(super) BTreeMap<(String, String), usize>);

impl Seen {
    pub(super) fn note(&mut self, payload: &Payload, answer: &Answer) {
        let answer = answer.as_ref().map_or_else(|error| path(&format!("{error:?}")), |()| "done".into());
        let kind = path(&format!("{payload:?}")).split(' ').next().expect("a name").to_owned();
        *self.0.entry((kind, answer)).or_default() += 1;
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (what, count) in other.0 {
            *self.0.entry(what).or_default() += count;
        }
    }

    /// How often a kind of transaction was submitted.
    pub(super) fn of_kind(&self, payload: &str) -> usize {
        self.0.iter().filter(|((kind, _), _)| kind == payload).map(|(_, count)| count).sum()
    }

    /// Notes what became of something.
    fn came_to(&mut self, what: &str, end: impl Debug) {
        let end = format!("{end:?}");
        let name = end.split(['(', ' ']).next().expect("a name");
        *self.0.entry((what.into(), name.into())).or_default() += 1;
    }

    /// Notes what became of epochs, cases, proposals, elections and assets.
    pub(super) fn outcomes(&mut self, model: &Model) {
        model.epochs.values().for_each(|epoch| self.came_to("epoch", epoch.phase));
        model.cases.values().for_each(|case| self.came_to("case", case.verdict));
        model.proposals.keys().for_each(|number| self.came_to("proposal", model.stage(*number)));
        let closed = model.elections.values().filter_map(|election| election.elected.as_ref());
        closed.for_each(|elected| self.came_to("council elected", !elected.is_empty()));
        model.assets.values().for_each(|asset| self.came_to("asset", &asset.state));
    }

    /// How often something with this answer happened, of any kind if none is named.
    pub(super) fn count(&self, payload: Option<&str>, answer: &str) -> usize {
        let named = |kind: &str| payload.is_none_or(|payload| payload == kind);
        let hits = self.0.iter().filter(|((kind, found), _)| named(kind) && found == answer);
        hits.map(|(_, count)| count).sum()
    }
}

/// The names of the variants in a value's debug text, from the outermost in: `Governance Stage`.
fn path(debug: &str) -> String {
    let end = debug.find(" {").unwrap_or(debug.len());
    let names: Vec<&str> = debug[..end].split('(').map(|name| name.trim_end_matches(')')).collect();
    names.join(" ")
}
