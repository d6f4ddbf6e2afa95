//! `cwe work show` and `cwe work list`.

use super::{
    change::{first_epoch, terms_in},
    split_text,
};
use crate::{
    account::{ChainFailure, Node, short, text},
    cli::{
        Format,
        work::{List, Order, ShowWork},
    },
    output::{self, Failure, facts, table},
};
use chain::modules::{dapr::payout::Split, governance::Unit};
use primitives::{EpochId, params::ONE_Q32};
use serde_json::{Value, json};

/// Works of one page, as many as a node gives at once.
const PAGE: u64 = 256;

/// Shows a work.
pub(crate) fn show(arguments: &ShowWork) -> Result<(), Failure> {
    let node = Node::connect(&arguments.ask.url)?;
    let work = node.ask("cwe_work", &[json!(node.work(&arguments.work)?)])?;
    match arguments.ask.output {
        Format::Json => output::json(&work),
        Format::Table => output::print(&facts(&rows(&node, &work)?)),
    }
}

fn rows(node: &Node, work: &Value) -> Result<Vec<[String; 2]>, ChainFailure> {
    let mut rows: Vec<[String; 2]> = [
        ("work", "id"),
        ("creator", "creator"),
        ("fingerprint", "fingerprint"),
        ("media", "media"),
        ("category", "category"),
        ("manifest's hash", "metadata"),
        ("from epoch", "active_from"),
    ]
    .into_iter()
    .map(|(name, field)| [name.into(), text(&work[field])])
    .collect();
    for terms in terms_to_show(work, node.epoch()?) {
        let splits: Vec<Split> = node.field(terms, "splits")?;
        let from = first_epoch(work, terms);
        rows.push([format!("terms from epoch {from}"), format!("price {}", price(terms))]);
        rows.extend(splits.iter().map(|split| ["paid to".to_owned(), split_text(split)]));
    }
    if !work["gone"].is_null() {
        let (from, how) = (text(&work["gone"]["from"]), text(&work["gone"]["removal"]));
        rows.push(["leaves".into(), format!("{how} from epoch {from} on")]);
    }
    Ok(rows)
}

/// The terms that hold in the running epoch, or first, and those to come: none that hold no more or never will.
fn terms_to_show(work: &Value, running: EpochId) -> Vec<&Value> {
    let now = terms_in(work, running);
    let gone = work["gone"]["from"].as_u64();
    let comes = |next: &&Value| {
        *next != now && next["from"].as_u64().is_some_and(|from| gone.is_none_or(|gone| from < gone))
    };
    [Some(now), Some(&work["next"]).filter(comes)].into_iter().flatten().collect()
}

fn price(terms: &Value) -> String {
    terms["price"].as_u64().map_or_else(|| "-".into(), |price| Unit::Ratio.show(price))
}

/// Lists works.
pub(crate) fn list(arguments: &List) -> Result<(), Failure> {
    let node = Node::connect(&arguments.ask.url)?;
    let listed = match arguments.by {
        Order::Id => by_id(&node, arguments)?,
        Order::Discovery => by_discovery(&node, arguments)?,
    };
    match arguments.ask.output {
        Format::Json => output::json(&listed),
        Format::Table => output::print(&listing(&listed, node.epoch()?)),
    }
}

fn filter(arguments: &List) -> [Value; 3] {
    [json!(arguments.creator), json!(arguments.category), json!(arguments.media)]
}

fn by_id(node: &Node, arguments: &List) -> Result<Value, ChainFailure> {
    let (mut works, mut after) = (Vec::new(), Value::Null);
    loop {
        let count = (arguments.limit - works.len() as u64).min(PAGE);
        let page = node.ask("cwe_works", &[&[after, json!(count)][..], &filter(arguments)].concat())?;
        works.extend(node.list(&page, "works")?);
        after = page["next"].clone();
        let more = !after.is_null();
        if !more || works.len() as u64 >= arguments.limit {
            return Ok(json!({ "by": "id", "works": works, "more": more, "registered": page["total"] }));
        }
    }
}

fn by_discovery(node: &Node, arguments: &List) -> Result<Value, ChainFailure> {
    let mut works = Vec::new();
    loop {
        let (skip, count) = (works.len() as u64, (arguments.limit - works.len() as u64).min(PAGE));
        let page =
            node.ask("cwe_discovery", &[&[json!(skip), json!(count)][..], &filter(arguments)].concat())?;
        let found = node.list(&page, "works")?;
        let last = found.is_empty();
        works.extend(found);
        let more = page["total"].as_u64().is_some_and(|total| total > works.len() as u64);
        if last || !more || works.len() as u64 >= arguments.limit {
            return Ok(json!({ "by": "discovery", "epoch": page["epoch"], "works": works, "more": more }));
        }
    }
}

