use super::*;
use chain::modules::{eco_reserve::EcoKind, governance::ModuleId, treasury::Fund};
use primitives::{WorkId, params::q32};
use std::fs;

const TEXT: Digest = Digest([9; 32]);

fn id(n: u8) -> String {
    primitives::ids::to_hex(&[n; 32])
}

fn some(text: &str) -> Option<String> {
    Some(text.into())
}

#[track_caller]
fn acts(arguments: ActionArgs, expected: Action) {
    assert_eq!(action(&arguments, TEXT).expect("an action"), expected);
}

#[track_caller]
fn refused(arguments: ActionArgs) -> ActionError {
    action(&arguments, TEXT).expect_err("refused")
}

#[test]
fn parameters_are_set_in_the_units_of_people() {
    let arguments = ActionArgs {
        set: ["governance.quorum=12%", "alpha=1.1", "governance.voting=3d", "fees.transaction=0.002"]
            .map(str::to_owned)
            .to_vec(),
        from: Some(EpochId(20)),
        review_by: Some(EpochId(30)),
        ..ActionArgs::default()
    };
    // By ascending parameter, whatever the order in which they are given.
    let changes = vec![
        Change { parameter: Parameter::Alpha, value: q32(11, 10) },
        Change { parameter: Parameter::FeesTransaction, value: 2_000 },
        Change { parameter: Parameter::GovernanceVoting, value: 259_200 },
        Change { parameter: Parameter::GovernanceQuorum, value: 1_200 },
    ];
    let (from, review_by) = (EpochId(20), Some(EpochId(30)));
    let expected = Action::SetParameters(SetParameters { from, changes, review_by });
    assert_eq!(epoch_of(&expected), Some(EpochId(20)));
    acts(arguments, expected);
}

#[test]
fn every_action_has_its_flags() {
    let person = PersonId([3; 32]);
    let none = ActionArgs::default;
    let roles = Roles::AUDITOR.with(Roles::ORACLE);
    acts(
        ActionArgs { give: vec![Roles::AUDITOR, Roles::ORACLE], to: Some(person), ..none() },
        Action::SetOffices(SetOffices { person, give: roles, take: Roles::default() }),
    );
    acts(
        ActionArgs { take: vec![Roles::STEWARD], to: Some(person), ..none() },
        Action::SetOffices(SetOffices { person, give: Roles::default(), take: Roles::STEWARD }),
    );
    acts(
        ActionArgs { spend: some("eco=2.5"), to: Some(person), ..none() },
        Action::Spend(Spend { fund: Fund::Eco, to: person, amount: Credits(2_500_000) }),
    );
    let (work, from) = (WorkId([4; 32]), EpochId(7));
    acts(
        ActionArgs { remove_work: Some(WorkName::Whole(work)), from: Some(from), ..none() },
        Action::RemoveWork(RemoveWork { work, from, removal: Removal::Removed }),
    );
    acts(
        ActionArgs { deprecate_work: Some(WorkName::Whole(work)), from: Some(from), ..none() },
        Action::RemoveWork(RemoveWork { work, from, removal: Removal::Deprecated }),
    );
    acts(ActionArgs { recall: Some(person), ..none() }, Action::Recall(Recall { councillor: person }));
    let code = Digest([5; 32]);
    acts(
        ActionArgs { upgrade: some("node-rewards=2"), from: Some(from), code: Some(code), ..none() },
        Action::Upgrade(ModuleVersion { module: ModuleId::NodeRewards, from, version: 2, code }),
    );
    acts(ActionArgs { resolve: true, ..none() }, Action::Resolve(Resolve { text: TEXT }));
    let asset = AssetId(Digest([6; 32]));
    let offer = Offer { buyer: person, price: Credits(9_000_000), until: Time(77) };
    acts(
        ActionArgs { offer: Some(id(6) + "=9"), to: Some(person), until: Some(77), ..none() },
        Action::OfferAsset(OfferAsset { asset, offer }),
    );
    acts(
        ActionArgs { withdraw_offer: Some(asset.0), ..none() },
        Action::WithdrawOffer(WithdrawOffer { asset }),
    );
    acts(
        ActionArgs { approve_valuation: Some(id(6) + "=2"), ..none() },
        Action::ApproveValuation(ApproveValuation { asset, round: 2 }),
    );
    acts(
        ActionArgs { reject_valuation: Some(asset.0), ..none() },
        Action::RejectValuation(RejectValuation { asset }),
    );
    let manifest = Digest([8; 32]);
    acts(
        ActionArgs { approve_service: Some(id(8) + "=50"), ..none() },
        Action::ApproveService(ApproveService { manifest, most: 50 }),
    );
    acts(
        ActionArgs { withdraw_service: Some(manifest), ..none() },
        Action::WithdrawService(WithdrawService { manifest }),
    );
}

