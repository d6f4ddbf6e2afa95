//! Works, governance and payouts through the command, over a running node.

use crate::{
    common::{cwe, error, path, stdout},
    process::{Net, Process},
};
use chain::{
    Ledger, Payload, Transaction,
    modules::governance::{Action, Change, Parameter, Propose, SetParameters},
    node::Store,
    sequencer::{Author, Seal, SealedBlock},
};
use primitives::{Digest, EpochId, Time, params::q32};
use rand_core::OsRng;
use serde_json::{Value, json};
use std::{
    fs,
    path::PathBuf,
    process::Output,
    time::{SystemTime, UNIX_EPOCH},
};

const DAY: u64 = 86_400;

/// A chain that began a month ago, on which the creator made a proposal eight days ago, and its sequencer.
pub(crate) struct Stage {
    pub(crate) net: Net,
    node: Process,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let net = Net::new();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let file = net.dir.path().join("genesis.json");
        let mut genesis: Value =
            serde_json::from_str(&fs::read_to_string(&file).expect("written")).expect("JSON");
        genesis["time"] = json!(now - 30 * DAY);
        fs::write(&file, genesis.to_string()).expect("written");

        let genesis = net.genesis();
        let mut ledger = Ledger::genesis(genesis.clone()).expect("valid");
        ledger.begin(Time(now - 8 * DAY));
        let changes = vec![Change { parameter: Parameter::Alpha, value: q32(11, 10) }];
        let action = Action::SetParameters(SetParameters { from: EpochId(5), changes, review_by: None });
        let payload = Payload::Propose(Propose { document: Digest([1; 32]), action });
        let key = net.key("creator");
        let by = (net.person("creator"), 0);
        ledger.apply(&Transaction::signed(payload, genesis.chain, by, &key, &mut OsRng)).expect("a proposal");
        let block = ledger.seal();
        let author = Author { person: net.person("sequencer"), key: net.key("sequencer") };
        let seal = Some(Seal::sign(genesis.chain, &block, &author, &mut OsRng));
        let mut store = Store::open(net.data(), genesis).expect("opens").0;
        store.append(&SealedBlock { block, seal }).expect("on disk");
        drop(store);
        let node = net.sequencer(&[]);
        Self { net, node }
    }

    /// A command over the node.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        cwe(&[arguments, &["--url", &self.node.url()]].concat())
    }

    /// A command that ends well, as JSON.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["-o", "json"]].concat());
        assert_eq!(output.status.code(), Some(0), "{arguments:?} {output:?}");
        serde_json::from_str(stdout(&output)).expect("one JSON object")
    }

    /// A command that ends well, as people see it.
    #[track_caller]
    pub(crate) fn table(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?} {output:?}");
        stdout(&output).to_owned()
    }

    /// A command that fails with a code and says something.
    #[track_caller]
    pub(crate) fn fails(&self, arguments: &[&str], code: i32, said: &str) {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?} {output:?}");
        assert!(error(&output).contains(said), "{arguments:?} {output:?}");
    }

    pub(crate) fn key(&self, office: &str) -> String {
        path(&self.net.dir.path().join("keys").join(format!("{office}.key"))).to_owned()
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let file = self.net.dir.path().join(name);
        fs::write(&file, text).expect("written");
        file
    }
}

fn texts(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
}

