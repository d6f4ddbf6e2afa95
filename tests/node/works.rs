//! Terms of works through the command: what is planned, what is on its way, and what comes back.

use crate::{commands::Stage, common::path};
use primitives::params::q32;
use serde_json::{Value, json};

/// A stage with a registered work, its name, and the creator's key.
fn stage() -> (Stage, String, String) {
    let stage = Stage::new();
    let key = stage.key("creator");
    let song = stage.file("song.flac", "la la la");
    let base = ["work", "register", path(&song), "--key", &key, "--category", "3", "--media", "audio"];
    let work = stage.json(&base)["work"].as_str().expect("a name").to_owned();
    (stage, work, key)
}

fn prices(shown: &Value) -> [(u64, u64); 2] {
    [&shown["terms"], &shown["next"]]
        .map(|terms| (terms["from"].as_u64().unwrap_or(0), terms["price"].as_u64().unwrap_or(0)))
}

#[test]
fn terms_that_are_planned_are_not_lost() {
    let (stage, work, key) = stage();
    let update = ["work", "update", &work, "--key", &key];
    let with = |more: &[&'static str]| [&update[..], more].concat();
    stage.json(&with(&["--price", "1.2", "--from", "3"]));
    let shown = stage.table(&["work", "show", &work]);
    assert!(shown.contains("price 1\n") && shown.contains("price 1.2\n"), "{shown}");
    stage.fails(&with(&["--price", "0.9"]), 2, "other terms from epoch 3 on: give that epoch as --from");
    stage.fails(&with(&["--price", "0.9", "--from", "4"]), 1, "an earlier one takes their place");

    // What is not given is what holds in the epoch that is named, and not what was planned for a later one.
    let split = format!("{}=100%", stage.net.person("voter"));
    let earlier = stage.json(&[&with(&["--from", "2", "--split"])[..], &[&split]].concat());
    assert_eq!((&earlier["price"], &earlier["in_place_of_those_from_epoch"]), (&json!(q32(1, 1)), &json!(3)));
    let shown = stage.json(&["work", "show", &work]);
    assert_eq!(prices(&shown), [(1, q32(1, 1)), (2, q32(1, 1))]);

    // Terms that never hold are not shown: no epoch has opened.
    stage.json(&with(&["--price", "0.9", "--from", "1"]));
    let shown = stage.table(&["work", "show", &work]);
    assert!(shown.contains("price 0.9\n") && !shown.contains("price 1\n"), "{shown}");
}

#[test]
fn updates_that_do_not_wait_build_on_each_other() {
    let (stage, work, key) = stage();
    let update = ["work", "update", &work, "--key", &key, "--no-wait", "--from", "1"];
    let creator = stage.net.person("creator");
    let quick = stage.json(&[&update[..], &["--price", "0.9"]].concat());
    assert_eq!(quick["status"], json!("confirmed"));
    let halves = [format!("{creator}=50%"), format!("{}=50%", stage.net.person("voter"))];
    let second = stage.json(&[&update[..], &["--split", &halves[0], "--split", &halves[1]]].concat());
    assert_eq!(second["price"], json!(q32(9, 10)), "the first is not lost");
}

#[test]
fn a_work_comes_back_with_the_terms_that_it_had() {
    let (stage, work, key) = stage();
    let update = ["work", "update", &work, "--key", &key];
    stage.json(&[&update[..], &["--price", "1.2", "--from", "5"]].concat());
    stage.json(&["work", "deprecate", &work, "--from", "3", "--key", &key]);
    let shown = stage.table(&["work", "show", &work]);
    assert!(shown.contains("deprecated from epoch 3 on") && !shown.contains("1.2"), "{shown}");
    stage.fails(&[&update[..], &["--from", "4"]].concat(), 1, "holds from epoch 3 on or earlier");
    let back = stage.json(&update);
    assert_eq!((&back["price"], &back["from_epoch"]), (&json!(q32(1, 1)), &json!(1)));
    assert_eq!(
        (&back["leaves_no_more_in_epoch"], &back["in_place_of_those_from_epoch"]),
        (&json!(3), &json!(5))
    );
    assert_eq!(stage.json(&["work", "show", &work])["gone"], Value::Null);
}
