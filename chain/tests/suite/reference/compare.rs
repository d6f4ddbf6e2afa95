//! Whether the ledger's state says what the model says, and whether either adds up.

use super::{
    eco::{Asset, Report, State as AssetState},
    elections::{Councillor, Election},
    identity::{Person, is_on_layer1},
    model::{Model, bits},
    nodes::Service,
    payouts::Settled,
    settings::values_of,
    treasury::Attested,
};
use chain::{
    modules::{
        eco_reserve::EcoStatus,
        governance::{Choice, Verdict},
        treasury::Fund,
        usage::{Phase, Summary},
    },
    state::State,
};
use primitives::{Credits, EpochId, PersonId};
use std::{collections::BTreeMap, fmt::Debug};

const FUNDS: [Fund; 9] = [
    Fund::Revenue,
    Fund::Eco,
    Fund::Infrastructure,
    Fund::Fee,
    Fund::Unclaimed,
    Fund::Carried,
    Fund::Layer1,
    Fund::Bonds,
    Fund::NodeRewards,
];

fn n(amount: Credits) -> i128 {
    amount.0.into()
}

#[track_caller]
fn same<K: Ord + Debug, V: PartialEq + Debug>(
    what: &str,
    ledger: impl IntoIterator<Item = (K, V)>,
    model: impl IntoIterator<Item = (K, V)>,
) {
    let (ledger, model): (BTreeMap<K, V>, BTreeMap<K, V>) =
        (ledger.into_iter().collect(), model.into_iter().collect());
    for (key, value) in &ledger {
        assert_eq!(Some(value), model.get(key), "{what} {key:?}: the ledger's on the left");
    }
    assert_eq!(ledger.len(), model.len(), "{what}: {:?} beside {:?}", ledger.keys(), model.keys());
}

impl Model {
    /// Compares everything that is on record.
    pub(super) fn agrees_with(&self, state: &State) {
        self.persons_agree(state);
        self.works_agree(state);
        self.money_agrees(state);
        self.epochs_agree(state);
        self.assets_agree(state);
        self.proposals_agree(state);
        self.council_agrees(state);
        self.cases_agree(state);
        self.adds_up();
    }

    fn persons_agree(&self, state: &State) {
        let person = |who: &chain::modules::identity::Identity| Person {
            roles: bits(who.roles),
            status: who.status,
            since: who.since,
            keyed: who.keyed,
        };
        let ledger = state.identities.iter().map(|who| (who.person, person(who)));
        same("person", ledger, self.people.clone());
        let ledger = state.identities.iter().map(|who| (who.person, who.works as usize));
        let of = |person: &PersonId| self.works.values().filter(|work| work.creator == *person).count();
        same("works of", ledger, self.people.keys().map(|person| (*person, of(person))));
        let ledger = state.nullifiers.iter().map(|used| (used.nullifier, ()));
        same("nullifier", ledger, self.nullifiers.iter().map(|used| (*used, ())));
        let running = self.running();
        let ledger = state.accounts.iter().map(|account| {
            let used = if account.active_in == running { account.used.into() } else { 0 };
            (account.owner, (account.key, account.nonce, n(account.balance), used))
        });
        let model = self.accounts.iter().map(|(owner, account)| {
            let used = account.free_used.get(&running).copied().unwrap_or(0);
            (*owner, (account.key, account.nonce, account.balance, used))
        });
        same("account", ledger, model);
    }

