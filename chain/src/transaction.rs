//! Transactions: what is asked of the ledger, and under whose signature.

use crate::modules::{
    dapr::{Claim, FinaliseEpoch},
    eco_reserve::{AcceptValuation, BuyAsset, PushValuation},
    governance::{
        CallElection, ChallengeJuror, CloseCase, CloseElection, Deliberate, DrawJury, Elect, Enact, JuryVote,
        OpenCase, Propose, SayOf, Stand, Vote, Withdraw, WithdrawCase,
    },
    identity::{BindWallet, Register, Rotate, SetStatus},
    node_rewards::{
        AddBond, AnswerAudit, AttestUptime, ClaimReward, CommitMetrics, LeaveNode, PublishVoucherKeys,
        RegisterContent, RegisterNode, ScoreNodes, WithdrawBond,
    },
    treasury::{AttestReserve, Burn, Mint, Transfer},
    usage::{
        AbandonEpoch, CommitBeacon, OpenEpoch, PublishKeys, ReportRevenue, RevealBeacon, SeatStandby,
        SetCommittee, SubmitAggregate,
    },
    work_registry::{DeprecateWork, RegisterWork, UpdateWork},
};
use crate::poseidon::{Felt, FeltDomain, hash_bytes};
use crate::signature::{SecretKey, Signature};
use crate::state::fields::codec_enum;
use crate::wallet::typed::{WalletError, WalletSignature};
use primitives::{
    ChainId, Credits, Digest, Domain, Encode, Layer1Address, PersonId, Writer, codec_struct, hash,
};
use proofs::tally::{SignedHeader, SignedRoot};
use rand_core::{CryptoRng, RngCore};
use thiserror::Error;

/// What a transaction asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Identity: put a person on record.
    Register(Register),
    /// Identity: change where a person stands.
    SetStatus(SetStatus),
    /// Work registry: register a work.
    RegisterWork(RegisterWork),
    /// Work registry: change price and splits of a work.
    UpdateWork(UpdateWork),
    /// Usage: seat a committee.
    SetCommittee(SetCommittee),
    /// Usage: publish the keys of an epoch.
    PublishKeys(PublishKeys),
    /// Usage: commit to a contribution to a beacon.
    CommitBeacon(CommitBeacon),
    /// Usage: reveal it.
    RevealBeacon(RevealBeacon),
    /// Usage: open an epoch.
    OpenEpoch(OpenEpoch),
    /// Usage: report what a tier brought.
    ReportRevenue(ReportRevenue),
    /// Usage: anchor a batch header.
    AnchorHeader(SignedHeader),
    /// Usage: freeze an epoch.
    AnchorRoot(SignedRoot),
    /// Usage: put totals on record.
    SubmitAggregate(SubmitAggregate),
    /// DAPR: settle an epoch.
    FinaliseEpoch(FinaliseEpoch),
    /// DAPR: pay a payout to its payee.
    Claim(Claim),
    /// Treasury: move credits.
    Transfer(Transfer),
    /// Usage: give an epoch up that cannot be settled.
    AbandonEpoch(AbandonEpoch),
    /// Usage: give the seat of a party that is gone to who stands by.
    SeatStandby(SeatStandby),
    /// Identity: let a wallet sign for an account.
    BindWallet(BindWallet),
    /// Treasury: say what the reserve behind the credits holds.
    AttestReserve(AttestReserve),
    /// Treasury: mint credits for who paid in.
    Mint(Mint),
    /// Treasury: burn credits, to be paid out.
    Burn(Burn),
    /// Eco-Reserve: report what an asset is worth and protects.
    PushValuation(PushValuation),
    /// Eco-Reserve: take what enough oracles report.
    AcceptValuation(AcceptValuation),
    /// Eco-Reserve: buy an asset that is for sale.
    BuyAsset(BuyAsset),
    /// Identity: give an account another key.
    Rotate(Rotate),
    /// Work registry: take a work out.
    DeprecateWork(DeprecateWork),
    /// Governance: make a proposal.
    Propose(Propose),
    /// Governance: take a proposal back.
    Withdraw(Withdraw),
    /// Governance: say something on a proposal.
    Deliberate(Deliberate),
    /// Governance: vote on a proposal.
    Vote(Vote),
    /// Governance: approve or veto, for the council.
    CouncilSay(SayOf),
    /// Governance: enact a proposal.
    Enact(Enact),
    /// Governance: call an election of the council.
    CallElection(CallElection),
    /// Governance: stand for a seat.
    Stand(Stand),
    /// Governance: vote in an election.
    Elect(Elect),
    /// Governance: count an election.
    CloseElection(CloseElection),
    /// Governance: bring a case before a jury.
    OpenCase(OpenCase),
    /// Governance: draw a jury.
    DrawJury(DrawJury),
    /// Governance: challenge a juror.
    ChallengeJuror(ChallengeJuror),
    /// Governance: vote on a case.
    JuryVote(JuryVote),
    /// Governance: close a case.
    CloseCase(CloseCase),
    /// Governance: take a case back.
    WithdrawCase(WithdrawCase),
    /// Node rewards: put a node on record.
    RegisterNode(RegisterNode),
    /// Node rewards: announce that a node leaves.
    LeaveNode(LeaveNode),
    /// Node rewards: add to a bond.
    AddBond(AddBond),
    /// Node rewards: take a bond back.
    WithdrawBond(WithdrawBond),
    /// Node rewards: put the content of a work on record.
    RegisterContent(RegisterContent),
    /// Node rewards: publish the keys of vouchers.
    PublishVoucherKeys(PublishVoucherKeys),
    /// Node rewards: commit to what a node did.
    CommitMetrics(CommitMetrics),
    /// Node rewards: answer an audit.
    AnswerAudit(AnswerAudit),
    /// Node rewards: say which nodes were there.
    AttestUptime(AttestUptime),
    /// Node rewards: compute the rewards of an epoch.
    ScoreNodes(ScoreNodes),
    /// Node rewards: pay a reward.
    ClaimReward(ClaimReward),
}

