//! What governance may spend.

use super::*;
use crate::{
    ledger::{Authority, Genesis, Ledger},
    modules::identity::Roles,
    poseidon::Felt,
    signature::SecretKey,
    state::table::value_felt,
};
use primitives::{ChainId, EpochId, Layer1Address, PersonId, Preset};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

const PAYEE: PersonId = PersonId([1; 32]);
const ALL: [Fund; 7] =
    [Fund::Revenue, Fund::Eco, Fund::Infrastructure, Fund::Fee, Fund::Unclaimed, Fund::Carried, Fund::Layer1];

/// A ledger with 100 units in every fund, as if so much had been minted.
fn ledger() -> Ledger {
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let roles = [Roles::REGISTRAR, Roles::STEWARD, Roles::TREASURER];
    let office = |(n, roles)| {
        let key = SecretKey::generate(&mut rng).public_key();
        Authority { person: PersonId([n; 32]), key, roles }
    };
    let offices = (1..).zip(roles).map(office).collect();
    let genesis = Genesis::new(ChainId(1), EpochId(1), Preset::Spec.params(), offices);
    let mut ledger = Ledger::genesis(genesis).expect("a valid genesis");
    ledger
        .decide(|draft, _| {
            draft.put(Supply { minted: Credits(700), burnt: Credits::ZERO });
            ALL.into_iter().try_for_each(|fund| fill(draft, fund, Credits(100)))
        })
        .expect("small amounts");
    ledger
}

#[test]
fn governance_spends_what_belongs_to_nobody() {
    for fund in [Fund::Fee, Fund::Infrastructure, Fund::Eco] {
        let mut ledger = ledger();
        ledger.decide(|draft, at| spend(draft, at, fund, PAYEE, Credits(40))).expect("spent");
        let state = ledger.state();
        assert_eq!(state.fund(fund), Credits(60));
        assert_eq!(state.accounts.get(&PAYEE).expect("an account").balance, Credits(40));
        assert_eq!(
            state.eco_events.len(),
            usize::from(fund == Fund::Eco),
            "the reserve's journal knows its own"
        );
        ledger.seal();
    }
}

#[test]
fn governance_spends_nothing_that_is_owed() {
    for fund in ALL.into_iter().filter(|fund| !matches!(fund, Fund::Fee | Fund::Infrastructure | Fund::Eco)) {
        let refused = ledger().decide(|draft, at| spend(draft, at, fund, PAYEE, Credits(1)));
        assert_eq!(refused, Err(TreasuryError::NotForSpending { fund }));
    }
}

#[test]
fn governance_spends_no_more_than_there_is_and_to_somebody() {
    let spent = |to, amount| ledger().decide(|draft, at| spend(draft, at, Fund::Fee, to, Credits(amount)));
    let (fund, balance, amount) = (Fund::Fee, Credits(100), Credits(101));
    assert_eq!(spent(PAYEE, 101), Err(TreasuryError::FundBalance { fund, balance, amount }));
    assert_eq!(spent(PAYEE, 0), Err(TreasuryError::NothingToMove));
    let person = PersonId([9; 32]);
    assert_eq!(spent(person, 1), Err(TreasuryError::NoAccount { person }));
}

#[test]
#[should_panic = "no action makes or loses credits"]
fn a_ledger_whose_credits_do_not_add_up_stops() {
    let mut ledger = ledger();
    let lost = |draft: &mut crate::state::Draft<'_>, _: &crate::ledger::Context<'_>| {
        draft.put(Supply { minted: Credits(700), burnt: Credits(1) });
        Ok::<(), TreasuryError>(())
    };
    ledger.decide(lost).expect("nobody checks yet");
    let not_conserved = TreasuryError::NotConserved { minted: 700, held: 700, burnt: 1 };
    assert_eq!(ledger.state().check_conservation(), Err(not_conserved));
    ledger.seal();
}

#[test]
fn every_field_of_an_account_counts_in_its_leaf() {
    let mut rng = ChaCha20Rng::seed_from_u64(11);
    let [one, other] = [(); 2].map(|()| SecretKey::generate(&mut rng).public_key());
    let account = Account::new(PersonId([1; 32]), one);
    let most = Account { nonce: u64::MAX, balance: Credits(u64::MAX), ..account.clone() };
    let most = Account { active_in: EpochId(u64::MAX), used: u32::MAX, ..most };
    let all = [
        account.clone(),
        Account { key: other, ..account.clone() },
        Account { nonce: 1, ..account.clone() },
        Account { balance: Credits(1), ..account.clone() },
        Account { wallet: Some(Layer1Address([0; 20])), ..account.clone() },
        Account { wallet: Some(Layer1Address([1; 20])), ..account.clone() },
        Account { active_in: EpochId(1), ..account.clone() },
        Account { used: 1, ..account },
        Account { wallet: Some(Layer1Address([0xff; 20])), ..most.clone() },
        most,
    ];
    let values: std::collections::BTreeSet<Felt> = all.iter().map(value_felt).collect();
    assert_eq!(values.len(), all.len());
}
