//! Which works there are, and in which order search shows them (chain spec 3.1: "Expose interfaces for DAPR and
//! discovery services").

use super::{Failure, Service, args::Args, records::work_object};
use crate::{
    modules::{
        dapr::WorkFigures,
        work_registry::{MediaType, Work},
    },
    state::State,
};
use primitives::PersonId;
use serde_json::{Value, json};
use std::cmp::Reverse;

/// Which works are wanted.
pub(super) struct Wanted {
    creator: Option<PersonId>,
    category: Option<u64>,
    media: Option<MediaType>,
}

impl Wanted {
    /// Reads creator, category and media, the first of which is the parameter at `first`.
    pub(super) fn read(args: &Args, first: usize) -> Result<Self, Failure> {
        let media = args.text_or_none(first + 2)?;
        let media = media.map(|name| {
            let found = serde_json::from_value::<MediaType>(Value::from(name));
            found.map_err(|_| args.expected(first + 2, "audio, video, text, image, software or other"))
        });
        Ok(Self {
            creator: args.id_or_none(first)?,
            category: args.number_or_none(first + 1)?,
            media: media.transpose()?,
        })
    }

    pub(super) fn has(&self, work: &Work) -> bool {
        self.creator.is_none_or(|creator| creator == work.creator)
            && self.category.is_none_or(|category| category == u64::from(work.category.0))
            && self.media.is_none_or(|media| media == work.media)
    }
}

/// Works by what search goes by, after the last epoch that was settled: the discovery weight, which is concave in usage
/// and knows no price, and the name where it is the same.
pub(super) fn discovery(service: &Service, args: &Args) -> Result<Value, Failure> {
    let skip = usize::try_from(args.number_or(0, 0)?).unwrap_or(usize::MAX);
    let count = args.count(1)?;
    let wanted = Wanted::read(args, 2)?;
    let view = service.shared.view();
    Ok(view.read(|ledger| {
        let state = ledger.state();
        let Some(settlement) = state.settlements.iter().next_back() else {
            return json!({ "epoch": null, "works": [], "total": 0 });
        };
        let mut found = ranked(state, &settlement.works, &wanted);
        found.sort_by_key(|(figures, _)| (Reverse(figures.discovery), figures.work));
        let shown = found.iter().skip(skip).take(count).map(|(figures, work)| {
            json!({
                "work": work_object(work),
                "discovery": figures.discovery.to_string(),
                "reputation": figures.reputation,
            })
        });
        json!({ "epoch": settlement.epoch, "works": shown.collect::<Vec<_>>(), "total": found.len() })
    }))
}

fn ranked<'a>(
    state: &'a State,
    figures: &'a [WorkFigures],
    wanted: &Wanted,
) -> Vec<(&'a WorkFigures, &'a Work)> {
    let known = figures.iter().filter_map(|figures| Some((figures, state.works.get(&figures.work)?)));
    // What has left is in no search, whatever it was worth.
    let running = state.epochs.iter().next_back().map(|epoch| epoch.epoch);
    let offered = |work: &Work| running.is_none_or(|running| work.is_offered(running));
    known.filter(|(_, work)| wanted.has(work) && offered(work)).collect()
}