#[test]
fn a_work_is_registered_shown_verified_and_changed() {
    let stage = Stage::new();
    let (key, creator) = (stage.key("creator"), stage.net.person("creator"));
    let song = stage.file("song.flac", "la la la");
    let manifest = stage.net.dir.path().join("song.flac.cwe.json");
    let (song, manifest_path) = (path(&song).to_owned(), path(&manifest).to_owned());
    let register = |more: &[&str]| {
        let base = ["work", "register", &song, "--key", &key, "--category", "3", "--media", "audio"];
        let mut all: Vec<String> = base.iter().map(|text| (*text).to_owned()).collect();
        all.extend(["--title", "A song"].iter().chain(more).map(|text| (*text).to_owned()));
        all
    };
    let dry = stage.json(&texts(&register(&["--dry-run"])));
    assert_eq!((&dry["dry_run"], manifest.exists()), (&json!(true), false));
    assert_eq!(dry["checked_after_block"], json!(1));
    stage.fails(&texts(&register(&["--dry-run", "--from", "0"])), 1, "later --from");
    stage.fails(&texts(&register(&["--price", "1000"])), 1, "1000 is outside 0.8 to 1.25: `cwe gov rules`");
    assert!(!manifest.exists(), "the manifest of a work that was refused is not left behind");
    stage.fails(&texts(&register(&["--split", &format!("{creator}=70%")])), 2, "sum to 100%");
    stage.fails(&texts(&register(&["--from", "0"])), 1, "later --from");

    let done = stage.json(&texts(&register(&[])));
    assert_eq!((&done["status"], &done["work"]), (&json!("in-block"), &dry["work"]));
    assert!(done["confirmation"]["signature"].is_string(), "{done}");
    let work = done["work"].as_str().expect("a name").to_owned();
    let shown = stage.json(&["work", "show", &work]);
    assert_eq!((&shown["creator"], &shown["metadata"]), (&json!(creator), &done["metadata"]));
    assert_eq!((&shown["media"], &shown["category"]), (&json!("audio"), &json!(3)));
    assert!(stage.table(&["work", "show", &work]).contains("price 1\n"));
    assert!(stage.table(&["work", "list", "--creator", &creator.to_string()]).contains(&work[..12]));
    assert_eq!(stage.json(&["work", "show", &work[..8]]), shown, "its beginning will do");
    stage.fails(&["work", "show", "00000000"], 2, "no work that begins with 00000000");
    assert_eq!(stage.table(&["work", "list", "--media", "video"]), "No such works.\n");
    assert!(stage.table(&["work", "list", "--by", "discovery"]).contains("No epoch is settled"));
    stage.fails(&texts(&register(&[])), 1, "cwe work update");
    assert!(manifest.exists(), "the manifest of a work on record stays");
    let other = ["work", "register", &song, "--key", &key, "--category", "4", "--media", "audio"];
    stage.fails(&other, 2, "another manifest is there");

    let verify = ["work", "verify", &manifest_path, &song];
    let verdict = stage.json(&verify);
    assert_eq!((&verdict["holds"], &verdict["work"]), (&json!(true), &json!(work)));
    let other = stage.file("other.flac", "la la lo");
    stage.fails(&["work", "verify", &manifest_path, path(&other)], 1, "fingerprint of the file");
    let forged = fs::read_to_string(&manifest).expect("written").replace("A song", "My song");
    let forged = stage.file("forged.json", &forged);
    stage.fails(&["work", "verify", path(&forged), &song], 1, "signature");
    let told = cwe(&["work", "verify", path(&forged), &song, "--offline", "-o", "json"]);
    let told: Value = serde_json::from_str(stdout(&told)).expect("one JSON object");
    assert_eq!((&told["holds"], &told["checks"][0]["holds"]), (&json!(false), &json!(false)), "{told}");
    let nobody = cwe(&["work", "verify", &manifest_path, &song, "--url", "ws://127.0.0.1:1"]);
    assert!(error(&nobody).contains("--offline"), "{nobody:?}");
    let alone = cwe(&["work", "verify", &manifest_path, &song, "--offline"]);
    assert_eq!(alone.status.code(), Some(0), "{alone:?}");

    let voter = stage.key("voter");
    stage.fails(&["work", "update", &work, "--price", "1.2", "--key", &voter], 1, "is not a creator");
    let text = stage.file("why.md", "Because.");
    let propose = ["gov", "propose", "--key", &voter, "--text", path(&text), "--dry-run", "--from", "9"];
    let out = stage.json(&[&propose[..], &["--deprecate-work", &work[..12]]].concat());
    assert_eq!(out["action"]["work"], json!(work), "by its beginning");
    let updated = stage.json(&["work", "update", &work, "--price", "1.2", "--from", "3", "--key", &key]);
    assert_eq!((&updated["price"], &updated["from_epoch"]), (&json!(q32(6, 5)), &json!(3)));
    let shown = stage.json(&["work", "show", &work]);
    assert_eq!((&shown["next"]["price"], &shown["next"]["from"]), (&json!(q32(6, 5)), &json!(3)));
    assert_eq!(shown["next"]["splits"], shown["terms"]["splits"]);
    assert_eq!(updated["splits"], shown["next"]["splits"], "the same everywhere");
    stage.json(&["work", "deprecate", &work, "--from", "4", "--key", &key]);
    let gone = stage.json(&["work", "show", &work])["gone"].clone();
    assert_eq!(gone, json!({ "from": 4, "removal": "deprecated" }));

    // Nothing was settled, so nothing is owed.
    let creator = creator.to_string();
    let nothing = stage.json(&["payouts", "--creator", &creator]);
    assert_eq!(nothing["totals"], json!({ "expected": 0, "claimable": 0, "claimed": 0 }));
    assert!(stage.table(&["payouts", "--creator", &creator, "--claim"]).contains("0 claims were submitted"));
    assert_eq!(stage.table(&["payouts", "--creator", &creator, "-o", "csv"]).lines().count(), 1);
}

