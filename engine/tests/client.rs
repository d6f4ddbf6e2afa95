//! A subscriber's client beside issuers and parties: whole ways, machines that die, parties that fail or lie.

#[path = "client/http.rs"]
mod http;
#[path = "client/issuers.rs"]
mod issuers;
#[path = "client/late.rs"]
mod late;
#[path = "client/pace.rs"]
mod pace;
#[path = "client/proxy.rs"]
mod proxy;
#[path = "client/review.rs"]
mod review;
#[path = "client/unbacked.rs"]
mod unbacked;
#[path = "client/world.rs"]
mod world;

use engine::client::{
    BundleState, Client, ClientError, Folder, LinkError, Progress, Report, Settings, Summary, Trouble,
    UsageLog,
};
use primitives::{Decode, PartyId, Preset, RegionTag, ShardIndex, Tier, limits::EVENT_VALUE_BITS};
use proofs::bundle::Bundle;
use rand_core::OsRng;
use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    time::Duration,
};
use world::{Fuse, Killed, LocalSigners, Mishap, MortalDisk, TestClock, World, log, play, settings, work};

const PARTIES: [PartyId; 3] = PartyId::ALL;

/// A client of a folder, on a machine with this fuse.
fn client(folder: &Path, world: &World, fuse: &Fuse) -> Client {
    let disk = MortalDisk { folder: Folder::open(folder).unwrap(), fuse: fuse.clone() };
    Client::open(Box::new(disk), world.epoch.clone(), settings()).unwrap()
}

/// A folder for a client and one for issuers.
struct Folders(tempfile::TempDir);

impl Folders {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn client(&self) -> std::path::PathBuf {
        self.0.path().join("client")
    }

    fn issuers(&self) -> std::path::PathBuf {
        self.0.path().join("issuers")
    }
}

fn run(folders: &Folders, world: &World, signers: &LocalSigners) -> Result<Report, ClientError> {
    let clock = TestClock::default();
    let client = client(&folders.client(), world, &Fuse::never());
    client.run(&log(), signers, (world, &clock), &mut OsRng, &mut |_| ())
}

/// A world, a client's folder, and issuers.
fn scene() -> (Folders, World, LocalSigners) {
    let folders = Folders::new();
    let signers = LocalSigners::new(&folders.issuers());
    (folders, World::new(), signers)
}

fn states(folders: &Folders, world: &World) -> Vec<BundleState> {
    let statuses = client(&folders.client(), world, &Fuse::never()).status(world, world).unwrap();
    statuses.into_iter().map(|status| status.state).collect()
}

/// Nothing that a bundle shows is in what issuers keep.
fn issuers_know_nothing(folders: &Folders, bundles: &[Vec<u8>]) {
    let kept = ["tokens", "receipts"].map(|name| format!("{name}-{}.log", world::EPOCH));
    let kept = kept.map(|name| fs::read(folders.issuers().join(name)).unwrap());
    assert!(kept.iter().all(|file| file.len() > 100), "who asked, and a digest of the request");
    for bundle in bundles.iter().map(|bytes| Bundle::from_bytes(bytes).unwrap()) {
        let serials = bundle.receipts.iter().map(|receipt| &receipt.serial[..]);
        let shown = serials.chain([&bundle.envelope.key.0[..], &bundle.token[..32]]);
        for secret in shown {
            assert!(!kept.iter().any(|file| file.windows(32).any(|window| window == secret)));
        }
    }
}