    fn works_agree(&self, state: &State) {
        // Terms as they hold in each epoch that may still open before long.
        let ahead: Vec<EpochId> = (0..8).map(|ahead| EpochId(self.next_epoch().0 + ahead)).collect();
        let ledger = state.works.iter().map(|work| {
            let terms = ahead.iter().filter(|epoch| work.active_from <= **epoch).map(|epoch| {
                let terms = work.terms_at(*epoch);
                let splits: Vec<_> =
                    terms.splits.iter().map(|split| (split.payee, i128::from(split.share.get()))).collect();
                (i128::from(terms.price), splits, work.is_offered(*epoch))
            });
            let gone = work.gone.map(|gone| (gone.from, gone.removal));
            (work.id, (work.creator, work.category, work.active_from, gone, terms.collect::<Vec<_>>()))
        });
        let model = self.works.iter().map(|(id, work)| {
            let terms = ahead.iter().filter(|epoch| work.active_from <= **epoch).map(|epoch| {
                let terms = work.terms_in(*epoch);
                (terms.price, terms.splits.clone(), work.is_offered(*epoch))
            });
            (*id, (work.creator, work.category, work.active_from, work.gone, terms.collect::<Vec<_>>()))
        });
        same("work", ledger, model);
    }

    fn money_agrees(&self, state: &State) {
        let ledger = FUNDS.map(|fund| (fund, n(state.fund(fund))));
        same("fund", ledger, FUNDS.map(|fund| (fund, self.money.in_fund(fund))));
        let supply = state.total_supply();
        assert_eq!((n(supply.minted), n(supply.burnt)), (self.money.minted, self.money.burnt), "supply");
        let ledger = state.attestations.iter().map(|attested| {
            let (document, reserve, burnt) = (attested.document, n(attested.reserve), n(attested.burnt));
            (attested.auditor, Attested { document, reserve, at: attested.at, burnt })
        });
        same("attestation", ledger, self.attested.clone());
        let cited = state.citations.iter().map(|cited| ((cited.by, cited.document), ()));
        same("citation", cited, self.cited.iter().map(|cited| (*cited, ())));
        let paid = state.deposits.iter().map(|paid| (paid.reference, ()));
        same("deposit", paid, self.paid_in.iter().map(|paid| (*paid, ())));
        let paid = state.redemptions.iter().map(|paid| ((paid.holder, paid.reference), ()));
        same("redemption", paid, self.paid_out.iter().map(|paid| (*paid, ())));
    }

    fn epochs_agree(&self, state: &State) {
        let figures = |epoch: EpochId, summary: &Summary| Settled {
            revenue: n(summary.revenue),
            fee: n(summary.fee),
            eco: n(summary.eco),
            infra: n(summary.infra),
            creators: n(summary.creators),
            carried_in: n(summary.carried_in),
            paid: n(summary.paid),
            on_layer1: n(summary.on_layer1),
            carried_out: n(summary.carried_out),
            owed: {
                let leaves = state.claims_of_epoch(epoch).into_iter();
                leaves.map(|leaf| ((leaf.work, leaf.payee), n(leaf.amount))).collect()
            },
        };
        let ledger = state.epochs.iter().map(|known| {
            let revenues = state.revenues_of(known.epoch);
            let revenue: BTreeMap<_, _> =
                revenues.map(|tier| (tier.tier, (tier.subscriptions.into(), n(tier.revenue)))).collect();
            let works: Vec<_> = state.openings.get(&known.epoch).expect("an opening").works.clone();
            let works: Vec<_> =
                works.iter().map(|listed| (listed.work, i128::from(listed.price), listed.resting)).collect();
            let settled = known.summary.as_ref().map(|summary| figures(known.epoch, summary));
            (known.epoch, (known.phase, revenue, works, settled))
        });
        let model = self.epochs.iter().map(|(epoch, known)| {
            let works = known.works.iter().map(|(work, listed)| (*work, listed.price, listed.resting));
            (*epoch, (known.phase, known.revenue.clone(), works.collect(), known.settled.clone()))
        });
        same("epoch", ledger, model);
        let claimed = state.claims.iter().map(|claim| ((claim.epoch, claim.work, claim.payee), ()));
        same("claim", claimed, self.claimed.iter().map(|claim| (*claim, ())));
        let versions = state
            .versions
            .iter()
            .map(|version| (version.from, (values_of(version), version.proposal, version.review_by)));
        let model = self.settings.versions.iter();
        let model =
            model.map(|(from, (proposal, review))| (*from, (self.settings.all(*from), *proposal, *review)));
        same("version", versions, model);
        let modules = state.modules.iter().map(|version| ((version.module, version.from), version.version));
        let model = self.modules.iter().flat_map(|(module, versions)| {
            versions.iter().map(|(from, version)| ((*module, *from), *version))
        });
        same("module", modules, model);
    }