codec_enum!(Payload("payload") {
    0 => Register,
    1 => SetStatus,
    2 => RegisterWork,
    3 => UpdateWork,
    4 => SetCommittee,
    5 => PublishKeys,
    6 => CommitBeacon,
    7 => RevealBeacon,
    8 => OpenEpoch,
    9 => ReportRevenue,
    10 => AnchorHeader,
    11 => AnchorRoot,
    12 => SubmitAggregate,
    13 => FinaliseEpoch,
    14 => Claim,
    15 => Transfer,
    16 => AbandonEpoch,
    17 => SeatStandby,
    18 => BindWallet,
    20 => AttestReserve,
    21 => Mint,
    22 => Burn,
    23 => PushValuation,
    24 => AcceptValuation,
    25 => BuyAsset,
    55 => Rotate,
    56 => DeprecateWork,
    60 => Propose,
    61 => Withdraw,
    62 => Deliberate,
    63 => Vote,
    64 => CouncilSay,
    65 => Enact,
    66 => CallElection,
    67 => Stand,
    68 => Elect,
    69 => CloseElection,
    70 => OpenCase,
    71 => DrawJury,
    72 => ChallengeJuror,
    73 => JuryVote,
    74 => CloseCase,
    75 => WithdrawCase,
    40 => RegisterNode,
    41 => LeaveNode,
    42 => AddBond,
    43 => WithdrawBond,
    44 => RegisterContent,
    45 => PublishVoucherKeys,
    46 => CommitMetrics,
    47 => AnswerAudit,
    48 => AttestUptime,
    49 => ScoreNodes,
    50 => ClaimReward,
});