#[test]
fn from_a_log_to_final_receipts() {
    let (folders, world, signers) = scene();
    let mut told = Vec::new();
    let clock = TestClock::default();
    let own = client(&folders.client(), &world, &Fuse::never());
    let report = own.run(&log(), &signers, (&world, &clock), &mut OsRng, &mut |at| told.push(at)).unwrap();
    let summary = Summary { plays: 8, events: 8, bundles: 2, ..Summary::default() };
    assert_eq!(report.summary, summary);
    assert!(report.is_complete());
    assert_eq!((report.taken, report.bundles.len()), ([2; 3], 2));
    assert_eq!((told[0], told[1]), (Progress::Planned(summary), Progress::Token));
    assert_eq!(told.last(), Some(&Progress::TakenIn { done: 2, of: 2 }));
    assert_eq!(world.came(1), world.came(3));
    issuers_know_nothing(&folders, &world.came(1));
    drop(own);
    let by = PARTIES.to_vec();
    assert_eq!(states(&folders, &world), vec![BundleState::Provisional { by }; 2]);
    assert!(folders.client().join("key").exists());
    world.anchor();
    let shards = states(&folders, &world).into_iter().map(|state| match state {
        BundleState::Final { shard, position: 0, index: 0 } => shard.0,
        other => panic!("{other:?}"),
    });
    assert_eq!(shards.collect::<Vec<_>>(), [0, 2]);
    for secret in ["key", "token", "plan", "requests-00000", "receipts-00000", "spent-00000", "spent-00001"] {
        assert!(!folders.client().join(secret).exists(), "{secret} is left");
    }
    // All is known without asking anybody, and nothing is handed in any more.
    (1..=3).for_each(|party| world.always(party, Some(Mishap::Down)));
    assert!(states(&folders, &world).iter().all(|state| matches!(state, BundleState::Final { .. })));
    let again = run(&folders, &world, &signers).unwrap();
    assert_eq!((again.bundles, again.taken, again.summary), (report.bundles, report.taken, summary));
}

/// Runs a client to the end of what there is to do, on a machine that may die on the way.
fn life(folders: &Folders, world: &World, signers: &LocalSigners, fuse: &Fuse) -> Vec<BundleState> {
    let client = client(&folders.client(), world, fuse);
    let report = client.run(&log(), signers, (world, &TestClock::default()), &mut OsRng, &mut |_| ());
    assert!(report.unwrap().is_complete());
    world.anchor();
    client.status(world, world).unwrap().into_iter().map(|status| status.state).collect()
}

#[test]
fn a_client_that_is_killed_between_any_two_steps_goes_on_with_the_same_bytes() {
    let (folders, mut world, mut signers) = scene();
    let fuse = Fuse::never();
    (world.fuse, _) = (fuse.clone(), signers.asked_by(&fuse));
    let undisturbed = life(&folders, &world, &signers, &fuse);
    let steps = i64::MAX - fuse.left();
    assert!(steps > 60, "{steps} steps");
    let mut deaths = 0;
    for killed_after in 0..steps {
        let (folders, mut world, mut signers) = scene();
        let fuse = Fuse::after(killed_after);
        (world.fuse, _) = (fuse.clone(), signers.asked_by(&fuse));
        let died = catch_unwind(AssertUnwindSafe(|| life(&folders, &world, &signers, &fuse)));
        // Three parties are asked at a time, in an order of their own: the last steps may not be reached.
        let Err(panic) = died else { continue };
        assert!(panic.is::<Killed>(), "after {killed_after} steps it fails by itself");
        deaths += 1;
        let came: Vec<_> = (1..=3).map(|party| world.came(party)).collect();
        if came.iter().any(|came| !came.is_empty()) {
            let had = Client::handed_in(Box::new(Folder::open(folders.client()).unwrap())).unwrap();
            assert!(had.is_some(), "a party has it, killed after {killed_after}");
        }
        let alive = Fuse::never();
        (world.fuse, _) = (alive.clone(), signers.asked_by(&alive));
        assert_eq!(life(&folders, &world, &signers, &alive), undisturbed, "killed after {killed_after}");
        for (party, before) in (1..=3).zip(came) {
            let after = world.came(party);
            assert_eq!(after.len(), 2, "party {party} got another spelling, killed after {killed_after}");
            assert_eq!(after[..before.len()], before);
            assert_eq!(after, world.came(1));
        }
        assert!(!folders.client().join("key").exists(), "killed after {killed_after}");
    }
    assert!(deaths > 60, "{deaths} deaths");
}

#[test]
fn a_party_that_is_down_gets_everything_once_it_is_back() {
    let (folders, world, signers) = scene();
    world.always(2, Some(Mishap::Down));
    let report = run(&folders, &world, &signers).unwrap();
    assert_eq!((report.taken, report.is_complete()), ([2, 0, 2], false));
    let down = Trouble::Link(LinkError::Unreachable { reason: "refused".into() });
    assert_eq!(report.troubles, [(PARTIES[1], down)]);
    world.always(2, None);
    let report = run(&folders, &world, &signers).unwrap();
    assert!(report.is_complete() && report.troubles.is_empty());
    assert_eq!(world.came(2), world.came(1));
    // One that is down for a while only is waited for.
    let (folders, world, signers) = scene();
    world.then(3, [Mishap::Down, Mishap::Lost, Mishap::Down]);
    assert!(run(&folders, &world, &signers).unwrap().is_complete());
    assert_eq!(world.came(3), world.came(1));
}

