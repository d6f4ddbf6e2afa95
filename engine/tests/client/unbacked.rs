//! Issuers of receipts that give none: the epoch goes on without them.

use super::{
    Folders, client, life, run, scene,
    world::{Fuse, Killed, LocalSigners, TestClock, World, log, settings},
};
use engine::client::{
    Client, ClientError, Clock, Folder, LinkError, NotBacked, Patience, Report, Settings, Signers,
};
use primitives::{Decode, EpochId, Region, RegionTag, Tier};
use proofs::{blind::BlindSignature, bundle::Bundle, receipt::Denomination};
use rand_core::OsRng;
use std::{
    cell::Cell,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

/// Plays of the log that are backed: five in the first bundle, and one in the second.
const BACKED: u64 = 6;

/// What an issuer of receipts does in place of answering.
type Failure = fn() -> Result<BlindSignature, LinkError>;

/// An issuer of receipts that fails once it has signed so many.
struct Failing<'a> {
    signers: &'a LocalSigners,
    left: Cell<u32>,
    failure: Failure,
}

impl Signers for Failing<'_> {
    fn token(
        &self,
        epoch: EpochId,
        tier: Tier,
        request: &BlindSignature,
    ) -> Result<BlindSignature, LinkError> {
        self.signers.token(epoch, tier, request)
    }

    fn receipt(
        &self,
        epoch: EpochId,
        at: (Region, Denomination),
        request: &BlindSignature,
    ) -> Result<BlindSignature, LinkError> {
        match self.left.get().checked_sub(1) {
            Some(left) => {
                self.left.set(left);
                self.signers.receipt(epoch, at, request)
            }
            None => (self.failure)(),
        }
    }
}

const FAILURES: [(Failure, &str); 4] = [
    (|| Err(LinkError::Refused { kind: "no-key".into(), text: "none".into() }), "(no-key)"),
    (|| Err(LinkError::Garbage { what: "a cat".into() }), "a cat"),
    (|| Err(LinkError::Unreachable { reason: "refused".into() }), "cannot be reached"),
    (|| Ok([7; 256]), "no signature under its key"),
];

fn run_with(folders: &Folders, world: &World, signers: &dyn Signers) -> Result<Report, ClientError> {
    let own = client(&folders.client(), world, &Fuse::never());
    own.run(&log(), signers, (world, &TestClock::default()), &mut OsRng, &mut |_| ())
}

/// Views that each bundle shows receipts for.
fn shown(world: &World) -> Vec<u64> {
    let views = |bytes: Vec<u8>| {
        let bundle = Bundle::from_bytes(&bytes).unwrap();
        let views = bundle.receipts.iter().map(|receipt| u64::from(receipt.denomination.views())).sum();
        assert_eq!(bundle.envelope.region == RegionTag::NONE, views == 0);
        views
    };
    world.came(1).into_iter().map(views).collect()
}

#[test]
fn no_issuer_of_receipts_has_a_veto_over_an_epoch() {
    for (failure, why) in FAILURES {
        for (signed, views) in [(0, [0, 0]), (1, [4, 0]), (2, [5, 0])] {
            let (folders, world, signers) = scene();
            let failing = Failing { signers: &signers, left: Cell::new(signed), failure };
            let report = run_with(&folders, &world, &failing).unwrap();
            assert!(report.is_complete(), "{report:?}");
            assert_eq!(shown(&world), views);
            let NotBacked { plays, why: told } = report.not_backed.clone().expect("some are not backed");
            assert_eq!(plays, BACKED - views.iter().sum::<u64>());
            assert!(told.starts_with("the ") && told.contains(why), "{told}");
            // It is told again, also when all is decided and by an issuer that is well again.
            let again = run(&folders, &world, &signers).unwrap();
            assert_eq!(
                (again.not_backed, again.bundles),
                (report.not_backed.clone(), report.bundles.clone())
            );
            world.anchor();
            super::states(&folders, &world);
            assert!(!folders.client().join("plan").exists());
            assert_eq!(run(&folders, &world, &signers).unwrap().not_backed, report.not_backed);
        }
    }
}

/// What its subscriber can mend is no reason to hand plays in as not backed.
#[test]
fn a_code_that_is_nobodys_stops_the_client_until_there_is_another() {
    let (folders, world, signers) = scene();
    let failure = || Err(LinkError::Refused { kind: "unknown-code".into(), text: "nobody's".into() });
    for signed in [0, 1] {
        let failing = Failing { signers: &signers, left: Cell::new(signed), failure };
        let ended = run_with(&folders, &world, &failing);
        assert!(matches!(ended, Err(ClientError::Signer { who: "receipt issuer", .. })), "{ended:?}");
        assert_eq!(world.came(1).len(), 0);
    }
    let report = run(&folders, &world, &signers).unwrap();
    assert_eq!((report.not_backed, shown(&world)), (None, vec![5, 1]));
}