#[test]
fn a_proposal_is_made_shown_and_voted_on() {
    let stage = Stage::new();
    let (creator, voter) = (stage.key("creator"), stage.key("voter"));
    let text = stage.file("why.md", "Because.");
    let propose = |action: &[&str]| {
        let base = ["gov", "propose", "--key", &creator, "--text", path(&text)];
        base.iter().chain(action).map(|text| (*text).to_owned()).collect::<Vec<_>>()
    };
    let set = ["--set", "beta=0.25", "--set", "governance.quorum=12%", "--from", "9", "--review-by", "12"];
    let dry = stage.json(&texts(&propose(&[&set[..], &["--dry-run"]].concat())));
    assert_eq!(dry["does"], json!("sets beta = 0.25, governance.quorum = 12%"));
    assert_eq!(dry["action"]["changes"][1]["after"], json!(1_200));
    let whom = stage.net.person("voter").to_string();
    let told = stage.json(&texts(&propose(&["--give", "auditor", "--to", &whom, "--dry-run"])));
    assert_eq!(told["does"], json!(format!("gives auditor to {whom}")));
    assert_eq!(told["action"]["give"], json!(["auditor"]));
    stage.fails(&texts(&propose(&["--set", "eco_share=6", "--from", "9"])), 2, "6% or 0.06");
    stage.fails(&texts(&propose(&["--set", "value_cap=none", "--from", "9"])), 2, "a number of views");
    let file = |text: &str| {
        let file = stage.file("proposal.toml", text);
        let path = path(&file).to_owned();
        propose(&["--file", &path, "--from", "9", "--dry-run"])
    };
    let from_file = stage.json(&texts(&file("beta = 0.25\neco_share = \"6%\"\n")));
    assert_eq!(from_file["does"], json!("sets beta = 0.25, eco_share = 6%"));
    stage.fails(&texts(&file("value_cap = \"none\"\n")), 2, "the simulator alone");
    stage.fails(&texts(&file("beta = 0.35\n")), 2, "says what holds in epoch 9 anyway");
    stage.fails(&texts(&file("gamma = 1\n")), 2, "gamma");
    let outside = ["--set", "alpha=9", "--from", "9"];
    stage.fails(&texts(&propose(&outside)), 1, "alpha is 9, outside 0.5 to 1.5");
    let hours = ["--set", "governance.voting=1s", "--from", "9"];
    stage.fails(&texts(&propose(&hours)), 1, "governance.voting is 1s, outside 1h to 365d");
    let fund = ["--spend", "echo=1", "--to", &"ab".repeat(32)];
    stage.fails(&texts(&propose(&fund)), 2, "expected one of revenue, eco");
    stage.fails(&texts(&propose(&["--set", "quorum=9%", "--from", "9"])), 2, "cwe gov rules");
    stage.fails(&texts(&propose(&["--resolve", "--recall", &"ab".repeat(32)])), 2, "two proposals");

    let same = ["--set", "beta=0.35", "--from", "9"];
    stage.fails(&texts(&propose(&[&same[..], &["--dry-run"]].concat())), 1, "nothing would change");

    let made = stage.json(&texts(&propose(&set)));
    assert_eq!((&made["status"], &made["proposal"]), (&json!("in-block"), &json!(2)));
    let shown = stage.json(&["gov", "show", "2"]);
    let proposal = &shown["proposal"];
    assert_eq!((&proposal["stage"], &proposal["path"]), (&json!("discussion"), &json!("high")));
    assert_eq!(proposal["document"], made["document"]);
    stage.json(&["gov", "show", "2", "--text", path(&text)]);
    let other = stage.file("other.md", "Because of something else.");
    stage.fails(&["gov", "show", "2", "--text", path(&other)], 1, "not the text of proposal 2");
    let quorum = &proposal["action"]["changes"][1];
    assert_eq!((&quorum["before_text"], &quorum["after_text"]), (&json!("10%"), &json!("12%")));
    stage.fails(&["gov", "vote", "2", "yes", "--key", &voter], 1, "its vote is from 20");
    stage.json(&["gov", "say", "2", "--text", path(&text), "--key", &voter]);
    assert_eq!(stage.json(&["gov", "show", "2"])["statements"].as_array().map(Vec::len), Some(1));

    // The one of eight days ago is in its vote.
    let before = stage.table(&["gov", "show"]);
    assert!(before.contains("voting") && before.contains("alpha 1 ->"), "{before}");
    stage.json(&["gov", "vote", "1", "yes", "--key", &voter]);
    stage.json(&["gov", "vote", "1", "no", "--key", &creator]);
    stage.fails(&["gov", "vote", "1", "yes", "--key", &voter], 1, "refused by governance");
    stage.fails(&["gov", "vote", "1", "yes", "--key", &stage.key("steward")], 1, "active as a voter");
    stage.fails(&["gov", "vote", "7", "yes", "--key", &voter], 1, "7");
    let shown = stage.json(&["gov", "show", "1"])["proposal"].clone();
    assert_eq!((&shown["yes"], &shown["no"], &shown["passes"]), (&json!(1), &json!(1), &json!(false)));
    assert_eq!(shown["next"]["stage"], json!("rejected"));
    let told = stage.table(&["gov", "show", "1"]);
    assert!(told.contains("1 yes, 1 no, 0 neither; with these it would not pass"), "{told}");

    let councillor = stage.key("councillor-1");
    stage.json(&["gov", "approve", "1", "--key", &councillor]);
    assert!(stage.table(&["gov", "show", "1"]).contains("approvals 1 of 3"));
    stage.fails(&["gov", "veto", "1", "--key", &councillor], 1, "refused by governance");
    stage.fails(&["gov", "enact", "1"], 1, "its vote runs until 20");
    stage.fails(&["gov", "enact", "1", "--dry-run"], 1, "its vote runs until 20");
    stage.json(&["gov", "withdraw", "2", "--key", &creator]);
    assert_eq!(stage.json(&["gov", "show", "2"])["proposal"]["stage"], json!("withdrawn"));
    assert!(stage.table(&["gov", "council"]).contains("4 of 5 seats"));
    assert_eq!(stage.json(&["gov", "call-election", "--key", &voter])["election"], json!(1));
    stage.json(&["gov", "stand", "1", "--key", &voter]);
    let council = stage.json(&["gov", "council"]);
    assert_eq!(council["election"]["candidates"][0]["person"], json!(stage.net.person("voter")));
    let suspend = ["gov", "open-case", "--text", path(&text), "--key", &voter];
    let case = stage.json(&[&suspend[..], &["--suspend", &stage.net.person("creator").to_string()]].concat());
    assert_eq!(case["case"], json!(1));
    assert!(stage.table(&["gov", "cases"]).contains("waits-for-jury"));
    stage.fails(&["gov", "withdraw-case", "1", "--key", &creator], 1, "was not brought by");
    stage.json(&["gov", "withdraw-case", "1", "--key", &voter]);
    assert_eq!(stage.json(&["gov", "cases"])["cases"][0]["verdict"], json!("withdrawn"));
    stage.fails(&["gov", "withdraw-case", "1", "--key", &voter], 1, "is closed");
    assert!(stage.table(&["gov", "rules"]).contains("governance.quorum"));
}