impl Payload {
    /// Whether an account has to sign. What a committee signs carries its own signatures; settling and claiming are
    /// the same whoever asks.
    pub fn needs_account(&self) -> bool {
        match self {
            Self::Register(_)
            | Self::SetStatus(_)
            | Self::RegisterWork(_)
            | Self::UpdateWork(_)
            | Self::SetCommittee(_)
            | Self::PublishKeys(_)
            | Self::OpenEpoch(_)
            | Self::ReportRevenue(_)
            | Self::Transfer(_)
            | Self::AbandonEpoch(_)
            | Self::AttestReserve(_)
            | Self::Mint(_)
            | Self::Burn(_)
            | Self::PushValuation(_)
            | Self::BuyAsset(_)
            | Self::Rotate(_)
            | Self::DeprecateWork(_)
            | Self::Propose(_)
            | Self::Withdraw(_)
            | Self::Deliberate(_)
            | Self::Vote(_)
            | Self::CouncilSay(_)
            | Self::CallElection(_)
            | Self::Stand(_)
            | Self::Elect(_)
            | Self::OpenCase(_)
            | Self::ChallengeJuror(_)
            | Self::JuryVote(_)
            | Self::WithdrawCase(_)
            | Self::BindWallet(_)
            | Self::RegisterNode(_)
            | Self::LeaveNode(_)
            | Self::AddBond(_)
            | Self::WithdrawBond(_)
            | Self::RegisterContent(_)
            | Self::PublishVoucherKeys(_)
            | Self::CommitMetrics(_)
            | Self::AnswerAudit(_)
            | Self::AttestUptime(_) => true,
            Self::CommitBeacon(_)
            | Self::RevealBeacon(_)
            | Self::AnchorHeader(_)
            | Self::AnchorRoot(_)
            | Self::SubmitAggregate(_)
            | Self::FinaliseEpoch(_)
            | Self::Claim(_)
            | Self::SeatStandby(_)
            | Self::AcceptValuation(_)
            | Self::Enact(_)
            | Self::CloseElection(_)
            | Self::DrawJury(_)
            | Self::CloseCase(_)
            | Self::ScoreNodes(_)
            | Self::ClaimReward(_) => false,
        }
    }

    /// Whether this is an office's duty, which costs nothing. Whoever lacks the office is refused anyway.
    pub fn is_duty(&self) -> bool {
        matches!(
            self,
            Self::Register(_)
                | Self::SetStatus(_)
                | Self::SetCommittee(_)
                | Self::PublishKeys(_)
                | Self::OpenEpoch(_)
                | Self::ReportRevenue(_)
                | Self::AbandonEpoch(_)
                | Self::AttestReserve(_)
                | Self::Mint(_)
                | Self::PushValuation(_)
                | Self::PublishVoucherKeys(_)
        )
    }

    /// Whether judging it takes long: it settles an epoch, or goes through everybody on record. Whoever hands such a
    /// payload in has signed it, or takes a place in a line that is bounded; a question of it would cost nothing.
    pub fn takes_long(&self) -> bool {
        matches!(
            self,
            Self::OpenEpoch(_)
                | Self::AnchorHeader(_)
                | Self::AnchorRoot(_)
                | Self::SubmitAggregate(_)
                | Self::FinaliseEpoch(_)
                | Self::ScoreNodes(_)
                | Self::DrawJury(_)
        )
    }
}

/// An account's consent to a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorisation {
    /// Whose account.
    pub signer: PersonId,
    /// The account's nonce, so that nothing applies twice.
    pub nonce: u64,
    /// The signature.
    pub signature: AccountSignature,
}

codec_struct!(Authorisation { signer, nonce, signature });

/// Who signs for an account, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountSignature {
    /// Its key, over [`signing_message`]: any payload.
    Key(Signature),
    /// The wallet that is bound to it, over typed data: the payloads that [`crate::wallet::typed::Signable::of`] lists.
    Wallet(WalletSignature),
}

codec_enum!(AccountSignature("signature of an account") {
    0 => Key,
    1 => Wallet,
});

/// A transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// What is asked for.
    pub payload: Payload,
    /// Under whose signature, where an account has to sign.
    pub authorisation: Option<Authorisation>,
}