#[test]
fn where_few_views_are_left_smaller_receipts_take_them() {
    let folders = Folders::new();
    let (world, signers) = (World::new(), LocalSigners::with_views(&folders.issuers(), 3));
    let report = run(&folders, &world, &signers).unwrap();
    // Of 4 and 1 views in the first bundle and 1 in the second: 4 are more than are left.
    let not_backed = report.not_backed.expect("some are not backed");
    assert_eq!((shown(&world), not_backed.plays), (vec![1, 0], 5), "{not_backed:?}");
}

/// Waits in vain until the epoch takes no bundles in any more.
#[derive(Default)]
struct Closing {
    pauses: Cell<u32>,
    told: Cell<u32>,
}

impl Closing {
    /// Pauses after which the window is closed.
    const LEFT: u32 = 3;
}

impl Clock for Closing {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _: Duration) {
        self.pauses.set(self.pauses.get() + 1);
    }

    fn wait(&self, _: Duration, _: &mut dyn FnMut(Duration) -> bool) {
        unreachable!("nothing is handed in")
    }

    fn is_over(&self) -> bool {
        self.pauses.get() >= Self::LEFT
    }

    fn waits(&self, who: &'static str, _: &LinkError) {
        assert_eq!(who, "receipt issuer");
        self.told.set(self.told.get() + 1);
    }
}

#[test]
fn nobody_is_waited_for_beyond_the_window_and_nothing_is_made_then() {
    let (folders, world, signers) = scene();
    let failing = Failing { signers: &signers, left: Cell::new(0), failure: FAILURES[2].0 };
    let (own, clock) = (client(&folders.client(), &world, &Fuse::never()), Closing::default());
    let run = || own.run(&log(), &failing, (&world, &clock), &mut OsRng, &mut |_| ());
    for _ in 0..2 {
        let ended = run();
        assert!(matches!(ended, Err(ClientError::Closed { .. })), "{ended:?}");
        assert_eq!((clock.pauses.get(), clock.told.get()), (Closing::LEFT, Closing::LEFT));
    }
    assert!(world.came(1).is_empty() && !folders.client().join("bundle-00000").exists());
}

/// An issuer of receipts that signs, or fails, after so long.
struct Dawdling<'a> {
    signers: &'a LocalSigners,
    clock: &'a TestClock,
    each: Duration,
    signs: bool,
}

impl Signers for Dawdling<'_> {
    fn token(
        &self,
        epoch: EpochId,
        tier: Tier,
        request: &BlindSignature,
    ) -> Result<BlindSignature, LinkError> {
        self.signers.token(epoch, tier, request)
    }

    fn receipt(
        &self,
        epoch: EpochId,
        at: (Region, Denomination),
        request: &BlindSignature,
    ) -> Result<BlindSignature, LinkError> {
        self.clock.sleep(self.each);
        match self.signs {
            true => self.signers.receipt(epoch, at, request),
            false => Err(LinkError::Unreachable { reason: "timed out".into() }),
        }
    }
}

#[test]
fn an_issuer_of_receipts_has_ten_minutes_for_all_of_them() {
    let longest = Duration::from_secs(600);
    // The first two receipts take all of it; nobody waits for the third. One that hangs has no more, whatever the patience.
    for (each, signs, views, why) in [
        (longest / 2, true, [5, 0], "waited for 600 s in all"),
        (Duration::from_secs(60), false, [0, 0], "timed out"),
    ] {
        let (folders, world, signers) = scene();
        let clock = TestClock::default();
        let dawdling = Dawdling { signers: &signers, clock: &clock, each, signs };
        let settings = Settings { patience: Patience::default(), ..settings() };
        let folder = Folder::open(folders.client()).unwrap();
        let own = Client::open(Box::new(folder), world.epoch.clone(), settings).unwrap();
        let report = own.run(&log(), &dawdling, (&world, &clock), &mut OsRng, &mut |_| ()).unwrap();
        assert!(report.is_complete() && clock.now() <= longest + each, "{:?}", clock.now());
        assert_eq!(shown(&world), views);
        let told = report.not_backed.expect("some are not backed");
        assert_eq!(told.plays, BACKED - views.iter().sum::<u64>());
        assert!(told.why.contains(why), "{}", told.why);
    }
}

/// A window that closes once it was looked at so often.
struct Closes(Cell<u32>);

