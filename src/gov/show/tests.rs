use super::*;

fn proposal(action: Value) -> Value {
    json!({
        "number": 4, "stage": "voting", "next": { "stage": "queued", "at": 1_735_689_600u64 },
        "proposer": "ab".repeat(32), "document": "cd".repeat(32), "action": action, "path": "high",
        "created": 0, "vote_from": 86_400, "vote_until": 172_800, "enact_from": 259_200, "enact_until": 345_600,
        "electorate": 40, "quorum": 4, "majority": 6_667, "yes": 3, "no": 1, "abstain": 2, "passes": true,
        "approvals": { "found": 1, "needed": 3 }, "vetoes": { "found": 0, "needed": 4 },
    })
}

fn change() -> Value {
    json!({
        "kind": "set-parameters", "from": 20, "review_by": 30,
        "changes": [{ "parameter": "alpha", "before_text": "1", "after_text": "1.1" }],
    })
}

#[test]
fn one_proposal_is_told_in_full() {
    let said = json!([{ "author": "ef".repeat(32), "document": "01".repeat(32) }]);
    let shown = one(&json!({ "now": 90_000, "proposal": proposal(change()), "statements": said }));
    for part in [
        "Proposal 4",
        "queued 2025-01-01 00:00",
        "3 yes, 1 no, 2 neither; with these it would pass",
        "6 of 4 votes that it takes, 40 voters",
        "more than 66.67%",
        "approvals 1 of 3 that it takes; vetoes 0 of 4",
        "1970-01-02 00:00 to 1970-01-03 00:00",
        "From epoch 20 on, to be looked at again by epoch 30",
        "Said on it",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let line = shown.lines().find(|line| line.contains("alpha")).expect("a row");
    let cells: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(cells, ["alpha", "1", "1.1"]);
}

#[test]
fn what_lacks_the_council_is_not_called_ready() {
    let mut waits = proposal(change());
    waits["stage"] = json!("waits-for-council");
    waits["next"] = json!({ "stage": "expired", "at": 345_600 });
    let shown = one(&json!({ "now": 0, "proposal": waits }));
    assert!(
        shown.contains("waits for the council (1 of 3)") && shown.contains("expired 1970-01-05"),
        "{shown}"
    );
    let listed = list(&json!({ "now": 0, "proposals": [waits] }));
    assert!(listed.contains("council (1 of"), "{listed}");
    assert!(stands(&waits).contains("waits for the council (1 of 3)"));
}

#[test]
fn what_never_comes_has_no_dates() {
    let rows = |stage: &str| {
        let mut proposal = proposal(change());
        proposal["stage"] = json!(stage);
        let shown = one(&json!({ "now": 0, "proposal": proposal }));
        ["discussion", "vote ", "notice", "enactment"].map(|name| shown.contains(&format!("\n {name}")))
    };
    assert_eq!(rows("withdrawn"), [false; 4]);
    assert_eq!(rows("rejected"), [true, true, false, false]);
    assert_eq!(rows("vetoed"), [true, true, true, false]);
    assert_eq!(rows("expired"), [true; 4]);
}

#[test]
fn the_council_has_its_say_where_it_has_one() {
    let mut ordinary = proposal(change());
    ordinary["path"] = json!("ordinary");
    assert!(council_of(&ordinary).starts_with("approval is not needed"));
    ordinary["path"] = json!("people");
    assert!(council_of(&ordinary).contains("no say"));
}

#[test]
fn every_action_has_a_line() {
    for (action, line) in [
        (change(), "alpha 1 -> 1.1, from epoch 20"),
        (json!({ "kind": "set-offices", "person": "p", "give": ["auditor"], "take": [] }), "give auditor: p"),
        (
            json!({ "kind": "set-offices", "person": "p", "give": ["auditor"], "take": ["oracle"] }),
            "give auditor, take oracle: p",
        ),
        (
            json!({ "kind": "spend", "fund": "eco", "amount": 2_500_000u64, "to": "p" }),
            "pay 2.5 credits from eco to p",
        ),
        (
            json!({ "kind": "remove-work", "work": "w", "removal": "deprecated", "from": 3 }),
            "work w is deprecated from epoch 3 on",
        ),
        (json!({ "kind": "recall", "person": "p" }), "recall p"),
        (
            json!({ "kind": "upgrade", "module": "dapr", "version": 2, "from": 3, "code": "c" }),
            "upgrade dapr 2",
        ),
        (json!({ "kind": "resolve", "text": "t" }), "resolve t"),
        (json!({ "kind": "approve-valuation", "asset": "a", "round": 2 }), "approve valuation a 2"),
        (json!({ "kind": "approve-service", "manifest": "m", "most": 5 }), "approve service m 5"),
        (json!({ "kind": "acquire-asset", "asset": "a", "cost": 1_000_000u64 }), "buy asset a for 1 credit"),
        (
            json!({ "kind": "offer-asset", "asset": "a", "price": 1_000_000u64, "buyer": "b" }),
            "offer asset a for 1 credit to b",
        ),
    ] {
        assert_eq!(what(&action), line);
    }
}

#[test]
fn lists_say_what_comes_next() {
    let shown = list(&json!({ "now": 0, "proposals": [proposal(change())] }));
    assert!(shown.contains("3/1/2") && shown.contains("queued 2025-01-01 00:00"), "{shown}");
    assert!(list(&json!({ "now": 0, "proposals": [] })).contains("cwe gov propose"));
    let case = json!({
        "number": 2, "stage": "waits-for-jury", "remedy": { "kind": "suspend", "person": "p" }, "draw_from": 7,
        "granted": 0, "dismissed": 0, "verdict": "open",
    });
    let shown = case_list(&json!({ "cases": [case] }));
    assert!(shown.contains("suspend p") && shown.contains("epoch 7"), "{shown}");
    assert_eq!(case_list(&json!({ "cases": [] })), "No cases.\n");
}

#[test]
fn the_council_and_the_rules_are_shown() {
    let answer = json!({
        "seats": 5, "approvals_needed": 3, "vetoes_needed": 4, "election": null,
        "council": [{ "person": "p", "until": 86_400, "election": 0 }],
    });
    let shown = seats(&answer);
    assert!(shown.contains("1 of 5 seats") && shown.contains("genesis") && shown.contains("call-election"));
    let mut later = answer;
    later["election"] = json!({
        "number": 1, "stage": "voting", "stand_until": 0, "vote_until": 86_400,
        "candidates": [{ "person": "q", "votes": 12 }],
    });
    assert!(seats(&later).contains("Election 1: voting"));
    let rules = json!({
        "epoch": 3, "versions": [{ "from": 1 }, { "from": 9 }],
        "parameters": [{ "name": "alpha", "text": "1", "unit": "ratio", "high": true }],
    });
    let shown = parameters(&rules);
    assert!(shown.contains("vote and council") && shown.contains("from epoch 9 on"), "{shown}");
}
