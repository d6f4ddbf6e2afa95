//! `cwe payouts`: what somebody is owed and was paid.

use crate::{
    account::{self, ChainFailure, Node, payee, short},
    cli::{PayoutFormat, Payouts},
    output::{self, Failure, table},
};
use primitives::{Credits, EpochId, PersonId, WorkId};
use serde_json::{Value, json};
use sim::report::{credits, several};

/// Where a payout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    /// Its epoch has totals and revenue on record, and nobody has settled it.
    NotSettled,
    /// The vault on L1 pays it.
    OnLayer1,
    Claimable,
    Claimed,
}

impl Status {
    fn of(name: &str) -> Option<Self> {
        match name {
            "expected" => Some(Self::NotSettled),
            "on-layer1" => Some(Self::OnLayer1),
            "claimable" => Some(Self::Claimable),
            "claimed" => Some(Self::Claimed),
            _ => None,
        }
    }

    /// Column that it stands in.
    fn column(self) -> usize {
        match self {
            Self::NotSettled | Self::OnLayer1 => 0,
            Self::Claimable => 1,
            Self::Claimed => 2,
        }
    }

    /// Why it cannot be claimed.
    fn note(self) -> &'static str {
        match self {
            Self::NotSettled => "not settled yet",
            Self::OnLayer1 => "paid by the vault on L1",
            Self::Claimable | Self::Claimed => "",
        }
    }
}

/// Names of the columns.
const COLUMNS: [&str; 3] = ["expected", "claimable", "claimed"];

/// A payout.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    epoch: EpochId,
    work: WorkId,
    amount: Credits,
    status: Status,
}

/// Shows payouts, and claims them.
pub(crate) fn run(arguments: &Payouts) -> Result<(), Failure> {
    let node = Node::connect(&arguments.url)?;
    let person = arguments.creator;
    let claims = if arguments.claim { Some(claim(&node, arguments)?) } else { None };
    let rows = rows(&node, person, arguments.from)?;
    match arguments.output {
        PayoutFormat::Json => output::json(&object(person, &rows, claims)),
        PayoutFormat::Csv => output::print(&csv(&rows)),
        PayoutFormat::Table => {
            let claimed = claims.map_or_else(String::new, |claims| {
                format!("{} submitted.\n\n", several(claims.len() as u64, "claim was", "claims were"))
            });
            output::print(&format!("{claimed}{}", text(person, &rows)))
        }
    }
}

/// The epochs of a chain that have opened, from one on.
fn epochs(node: &Node, from: Option<EpochId>) -> Result<impl Iterator<Item = u64> + use<>, ChainFailure> {
    let chain = node.ask("cwe_chain", &[])?;
    let first: u64 = node.field(&chain, "first_epoch")?;
    let next: u64 = node.field(&chain, "next_epoch")?;
    Ok(from.map_or(first, |from| from.0.max(first))..next)
}

/// What a method lists of a person and an epoch, of all its pages.
fn all(
    node: &Node,
    [method, list]: [&str; 2],
    person: PersonId,
    epoch: u64,
) -> Result<Vec<Value>, ChainFailure> {
    let (mut found, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = node.ask(method, &[json!(person), json!(epoch), after])?;
        found.extend(node.list(&page, list)?);
        after = page["next"].clone();
        if after.is_null() {
            return Ok(found);
        }
    }
}

fn rows(node: &Node, person: PersonId, from: Option<EpochId>) -> Result<Vec<Row>, ChainFailure> {
    let mut rows = Vec::new();
    for epoch in epochs(node, from)? {
        for payout in all(node, ["cwe_payouts", "payouts"], person, epoch)? {
            rows.push(Row {
                epoch: EpochId(epoch),
                work: node.field(&payout, "work")?,
                amount: node.field(&payout, "amount")?,
                status: status(node, &payout)?,
            });
        }
    }
    Ok(rows)
}

fn status(node: &Node, payout: &Value) -> Result<Status, ChainFailure> {
    let name: String = node.field(payout, "status")?;
    Status::of(&name).ok_or_else(|| {
        let error = serde::de::Error::custom(format!("{name:?} is no status"));
        ChainFailure::Answer { url: node.url.clone(), field: "status".into(), error }
    })
}

