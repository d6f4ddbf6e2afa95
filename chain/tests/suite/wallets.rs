//! Wallets that sign for accounts: how they are bound, what they may sign, and what no signature of theirs does.

use crate::world::*;
use alloy::{
    primitives::{B256, U256},
    signers::local::PrivateKeySigner,
    sol_types::Eip712Domain,
};
use chain::{
    Payload, Transaction,
    modules::{
        identity::{BindWallet, IdentityError, Rotate, SetStatus, Status, WalletBinding},
        treasury::{Transfer, TreasuryError},
        work_registry::UpdateWork,
    },
    state::Leaf,
    transaction::{AccountSignature, EnvelopeError},
    wallet::typed::{self, BindKey, Signable, WalletError, WalletSignature},
};
use primitives::{ChainId, CodecError, Credits, Decode, Digest, Encode, Layer1Address, PersonId};

fn wallet(n: u8) -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&B256::repeat_byte(n)).expect("a key")
}

fn address(n: u8) -> Layer1Address {
    Layer1Address(wallet(n).address().into_array())
}

fn transfer(to: u8, amount: u64) -> Payload {
    Payload::Transfer(Transfer { to: person(to), amount: Credits(amount) })
}

/// Order of the group of secp256k1.
const ORDER: U256 = U256::from_limbs([0xbfd2_5e8c_d036_4141, 0xbaae_dce6_af48_a03b, u64::MAX - 1, u64::MAX]);

/// The other signature that the curve allows.
fn twin(signature: &WalletSignature) -> WalletSignature {
    let mut twin = *signature;
    let s = ORDER - U256::from_be_slice(&signature[32..64]);
    twin[32..64].copy_from_slice(&s.to_be_bytes::<32>());
    twin[64] = 55 - signature[64];
    twin
}

impl World {
    fn domain(&self) -> Eip712Domain {
        typed::domain(CHAIN, self.ledger.origin().digest())
    }

    fn who(&self, n: u8) -> (PersonId, u64) {
        (person(n), self.ledger.nonce(&person(n)).expect("an account"))
    }

    /// What wallet `w` signs to stand beside the key of person `n`.
    fn binding(&self, n: u8, w: u8) -> BindWallet {
        let message = BindKey::of(self.who(n), &self.keys[&person(n)].public_key());
        let signature = typed::sign(&message, &self.domain(), &wallet(w)).expect("signed");
        BindWallet { wallet: address(w), signature }
    }

    fn bind(&mut self, n: u8, w: u8) {
        let payload = Payload::BindWallet(self.binding(n, w));
        self.ok(person(n), payload);
    }

    /// A transaction of person `n` that wallet `w` signs, under a domain.
    fn under(&self, domain: &Eip712Domain, n: u8, w: u8, payload: Payload) -> Transaction {
        let shown = Signable::of(self.who(n), &payload).expect("typed data");
        let signature = shown.sign(domain, &wallet(w)).expect("signed");
        Transaction::by_wallet(payload, self.who(n), signature)
    }

    fn by_wallet(&self, n: u8, w: u8, payload: Payload) -> Transaction {
        self.under(&self.domain(), n, w, payload)
    }

    fn holder(&self, w: u8) -> Option<PersonId> {
        self.ledger.state().wallets.get(&address(w)).and_then(|binding| binding.person)
    }

    /// The wallet that a transaction of a domain and a payload leads to, whatever it was signed for.
    fn leads_to(&self, tx: &Transaction) -> Layer1Address {
        let signed = tx.authorisation.as_ref().expect("signed");
        let AccountSignature::Wallet(signature) = &signed.signature else { unreachable!("by a wallet") };
        let shown = Signable::of((signed.signer, signed.nonce), &tx.payload).expect("typed data");
        typed::recover(&shown.digest(&self.domain()), signature).expect("some wallet")
    }

    #[track_caller]
    fn refuse_other_wallet(&mut self, tx: &Transaction, n: u8, expected: u8) {
        let (signer, expected, found) = (person(n), address(expected), self.leads_to(tx));
        assert_ne!(expected, found);
        self.refuse_tx(tx, EnvelopeError::OtherWallet { signer, expected, found });
    }
}

