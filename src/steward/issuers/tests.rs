use super::{super::asking::Asking, *};
use engine::issuer::{
    ReceiptIssuer, Record, Running, Standing, TokenIssuer,
    keys::{self as files, Purpose as File},
    serve,
};
use proofs::{
    blind::BlindIssuer,
    possession,
    testing::{issuer as first_key, other_issuer as second_key, receipt_issuer},
};
use rand_core::OsRng;
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

const CHAIN: ChainId = ChainId(5);
const EPOCH: EpochId = EpochId(3);
const NEXT: EpochId = EpochId(4);

fn issuer(url: &str, tiers: &[u8], regions: &[u8]) -> Issuer {
    let tiers = tiers.iter().map(|tier| Tier(*tier)).collect();
    Issuer { url: url.into(), tiers, regions: regions.iter().map(|of| region(*of)).collect() }
}

fn region(at: u8) -> Region {
    Region::try_from(at).expect("a region")
}

fn shown_in(epoch: EpochId, purpose: Purpose, key: &BlindIssuer) -> ShownKey {
    let proof = possession::prove(key, (CHAIN, epoch, purpose), &mut OsRng).expect("a sound key");
    ShownKey { purpose, key: key.public().der().to_vec(), possession: Some(proof) }
}

fn shown(purpose: Purpose, key: &BlindIssuer) -> ShownKey {
    shown_in(EPOCH, purpose, key)
}

fn receipts(at: u8) -> Vec<ShownKey> {
    let of_region = |of| shown(Purpose::Receipt(region(at), of), receipt_issuer(of));
    Denomination::all().map(of_region).collect()
}

fn judged(issuers: &[Issuer], answers: Vec<Answer>) -> Result<PublishKeys, String> {
    keys(issuers, answers, (CHAIN, EPOCH), &BTreeMap::new())
}

#[test]
fn nothing_is_taken_of_an_issuer_but_what_is_its_own() {
    let one = [issuer("http://a:1", &[2], &[])];
    let tier = |tier, key| shown(Purpose::Token(Tier(tier)), key);
    let all = vec![tier(1, second_key()), tier(2, first_key())];
    let taken = judged(&one, vec![Ok(all.clone())]).expect("it has its own");
    assert_eq!(taken.tiers.iter().map(|key| key.tier).collect::<Vec<_>>(), [Tier(2)]);
    let lacking = judged(&one, vec![Ok(all[..1].to_vec())]).expect_err("it lacks its own");
    assert_eq!(lacking, "http://a:1 has no key for epoch 3 and tier 2");
    let none = ShownKey { key: vec![7; 9], ..all[1].clone() };
    let broken = judged(&one, vec![Ok(vec![none])]).expect_err("it is none");
    assert!(broken.contains("no sound key for epoch 3 and tier 2"), "{broken}");

    let two = [issuer("http://b:1", &[], &[1])];
    let taken = judged(&two, vec![Ok([receipts(2), receipts(1)].concat())]).expect("it has its own");
    assert_eq!(taken.regions.len(), Denomination::all().count());
    assert!(taken.regions.iter().all(|own| own.region == region(1)));
    let others = judged(&two, vec![Ok(receipts(2))]).expect_err("those of another region are none");
    assert!(others.contains("has no key for epoch 3 and region 1"), "{others}");
}

/// Whoever cannot be asked and whoever shows what the ledger would refuse are named, all of them at once.
#[test]
fn who_keeps_an_epoch_from_opening_is_named() {
    let list = [issuer("http://a:1", &[1], &[]), issuer("http://b:1", &[], &[1])];
    let token = || Ok(vec![shown(Purpose::Token(Tier(1)), first_key())]);
    assert!(judged(&list, vec![token(), Ok(receipts(1))]).is_ok());
    let away =
        judged(&list, vec![Err("does not answer".into()), Ok(Vec::new())]).expect_err("neither has any");
    assert!(away.contains("http://a:1 does not answer; http://b:1 has no key"), "{away}");

    let old = receipts(1);
    let on_record = [(old[1].key.as_slice(), EpochId(1))].into();
    let again = keys(&list, vec![token(), Ok(old.clone())], (CHAIN, EPOCH), &on_record);
    let again = again.expect_err("it is on record");
    assert!(again.starts_with("http://b:1 shows a key for epoch 3 and region 1 and 4 views"), "{again}");
    assert!(again.contains("on record for epoch 1"), "{again}");

    let mut twice = receipts(1);
    twice[2] = shown(twice[2].purpose, receipt_issuer(Denomination::all().next().expect("one")));
    let twice = judged(&list, vec![token(), Ok(twice)]).expect_err("one key for two things");
    assert!(twice.contains("http://b:1 has the same key") && twice.contains("as http://b:1"), "{twice}");
}

/// Keys of later epochs are there for anybody to see. Whoever shows them as its own has no proof, nor gets one: a proof is of
/// one purpose, one epoch, one chain.
#[test]
fn keys_of_another_are_nobodys() {
    let list = [issuer("http://b:1", &[], &[1])];
    let others = |epoch, possession: bool| {
        let key = shown_in(epoch, Purpose::Token(Tier(1)), first_key());
        let show = |own: ShownKey| ShownKey {
            key: key.key.clone(),
            possession: key.possession.filter(|_| possession),
            ..own
        };
        Ok(receipts(1).into_iter().map(show).collect())
    };
    for (epoch, possession) in [(EPOCH, true), (NEXT, true), (NEXT, false)] {
        let refused = judged(&list, vec![others(epoch, possession)]).expect_err("they are another's");
        assert!(refused.starts_with("http://b:1 shows no proof that the key"), "{refused}");
    }
    let early: Vec<_> = Denomination::all()
        .map(|of| shown_in(NEXT, Purpose::Receipt(region(1), of), receipt_issuer(of)))
        .collect();
    let refused = judged(&list, vec![Ok(early)]).expect_err("they are its own of another epoch");
    assert!(refused.contains("no proof"), "{refused}");
}

