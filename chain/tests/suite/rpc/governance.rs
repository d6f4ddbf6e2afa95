//! What a node says of governance, of parameters, and of the order of search.

use super::*;
use crate::rpc::running::COUNCILLOR;
use chain::modules::{dapr::WorkFigures, governance::Parameter};
use primitives::params::q32;
use std::cmp::Reverse;

/// Calls a method of a node with a chain on which something was proposed.
fn ask(check: impl FnOnce(&World, &dyn Fn(&str, &[Value]) -> Value)) {
    let (world, dir) = settled();
    let node = Running::sequencer(dir.path(), world.ledger.origin().clone());
    let client = node.client();
    check(&world, &|method, arguments| client.call(method, arguments).expect(method));
}

#[test]
fn a_proposal_says_what_it_changes_and_what_comes_next() {
    ask(|world, call| {
        let on_record = world.ledger.state().proposals.get(&1).expect("made").clone();
        let answer = call("cwe_proposal", &[json!(1)]);
        let shown = &answer["proposal"];
        assert_eq!((&shown["number"], &shown["stage"]), (&json!(1), &json!("discussion")));
        assert_eq!(shown["next"], json!({ "stage": "voting", "at": on_record.vote_from }));
        assert_eq!((&shown["path"], &shown["quorum"]), (&json!("high"), &json!(on_record.quorum)));
        // One of five seats has said so; three are needed for yes and four for a veto.
        assert_eq!(shown["approvals"], json!({ "found": 1, "needed": 3 }));
        assert_eq!(shown["vetoes"], json!({ "found": 0, "needed": 4 }));
        let changes = shown["action"]["changes"].as_array().expect("a list");
        let alpha = &changes[0];
        assert_eq!((&alpha["parameter"], &alpha["after"]), (&json!("alpha"), &json!(q32(11, 10))));
        assert_eq!((&alpha["before_text"], &alpha["after_text"]), (&json!("1"), &json!("1.1")));
        assert_eq!((&changes[1]["before_text"], &changes[1]["after_text"]), (&json!("7d"), &json!("3d")));
        let said = json!([{ "author": COUNCILLOR, "document": digest(2) }]);
        assert_eq!(answer["statements"], said);
        let all = call("cwe_proposals", &[]);
        assert_eq!((&all["total"], &all["next"], &all["proposals"][0]), (&json!(1), &json!(null), shown));
        assert_eq!(call("cwe_proposals", &[json!(1)])["proposals"], json!([]));
        assert_eq!(call("cwe_ballots", &[json!(1)])["ballots"], json!([]));
    });
}

#[test]
fn what_is_not_there_is_said() {
    let (world, dir) = settled();
    let node = Running::sequencer(dir.path(), world.ledger.origin().clone());
    let client = node.client();
    for method in ["cwe_proposal", "cwe_ballots"] {
        assert_eq!(refused(client.call(method, &[json!(2)])).0, codes::NOT_FOUND, "{method}");
    }
    let too_early = client.call("cwe_parameters", &[json!(FIRST.0 - 1)]);
    assert_eq!(refused(too_early).1["parameter"], json!("epoch"));
    let smell = client.call("cwe_works", &[json!(null), json!(1), json!(null), json!(null), json!("smell")]);
    assert_eq!(refused(smell).1["parameter"], json!("media"));
}

#[test]
fn the_council_and_its_election_are_shown() {
    ask(|world, call| {
        let answer = call("cwe_council", &[]);
        let rules = &world.ledger.state().in_force(world.ledger.origin()).rules.governance;
        assert_eq!((&answer["seats"], &answer["approvals_needed"]), (&json!(rules.council_seats), &json!(3)));
        assert_eq!(answer["council"][0]["person"], json!(COUNCILLOR));
        let election = &answer["election"];
        assert_eq!((&election["number"], &election["stage"]), (&json!(1), &json!("standing")));
        assert_eq!(election["candidates"], json!([{ "person": COUNCILLOR, "votes": 0 }]));
        let cases = call("cwe_cases", &[]);
        let case = &cases["cases"][0];
        assert_eq!((&case["number"], &case["stage"]), (&json!(1), &json!("waits-for-jury")));
        assert_eq!(case["remedy"], json!({ "kind": "suspend", "person": person(1) }));
        assert_eq!((&case["panel"], &case["verdict"]), (&json!([]), &json!("open")));
    });
}

#[test]
fn parameters_have_the_values_in_force() {
    ask(|world, call| {
        let answer = call("cwe_parameters", &[]);
        let version = world.ledger.state().in_force(world.ledger.origin());
        let list = answer["parameters"].as_array().expect("a list");
        assert_eq!(list.len(), Parameter::ALL.len());
        for (shown, parameter) in list.iter().zip(Parameter::ALL) {
            assert_eq!(shown["name"], json!(parameter.name()));
            assert_eq!(shown["value"], json!(parameter.get(&version.into())), "{parameter}");
            let text = shown["text"].as_str().expect("a text");
            assert_eq!(parameter.unit().read(text), Ok(parameter.get(&version.into())));
        }
        assert_eq!(answer["versions"].as_array().map(Vec::len), Some(1));
    });
}

#[test]
fn search_goes_by_the_figures_of_the_last_epoch() {
    ask(|world, call| {
        let settlement = world.ledger.state().settlements.get(&FIRST).expect("settled");
        let mut figures: Vec<&WorkFigures> = settlement.works.iter().collect();
        figures.sort_by_key(|figures| (Reverse(figures.discovery), figures.work));
        assert!(figures[0].discovery > figures[figures.len() - 1].discovery, "they differ");
        let names = |answer: &Value| -> Vec<Value> {
            let list = answer["works"].as_array().expect("a list").iter();
            list.map(|shown| shown["work"]["id"].clone()).collect()
        };
        let expected: Vec<Value> = figures.iter().map(|figures| json!(figures.work)).collect();
        let all = call("cwe_discovery", &[]);
        assert_eq!((&all["epoch"], &all["total"]), (&json!(FIRST), &json!(expected.len())));
        assert_eq!(names(&all), expected);
        assert_eq!(names(&call("cwe_discovery", &[json!(1), json!(1)])), expected[1..2]);
        assert_eq!(names(&call("cwe_discovery", &[json!(1000)])), Vec::<Value>::new());

        // The same filter of the registry and of search.
        let works: Vec<_> = world.ledger.state().works.iter().cloned().collect();
        let creator = works[0].creator;
        let own = works.iter().filter(|work| work.creator == creator).count();
        assert!((1..works.len()).contains(&own), "not all are theirs");
        let registry = call("cwe_works", &[json!(null), json!(256), json!(creator)]);
        assert_eq!(registry["works"].as_array().map(Vec::len), Some(own));
        let found = call("cwe_discovery", &[json!(0), json!(256), json!(creator)]);
        assert!(
            found["works"].as_array().expect("a list").iter().all(|w| w["work"]["creator"] == json!(creator))
        );
        let media =
            call("cwe_works", &[json!(null), json!(256), json!(null), json!(null), json!("software")]);
        let software = works.iter().filter(|work| json!(work.media) == "software").count();
        assert_eq!(media["works"].as_array().map(Vec::len), Some(software));
        let key = world.keys[&COUNCILLOR].public_key();
        assert_eq!(call("cwe_accountOf", &[json!(key)])["persons"], json!([COUNCILLOR]));
    });
}