#[test]
fn two_parties_down_are_too_few_and_nothing_goes_ahead_of_its_predecessor() {
    let (folders, world, signers) = scene();
    world.always(1, Some(Mishap::Down));
    world.always(2, Some(Mishap::Garbage));
    match run(&folders, &world, &signers) {
        Err(ClientError::TooFewPromises { bundle: 0, promised: 1, troubles }) => {
            assert_eq!(troubles.iter().map(|(party, _)| *party).collect::<Vec<_>>(), PARTIES[..2]);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!((world.came(3).len(), world.came(1).len()), (1, 0));
    (1..=2).for_each(|party| world.always(party, None));
    assert!(run(&folders, &world, &signers).unwrap().is_complete());
    assert_eq!(world.came(1), world.came(3));
}

#[test]
fn a_party_that_answers_garbage_is_named_and_does_not_stop_the_others() {
    let (folders, world, signers) = scene();
    world.always(1, Some(Mishap::Garbage));
    let report = run(&folders, &world, &signers).unwrap();
    let garbage = Trouble::Link(LinkError::Garbage { what: "a cat".into() });
    assert_eq!((report.taken, report.troubles), ([0, 2, 2], vec![(PARTIES[0], garbage)]));
}

#[test]
fn a_forged_receipt_is_no_promise_and_names_the_party() {
    for mishap in [Mishap::Forged, Mishap::OtherBundle] {
        let (folders, world, signers) = scene();
        world.then(3, [mishap.clone()]);
        let report = run(&folders, &world, &signers).unwrap();
        assert_eq!(report.taken, [2, 2, 0]);
        let [(party, trouble)] = &report.troubles[..] else { panic!("{report:?}") };
        assert_eq!(*party, PARTIES[2]);
        assert!(
            matches!(trouble, Trouble::Forged(_) | Trouble::OtherReceipt { what: "bundle" }),
            "{trouble}"
        );
        let (folders, world, signers) = scene();
        world.always(1, Some(mishap.clone()));
        world.always(2, Some(mishap));
        match run(&folders, &world, &signers) {
            Err(ClientError::TooFewPromises { promised: 1, troubles, .. }) => assert_eq!(troubles.len(), 2),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_busy_party_is_left_alone_for_as_long_as_it_asks() {
    let (folders, world, signers) = scene();
    let clock = TestClock::default();
    let pause = Duration::from_secs(20);
    (1..=3).for_each(|party| world.then(party, [Mishap::Busy(Some(pause)), Mishap::Slow]));
    let own = client(&folders.client(), &world, &Fuse::never());
    let report = own.run(&log(), &signers, (&world, &clock), &mut OsRng, &mut |_| ()).unwrap();
    assert!(report.is_complete() && report.troubles.is_empty());
    assert_eq!(clock.slept.borrow()[0], pause);
    assert_eq!(world.came(1).len(), 2, "a slow party is asked for the standing, and gets nothing twice");
}

#[test]
fn a_refusal_is_kept_with_its_kind_and_two_are_the_end() {
    let (folders, world, signers) = scene();
    world.then(2, [Mishap::Refuse("replay")]);
    let report = run(&folders, &world, &signers).unwrap();
    // The second bundle goes on from what this party refused.
    let refused = [(0, PARTIES[1], "replay".to_owned()), (1, PARTIES[1], "spent-elsewhere".to_owned())];
    assert_eq!((report.taken, &report.refused[..], report.is_complete()), ([2, 0, 2], &refused[..], true));
    let (folders, world, signers) = scene();
    (2..=3).for_each(|party| world.then(party, [Mishap::Refuse("unsold")]));
    for _ in 0..2 {
        match run(&folders, &world, &signers) {
            Err(ClientError::Refused { bundle: 0, by }) => {
                assert_eq!(by, [(PARTIES[1], "unsold".to_owned()), (PARTIES[2], "unsold".to_owned())]);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((world.came(1).len(), world.came(2).len()), (1, 0));
}

#[test]
fn a_promise_that_the_frozen_epoch_does_not_keep_is_kept_as_evidence() {
    let (folders, world, signers) = scene();
    run(&folders, &world, &signers).unwrap();
    world.freeze();
    let evidence = |place| format!("missing-0000{place}");
    let missing = |place| BundleState::Missing { promised: PARTIES.to_vec(), evidence: evidence(place) };
    // Whoever cannot be asked may know better: two have to answer.
    (2..=3).for_each(|party| world.always(party, Some(Mishap::Down)));
    let promised = || BundleState::Provisional { by: PARTIES.to_vec() };
    assert_eq!(states(&folders, &world), [promised(), promised()]);
    world.always(3, None);
    assert_eq!(states(&folders, &world), [missing(0), missing(1)]);
    let own = client(&folders.client(), &world, &Fuse::never());
    let kept = own.broken_promise(1).unwrap().unwrap();
    let committee = world.epoch.committee();
    assert_eq!((kept.promises.len(), kept.root.root.shard), (3, ShardIndex(2)));
    assert!(kept.root.verify(committee).is_ok() && kept.promises.iter().all(|p| p.verify(committee).is_ok()));
    assert!(folders.client().join(evidence(1)).exists() && !folders.client().join("key").exists());
}

#[test]
fn a_final_receipt_holds_against_the_record_or_not_at_all() {
    let (folders, world, signers) = scene();
    run(&folders, &world, &signers).unwrap();
    world.anchor();
    world.with_header(0, |header| header.header.batch_root.0[0] ^= 1);
    world.with_header(2, |header| header.header.position = 7);
    let own = client(&folders.client(), &world, &Fuse::never());
    let statuses = own.status(&world, &world).unwrap();
    assert!(statuses.iter().all(|status| matches!(status.state, BundleState::Provisional { .. })));
    assert!(matches!(statuses[0].troubles[..], [(_, Trouble::Unsigned(_)), _, _]), "{:?}", statuses[0]);
    let not_anchored = Trouble::NotAnchored { position: 0 };
    assert_eq!(statuses[1].troubles, PARTIES.map(|party| (party, not_anchored.clone())));
    world.anchor();
    assert!(own.status(&world, &world).unwrap().iter().all(|s| matches!(s.state, BundleState::Final { .. })));
    assert!(own.final_receipt(1).unwrap().unwrap().header.verify(world.epoch.committee()).is_ok());
}

/// What becomes of a log by itself.
fn summary_of(log: &UsageLog, settings: Settings, epoch: engine::message::OpenedEpoch) -> Summary {
    let (folders, world, signers) = scene();
    (1..=3).for_each(|party| world.always(party, Some(Mishap::Down)));
    let folder = Folder::open(folders.client()).unwrap();
    let client = Client::open(Box::new(folder), epoch, settings).unwrap();
    let clock = TestClock::default();
    let _ = client.run(log, &signers, (&world, &clock), &mut OsRng, &mut |_| ());
    client.summary().unwrap().unwrap()
}

#[test]
fn what_does_not_count_is_left_out_and_counted() {
    let params = Preset::Spec.params();
    let (epoch, nowhere) = (world::epoch(), Settings { region: RegionTag::NONE, ..settings() });
    let mut plays: Vec<_> = (0..u64::from(params.j_max) + 3).map(|n| play(n, work(0, 0), false)).collect();
    plays.push(engine::client::Play { played: 49, ..play(1, work(1, 0), true) });
    plays.push(play(1, primitives::WorkId([0xff; 32]), true));
    plays.push(play(1, work(1, 0), true));
    let events = u64::from(params.j_max) + 1;
    let expected = Summary {
        plays: events + 5,
        events,
        bundles: if params.j_max <= 32 { 2 } else { 3 },
        short: 1,
        unknown: 1,
        beyond_views: 3,
        unbacked: 1,
        ..Summary::default()
    };
    assert_eq!(summary_of(&UsageLog::new(plays), nowhere, epoch), expected);
    // Three whole first views have room, and a fourth has not: nothing after it has, were it ever so short.
    let capped = world::epoch_with_cap((3 << EVENT_VALUE_BITS) + 5);
    let plays = (0..6).map(|n| play(n, work(0, n as usize), false)).collect();
    let expected = Summary { plays: 6, events: 3, bundles: 1, beyond_cap: 3, ..Summary::default() };
    assert_eq!(summary_of(&UsageLog::new(plays), nowhere, capped), expected);
}

#[test]
fn a_log_of_which_nothing_counts_begins_nothing() {
    let (folders, world, signers) = scene();
    let own = client(&folders.client(), &world, &Fuse::never());
    let run = |log: &UsageLog| {
        own.run(log, &signers, (&world, &TestClock::default()), &mut OsRng, &mut |_| ()).map(|_| ())
    };
    let nothing = UsageLog::new(vec![play(1, primitives::WorkId([0xff; 32]), true)]);
    assert!(matches!(run(&nothing), Err(ClientError::NothingCounts { summary }) if summary.unknown == 1));
    assert_eq!(own.summary().unwrap(), None);
    run(&log()).expect("the right log is as welcome as before");
}

#[test]
fn a_tier_allows_so_many_bundles_and_the_latest_plays_are_left_out() {
    let allowed = usize::from(world::MAX_BUNDLES);
    let mut epoch = world::epoch();
    epoch.max_bundles = std::sync::Arc::new([(Tier(1), 2)].into());
    let plays: Vec<_> = (0..3).map(|n| play(n, work(n as usize, 0), false)).collect();
    let nowhere = Settings { region: RegionTag::NONE, ..settings() };
    let expected = Summary { plays: 3, events: 2, bundles: 2, beyond_bundles: 1, ..Summary::default() };
    assert_eq!(summary_of(&UsageLog::new(plays.clone()), nowhere, epoch), expected);
    assert!(allowed >= 3);
    let expected = Summary { plays: 3, events: 3, bundles: 3, ..Summary::default() };
    assert_eq!(summary_of(&UsageLog::new(plays), nowhere, world::epoch()), expected);
}

#[test]
fn a_folder_is_for_one_epoch_one_subscription_and_one_log() {
    let (folders, world, signers) = scene();
    run(&folders, &world, &signers).unwrap();
    let open = |epoch, settings| {
        Client::open(Box::new(Folder::open(folders.client()).unwrap()), epoch, settings).map(|_| ())
    };
    let other = |found: Result<(), ClientError>, what: &str| match found {
        Err(ClientError::OtherFolder { what: found }) => assert_eq!(found, what),
        found => panic!("{found:?}"),
    };
    other(open(world::epoch_with_cap(1 << 20), settings()), "epoch");
    other(open(world.epoch.clone(), Settings { tier: Tier(2), ..settings() }), "tier");
    other(open(world.epoch.clone(), Settings { region: RegionTag::NONE, ..settings() }), "region");
    other(open(world.epoch.clone(), Settings { window: 3, ..settings() }), "window");
    let unknown = open(world.epoch.clone(), Settings { tier: Tier(7), ..settings() });
    assert!(matches!(unknown, Err(ClientError::UnknownTier { tier: Tier(7) })));
    let window = open(world.epoch.clone(), Settings { window: 24, ..settings() });
    assert!(matches!(window, Err(ClientError::Window { window: 24 })));
    let region = RegionTag(primitives::Region::all().nth(1));
    let unknown = open(world.epoch.clone(), Settings { region, ..settings() });
    assert!(matches!(unknown, Err(ClientError::UnknownRegion { .. })));
    let client = client(&folders.client(), &world, &Fuse::never());
    let other_log = UsageLog::new(vec![play(1, work(1, 1), false)]);
    let run = client.run(&other_log, &signers, (&world, &TestClock::default()), &mut OsRng, &mut |_| ());
    assert!(matches!(run, Err(ClientError::OtherLog { epoch: world::EPOCH })));
}

#[test]
fn a_folder_says_nothing_of_works_once_all_is_decided() {
    let (folders, world, signers) = scene();
    run(&folders, &world, &signers).unwrap();
    let plan = fs::read(folders.client().join("plan")).unwrap();
    world.anchor();
    states(&folders, &world);
    let mut names = Vec::new();
    for entry in fs::read_dir(folders.client()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        assert!(!bytes.windows(32).any(|window| window == &plan[plan.len() - 64..][..32]));
        names.push(path.file_name().unwrap().to_string_lossy().into_owned());
    }
    names.sort();
    let expected = [
        "bundle-00000",
        "bundle-00001",
        "done",
        "epoch",
        "final-00000",
        "final-00001",
        "first",
        "last",
        "lock",
        "outcome-00000-1",
        "outcome-00000-2",
        "outcome-00000-3",
        "outcome-00001-1",
        "outcome-00001-2",
        "outcome-00001-3",
        "sent-00000",
        "sent-00001",
    ];
    assert_eq!(names, expected);
}