codec_struct!(Transaction { payload, authorisation });

/// Why an envelope is refused before its payload is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// An account has to sign this.
    #[error("an account has to sign this")]
    Unsigned,
    /// No account signs this. Taking the signature would let a transaction have two forms.
    #[error("no account signs this")]
    NeedlesslySigned,
    /// The signer has no account.
    #[error("{signer} has no account")]
    NoAccount {
        /// Who.
        signer: PersonId,
    },
    /// The nonce is not the account's.
    #[error("nonce {found} of {signer}, whose next is {expected}")]
    Nonce {
        /// Who.
        signer: PersonId,
        /// The account's nonce.
        expected: u64,
        /// The transaction's.
        found: u64,
    },
    /// The signature does not verify under the account's key.
    #[error("signature of {signer} does not verify")]
    Signature {
        /// Who.
        signer: PersonId,
    },
    /// A wallet signs this, which no wallet can show. The account's own key has to.
    #[error("no wallet signs this, only the key of {signer}")]
    NotForWallets {
        /// Who.
        signer: PersonId,
    },
    /// The account has no wallet.
    #[error("{signer} has bound no wallet")]
    NoWallet {
        /// Who.
        signer: PersonId,
    },
    /// A wallet's signature is no signature, or a second form of one.
    #[error("signature of the wallet of {signer}: {error}")]
    WalletSignature {
        /// Who.
        signer: PersonId,
        /// What is wrong with it.
        error: WalletError,
    },
    /// Another wallet signed this, or the right one signed something else.
    #[error("a wallet signed for {signer} that is {found}, and not {expected}")]
    OtherWallet {
        /// Who.
        signer: PersonId,
        /// The wallet that is bound.
        expected: Layer1Address,
        /// The one that the signature leads to.
        found: Layer1Address,
    },
    /// The signer has used this epoch's free transactions, and cannot pay for another.
    #[error(
        "{signer} has used the free transactions of this epoch, and holds {balance} credits, less than the fee of {fee}"
    )]
    Fee {
        /// Who.
        signer: PersonId,
        /// What the account holds.
        balance: Credits,
        /// Fee of a transaction.
        fee: Credits,
    },
    /// The block has no room left.
    #[error("the block is full")]
    BlockFull,
    /// The transaction is longer than a block.
    #[error("a transaction of {bytes} bytes")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
}

/// What an account's key signs: chain, signer, nonce and payload, hashed to one field element.
pub fn signing_message(chain: ChainId, signer: PersonId, nonce: u64, payload: &Payload) -> [Felt; 1] {
    let mut w = Writer::default();
    chain.encode(&mut w);
    signer.encode(&mut w);
    nonce.encode(&mut w);
    payload.encode(&mut w);
    [hash_bytes(FeltDomain::Transaction, &w.finish())]
}

impl Transaction {
    /// A transaction that no account signs.
    pub fn open(payload: Payload) -> Self {
        Self { payload, authorisation: None }
    }

    /// A transaction under an account's signature.
    pub fn signed(
        payload: Payload,
        chain: ChainId,
        (signer, nonce): (PersonId, u64),
        key: &SecretKey,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Self {
        let signature = key.sign(&signing_message(chain, signer, nonce, &payload), rng);
        let signature = AccountSignature::Key(signature);
        Self { payload, authorisation: Some(Authorisation { signer, nonce, signature }) }
    }

    /// A transaction that an account's wallet signed, over [`crate::wallet::typed::Signable::of`] the same.
    pub fn by_wallet(payload: Payload, (signer, nonce): (PersonId, u64), signature: WalletSignature) -> Self {
        let signature = AccountSignature::Wallet(signature);
        Self { payload, authorisation: Some(Authorisation { signer, nonce, signature }) }
    }

    /// Identifier.
    pub fn id(&self) -> Digest {
        hash::hash(Domain::Transaction, &[&self.to_bytes()])
    }
}
