//! What people do in which week, and what must have come of it by the end of the year.

use super::*;
use crate::governance::councillor;
use chain::modules::{
    eco_reserve::{
        AcceptValuation, Acquisition, AssetId, BuyAsset, EcoKind, EcoStatus, Figures, Mrv, Offer,
        PushValuation,
    },
    governance::{
        Action, ApproveValuation, CallElection, Change, CloseCase, CloseElection, DrawJury, Elect, JuryVote,
        ModuleId, ModuleVersion, OfferAsset, OpenCase, Parameter, Propose, Recall, Remedy, Resolve,
        SetParameters, Spend, Stand, Verdict,
    },
    identity::{SetStatus, Status},
    treasury::{Burn, Mint, Transfer},
    work_registry::{Gone, Removal, UpdateWork},
};
use primitives::{BasisPoints, Digest, Preset, params::ONE_Q32};

/// Subscribers' money of one epoch is 44 credits: an asset of a few weeks' share.
const COST: Credits = Credits(6_000_000);

/// The year's decisions so far.
#[derive(Default)]
pub(super) struct Agenda {
    made: usize,
}

fn land() -> AssetId {
    AssetId(Digest([0x1a; 32]))
}

fn figures(value: u64, hectares: u64) -> Figures {
    let haircut = BasisPoints::new(2_000).expect("a fifth");
    Figures { value: Credits(value), haircut, mrv: Mrv { hectares, tonnes: 12_000 } }
}

impl Agenda {
    fn propose(&mut self, world: &mut World, action: Action) {
        self.made += 1;
        world.ok(voter(self.made as u8 % 24), Payload::Propose(Propose { document: digest(1), action }));
    }

    /// Proposals that were made, all of which pass.
    pub(super) fn decisions(&self) -> usize {
        self.made
    }

    fn set(from: EpochId, changes: &[(Parameter, u64)]) -> Action {
        let change = |(parameter, value): &(Parameter, u64)| Change { parameter: *parameter, value: *value };
        let review_by = Some(EpochId(from.0 + 20));
        Action::SetParameters(SetParameters {
            from,
            changes: changes.iter().map(change).collect(),
            review_by,
        })
    }

    fn oracles(world: &mut World, document: u8, figures: Figures) {
        for oracle in &ORACLES[..2] {
            let push = PushValuation { asset: land(), figures, document: digest(document) };
            world.ok(*oracle, Payload::PushValuation(push));
        }
        let round = world.ledger.state().eco_assets.get(&land()).expect("bought").round;
        world.open_ok(Payload::AcceptValuation(AcceptValuation { asset: land(), round }));
    }

