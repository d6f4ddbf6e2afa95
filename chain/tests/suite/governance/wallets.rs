//! A wallet votes for the person that it is bound to.

use super::*;
use crate::world::CHAIN;
use alloy::{primitives::B256, signers::local::PrivateKeySigner};
use chain::{
    Transaction,
    modules::{governance::GovernanceError, identity::BindWallet, treasury::Transfer},
    transaction::EnvelopeError,
    wallet::typed::{self, BindKey, Signable},
};
use primitives::{Credits, Layer1Address};

#[test]
fn a_wallet_votes_once_and_as_it_was_shown() {
    let mut world = world();
    let action = Action::Resolve(chain::modules::governance::Resolve { text: digest(2) });
    let number = propose(&mut world, action);
    let found = proposal(&world, number);
    let wait = seconds(world.ledger.now(), found.vote_from);
    later(&mut world, wait);

    let wallet = PrivateKeySigner::from_bytes(&B256::repeat_byte(7)).expect("a key");
    let address = Layer1Address(wallet.address().into_array());
    let domain = typed::domain(CHAIN, world.ledger.origin().digest());
    let who = |world: &World| (voter(3), world.ledger.nonce(&voter(3)).expect("an account"));
    let message = BindKey::of(who(&world), &world.keys[&voter(3)].public_key());
    let signature = typed::sign(&message, &domain, &wallet).expect("signed");
    world.ok(voter(3), Payload::BindWallet(BindWallet { wallet: address, signature }));

    let signed = |world: &World, payload: &Payload| {
        let shown = Signable::of(who(world), payload).expect("typed data");
        shown.sign(&domain, &wallet).expect("signed")
    };
    let yes = vote(number, Choice::Yes);
    let signature = signed(&world, &yes);
    let transfer = Payload::Transfer(Transfer { to: voter(4), amount: Credits(number) });
    let changed =
        [vote(number, Choice::No), vote(number, Choice::Abstain), vote(number + 1, Choice::Yes), transfer];
    for payload in changed {
        let shown = Signable::of(who(&world), &payload).expect("typed data");
        let found = typed::recover(&shown.digest(&domain), &signature).expect("some wallet");
        let other = EnvelopeError::OtherWallet { signer: voter(3), expected: address, found };
        world.refuse_tx(&Transaction::by_wallet(payload, who(&world), signature), other);
    }
    let tx = Transaction::by_wallet(yes.clone(), who(&world), signature);
    world.ledger.apply(&tx).expect("the wallet votes");
    assert_eq!(proposal(&world, number).yes, found.yes + 1);
    // One person, one vote, whoever signs for them.
    let again = Transaction::by_wallet(yes.clone(), who(&world), signed(&world, &yes));
    let error = GovernanceError::AlreadyVoted { proposal: number, voter: voter(3) };
    world.refuse_tx(&again, error.clone());
    world.refuse(voter(3), yes, error);
}