/// Submits every open claim, and waits until the last is in a block.
fn claim(node: &Node, arguments: &Payouts) -> Result<Vec<Value>, ChainFailure> {
    let mut claims = Vec::new();
    for epoch in epochs(node, arguments.from)? {
        for claim in all(node, ["cwe_claims", "claims"], arguments.creator, epoch)? {
            let bytes: String = node.field(&claim, "transaction")?;
            claims.push((epoch, claim, bytes));
        }
    }
    let last = claims.len().saturating_sub(1);
    let mut sent = Vec::new();
    for (place, (epoch, claim, bytes)) in claims.iter().enumerate() {
        let (work, amount) = (&claim["work"], &claim["amount"]);
        match account::send_bytes(node, bytes, place == last) {
            Ok(standing) => sent.push(json!({
                "epoch": epoch,
                "work": work,
                "amount": amount,
                "transaction": standing["transaction"],
                "status": standing["status"],
            })),
            // Somebody else brought it meanwhile: it is paid all the same.
            Err(ChainFailure::Refused { rule, .. }) if rule == "AlreadyClaimed" => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(sent)
}

fn totals(rows: &[Row]) -> [Credits; 3] {
    let mut totals = [Credits::ZERO; 3];
    for row in rows {
        let total = &mut totals[row.status.column()];
        *total = total.checked_add(row.amount).expect("payouts are bounded by the supply");
    }
    totals
}

fn object(person: PersonId, rows: &[Row], claims: Option<Vec<Value>>) -> Value {
    let payout = |row: &Row| {
        let note = Some(row.status.note()).filter(|note| !note.is_empty());
        json!({
            "epoch": row.epoch,
            "work": row.work,
            "amount": row.amount,
            "status": COLUMNS[row.status.column()],
            "note": note,
        })
    };
    let [expected, claimable, claimed] = totals(rows);
    json!({
        "person": person,
        "payouts": rows.iter().map(payout).collect::<Vec<_>>(),
        "totals": { "expected": expected, "claimable": claimable, "claimed": claimed },
        "claims": claims,
    })
}

fn csv(rows: &[Row]) -> String {
    let mut text = "epoch,work,amount,status,note\n".to_owned();
    for row in rows {
        let (amount, column) = (row.amount.0, COLUMNS[row.status.column()]);
        text += &format!("{},{},{amount},{column},{}\n", row.epoch, row.work, row.status.note());
    }
    text
}

fn text(person: PersonId, rows: &[Row]) -> String {
    if rows.is_empty() {
        return format!("Nothing is owed to {}, and nothing was paid.\n", payee(&person));
    }
    let cells = |amounts: [Option<Credits>; 3]| amounts.map(|x| x.map_or_else(String::new, credits));
    let mut lines: Vec<[String; 6]> = rows
        .iter()
        .map(|row| {
            let mut amounts = [None; 3];
            amounts[row.status.column()] = Some(row.amount);
            let [expected, claimable, claimed] = cells(amounts);
            let (epoch, work) = (row.epoch.to_string(), short(&json!(row.work)));
            [epoch, work, row.status.note().into(), expected, claimable, claimed]
        })
        .collect();
    let [expected, claimable, claimed] = cells(totals(rows).map(Some));
    lines.push(["total".into(), String::new(), String::new(), expected, claimable, claimed]);
    let [a, b, c] = COLUMNS;
    let person = payee(&person);
    format!("Payouts of {person}, in credits\n\n{}", table(["epoch", "work", "", a, b, c], 3, lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(epoch: u64, amount: u64, status: &str) -> Row {
        let status = Status::of(status).expect("a status");
        Row { epoch: EpochId(epoch), work: WorkId([epoch as u8; 32]), amount: Credits(amount), status }
    }

    fn all() -> Vec<Row> {
        vec![
            row(1, 2_000_000, "claimed"),
            row(1, 500_000, "on-layer1"),
            row(2, 3_000_000, "claimable"),
            row(2, 1, "claimable"),
            row(3, 4_000_000, "expected"),
        ]
    }

    #[test]
    fn what_is_expected_claimable_and_claimed_is_added_up() {
        let person = PersonId([7; 32]);
        assert_eq!(totals(&all()).map(|sum| sum.0), [4_500_000, 3_000_001, 2_000_000]);
        let shown = object(person, &all(), None);
        assert_eq!(
            shown["totals"],
            json!({ "expected": 4_500_000, "claimable": 3_000_001, "claimed": 2_000_000 })
        );
        assert_eq!(shown["payouts"][1]["note"], json!("paid by the vault on L1"));
        assert_eq!((&shown["payouts"][4]["status"], &shown["claims"]), (&json!("expected"), &json!(null)));
        let table = text(person, &all());
        let last = table.lines().last().expect("a total");
        let cells: Vec<&str> = last.split_whitespace().collect();
        assert_eq!(cells, ["total", "4.500000", "3.000001", "2.000000"]);
        assert!(table.contains("not settled yet"));
        assert!(text(person, &[]).starts_with("Nothing is owed"));
        assert_eq!(Status::of("settled"), None);
    }

    #[test]
    fn csv_has_a_line_a_payout() {
        let text = csv(&all());
        assert_eq!(text.lines().count(), 6);
        let line = format!("3,{},4000000,expected,not settled yet", WorkId([3; 32]));
        assert_eq!(text.lines().last(), Some(line.as_str()));
    }
}
