//! What whoever orders transactions asks the ledger about the block that is being made.

use super::{
    Context, Ledger, TxError, act,
    envelope::{check_signature, suppose},
};
use crate::{
    modules::identity::Roles,
    poseidon::Felt,
    signature::PublicKey,
    state::{Draft, StateProof, TableId},
    transaction::{AccountSignature, Authorisation, EnvelopeError, Payload, Transaction, signing_message},
};
use primitives::{PersonId, Time};
use rayon::prelude::*;

impl Ledger {
    /// The transactions of the block that is being made.
    pub fn pending(&self) -> &[Transaction] {
        &self.pending
    }

    /// Length of their encodings.
    pub fn pending_bytes(&self) -> usize {
        self.pending_bytes
    }

    /// Checks signer and signature of a transaction whose turn may come later, and says how many transactions of the
    /// signer come before it. The payload is judged when its turn comes.
    ///
    /// Errors: [`EnvelopeError::Unsigned`], [`EnvelopeError::NeedlesslySigned`], [`EnvelopeError::NoAccount`],
    /// [`EnvelopeError::Nonce`] for one whose turn is over, [`EnvelopeError::Signature`], and those of wallets.
    pub fn check_ahead(&self, tx: &Transaction) -> Result<u64, EnvelopeError> {
        let authorisation = match &tx.authorisation {
            None => return Err(EnvelopeError::Unsigned),
            Some(_) if !tx.payload.needs_account() => return Err(EnvelopeError::NeedlesslySigned),
            Some(authorisation) => authorisation,
        };
        let (signer, found) = (authorisation.signer, authorisation.nonce);
        let account = self.state.accounts.get(&signer).ok_or(EnvelopeError::NoAccount { signer })?;
        let expected = account.nonce;
        let ahead = found.checked_sub(expected).ok_or(EnvelopeError::Nonce { signer, expected, found })?;
        let at = Context { genesis: &self.genesis, head: self.head, now: self.now };
        check_signature(&at, account, authorisation, &tx.payload)?;
        Ok(ahead)
    }

    /// The keys of accounts, as they are now, under which signatures of transactions hold: each is checked by itself, over
    /// all cores. Whatever else signs or does not hold gets none here, and is judged in its turn.
    pub(super) fn keys_ahead(&self, transactions: &[Transaction]) -> Vec<Option<PublicKey>> {
        let key = |tx: &Transaction| {
            let Authorisation { signer, nonce, signature } = tx.authorisation.as_ref()?;
            let AccountSignature::Key(signature) = signature else { return None };
            let key = self.state.accounts.get(signer)?.key;
            let message = signing_message(self.genesis.chain, *signer, *nonce, &tx.payload);
            key.verify(&message, signature).is_ok().then_some(key)
        };
        transactions.par_iter().map(key).collect()
    }

    /// Whether a payload would be taken at a time if its signer, where it takes one, signed it next. Nothing changes.
    ///
    /// Errors: what [`Ledger::apply`] would say of the transaction, but for its signature, its length and room in the block.
    pub fn consider(&self, signer: Option<PersonId>, payload: &Payload, time: Time) -> Result<(), TxError> {
        let mut draft = Draft::new(&self.state);
        let at = Context { genesis: &self.genesis, head: self.head, now: self.now.max(time) };
        let signer = suppose(&mut draft, &at, signer, payload)?;
        act(&mut draft, &at, signer, payload)
    }

    /// Proof of what a table has under a key ([`crate::state::State::prove_at`]), pending transactions included.
    pub fn prove_at(&mut self, table: TableId, key: &[Felt]) -> Option<StateProof> {
        self.state.prove_at(table, key)
    }

    /// The key under which a person may seal blocks: that of their account, while they are active as a sequencer.
    pub fn sequencer_key(&self, person: &PersonId) -> Option<PublicKey> {
        self.state.identities.get(person).filter(|identity| identity.acts_as(Roles::SEQUENCER))?;
        self.state.accounts.get(person).map(|account| account.key)
    }
}