#[test]
fn a_bound_wallet_moves_credits_and_so_does_the_key() {
    let mut world = World::settled();
    for claim in world.ledger.state().claims_of_epoch(FIRST) {
        world.open_ok(Payload::Claim(claim));
    }
    let balance =
        |world: &World, n| world.ledger.state().accounts.get(&person(n)).expect("an account").balance.0;
    let (one, two) = (balance(&world, 1), balance(&world, 2));
    world.bind(1, 7);
    assert_eq!(world.ledger.state().accounts.get(&person(1)).expect("an account").wallet, Some(address(7)));
    let tx = world.by_wallet(1, 7, transfer(2, 5));
    world.ledger.apply(&tx).expect("the wallet signs");
    // Once, as with the key: the nonce is spent.
    let (signer, expected) = world.who(1);
    world.refuse_tx(&tx, EnvelopeError::Nonce { signer, expected, found: expected - 1 });
    world.ok(person(1), transfer(2, 6));
    assert_eq!((balance(&world, 1), balance(&world, 2)), (one - 11, two + 11));
    // A block with such transactions is repeated from its bytes.
    let block = world.seal();
    let bytes = block.to_bytes();
    assert_eq!(chain::Block::from_bytes(&bytes).expect("a block"), block);
    let mut fresh = chain::Ledger::genesis(world.ledger.origin().clone()).expect("a valid genesis");
    for block in &world.blocks {
        fresh = fresh.replay(block).expect("a valid block");
    }
    assert_eq!(fresh.head(), world.ledger.head());
    assert!(
        world.ledger.state().wallets.iter().eq([&WalletBinding { wallet: address(7), person: Some(signer) }])
    );
}

#[test]
fn what_a_wallet_signed_is_that_and_nothing_else() {
    let mut world = World::with_works();
    world.bind(1, 7);
    world.bind(2, 8);
    let good = world.by_wallet(1, 7, transfer(3, 1));
    let (signer, nonce) = world.who(1);
    let changed = |edit: &dyn Fn(&mut Transaction)| {
        let mut tx = good.clone();
        edit(&mut tx);
        tx
    };
    world.refuse_other_wallet(&changed(&|tx| tx.payload = transfer(3, 2)), 1, 7);
    world.refuse_other_wallet(&changed(&|tx| tx.payload = transfer(2, 1)), 1, 7);
    let nonce_after = changed(&|tx| tx.authorisation.as_mut().expect("signed").nonce += 1);
    world.refuse_tx(&nonce_after, EnvelopeError::Nonce { signer, expected: nonce, found: nonce + 1 });
    // In another person's name, with a nonce that fits.
    let theirs = world.who(2);
    let in_their_name = changed(&|tx| {
        let authorisation = tx.authorisation.as_mut().expect("signed");
        (authorisation.signer, authorisation.nonce) = theirs;
    });
    world.refuse_other_wallet(&in_their_name, 2, 8);
    // By another person's wallet, and by one that is nobody's.
    for w in [8, 9] {
        let found = address(w);
        let expected = EnvelopeError::OtherWallet { signer, expected: address(7), found };
        let tx = world.by_wallet(1, w, transfer(3, 1));
        world.refuse_tx(&tx, expected);
    }
    // Untouched, it passes the envelope; the account is empty.
    let balance = TreasuryError::Balance { person: signer, balance: Credits::ZERO, amount: Credits(1) };
    world.refuse_tx(&good, balance);
}

#[test]
fn a_signature_for_another_chain_is_none_here() {
    let mut world = World::with_works();
    world.bind(1, 7);
    let genesis = world.ledger.origin().digest();
    let other = Digest([!genesis.0[0]; 32]);
    let contract =
        Eip712Domain { verifying_contract: Some(wallet(7).address()), ..typed::domain(CHAIN, genesis) };
    let named = Eip712Domain { name: Some("Dirty Web Economy".into()), ..typed::domain(CHAIN, genesis) };
    for elsewhere in
        [typed::domain(ChainId(CHAIN.0 + 1), genesis), typed::domain(CHAIN, other), contract, named]
    {
        let tx = world.under(&elsewhere, 1, 7, transfer(2, 1));
        world.refuse_other_wallet(&tx, 1, 7);
        // Nor does it bind.
        let message = BindKey::of(world.who(2), &world.keys[&person(2)].public_key());
        let signature = typed::sign(&message, &elsewhere, &wallet(8)).expect("signed");
        let found =
            typed::recover(&typed::digest(&message, &world.domain()), &signature).expect("some wallet");
        let payload = Payload::BindWallet(BindWallet { wallet: address(8), signature });
        world.refuse(person(2), payload, IdentityError::OtherWallet { wallet: address(8), found });
    }
}