#[test]
fn keys_chains_and_nodes_that_do_not_fit_are_said() {
    let stage = Stage::new();
    let vote = |key: &str, more: &[&str]| {
        let base = ["gov", "vote", "1", "yes", "--key", key];
        base.iter().chain(more).map(|text| (*text).to_owned()).collect::<Vec<_>>()
    };
    let voter = stage.key("voter");
    stage.fails(&texts(&vote(&voter, &["--chain", "1"])), 2, "nothing was signed");
    let creator = stage.net.person("creator").to_string();
    stage.fails(&texts(&vote(&voter, &["--person", &creator])), 2, "another key");
    stage.fails(&texts(&vote("no/such/file", &[])), 2, "no/such/file");
    stage.fails(&texts(&vote(path(stage.net.dir.path()), &[])), 2, "is a directory");
    let stranger = stage.net.dir.path().join("stranger.key");
    let key = chain::signature::SecretKey::generate(&mut OsRng);
    chain::wallet::keyfile::write(&stranger, &key).expect("written");
    stage.fails(&texts(&vote(path(&stranger), &[])), 2, "a registrar");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&stranger, fs::Permissions::from_mode(0o644)).expect("changed");
        stage.fails(&texts(&vote(path(&stranger), &[])), 2, "chmod 600");
    }
    let nobody = cwe(&["gov", "show", "--url", "ws://127.0.0.1:1"]);
    assert_eq!(nobody.status.code(), Some(2));
    assert!(error(&nobody).contains("cwe node run"), "{nobody:?}");
    stage.fails(&["work", "show", &"ab".repeat(32)], 2, "is not registered, says ws://");
    let quick = stage.json(&texts(&vote(&voter, &["--no-wait"])));
    assert_eq!(quick["status"], json!("confirmed"));
}