/// No epoch is open, and nothing is on record.
struct Nothing;

impl Record for Nothing {
    fn standing(&self, _: EpochId) -> Standing {
        Standing::Ahead
    }

    fn key(&self, _: File) -> Option<Vec<u8>> {
        None
    }

    fn chain(&self) -> ChainId {
        CHAIN
    }
}

/// Two honest issuers, with keys of two epochs.
fn honest(dir: &Path) -> [Running; 2] {
    files::keep(dir, File::Token(EPOCH, Tier(1)), second_key()).expect("kept");
    files::keep(dir, File::Token(NEXT, Tier(1)), first_key()).expect("kept");
    for of in Denomination::all() {
        files::keep(dir, File::Receipt(EPOCH, region(1), of), receipt_issuer(of)).expect("kept");
    }
    let tokens = TokenIssuer::open(dir, BTreeMap::new(), Arc::new(Nothing)).expect("it opens");
    let receipts = ReceiptIssuer::open(dir, BTreeMap::new(), Arc::new(Nothing)).expect("it opens");
    [serve("127.0.0.1:0", tokens).expect("it serves"), serve("127.0.0.1:0", receipts).expect("it serves")]
}

/// Somebody who answers every request with a text, and goes on for as long as it takes.
fn fake(answer: String, pause: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            drop(socket.read(&mut [0; 4_096]));
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", answer.len());
            for part in [head.as_bytes(), answer.as_bytes()].concat().chunks(64) {
                if socket.write_all(part).is_err() {
                    break;
                }
                thread::sleep(pause);
            }
        }
    });
    url
}

#[test]
fn what_honest_issuers_serve_is_taken_and_what_is_copied_from_them_is_not() {
    let dir = tempfile::tempdir().expect("a folder");
    let [tokens, receipts] = honest(dir.path()).map(|of| (format!("http://{}", of.local_addr()), of));
    let list = [issuer(&tokens.0, &[1], &[]), issuer(&receipts.0, &[], &[1])];
    let taken = judged(&list, ask(&list, EPOCH)).expect("all is there");
    assert_eq!((taken.tiers.len(), taken.regions.len()), (1, 3));
    assert_eq!(ask(&list, EPOCH), ask(&list, EPOCH), "proofs are made once");

    // The issuer of tokens shows its key of the next epoch to everybody. Somebody shows that as a key of this one.
    let service = HttpKeys::new(&tokens.0).expect("an address");
    let theirs = service.of(NEXT).expect("an answer").remove(0);
    let digits = |bytes: &[u8]| primitives::ids::to_hex(bytes);
    let possession = theirs.possession.map(|proof| digits(&proof));
    let line = |of: Denomination| json!({ "region": 1, "denomination": of.views(), "key": digits(&theirs.key), "possession": possession });
    let copied: Vec<Value> = Denomination::all().map(line).collect();
    let url = fake(json!({ "epoch": EPOCH, "keys": copied }).to_string(), Duration::ZERO);
    let list = [issuer(&tokens.0, &[1], &[]), issuer(&url, &[], &[1])];
    let refused = judged(&list, ask(&list, EPOCH)).expect_err("they are another's");
    assert_eq!(
        refused,
        format!("{url} shows no proof that the key for epoch 3 and region 1 and 1 views is its own")
    );
}

/// Whoever has the books of another epoch to close is not kept waiting by an answer that never ends.
#[test]
fn an_issuer_that_drips_holds_nobody_up() {
    let url = fake("x".repeat(64 * 600), Duration::from_millis(100));
    let (asking, list) = (Asking::default(), vec![issuer(&url, &[], &[1])]);
    for _ in 0..2 {
        let begun = Instant::now();
        let waits = asking.keys(EPOCH, list.clone(), judged).expect_err("it has not answered");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert_eq!(waits, "answers of the issuers, for their keys of epoch 3");
    }
    let begun = Instant::now();
    let named = loop {
        match asking.keys(EPOCH, list.clone(), judged) {
            Err(why) if why.contains(&url) => break why,
            other => assert!(begun.elapsed() < Duration::from_secs(40), "{other:?}"),
        }
    };
    let again = asking.keys(EPOCH, list, judged).expect_err("it is being asked again");
    assert_eq!(again, named, "said once, however often it is looked for");
}

#[test]
fn a_list_says_who_signs_what() {
    let (tokens, receipts) = (issuer("http://a:1", &[1, 2], &[]), issuer("http://b:1", &[], &[1]));
    assert_eq!(check(&[tokens, receipts], [Tier(1), Tier(2)]), Ok(()));
    for (list, words) in [
        (vec![issuer("http://a:1", &[1], &[1])], "either `tiers`"),
        (vec![issuer("http://a:1", &[], &[])], "either `tiers`"),
        (vec![issuer("a", &[1], &[])], "not an address"),
        (vec![issuer("http://a:1", &[1], &[]), issuer("http://b:1", &[1], &[])], "tier 1 is named twice"),
        (vec![issuer("http://a:1", &[], &[3]), issuer("http://b:1", &[], &[3])], "region 3 is named twice"),
        (vec![issuer("http://a:1", &[2], &[])], "nobody signs tokens of tier 1"),
    ] {
        let wrong = check(&list, [Tier(1)]).expect_err(words);
        assert!(wrong.contains(words), "{wrong}");
    }
}