    fn assets_agree(&self, state: &State) {
        let ledger = state.eco_assets.iter().map(|asset| {
            let state = match &asset.status {
                EcoStatus::Held => AssetState::Held,
                EcoStatus::ForSale(offer) => AssetState::Offered(offer.clone()),
                EcoStatus::Disposed { buyer, proceeds } => AssetState::Sold(*buyer, *proceeds),
            };
            let plain = Asset {
                kind: asset.kind,
                entity: asset.entity,
                seller: asset.seller,
                cost: asset.cost,
                acquired: asset.acquired,
                valued: (asset.valuation.figures, asset.valuation.at),
                pending: asset.pending.map(|pending| (pending.figures, pending.at)),
                round: asset.round,
                state,
            };
            (asset.id, plain)
        });
        same("asset", ledger, self.assets.clone());
        let ledger = state.eco_reports.iter().map(|report| {
            let (figures, document) = (report.figures, report.document);
            ((report.asset, report.oracle), Report { figures, document, round: report.round, at: report.at })
        });
        same("report", ledger, self.reports.clone());
        let ledger = state.eco_events.iter().map(|event| (event.number, (event.at, event.what.clone())));
        same("journal", ledger, (0..).zip(self.journal.clone()));
    }

    fn proposals_agree(&self, state: &State) {
        let ledger = state.proposals.iter().map(|p| {
            let tally = [p.yes, p.no, p.abstain].map(i128::from);
            let moments = [p.vote_from, p.vote_until, p.enact_from, p.enact_until];
            let needs = (i128::from(p.electorate), i128::from(p.quorum), i128::from(p.majority.get()));
            let stage = p.stage(self.now);
            (p.number, (p.proposer, p.created, moments, needs, p.path, tally, p.outcome, stage))
        });
        let model = self.proposals.iter().map(|(number, p)| {
            let tally = [Choice::Yes, Choice::No, Choice::Abstain].map(|choice| self.said(*number, choice));
            let (quorum, majority) = self.quorum_of(*number);
            let needs = (p.electorate, quorum, majority);
            let stage = self.stage(*number);
            (*number, (p.by, p.created, p.moments, needs, p.path, tally, p.outcome, stage))
        });
        same("proposal", ledger, model);
        let ledger = state.ballots.iter().map(|ballot| ((ballot.proposal, ballot.voter), ballot.choice));
        same("ballot", ledger, self.votes.clone());
        let ledger = state.statements.iter().map(|said| ((said.proposal, said.author, said.document), ()));
        same("statement", ledger, self.statements.iter().map(|said| (*said, ())));
        let ledger = state.says.iter().map(|said| ((said.proposal, said.say, said.councillor), ()));
        same("say", ledger, self.says.iter().map(|said| (*said, ())));
    }

    fn council_agrees(&self, state: &State) {
        let ledger = state
            .councillors
            .iter()
            .map(|seat| (seat.person, Councillor { until: seat.until, election: seat.election }));
        same("seat", ledger, self.council.clone());
        let sits = self.council.keys().filter(|person| self.sits(**person));
        same(
            "councillor",
            state.council(self.now).into_iter().map(|who| (who, ())),
            sits.map(|who| (*who, ())),
        );
        let ledger = state.elections.iter().map(|election| {
            let elected = election.elected.as_ref().map(|people| people.0.clone());
            let (called, stand_until, vote_until) =
                (election.called, election.stand_until, election.vote_until);
            let seats = election.seats.into();
            (election.number, Election { called, stand_until, vote_until, seats, elected })
        });
        same("election", ledger, self.elections.clone());
        let ledger = state.candidates.iter().map(|c| ((c.election, c.person), c.votes as usize));
        let model = self.candidates.iter().map(|(of, person)| ((*of, *person), self.votes_for(*of, *person)));
        same("candidate", ledger, model);
    }

