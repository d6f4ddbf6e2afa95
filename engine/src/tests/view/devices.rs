//! Two subscribers of a shard, and devices that make their bundles.

use primitives::{Encode, PartyId, Region};
use proofs::{
    blind::BlindSignature,
    bundle::{self, EventWitness, Open, Secrets},
    epoch::EpochContext,
    receipt::Receipt,
    sharing::{Masks, ShareSeed},
    testing::{TestSubscriber, event, masks, share_seed},
    wire::WirePoint,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::sync::OnceLock;

/// Shards of an epoch, with two subscribers each.
pub(super) const SHARDS: usize = 48;
/// Most epochs of one world.
pub(super) const EPOCHS: usize = 2;
/// Subscribers of one world.
const SUBSCRIBERS: usize = 2 * SHARDS * EPOCHS;

/// What somebody listened to in a shard.
pub(super) type Listening = Vec<EventWitness>;

/// What the two subscribers of a shard listened to: other works, the same works another number of times, and another
/// number of views. Works 0 and 1 have two listeners, works 2 and 3 have one.
pub(super) fn listening() -> [Listening; 2] {
    let often = [(0, 0, true), (0, 1, false), (1, 0, false), (2, 0, false), (2, 1, false)];
    let seldom = [(0, 0, false), (1, 0, true), (3, 0, false)];
    let events = |list: &[(u16, u16, bool)]| list.iter().map(|&(w, j, backed)| event(w, j, backed)).collect();
    [events(&often), events(&seldom)]
}

/// One of a pair of subscribers.
#[derive(Clone, Copy)]
pub(super) struct Subscriber {
    pub(super) pair: usize,
    /// 0 or 1.
    pub(super) who: usize,
}

impl Subscriber {
    fn number(self) -> usize {
        2 * self.pair + self.who
    }

    /// With a key of its own, which is the same in both worlds.
    fn device(self) -> TestSubscriber {
        TestSubscriber::new(1000 + self.number() as u64)
    }

    pub(super) fn key(self) -> WirePoint {
        self.device().key.public()
    }

    /// What it says openly. Token and receipt are there before anybody listens, and are made once: that takes long.
    fn open(self, context: &EpochContext, events: &[EventWitness]) -> Open {
        static CREDENTIALS: [OnceLock<Credentials>; SUBSCRIBERS] = [const { OnceLock::new() }; SUBSCRIBERS];
        let mut device = self.device();
        let envelope = device.envelope(context, Region::all().next());
        let made = CREDENTIALS[self.number()].get_or_init(|| device.credentials(&envelope, events));
        let (token, receipts) = made.clone();
        (envelope, token, receipts)
    }
}

/// Token and receipts.
type Credentials = (BlindSignature, Vec<Receipt>);

/// How devices make and send bundles.
#[derive(Clone, Copy)]
pub(super) enum Devices {
    Honest,
    /// They use some seeds again and again, and who listened to works with lower numbers sends first.
    Leaking,
}

impl Devices {
    /// Whether the seed of a subscriber's share is the same in every bundle.
    pub(super) fn is_stale(self, who: usize, share: PartyId) -> bool {
        matches!(self, Self::Leaking) && (share == PartyId::ALL[2]) == (who == 1)
    }

    /// A subscriber's bundle, from a seed.
    pub(super) fn bundle(
        self,
        context: &EpochContext,
        subscriber: Subscriber,
        listened: &Listening,
        seed: u64,
    ) -> Vec<u8> {
        let (device, mut rng) = (subscriber.device(), ChaCha20Rng::seed_from_u64(seed));
        let (mut events, mut used) = (listened.clone(), device.used.clone());
        let open = subscriber.open(context, &events);
        bundle::pad(context, &mut events, &mut used, &mut rng).expect("padding is left");
        let mut secrets = Secrets::with_fresh_masks(context, &device.key, &device.spent, &mut rng);
        if let Self::Leaking = self {
            secrets.masks = self.masks(context, subscriber.who, &mut rng);
        }
        let made = bundle::prove(context, secrets, open, &events, &mut rng);
        made.expect("honest events").0.to_bytes()
    }

    fn masks(self, context: &EpochContext, who: usize, rng: &mut ChaCha20Rng) -> Masks {
        let seed = |share| match self.is_stale(who, share) {
            true => share_seed([7; 32]),
            false => ShareSeed::generate(rng),
        };
        masks(context, PartyId::ALL.map(seed))
    }

    /// The order in which the two of a shard send.
    pub(super) fn order(self, listened: &[Listening; 2]) -> [usize; 2] {
        let mut order = [0, 1];
        if let Self::Leaking = self {
            order.sort_by_key(|who| listened[*who].iter().map(|event| event.work).max());
        }
        order
    }
}