#[test]
fn a_proposal_does_one_thing_and_nothing_is_left_over() {
    let none = ActionArgs::default;
    assert!(matches!(refused(none()), ActionError::Nothing));
    let two = ActionArgs { resolve: true, spend: some("eco=1"), ..none() };
    assert!(matches!(refused(two), ActionError::Two { first: "--spend", second: "--resolve" }));
    let services = ActionArgs { approve_service: Some(id(1) + "=1"), withdraw_service: Some(TEXT), ..none() };
    assert!(matches!(refused(services), ActionError::Two { first: "--approve-service", .. }));
    let (to, from) = (Some(PersonId([1; 32])), Some(EpochId(1)));
    for (idle, arguments) in [
        ("--to", ActionArgs { resolve: true, to, ..none() }),
        ("--from", ActionArgs { resolve: true, from, ..none() }),
        ("--review-by", ActionArgs { resolve: true, review_by: from, ..none() }),
        ("--code", ActionArgs { resolve: true, code: Some(TEXT), ..none() }),
        ("--until", ActionArgs { resolve: true, until: Some(1), ..none() }),
    ] {
        assert!(matches!(refused(arguments), ActionError::Idle { flag, with: "--resolve" } if flag == idle));
    }
    for (needs, arguments) in [
        ("--from, an epoch", ActionArgs { set: vec!["alpha=1".into()], ..none() }),
        ("--to, a person", ActionArgs { spend: some("eco=1"), ..none() }),
        ("--to, a person", ActionArgs { give: vec![Roles::ORACLE], ..none() }),
        ("--code, a hash", ActionArgs { upgrade: some("dapr=2"), from, ..none() }),
        ("--until, a moment", ActionArgs { offer: Some(id(6) + "=9"), to, ..none() }),
    ] {
        assert!(matches!(refused(arguments), ActionError::Needs { needs: found, .. } if found == needs));
    }
}

#[test]
fn what_is_wrong_is_named() {
    let set = |text: &str| {
        let from = Some(EpochId(2));
        refused(ActionArgs { set: vec![text.into()], from, ..ActionArgs::default() })
    };
    for (text, said) in [
        ("alpha", "NAME=VALUE"),
        ("quorum=5%", "governance.quorum"),
        ("gamma=1", "the name of a parameter"),
        ("alpha=fast", "decimal number"),
        ("governance.quorum=200%", "a share"),
        ("price_normalised=1", "true or false"),
    ] {
        let error = set(text);
        assert!(
            matches!(&error, ActionError::Form { flag: "--set", expected, .. } if expected.contains(said)),
            "{error}"
        );
        assert!(error.advice().is_some_and(|advice| advice.contains("cwe gov rules")));
    }
    let twice = vec!["alpha=1".to_owned(), "alpha=1.1".to_owned()];
    let twice = refused(ActionArgs { set: twice, from: Some(EpochId(2)), ..ActionArgs::default() });
    assert!(matches!(twice, ActionError::Twice { parameter: Parameter::Alpha }));
    let spend = |text: &str| {
        let to = Some(PersonId([1; 32]));
        refused(ActionArgs { spend: some(text), to, ..ActionArgs::default() })
    };
    for text in ["eco", "eco=much", "purse=1", "eco=0.0000001"] {
        assert!(matches!(spend(text), ActionError::Form { flag: "--spend", .. }), "{text}");
    }
    assert!(spend("purse=1").to_string().contains("infrastructure"));
}

#[test]
fn an_asset_is_read_from_its_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("asset.toml");
    let good = format!(
        "title = \"{}\"\nkind = \"land\"\nentity = \"{}\"\nseller = \"{}\"\ncost = 1200\nhaircut = \"10%\"\n\
         hectares = \"12.5\"\ntonnes = 0\n",
        id(1),
        id(2),
        id(3)
    );
    let read = |text: &str| {
        fs::write(&path, text).expect("written");
        action(&ActionArgs { acquire: Some(path.clone()), ..ActionArgs::default() }, TEXT)
    };
    let expected = Acquisition {
        title: AssetId(Digest([1; 32])),
        kind: EcoKind::Land,
        entity: Digest([2; 32]),
        seller: PersonId([3; 32]),
        cost: Credits(1_200_000_000),
        haircut: BasisPoints::new(1_000).expect("a part"),
        mrv: Mrv { hectares: 12_500, tonnes: 0 },
    };
    assert_eq!(read(&good).expect("an action"), Action::AcquireAsset(expected));
    for (from, to, said) in [
        ("land", "sea", "kind"),
        ("12.5", "12.5555", "three decimals"),
        ("1200", "-1200", "cost"),
        ("10%", "110%", "haircut"),
        ("tonnes = 0", "", "tonnes is missing"),
        ("tonnes = 0", "tonnes = 0\nacres = 1", "acres"),
        ("tonnes = 0", "tonnes = true", "expected a text or a whole number"),
    ] {
        let error = read(&good.replace(from, to)).expect_err("refused");
        assert!(matches!(&error, ActionError::Asset { reason, .. } if reason.contains(said)), "{error}");
    }
    let missing = ActionArgs { acquire: Some(folder.path().join("none")), ..ActionArgs::default() };
    assert!(matches!(refused(missing), ActionError::File { .. }));
}