    fn cases_agree(&self, state: &State) {
        let ledger = state.cases.iter().map(|case| {
            let jury: (Vec<PersonId>, Vec<PersonId>) = (case.jurors.0.clone(), case.panel().collect());
            let sides = (case.by_complainant.0.clone(), case.by_respondent.0.clone());
            let votes = (usize::from(case.granted), usize::from(case.dismissed));
            let times = (case.opened, case.draw_from, case.drawn);
            (
                case.number,
                (case.complainant, case.respondent, case.remedy, times, jury, sides, votes, case.verdict),
            )
        });
        let model = self.cases.iter().map(|(number, case)| {
            let drawn = case.drawn.as_ref();
            let jurors = drawn.map_or_else(Vec::new, |drawn| drawn.jurors.clone());
            let sides = (case.by_complainant.clone(), case.by_respondent.clone());
            let times = (case.opened, case.draw_from, drawn.map(|drawn| drawn.at));
            let (jury, votes) = ((jurors, case.panel()), self.jurors_say(*number));
            (
                *number,
                (case.complainant, case.respondent, case.remedy, times, jury, sides, votes, case.verdict),
            )
        });
        same("case", ledger, model);
        let ledger = state.tasks.iter().map(|task| ((task.epoch, task.person), i128::from(task.units)));
        same("task", ledger, self.tasks.clone());
        let ledger = state.services.iter().map(|service| {
            let (most, from, until) = (service.most, service.from, service.until);
            (service.manifest, Service { most, from, until })
        });
        same("service", ledger, self.services.clone());
    }

    /// What must be true of the figures, whoever computed them.
    fn adds_up(&self) {
        let held: i128 = self.accounts.values().map(|account| account.balance).sum::<i128>()
            + self.money.funds.values().sum::<i128>();
        assert_eq!(self.money.minted, held + self.money.burnt, "credits minted are held or burnt");
        let (mut unclaimed, mut there, mut revenue) = (0, 0, 0);
        for (epoch, known) in &self.epochs {
            let reported: i128 = known.revenue.values().map(|(_, amount)| amount).sum();
            revenue += if known.runs() { reported } else { 0 };
            let Some(settled) = &known.settled else {
                assert_ne!(known.phase, Phase::Finalised, "a settled epoch has figures");
                continue;
            };
            let parts = settled.creators + settled.eco + settled.infra + settled.fee;
            assert_eq!(settled.revenue, parts, "revenue of {epoch}");
            let (out, into) = (settled.paid + settled.carried_out, settled.creators + settled.carried_in);
            assert_eq!(out, into, "creators of {epoch}");
            assert_eq!(settled.owed.values().sum::<i128>(), settled.paid, "payouts of {epoch}");
            for ((work, payee), amount) in &settled.owed {
                match is_on_layer1(payee) {
                    true => there += amount,
                    false if self.claimed.contains(&(*epoch, *work, *payee)) => {}
                    false => unclaimed += amount,
                }
            }
        }
        assert_eq!(self.money.in_fund(Fund::Unclaimed), unclaimed, "what is owed and was not claimed");
        assert_eq!(self.money.in_fund(Fund::Layer1), there, "what is owed on L1");
        assert_eq!(self.money.in_fund(Fund::Revenue), revenue, "revenue of epochs that run");
        for (number, case) in &self.cases {
            let (granted, _) = self.jurors_say(*number);
            let panel = case.drawn.as_ref().map_or(0, |drawn| drawn.panel);
            assert!(case.verdict != Verdict::Granted || 2 * granted > panel, "case {number}");
        }
    }
}
