//! Records of the treasury.

use crate::poseidon::Felt;
use crate::signature::PublicKey;
use crate::state::{
    Fields, Leaf, TableId, ToFelts,
    fields::{number_enum, record},
    leaf,
};
use ark_ff::{BigInt, PrimeField};
use primitives::{Credits, EpochId, Layer1Address, PersonId};

/// Credits, key and nonce of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Whose.
    pub owner: PersonId,
    /// Key of its signatures, bound at registration.
    pub key: PublicKey,
    /// Number that the next transaction carries.
    pub nonce: u64,
    /// Credits.
    pub balance: Credits,
    /// The Ethereum wallet that signs for it as well, what a wallet can show.
    pub wallet: Option<Layer1Address>,
    /// Epoch in which it signed last.
    pub active_in: EpochId,
    /// Transactions of that epoch that cost it nothing.
    pub used: u32,
}

record!(Account { owner, key, nonce, balance, wallet, active_in, used });

impl Account {
    /// An account without credits that has signed nothing.
    pub fn new(owner: PersonId, key: PublicKey) -> Self {
        let (balance, active_in) = (Credits::ZERO, EpochId::default());
        Self { owner, key, nonce: 0, balance, wallet: None, active_in, used: 0 }
    }
}

/// What a leaf binds is hashed whenever an account changes, and no record changes as often: so the owner, whom the key
/// binds, is not repeated, and the numbers share one element. That is two permutations and not five.
impl Leaf for Account {
    type Key = PersonId;
    const TABLE: TableId = TableId::Account;

    fn key(&self) -> PersonId {
        self.owner
    }

    fn value(&self) -> Vec<Felt> {
        let Self { owner: _, key, nonce, balance, wallet, active_in, used } = self;
        let last = u64::from(*used) | u64::from(wallet.is_some()) << 32;
        let numbers = Felt::from_bigint(BigInt([*nonce, balance.0, active_in.0, last]));
        let numbers = numbers.expect("33 bits of the last word are below the modulus");
        let mut out = Fields::default();
        out.push(key).felt(numbers).push(&wallet.unwrap_or_default());
        out.into_vec()
    }
}

number_enum! {
    /// Money that no account holds.
    Fund("fund") {
        /// Reported revenue of epochs that are not settled yet.
        Revenue = 0,
        /// The Eco-Reserve's share.
        Eco = 1,
        /// The share for node rewards.
        Infrastructure = 2,
        /// Protocol fees.
        Fee = 3,
        /// Payouts that nobody has claimed yet.
        Unclaimed = 4,
        /// Kept for the next epoch's creators: pools that found no work with weight, and revenue of epochs that were
        /// given up.
        Carried = 5,
        /// Payouts to accounts on L1. The vault there pays them from credits that were minted against this fund.
        Layer1 = 6,
        /// What operators deposit for their nodes.
        Bonds = 7,
        /// Node rewards that nobody has claimed yet.
        NodeRewards = 8,
    }
}

/// Balance of a fund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FundBalance {
    /// Which.
    pub fund: Fund,
    /// Credits.
    pub balance: Credits,
}

record!(FundBalance { fund, balance });

leaf!(FundBalance by fund: Fund);

/// Credits that came and went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Supply {
    /// All that was ever minted.
    pub minted: Credits,
    /// All that was ever burnt.
    pub burnt: Credits,
}

record!(Supply { minted, burnt });

impl Supply {
    /// Credits in existence.
    ///
    /// Panics if more was burnt than minted, which no transaction can do: what is burnt was held.
    pub fn in_existence(&self) -> Credits {
        self.minted.checked_sub(self.burnt).expect("only credits that are held are burnt")
    }
}

impl Leaf for Supply {
    type Key = ();
    const TABLE: TableId = TableId::Supply;
    fn key(&self) {}
    fn value(&self) -> Vec<Felt> {
        self.to_felts()
    }
}
