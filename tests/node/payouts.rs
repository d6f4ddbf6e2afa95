//! What creators are owed, and in which order search shows works, through the command: on a chain whose first epoch is
//! settled, and that its sequencer goes on with.

use crate::{
    common::{cwe, error, path, stdout},
    process::Process,
    suite::world::{CHAIN, FIRST, World, bundles, person},
};
use chain::{
    ledger::Authority,
    modules::{dapr::PayoutLeaf, identity::Roles},
    node::{Store, origin},
    sequencer::{Author, Seal, SealedBlock},
    signature::SecretKey,
    wallet::keyfile,
};
use primitives::{Credits, PersonId};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use serde_json::{Value, json};
use std::{cmp::Reverse, fs};
use tempfile::TempDir;

const SEQUENCER: PersonId = PersonId([9; 32]);

/// A chain with a settled epoch, and its sequencer.
struct Settled {
    world: World,
    node: Process,
    _dir: TempDir,
}

impl Settled {
    fn new() -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        let author = Author { person: SEQUENCER, key: SecretKey::generate(&mut rng) };
        let office = Authority { person: SEQUENCER, key: author.key.public_key(), roles: Roles::SEQUENCER };
        let mut world = World::genesis_with(|genesis| genesis.offices.push(office)).and_works();
        world.run_epoch(FIRST, &bundles());
        let dir = tempfile::tempdir().expect("a temporary folder");
        let [genesis, key, data] =
            ["genesis.json", "sequencer.key", "data"].map(|name| dir.path().join(name));
        fs::write(&genesis, origin::to_json(world.ledger.origin())).expect("written");
        keyfile::write(&key, &author.key).expect("written");
        let mut store = Store::open(&data, world.ledger.origin().clone()).expect("opens").0;
        for block in &world.blocks {
            let seal = Some(Seal::sign(CHAIN, block, &author, &mut rng));
            store.append(&SealedBlock { block: block.clone(), seal }).expect("on disk");
        }
        drop(store);
        let run = ["node", "run", "--role", "sequencer", "--listen", "127.0.0.1:0", "--block-seconds", "1"];
        let files = ["-o", "json", "--genesis", path(&genesis), "--key", path(&key), "--dir", path(&data)];
        let node =
            Process::start(&run.iter().chain(&files).map(|text| (*text).to_owned()).collect::<Vec<_>>());
        Self { world, node, _dir: dir }
    }

    #[track_caller]
    fn says(&self, arguments: &[&str]) -> String {
        let output = cwe(&[arguments, &["--url", &self.node.url()]].concat());
        assert_eq!(output.status.code(), Some(0), "{arguments:?} {output:?}");
        stdout(&output).to_owned()
    }

    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.says(&[arguments, &["-o", "json"]].concat())).expect("one JSON object")
    }

    /// What the ledger owes somebody.
    fn leaves(&self, payee: PersonId) -> Vec<PayoutLeaf> {
        let settlement = self.world.ledger.state().settlements.get(&FIRST).expect("settled");
        settlement.leaves().filter(|leaf| leaf.payee == payee).collect()
    }
}

#[test]
fn what_is_owed_is_claimed_once_and_to_the_unit() {
    let settled = Settled::new();
    let creator = person(1);
    let (name, leaves) = (creator.to_string(), settled.leaves(creator));
    let owed = leaves.iter().map(|leaf| leaf.amount.0).sum::<u64>();
    assert!(leaves.len() > 1 && owed > 0);
    let payouts = ["payouts", "--creator", &name];

    let before = settled.json(&payouts);
    assert_eq!(before["totals"], json!({ "expected": 0, "claimable": owed, "claimed": 0 }));
    assert_eq!(before["claims"], json!(null));
    let csv = settled.says(&[&payouts[..], &["-o", "csv"]].concat());
    let amounts = csv.lines().skip(1).map(|line| line.split(',').nth(2).expect("an amount"));
    assert_eq!(amounts.map(|amount| amount.parse::<u64>().expect("a number")).sum::<u64>(), owed);
    assert_eq!(csv.matches(",claimable,").count(), leaves.len());
    let none = settled.json(&[&payouts[..], &["--from", "4"]].concat());
    assert_eq!(none["payouts"], json!([]), "the epoch before is left out");

    let balance = || {
        let account = settled.node.client().call("cwe_account", &[json!(creator)]).expect("an account");
        account["balance"].as_u64().expect("a number")
    };
    let had = balance();
    let claimed = settled.json(&[&payouts[..], &["--claim"]].concat());
    assert_eq!(claimed["claims"].as_array().map(Vec::len), Some(leaves.len()));
    assert_eq!(claimed["totals"], json!({ "expected": 0, "claimable": 0, "claimed": owed }));
    assert_eq!(balance() - had, owed);
    let again = settled.says(&[&payouts[..], &["--claim"]].concat());
    assert!(again.contains("0 claims were submitted"), "{again}");
    let total = again.lines().last().expect("a total").split_whitespace().last();
    assert_eq!(total, Some(Credits(owed).to_string().as_str()), "{again}");
    assert_eq!(balance() - had, owed);
    // The others are owed what they were.
    let other = settled.json(&["payouts", "--creator", &person(2).to_string()]);
    let owed = settled.leaves(person(2)).iter().map(|leaf| leaf.amount.0).sum::<u64>();
    assert_eq!(other["totals"]["claimable"], json!(owed));
}

#[test]
fn works_are_listed_in_the_order_of_search() {
    let mut settled = Settled::new();
    let mut figures = settled.world.ledger.state().settlements.get(&FIRST).expect("settled").works.clone();
    figures.sort_by_key(|figures| (Reverse(figures.discovery), figures.work));
    let names = |listed: &Value| -> Vec<Value> {
        let works = listed["works"].as_array().expect("a list");
        works.iter().map(|shown| shown["work"]["id"].clone()).collect()
    };
    let listed = settled.json(&["work", "list", "--by", "discovery"]);
    let expected: Vec<Value> = figures.iter().map(|figures| json!(figures.work)).collect();
    assert_eq!((&listed["epoch"], names(&listed)), (&json!(FIRST), expected.clone()));
    assert!(expected.len() > 2 && listed["more"] == false);
    let first = settled.json(&["work", "list", "--by", "discovery", "--limit", "2"]);
    assert_eq!((names(&first), &first["more"]), (expected[..2].to_vec(), &json!(true)));
    let mine = settled.json(&["work", "list", "--by", "discovery", "--creator", &person(1).to_string()]);
    assert!(names(&mine).len() < expected.len() && !names(&mine).is_empty());
    assert!(settled.says(&["work", "list", "--by", "discovery"]).contains("after epoch 3"));

    // A node that is gone is said, with what to do.
    let url = settled.node.url();
    settled.node.kill();
    let gone = cwe(&["payouts", "--creator", &person(1).to_string(), "--claim", "--url", &url]);
    assert_eq!(gone.status.code(), Some(2), "{gone:?}");
    assert!(error(&gone).contains("does not answer") && error(&gone).contains("cwe node run"), "{gone:?}");
}
