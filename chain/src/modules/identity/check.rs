//! Guards of the identity module.

use super::{Identity, Nullifier, Register, Roles, Rotate, SetStatus, Status, wallet};
use crate::{ledger::Context, modules::treasury::Account, state::Draft, wallet::typed::WalletError};
use primitives::{Digest, Layer1Address, PersonId, Time};
use thiserror::Error;

/// Which rule a registration or a change of status breaks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// Somebody else than the registrar signed.
    #[error("{signer} is not the registrar")]
    NotRegistrar {
        /// Who signed.
        signer: PersonId,
    },
    /// The person is on record already.
    #[error("{person} is registered already")]
    AlreadyRegistered {
        /// Who.
        person: PersonId,
    },
    /// The identifier has the form of an account on L1, which is paid there.
    #[error("{person} names an account on L1, not a person")]
    NotAPerson {
        /// Who.
        person: PersonId,
    },
    /// The personhood nullifier was used before.
    #[error("nullifier {nullifier} was used before")]
    NullifierUsed {
        /// The nullifier.
        nullifier: Digest,
    },
    /// A registration names an office, which governance gives and no registrar.
    #[error("{person} would have an office, which a registrar cannot give")]
    Office {
        /// Who.
        person: PersonId,
    },
    /// A registration names no role.
    #[error("{person} would have no role")]
    NoRole {
        /// Who.
        person: PersonId,
    },
    /// Nobody of that name is on record.
    #[error("{person} is not registered")]
    Unknown {
        /// Who.
        person: PersonId,
    },
    /// Nobody else orders transactions: without this person no block could be made, and nothing could be mended.
    #[error("{person} is the last sequencer")]
    LastSequencer {
        /// Who.
        person: PersonId,
    },
    /// One person would both say what was sold and report what it brought.
    #[error("{person} would be steward and treasurer")]
    StewardIsTreasurer {
        /// Who.
        person: PersonId,
    },
    /// The key is the one that the account has.
    #[error("{person} has that key already")]
    SameKey {
        /// Who.
        person: PersonId,
    },
    /// The key changed a short while ago.
    #[error("the key of {person} can change from {from} on")]
    RotatedLately {
        /// Who.
        person: PersonId,
        /// First moment at which it can.
        from: Time,
    },
    /// The status machine has no such step.
    #[error("{person} cannot go from {from:?} to {to:?}")]
    Step {
        /// Who.
        person: PersonId,
        /// Status now.
        from: Status,
        /// Status asked for.
        to: Status,
    },
    /// The wallet's signature of a binding is no signature.
    #[error("signature of wallet {wallet}: {error}")]
    WalletSignature {
        /// The wallet.
        wallet: Layer1Address,
        /// What is wrong with it.
        error: WalletError,
    },
    /// Another wallet signed the binding, or this one signed another binding.
    #[error("the binding is signed by {found}, and not by {wallet}")]
    OtherWallet {
        /// The wallet that would be bound.
        wallet: Layer1Address,
        /// The one that the signature leads to.
        found: Layer1Address,
    },
    /// The wallet signs for somebody else.
    #[error("wallet {wallet} is bound to {holder}")]
    WalletTaken {
        /// The wallet.
        wallet: Layer1Address,
        /// For whom it signs.
        holder: PersonId,
    },
}

fn only_registrar(draft: &Draft<'_>, signer: PersonId) -> Result<(), IdentityError> {
    if acts_as(draft, signer, Roles::REGISTRAR) {
        Ok(())
    } else {
        Err(IdentityError::NotRegistrar { signer })
    }
}

/// Whether somebody is on record, active, and in a role.
pub(crate) fn acts_as(draft: &Draft<'_>, person: PersonId, role: Roles) -> bool {
    draft.get::<Identity>(&person).is_some_and(|identity| identity.acts_as(role))
}