#[test]
fn a_signature_has_one_form() {
    let mut world = World::with_works();
    world.bind(1, 7);
    let good = world.by_wallet(1, 7, transfer(2, 1));
    let signer = person(1);
    let AccountSignature::Wallet(signature) = good.authorisation.clone().expect("signed").signature else {
        unreachable!("by a wallet")
    };
    let with = |signature| Transaction::by_wallet(good.payload.clone(), world.who(1), signature);
    let mut low = signature;
    low[64] -= 27;
    let mut none = signature;
    none[..32].fill(0);
    let broken = [
        (twin(&signature), WalletError::HighS),
        (low, WalletError::Parity { found: low[64] }),
        (none, WalletError::NoKey),
    ];
    let broken = broken.map(|(signature, error)| (with(signature), error));
    for (tx, error) in &broken {
        world.refuse_tx(tx, EnvelopeError::WalletSignature { signer, error: *error });
    }
    let bind = world.binding(2, 8);
    let broken = BindWallet { signature: twin(&bind.signature), ..bind };
    let error = IdentityError::WalletSignature { wallet: address(8), error: WalletError::HighS };
    world.refuse(person(2), Payload::BindWallet(broken), error);
    // An authorisation is by a key or by a wallet.
    let mut bytes = good.to_bytes();
    let tag = bytes.len() - 66;
    assert_eq!((bytes[tag], Transaction::from_bytes(&bytes).as_ref()), (1, Ok(&good)));
    bytes[tag] = 2;
    let unknown = CodecError::Invalid { what: "signature of an account" };
    assert_eq!(Transaction::from_bytes(&bytes), Err(unknown));
}

#[test]
fn only_what_a_wallet_can_show() {
    let mut world = World::with_works();
    let signer = person(1);
    let tx = world.by_wallet(1, 7, transfer(2, 1));
    world.refuse_tx(&tx, EnvelopeError::NoWallet { signer });
    world.bind(1, 7);
    let work = world.work(1, 1);
    let update = Payload::UpdateWork(UpdateWork {
        work: chain::modules::work_registry::work_id(&work.fingerprint, &signer),
        price: work.price,
        splits: work.splits.clone(),
        from: primitives::EpochId(FIRST.0 + 1),
    });
    // Another wallet in the place of this one needs the key: a wallet that was stolen cannot stay.
    let rebind = Payload::BindWallet(world.binding(1, 8));
    for payload in [update, rebind, Payload::RegisterWork(work)] {
        assert_eq!(Signable::of(world.who(1), &payload), None);
        let tx = Transaction::by_wallet(payload, world.who(1), [27; 65]);
        world.refuse_tx(&tx, EnvelopeError::NotForWallets { signer });
    }
    // What nobody signs, no wallet signs either.
    let tx = Transaction::by_wallet(finalise(FIRST), world.who(1), [27; 65]);
    world.refuse_tx(&tx, EnvelopeError::NeedlesslySigned);
    world.refuse_open(Payload::BindWallet(world.binding(1, 8)), EnvelopeError::Unsigned);
}

#[test]
fn a_wallet_consents_to_the_person_and_the_key() {
    let mut world = World::with_works();
    let good = world.binding(1, 7);
    let wallet_of = |world: &World, message: &BindKey, signature: &WalletSignature| {
        typed::recover(&typed::digest(message, &world.domain()), signature).expect("some wallet")
    };
    let own = BindKey::of(world.who(1), &world.keys[&person(1)].public_key());
    // Another wallet is named than the one that signed.
    let error = IdentityError::OtherWallet { wallet: address(8), found: address(7) };
    world.refuse(person(1), Payload::BindWallet(BindWallet { wallet: address(8), ..good.clone() }), error);
    // The wallet signed for another key, person or nonce.
    let stranger = world.keys[&person(2)].public_key();
    let (who, key) = (world.who(1), world.keys[&person(1)].public_key());
    let others = [
        BindKey::of(who, &stranger),
        BindKey::of((person(2), who.1), &key),
        BindKey::of((who.0, who.1 + 1), &key),
    ];
    for message in others {
        let signature = typed::sign(&message, &world.domain(), &wallet(7)).expect("signed");
        let found = wallet_of(&world, &own, &signature);
        let payload = Payload::BindWallet(BindWallet { wallet: address(7), signature });
        world.refuse(person(1), payload, IdentityError::OtherWallet { wallet: address(7), found });
    }
    // Somebody who saw the binding on its way brings it for themselves.
    let theirs = BindKey::of(world.who(2), &stranger);
    let found = wallet_of(&world, &theirs, &good.signature);
    let error = IdentityError::OtherWallet { wallet: address(7), found };
    world.refuse(person(2), Payload::BindWallet(good.clone()), error);
    // The account's key signed for another wallet's binding.
    let mut tx = world.sign(person(1), Payload::BindWallet(good));
    tx.payload = Payload::BindWallet(world.binding(1, 8));
    world.refuse_tx(&tx, EnvelopeError::Signature { signer: person(1) });
    assert_eq!((world.holder(7), world.holder(8)), (None, None));
}