impl Clock for Closes {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _: Duration) {}

    fn wait(&self, _: Duration, _: &mut dyn FnMut(Duration) -> bool) {
        unreachable!("nothing is handed in")
    }

    fn is_over(&self) -> bool {
        let left = self.0.get().checked_sub(1);
        self.0.set(left.unwrap_or_default());
        left.is_none()
    }
}

#[test]
fn what_is_made_by_the_end_of_the_window_is_not_sent_and_may_come_again() {
    let (folders, world, signers) = scene();
    let own = client(&folders.client(), &world, &Fuse::never());
    // Twice for each bundle, and once before the first is sent.
    let ended = own.run(&log(), &signers, (&world, &Closes(Cell::new(4))), &mut OsRng, &mut |_| ());
    assert!(matches!(ended, Err(ClientError::Closed { .. })), "{ended:?}");
    assert!(folders.client().join("bundle-00001").exists() && world.came(1).is_empty());
    drop(own);
    let handed_in = Client::handed_in(Box::new(Folder::open(folders.client()).unwrap())).unwrap();
    assert_eq!(handed_in, None, "the next epoch takes the same log");
}

#[test]
fn a_bundle_that_is_made_stays_as_it_is() {
    let (folders, world, signers) = scene();
    let failing = Failing { signers: &signers, left: Cell::new(2), failure: FAILURES[2].0 };
    let plan = folders.client().join("plan");
    run_with(&folders, &world, &failing).unwrap();
    let made =
        ["bundle-00000", "bundle-00001", "plan"].map(|name| fs::read(folders.client().join(name)).unwrap());
    run(&folders, &world, &signers).unwrap();
    let after =
        ["bundle-00000", "bundle-00001", "plan"].map(|name| fs::read(folders.client().join(name)).unwrap());
    assert!(made == after && plan.exists());
}

#[test]
fn the_issuer_of_tokens_ends_a_run_as_before() {
    struct Refusing;
    impl Signers for Refusing {
        fn token(&self, _: EpochId, _: Tier, _: &BlindSignature) -> Result<BlindSignature, LinkError> {
            Err(LinkError::Refused { kind: "unknown-code".into(), text: "nobody's".into() })
        }

        fn receipt(
            &self,
            _: EpochId,
            _: (Region, Denomination),
            _: &BlindSignature,
        ) -> Result<BlindSignature, LinkError> {
            panic!("no token, and receipts are asked for")
        }
    }
    let (folders, world, _) = scene();
    let ended = run_with(&folders, &world, &Refusing);
    assert!(matches!(ended, Err(ClientError::Signer { who: "token issuer", .. })), "{ended:?}");
}

/// The quota is used up in the middle of the first bundle, and the machine dies at every step.
#[test]
fn a_client_that_is_killed_while_receipts_are_refused_goes_on_with_the_same_bytes() {
    let scene = |fuse: &Fuse| {
        let folders = Folders::new();
        let mut signers = LocalSigners::with_views(&folders.issuers(), 4);
        signers.asked_by(fuse);
        let mut world = World::new();
        world.fuse = fuse.clone();
        (folders, world, signers)
    };
    let fuse = Fuse::never();
    let (folders, world, signers) = scene(&fuse);
    let undisturbed = life(&folders, &world, &signers, &fuse);
    let steps = i64::MAX - fuse.left();
    assert_eq!(shown(&world), [4, 0]);
    let mut deaths = 0;
    for killed_after in 0..steps {
        let fuse = Fuse::after(killed_after);
        let (folders, mut world, mut signers) = scene(&fuse);
        let died = catch_unwind(AssertUnwindSafe(|| life(&folders, &world, &signers, &fuse)));
        let Err(panic) = died else { continue };
        assert!(panic.is::<Killed>(), "after {killed_after} steps it fails by itself");
        deaths += 1;
        let came: Vec<_> = (1..=3).map(|party| world.came(party)).collect();
        let alive = Fuse::never();
        (world.fuse, _) = (alive.clone(), signers.asked_by(&alive));
        assert_eq!(life(&folders, &world, &signers, &alive), undisturbed, "killed after {killed_after}");
        assert_eq!(shown(&world), [4, 0], "killed after {killed_after}");
        for (party, before) in (1..=3).zip(came) {
            let after = world.came(party);
            assert_eq!(after.len(), 2, "party {party} got another spelling, killed after {killed_after}");
            assert_eq!(after[..before.len()], before);
        }
        let told = run(&folders, &world, &signers).unwrap().not_backed.expect("some are not backed");
        assert_eq!(told.plays, 2, "killed after {killed_after}");
        assert!(told.why.contains("budget"), "{}", told.why);
    }
    assert!(deaths > 50, "{deaths} deaths");
}