/// Runs [`Register`].
pub(crate) fn register(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &Register,
) -> Result<(), IdentityError> {
    only_registrar(draft, signer)?;
    let Register { person, key, roles, credential, nullifier } = *action;
    if person.layer1_address().is_some() {
        return Err(IdentityError::NotAPerson { person });
    }
    if draft.has::<Identity>(&person) || draft.has::<Account>(&person) {
        return Err(IdentityError::AlreadyRegistered { person });
    }
    if roles == Roles::default() {
        return Err(IdentityError::NoRole { person });
    }
    if !Roles::BY_CREDENTIAL.has(roles) {
        return Err(IdentityError::Office { person });
    }
    // Chain spec 3.4, "one-human-one-vote governance identities": the same human cannot register twice.
    if draft.has::<Nullifier>(&nullifier) {
        return Err(IdentityError::NullifierUsed { nullifier });
    }
    draft.put(Nullifier { nullifier });
    let (status, since, keyed, works) = (Status::Pending, at.now, at.now, 0);
    draft.put(Identity { person, roles, status, credential, since, keyed, works });
    draft.put(Account::new(person, key));
    Ok(())
}

/// Runs [`SetStatus`].
pub(crate) fn set_status(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &SetStatus,
) -> Result<(), IdentityError> {
    only_registrar(draft, signer)?;
    let SetStatus { person, status } = *action;
    move_to(draft, at, person, status)
}

/// Moves a person to another status.
pub(crate) fn move_to(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    person: PersonId,
    status: Status,
) -> Result<(), IdentityError> {
    let identity = draft.get::<Identity>(&person).ok_or(IdentityError::Unknown { person })?.clone();
    // Chain spec 3.4: "Manage status: Pending, Active, Suspended, Revoked."
    if !identity.status.may_become(status) {
        return Err(IdentityError::Step { person, from: identity.status, to: status });
    }
    let moved = Identity { status, since: at.now, ..identity };
    keep_a_sequencer(draft, &identity, &moved)?;
    draft.put(moved);
    Ok(())
}

/// Refuses a change that would leave nobody who may make blocks.
fn keep_a_sequencer(draft: &Draft<'_>, before: &Identity, after: &Identity) -> Result<(), IdentityError> {
    let person = before.person;
    let makes_blocks = |identity: &Identity| identity.acts_as(Roles::SEQUENCER);
    let another = || draft.base().identities.iter().any(|who| who.person != person && makes_blocks(who));
    if makes_blocks(before) && !makes_blocks(after) && !another() {
        return Err(IdentityError::LastSequencer { person });
    }
    Ok(())
}

/// Gives a person roles, and takes others.
pub(crate) fn set_roles(
    draft: &mut Draft<'_>,
    person: PersonId,
    (give, take): (Roles, Roles),
) -> Result<(), IdentityError> {
    let identity = draft.get::<Identity>(&person).ok_or(IdentityError::Unknown { person })?.clone();
    let roles = identity.roles.without(take).with(give);
    if roles.has(Roles::STEWARD.with(Roles::TREASURER)) {
        return Err(IdentityError::StewardIsTreasurer { person });
    }
    let changed = Identity { roles, ..identity };
    keep_a_sequencer(draft, &identity, &changed)?;
    draft.put(changed);
    Ok(())
}

/// Runs [`Rotate`]. A key that is lost cannot be replaced: whoever could do that could take the account.
pub(crate) fn rotate(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &Rotate,
) -> Result<(), IdentityError> {
    let identity = draft.get::<Identity>(&signer).ok_or(IdentityError::Unknown { person: signer })?.clone();
    let from = identity.keyed.after(draft.base().in_force(at.genesis).rules.identity.rotation);
    if at.now < from {
        return Err(IdentityError::RotatedLately { person: signer, from });
    }
    let account = draft.get::<Account>(&signer).expect("who signs has an account").clone();
    if account.key == action.key {
        return Err(IdentityError::SameKey { person: signer });
    }
    // A wallet consents to stand beside one key. Whoever had the old one may have bound theirs.
    let account = wallet::release(draft, account);
    draft.put(Account { key: action.key, ..account });
    draft.put(Identity { keyed: at.now, ..identity });
    Ok(())
}