#[test]
fn a_wallet_is_of_one_account_and_a_new_one_replaces_it() {
    let mut world = World::with_works();
    let first = world.binding(1, 7);
    world.ok(person(1), Payload::BindWallet(first.clone()));
    let taken = IdentityError::WalletTaken { wallet: address(7), holder: person(1) };
    let second = Payload::BindWallet(world.binding(2, 7));
    world.refuse(person(2), second, taken);
    // The same once more changes nothing.
    world.bind(1, 7);
    assert_eq!(world.holder(7), Some(person(1)));
    world.bind(1, 8);
    assert_eq!((world.holder(7), world.holder(8)), (None, Some(person(1))));
    let tx = world.by_wallet(1, 7, transfer(2, 1));
    let error = EnvelopeError::OtherWallet { signer: person(1), expected: address(8), found: address(7) };
    world.refuse_tx(&tx, error);
    // What the wallet signed then does not bind it again.
    let message = BindKey::of(world.who(1), &world.keys[&person(1)].public_key());
    let found = typed::recover(&typed::digest(&message, &world.domain()), &first.signature);
    let found = found.expect("some wallet");
    world.refuse(
        person(1),
        Payload::BindWallet(first),
        IdentityError::OtherWallet { wallet: address(7), found },
    );
    // It is free for somebody else, who is on record or not active.
    world.ok(REGISTRAR, Payload::SetStatus(SetStatus { person: person(2), status: Status::Suspended }));
    world.bind(2, 7);
    assert_eq!((world.holder(7), world.holder(8)), (Some(person(2)), Some(person(1))));
    let wallets = &world.ledger.state().wallets;
    assert!(wallets.iter().all(|binding| {
        let account = binding.person.and_then(|person| world.ledger.state().accounts.get(&person));
        account.is_some_and(|account| account.wallet == Some(binding.key()))
    }));
    let record = WalletBinding { wallet: address(7), person: None };
    assert_eq!(WalletBinding::from_bytes(&record.to_bytes()), Ok(record.clone()));
    assert_ne!(record.value(), WalletBinding { person: Some(person(2)), ..record.clone() }.value());
}

#[test]
fn a_new_key_has_no_wallet_until_it_is_bound_anew() {
    let mut world = World::with_works();
    world.bind(1, 7);
    world.seal();
    let rotation = world.ledger.origin().rules.identity.rotation;
    world.ledger.begin(world.ledger.now().after(rotation));
    let other = chain::signature::SecretKey::generate(&mut world.rng);
    world.ok(person(1), Payload::Rotate(Rotate { key: other.public_key() }));
    assert_eq!(world.holder(7), None);
    let tx = world.by_wallet(1, 7, transfer(2, 1));
    world.refuse_tx(&tx, EnvelopeError::NoWallet { signer: person(1) });
    // The wallet consents to the new key, and not to the old one.
    let stale = Payload::BindWallet(world.binding(1, 7));
    world.keys.insert(person(1), other);
    let found = {
        let Payload::BindWallet(stale) = &stale else { unreachable!("a binding") };
        let message = BindKey::of(world.who(1), &world.keys[&person(1)].public_key());
        typed::recover(&typed::digest(&message, &world.domain()), &stale.signature).expect("some wallet")
    };
    world.refuse(person(1), stale, IdentityError::OtherWallet { wallet: address(7), found });
    world.bind(1, 7);
    assert_eq!(world.holder(7), Some(person(1)));
}