    /// What is on the agenda of a week, before its epoch opens.
    pub(super) fn week(&mut self, world: &mut World, week: u64) {
        match week {
            1 => {
                let work = world.work(6, 2);
                let work = chain::modules::work_registry::RegisterWork { active_from: epoch(1), ..work };
                world.ok(person(2), Payload::RegisterWork(work));
            }
            2 => {
                let change = [(Parameter::K, ONE_Q32 / 2), (Parameter::PriceMax, ONE_Q32 + ONE_Q32 / 8)];
                self.propose(world, Self::set(epoch(8), &change));
            }
            3 => {
                let work = world.ledger.state().works.get(&id_of(3, 2)).expect("on record").clone();
                let splits = work.terms.splits;
                let update = UpdateWork { work: id_of(3, 2), price: ONE_Q32, splits, from: epoch(4) };
                world.ok(person(2), Payload::UpdateWork(update));
            }
            // A change that weighs much.
            4 => self.propose(world, Self::set(epoch(12), &[(Parameter::EcoShare, 800)])),
            5 => {
                let to = person(1);
                let mint = Mint { to, amount: Credits(3 * Credits::ONE.0), reference: digest(0x51) };
                world.ok(TREASURY, Payload::Mint(mint));
            }
            // The fund has several weeks' shares by now.
            8 => self.propose(
                world,
                Action::AcquireAsset(Acquisition {
                    title: land(),
                    kind: EcoKind::Land,
                    entity: digest(0x52),
                    seller: person(3),
                    cost: COST,
                    haircut: BasisPoints::new(2_000).expect("a fifth"),
                    mrv: Mrv { hectares: 4_000, tonnes: 12_000 },
                }),
            ),
            10 => {
                let case = OpenCase { document: digest(0x53), remedy: Remedy::RemoveWork(id_of(5, 3)) };
                world.ok(voter(0), Payload::OpenCase(case));
            }
            12 => world.open_ok(Payload::DrawJury(DrawJury { case: 1 })),
            13 => {
                for juror in world.ledger.state().cases.get(&1).expect("opened").panel().collect::<Vec<_>>() {
                    world.ok(juror, Payload::JuryVote(JuryVote { case: 1, grant: true }));
                }
                world.open_ok(Payload::CloseCase(CloseCase { case: 1 }));
            }
            14 => Self::oracles(world, 0x54, figures(6_300_000, 4_100)),
            16 => self.propose(world, Action::Recall(Recall { councillor: councillor(4) })),
            18 => {
                let burn = Burn { amount: Credits::ONE, reference: digest(0x55) };
                world.ok(person(1), Payload::Burn(burn));
            }
            21 => world.ok(voter(3), Payload::CallElection(CallElection)),
            // Twice as much as before is for people to judge.
            24 => Self::oracles(world, 0x56, figures(13_000_000, 4_200)),
            25 => {
                let round = world.ledger.state().eco_assets.get(&land()).expect("bought").round;
                self.propose(world, Action::ApproveValuation(ApproveValuation { asset: land(), round }));
            }
            30 => self.propose(
                world,
                Action::Spend(Spend { fund: Fund::Fee, to: person(2), amount: Credits(1_500_000) }),
            ),
            // An upgrade with notice. This program is not the one that has it: it holds after the year.
            32 => {
                let (module, from) = (ModuleId::NodeRewards, epoch(WEEKS + 10));
                let version = ModuleVersion { module, from, version: 2, code: digest(0x57) };
                self.propose(world, Action::Upgrade(version));
            }
            34 => {
                let suspend = SetStatus { person: person(3), status: Status::Suspended };
                world.ok(REGISTRAR, Payload::SetStatus(suspend));
            }
            36 => {
                let active = SetStatus { person: person(3), status: Status::Active };
                world.ok(REGISTRAR, Payload::SetStatus(active));
            }
            38 => {
                let until = world.ledger.now().after(60 * DAY);
                let offer = Offer { buyer: person(1), price: Credits(7_000_000), until };
                self.propose(world, Action::OfferAsset(OfferAsset { asset: land(), offer }));
            }
            40 => {
                self.propose(world, Action::Resolve(Resolve { text: digest(0x58) }));
            }
            42 => {
                let to = person(1);
                world.ok(person(2), Payload::Transfer(Transfer { to, amount: Credits(1_000_000) }));
                let price = Credits(7_000_000);
                world.ok(to, Payload::BuyAsset(BuyAsset { asset: land(), price }));
            }
            // The council of the summer is elected for half a year.
            47 => world.ok(voter(2), Payload::CallElection(CallElection)),
            _ => {}
        }
        Self::elections(world);
    }

    /// Candidates stand and are elected as soon as an election runs.
    fn elections(world: &mut World) {
        let now = world.ledger.now();
        let Some(election) = world.ledger.state().elections.iter().next_back().cloned() else { return };
        let number = election.number;
        let stands = world.ledger.state().candidates.get(&(number, voter(5))).is_some();
        let voted = world.ledger.state().approvals.get(&(number, voter(0))).is_some();
        if election.elected.is_some() {
        } else if now < election.stand_until && !stands {
            for n in 5..12 {
                world.ok(voter(n), Payload::Stand(Stand { election: number }));
            }
        } else if (election.stand_until..election.vote_until).contains(&now) && !voted {
            for n in 0..20 {
                let choices = (5..10 + n % 2).filter(|c| c % 7 != n % 7).take(5).map(voter).collect();
                world.ok(voter(n), Payload::Elect(Elect { election: number, choices }));
            }
        } else if now >= election.vote_until {
            world.open_ok(Payload::CloseElection(CloseElection { election: number }));
        }
    }

    /// What must have come of it.
    pub(super) fn check(&self, world: &World) {
        let state = world.ledger.state();
        let params = |week| state.version_of(epoch(week)).params.clone();
        assert_eq!(params(7).k, Preset::Spec.params().k);
        assert_eq!(params(8).k, ONE_Q32 / 2);
        assert_eq!((params(11).eco_share.get(), params(12).eco_share.get()), (500, 800));
        let gone = state.works.get(&id_of(5, 3)).expect("on record").gone;
        assert!(matches!(gone, Some(Gone { removal: Removal::Removed, .. })));
        assert_eq!(state.cases.get(&1).expect("opened").verdict, Verdict::Granted);
        let asset = state.eco_assets.get(&land()).expect("bought");
        assert_eq!(asset.valuation.figures.value, Credits(13_000_000));
        assert_eq!(asset.status, EcoStatus::Disposed { buyer: person(1), proceeds: Credits(7_000_000) });
        let council = state.council(world.ledger.now());
        assert!(council.len() == 5 && council.iter().all(|person| (5..12).any(|n| voter(n) == *person)));
        assert_eq!(
            state.module_version(ModuleId::NodeRewards, epoch(WEEKS + 10)).map(|v| v.version),
            Some(2)
        );
        assert!(state.works.get(&id_of(6, 2)).is_some());
    }
}