fn listing(listed: &Value, running: EpochId) -> String {
    let works = listed["works"].as_array().map_or(&[][..], Vec::as_slice);
    let discovery = listed["by"] == "discovery";
    if works.is_empty() {
        return if discovery && listed["epoch"].is_null() {
            "No epoch is settled yet, so that there is no order of search: see `cwe work list`.\n".into()
        } else {
            "No such works.\n".into()
        };
    }
    let mut text = if discovery {
        let rows = works.iter().enumerate().map(|(place, shown)| {
            let work = &shown["work"];
            let rank = (place + 1).to_string();
            [rank, short(&work["id"]), kind(work), self::text(&work["category"]), reputation(shown)]
        });
        let title = format!("In the order of search after epoch {}\n\n", self::text(&listed["epoch"]));
        title + &table(["", "work", "media", "category", "reputation"], 3, rows.collect())
    } else {
        let row = |work: &Value| {
            let from = self::text(&work["active_from"]);
            let (id, creator) = (short(&work["id"]), short(&work["creator"]));
            [id, creator, kind(work), self::text(&work["category"]), from, price(terms_in(work, running))]
        };
        let header = ["work", "creator", "media", "category", "from", "price"];
        table(header, 3, works.iter().map(row).collect())
    };
    if listed["more"] == true {
        text += "\nThere are more: raise --limit.\n";
    }
    text
}

/// Its media, and whether it leaves.
fn kind(work: &Value) -> String {
    let media = text(&work["media"]);
    if work["gone"].is_null() {
        media
    } else {
        format!("{media} (leaves in {})", text(&work["gone"]["from"]))
    }
}

fn reputation(shown: &Value) -> String {
    let hundredths = shown["reputation"].as_u64().unwrap_or(0) as u128 * 100 / u128::from(ONE_Q32);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(id: &str, gone: Value) -> Value {
        json!({
            "id": id, "creator": "c".repeat(64), "media": "audio", "category": 3, "active_from": 2, "gone": gone,
            "terms": { "from": 2, "price": ONE_Q32 * 3 / 2, "splits": [] }, "next": null,
        })
    }

    #[test]
    fn lists_say_what_there_is() {
        let works = json!([work("w1", json!(null)), work("w2", json!({ "from": 9, "removal": "removed" }))]);
        let shown = listing(&json!({ "by": "id", "works": works, "more": true }), EpochId(2));
        for said in ["w1", "w2", "1.5", "leaves in 9", "cccccccccccc…", "raise --limit"] {
            assert!(shown.contains(said), "{said}: {shown}");
        }
        let ranked =
            json!([{ "work": work("w1", json!(null)), "discovery": "9", "reputation": ONE_Q32 / 4 }]);
        let ranked = json!({ "by": "discovery", "epoch": 4, "works": ranked, "more": false });
        let shown = listing(&ranked, EpochId(4));
        assert!(shown.contains("after epoch 4") && shown.contains("0.25") && !shown.contains("--limit"));
        let none = json!({ "by": "discovery", "epoch": null, "works": [], "more": false });
        let none = listing(&none, EpochId(1));
        assert!(none.contains("No epoch is settled"));
        let none = json!({ "by": "id", "works": [], "more": false });
        assert_eq!(listing(&none, EpochId(1)), "No such works.\n");
    }

    #[test]
    fn terms_that_never_hold_are_not_shown() {
        let two = |terms: u64, next: u64, gone: Value| json!({ "active_from": terms, "terms": { "from": terms }, "next": { "from": next }, "gone": gone });
        let shown = |work: &Value, running| {
            let terms = terms_to_show(work, EpochId(running));
            terms.iter().map(|terms| terms["from"].as_u64().expect("an epoch")).collect::<Vec<_>>()
        };
        let planned = two(1, 4, Value::Null);
        assert_eq!((shown(&planned, 3), shown(&planned, 4)), (vec![1, 4], vec![4]));
        // Nothing has opened, and a change holds from the first epoch on.
        assert_eq!(shown(&two(1, 1, Value::Null), 1), [1]);
        assert_eq!(shown(&two(1, 4, json!({ "from": 3 })), 1), [1]);
        assert_eq!(shown(&two(1, 4, json!({ "from": 5 })), 1), [1, 4]);
    }
}
