//! A sweep for people and for programs. Both are made from the lines of CSV, so that all three say the same.

use crate::output;
use ::sim::{
    economics::{METRICS, Market, sweep::Plan},
    report::thousands,
};
use serde_json::{Map, Value, json};

/// Rows that a table shows.
const SHOWN: usize = 60;

/// The rows of one combination of grid values.
struct Combination<'a> {
    values: Vec<&'a str>,
    /// Figures of each seed.
    figures: Vec<Vec<f64>>,
}

impl Combination<'_> {
    fn mean(&self, metric: usize) -> f64 {
        self.figures.iter().map(|row| row[metric]).sum::<f64>() / self.figures.len() as f64
    }

    fn extreme(&self, metric: usize, better: fn(f64, f64) -> f64) -> f64 {
        self.figures.iter().map(|row| row[metric]).reduce(better).unwrap_or(f64::NAN)
    }
}

/// The lines of a sweep by combination, in the order of the grids.
fn combinations<'a>(plan: &Plan, text: &'a str) -> Vec<Combination<'a>> {
    let (grids, mut all) = (plan.grids().len(), Vec::new());
    for (index, line) in (0..).zip(text.lines().skip(1)) {
        let fields: Vec<&str> = line.split(',').collect();
        let figures = fields[grids + 1..].iter().map(|x| x.parse().unwrap_or(f64::NAN)).collect();
        let place = (index % plan.combinations()) as usize;
        if place == all.len() {
            all.push(Combination { values: fields[..grids].to_vec(), figures: Vec::new() });
        }
        all[place].figures.push(figures);
    }
    all
}

/// Means over the seeds, a line for each combination.
pub(super) fn table(plan: &Plan, text: &str) -> String {
    let grids = plan.grids();
    let heading = |name: &str| name.replace('_', " ");
    let mut header: Vec<String> = grids.iter().map(|grid| heading(&grid.name)).collect();
    header.extend(METRICS.iter().map(|name| heading(name)));
    let all = combinations(plan, text);
    let row = |one: &Combination<'_>| {
        let values = one.values.iter().map(|value| (*value).to_owned());
        values.chain((0..METRICS.len()).map(|metric| format!("{:.3}", one.mean(metric)))).collect()
    };
    let mut printed = format!("\n{}", output::wide_table(&header, all.iter().take(SHOWN).map(row).collect()));
    let (first, seeds) = plan.seeds();
    printed += &match seeds {
        1 => format!("\nSeed {first}."),
        _ => format!("\nMeans over {} seeds from {first} on.", thousands(seeds)),
    };
    if all.len() > SHOWN {
        printed +=
            &format!(" The first {SHOWN} of {} combinations; -o csv has all.", thousands(all.len() as u64));
    }
    printed + " An attack pays where its return (roi) is above 0, or its gain above 1.\n"
}

/// One object: what was swept, every row, and for each combination mean, least and most over the seeds.
pub(super) fn object(market: &Market, plan: &Plan, text: &str) -> Value {
    let columns = plan.columns();
    let grids = plan.grids().len();
    let value = |place: usize, field: &str| match field.parse::<f64>() {
        // Grid values and figures as numbers where they are, and the seed without a point.
        Ok(_) if place == grids => json!(field.parse::<u64>().unwrap_or_default()),
        Ok(number) => json!(number),
        Err(_) => json!(field),
    };
    let rows = text.lines().skip(1).map(|line| {
        let fields = line.split(',').enumerate().map(|(place, field)| value(place, field));
        columns.iter().map(|name| (*name).to_owned()).zip(fields).collect::<Map<_, _>>()
    });
    let summary = combinations(plan, text).into_iter().map(|one| {
        let values = one.values.iter().enumerate().map(|(place, field)| value(place, field));
        let mut object: Map<String, Value> =
            columns.iter().map(|name| (*name).to_owned()).zip(values).collect();
        for (metric, name) in METRICS.iter().enumerate() {
            let [least, most] = [f64::min, f64::max].map(|better| one.extreme(metric, better));
            object.insert((*name).to_owned(), json!({"mean": one.mean(metric), "min": least, "max": most}));
        }
        Value::Object(object)
    });
    let (first_seed, seeds) = plan.seeds();
    json!({
        "source": market.source(),
        "market_seed": market.seed(),
        "subscribers": market.subscribers(),
        "works": market.works(),
        "pairs": market.pairs(),
        "preset": plan.preset(),
        "grids": plan.grids(),
        "first_seed": first_seed,
        "seeds": seeds,
        "config": plan.digest(market),
        "columns": columns,
        "rows": rows.map(Value::Object).collect::<Vec<_>>(),
        "summary": summary.collect::<Vec<_>>(),
    })
}
