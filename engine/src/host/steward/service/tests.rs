use super::*;
use crate::{
    host::{HostSecret, steward::MemberFile},
    settlement::Office,
};
use chain::{
    Genesis,
    ledger::Authority,
    modules::{
        identity::Roles,
        usage::{PublishKeys, TierKey},
    },
    node::Node,
    signature::SecretKey,
};
use primitives::{ChainId, PersonId, Preset, Tier};
use proofs::testing::{issuer, other_issuer};
use rand_chacha::rand_core::SeedableRng;
use std::{
    cell::{Cell, RefCell},
    sync::Mutex,
};

/// Issuers whose keys are those of two tiers: the same at first.
struct Issuers {
    asked: Cell<u32>,
    wrong: u32,
}

impl Source for Issuers {
    fn terms(&self, _: EpochId) -> Result<Terms, String> {
        Ok(Terms { tiers: Vec::new(), sales: Vec::new(), shard_width: 16 })
    }

    fn keys(&self, epoch: EpochId) -> Result<PublishKeys, String> {
        self.asked.set(self.asked.get() + 1);
        let second = if self.asked.get() > self.wrong { other_issuer() } else { issuer() };
        let key = |(tier, of): (u8, &proofs::blind::BlindIssuer)| TierKey {
            tier: Tier(tier),
            key: of.public().der().to_vec(),
        };
        Ok(PublishKeys { epoch, tiers: [(1, issuer()), (2, second)].map(key).into(), regions: Vec::new() })
    }
}

/// The ledger refuses keys, again and again. Once it takes them the service has gone on by itself, and said once what is wrong.
#[test]
fn keys_that_the_ledger_refuses_are_waited_for_however_often() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let roles = [Roles::REGISTRAR, Roles::STEWARD, Roles::TREASURER];
    let mut offices: Vec<Office> =
        (1..=3).map(|n| Office { person: PersonId([n; 32]), key: SecretKey::generate(&mut rng) }).collect();
    let held = offices.iter().zip(roles);
    let authorities = held
        .map(|(office, roles)| Authority { person: office.person, key: office.key.public_key(), roles })
        .collect();
    let genesis = Genesis::new(ChainId(5), EpochId(1), Preset::Spec.params(), authorities);
    let dir = tempfile::tempdir().expect("a folder");
    let port = Mutex::new(Node::open(dir.path(), genesis).expect("a fresh node"));
    let members = [(); 3].map(|()| MemberFile {
        member: HostSecret::generate(&mut rng).member(),
        operator: SecretKey::generate(&mut rng).public_key(),
    });
    let registration = Registration::new(offices.remove(0), (members, None), 60).expect("a committee");
    let (steward, treasury) = (offices.remove(0), offices.remove(0));
    let times = Times { window: Duration::ZERO, rest: Duration::ZERO, beacon_patience: Duration::ZERO };
    let mut service = Service::new(registration, (steward, treasury, Vec::new()), rng, times);
    let (said, source) = (RefCell::new(Vec::new()), Issuers { asked: Cell::new(0), wrong: 2 * MAX_REFUSALS });
    let told = |told: Told| said.borrow_mut().push(told);
    let hurries = Hurries::new(Duration::ZERO);
    let (begun, overdue) = (BTreeMap::new(), Overdue::default());
    let mut round = Round { source: &source, told: &told, hurries, begun, overdue, rests: None, waits: None };
    for _ in 0..source.wrong {
        let (_, halt) = service.round(&port, &mut round).expect_err("the ledger refuses them");
        assert!(matches!(halt, Halt::Waits(_)), "{halt}");
        round.waits(halt.to_string());
    }
    let (_, halt) = service.round(&port, &mut round).expect_err("there is no work yet");
    assert!(halt.to_string().contains("a work on record"), "{halt}");
    let said = said.borrow();
    let waits =
        |told: &&Told| matches!(told, Told::Waits { what } if what.contains("keys of issuers for epoch 1"));
    assert_eq!(said.iter().filter(waits).count(), 1, "{said:?}");
    assert_eq!(said.last(), Some(&Told::OnRecord { what: "the issuers' keys of epoch 1".into() }));
}

#[test]
fn what_an_epoch_lacks_does_not_end_the_one_that_is_being_closed() {
    let refused = || Halt::from(SettlementError::Record("no"));
    assert!(matches!(refused(), Halt::Chain(_)));
    for halt in [refused(), Halt::Terms("none".into()), Halt::Waits("a while".into())] {
        let behind = halt.behind(EpochId(4));
        assert!(matches!(behind, Halt::Waits(_)), "{behind:?}");
    }
}
