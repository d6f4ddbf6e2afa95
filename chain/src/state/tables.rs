//! Every table of the state: the one file of storage keys.

use super::{
    Key, Leaf, Part, Table,
    tree::{Absence, Inclusion},
};
use crate::merkle::{self, MerklePath};
use crate::modules::{
    dapr::{ClaimNullifier, Payout, Reputation, Settlement},
    eco_reserve::{EcoAsset, EcoEvent, EcoReport},
    governance::{
        Approval, Ballot, Candidate, Case, CouncilSay, Councillor, Election, JurorVote, ModuleVersion,
        Proposal, Statement, Version,
    },
    identity::{Identity, Nullifier, WalletBinding},
    node_rewards::{
        Content, Metrics, Node, NodeScores, Operator, RewardNullifier, Service, Task, UptimeReport,
        VoucherKey,
    },
    treasury::{Account, Attestation, Citation, Deposit, FundBalance, Redemption, Supply},
    usage::{
        Aggregate, Anchors, Beacon, CarriedUsage, CommitteeSeat, Epoch, Home, IssuerKey, Opening, RegionKey,
        Seat, SeatStandby, TierRevenue, UsageAggregate,
    },
    work_registry::Work,
};
use crate::poseidon::Felt;
use primitives::{CodecError, Encode, Reader, Writer};
use std::collections::BTreeMap;

macro_rules! tables {
    ($($(#[$doc:meta])* $field:ident: $leaf:ident($($part:ident),*) = $id:literal),* $(,)?) => {
        /// Numbers of the tables. They are hashed into keys and fix the order of roots: append, never renumber.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum TableId {
            $($(#[$doc])* $leaf = $id,)*
        }

        /// The state.
        #[derive(Clone, Default)]
        pub struct State {
            $($(#[$doc])* pub $field: Table<$leaf>,)*
        }

        /// What a transaction writes, by table.
        #[derive(Clone, Default)]
        pub struct Changes {
            $($field: BTreeMap<<$leaf as Leaf>::Key, $leaf>,)*
        }

        impl State {
            /// Takes the changes of a transaction.
            pub fn commit(&mut self, changes: Changes) {
                $(for record in changes.$field.into_values() {
                    self.$field.put(record);
                })*
            }

            /// Proof that a table has a record under a key felt, or that it has none.
            pub(super) fn prove_in(&mut self, table: TableId, key: Felt) -> Option<Found> {
                match table {
                    $(TableId::$leaf => {
                        let table = &mut self.$field;
                        let included = table.prove_at(key).map(Found::Included);
                        included.or_else(|| table.prove_absence_at(key).map(Found::Absent))
                    })*
                }
            }

            /// Roots of the tables, in order of their numbers.
            pub fn table_roots(&mut self) -> Vec<Felt> {
                vec![$(self.$field.root()),*]
            }

            /// Canonical encoding of all records, table by table.
            pub fn to_bytes(&self) -> Vec<u8> {
                let mut w = Writer::default();
                $(
                    w.raw(&[$id]);
                    w.count(self.$field.len());
                    for record in self.$field.iter() {
                        record.encode(&mut w);
                    }
                )*
                w.finish()
            }
        }

        impl State {
            /// All records, table by table, each table in the order of its leaves: whoever reads them gets the same root.
            pub fn export(&self, w: &mut Writer) {
                $(
                    w.raw(&[$id]);
                    self.$field.export(w);
                )*
            }

            /// Reads what [`Self::export`] wrote.
            pub fn import(r: &mut Reader<'_>) -> Result<Self, CodecError> {
                $(
                    if r.array::<1>()? != [$id] {
                        return Err(CodecError::Invalid { what: "number of a table" });
                    }
                    let $field = Table::import(r)?;
                )*
                Ok(Self { $($field,)* })
            }
        }

        $(
            impl Stored for $leaf {
                fn table(state: &State) -> &Table<Self> {
                    &state.$field
                }
                fn table_mut(state: &mut State) -> &mut Table<Self> {
                    &mut state.$field
                }
                fn changed(changes: &Changes) -> &BTreeMap<Self::Key, Self> {
                    &changes.$field
                }
                fn changed_mut(changes: &mut Changes) -> &mut BTreeMap<Self::Key, Self> {
                    &mut changes.$field
                }
            }
        )*

        const ORDER: &[TableId] = &[$(TableId::$leaf),*];

        impl TableId {
            /// Every table, in order of their numbers.
            pub const ALL: &[Self] = ORDER;

            /// What a table is called.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$leaf => stringify!($field),)*
                }
            }

            /// Names of the parts of its keys, in their order.
            pub fn part_names(self) -> &'static [&'static str] {
                match self {
                    $(Self::$leaf => &[$(stringify!($part)),*],)*
                }
            }

            /// The parts of its keys, in their order.
            pub fn parts(self) -> Vec<Part> {
                let mut parts = Vec::new();
                match self {
                    $(Self::$leaf => <<$leaf as Leaf>::Key as Key>::parts(&mut parts),)*
                }
                parts
            }
        }
    };
}

// With the names of what a record stands under.
tables! {
    /// Keys, nonces and balances.
    accounts: Account(owner) = 0,
    /// Persons and organisations.
    identities: Identity(person) = 1,
    /// Personhood nullifiers that are taken.
    nullifiers: Nullifier(nullifier) = 2,
    /// Registered works.
    works: Work(id) = 3,
    /// Committees, by the epoch from which they serve.
    committees: CommitteeSeat(from) = 4,
    /// Keys of token issuers.
    issuer_keys: IssuerKey(epoch, tier) = 5,
    /// Keys of regions.
    region_keys: RegionKey(epoch, region, denomination) = 6,
    /// Contributions to beacons.
    beacons: Beacon(epoch, party) = 7,
    /// What was fixed when epochs opened.
    openings: Opening(epoch) = 8,
    /// Epochs and how far they are.
    epochs: Epoch(epoch) = 9,
    /// Revenue by tier.
    revenues: TierRevenue(epoch, tier) = 10,
    /// Anchored batch headers, by shard.
    anchors: Anchors(epoch, shard) = 11,
    /// Totals with their proofs.
    aggregates: Aggregate(epoch, shard) = 12,
    /// Usage by epoch, work and tier.
    usage: UsageAggregate(epoch, work, tier) = 13,
    /// Settled figures of epochs.
    settlements: Settlement(epoch) = 14,
    /// What works were paid.
    payouts: Payout(epoch, work) = 15,
    /// Claims that were paid.
    claims: ClaimNullifier(epoch, work, payee) = 16,
    /// Reputation of works, carried between epochs.
    reputations: Reputation(work) = 17,
    /// Credits that came and went.
    supply: Supply() = 18,
    /// Funds that no account holds.
    funds: FundBalance(fund) = 19,
    /// What auditors last attested of the reserve.
    attestations: Attestation(auditor) = 20,
    /// Usage that shards carry over from epoch to epoch.
    residuals: CarriedUsage(shard) = 21,
    /// Shards of works.
    homes: Home(work) = 22,
    /// Seats of operators.
    seats: Seat(operator) = 23,
    /// Standbys that were seated, by epoch.
    replacements: SeatStandby(epoch) = 24,
    /// Parameters and rules, by the epoch from which they hold.
    versions: Version(from) = 25,
    /// Versions of modules.
    modules: ModuleVersion(module, from) = 26,
    /// Proposals.
    proposals: Proposal(number) = 27,
    /// Votes on proposals.
    ballots: Ballot(proposal, voter) = 28,
    /// What was said on proposals.
    statements: Statement(proposal, author, document) = 29,
    /// What the council said of proposals.
    says: CouncilSay(proposal, say, councillor) = 30,
    /// Seats of the council.
    councillors: Councillor(person) = 31,
    /// Elections of the council.
    elections: Election(number) = 32,
    /// Their candidates.
    candidates: Candidate(election, person) = 33,
    /// Votes in them.
    approvals: Approval(election, voter) = 34,
    /// Cases before juries.
    cases: Case(number) = 35,
    /// Votes on them.
    juror_votes: JurorVote(case, juror) = 36,
    /// Wallets that sign for accounts.
    wallets: WalletBinding(wallet) = 37,
    /// Documents that somebody vouched by.
    citations: Citation(by, document) = 38,
    /// Payments into the reserve.
    deposits: Deposit(reference) = 39,
    /// Credits that were redeemed.
    redemptions: Redemption(holder, reference) = 40,
    /// Ecological assets.
    eco_assets: EcoAsset(id) = 41,
    /// What oracles last reported of them.
    eco_reports: EcoReport(asset, oracle) = 42,
    /// The journal of the Eco-Reserve.
    eco_events: EcoEvent(number) = 43,
    /// Nodes of the network.
    nodes: Node(id) = 44,
    /// Operators of nodes.
    operators: Operator(operator) = 45,
    /// Content of works that nodes keep.
    contents: Content(work) = 46,
    /// Services that nodes run.
    services: Service(manifest) = 47,
    /// Keys under which regions sign vouchers.
    voucher_keys: VoucherKey(epoch, region) = 48,
    /// What nodes committed to in the last two epochs.
    metrics: Metrics(epoch_modulo_2, node, kind) = 49,
    /// What witnesses saw of nodes in the last two epochs.
    reports: UptimeReport(epoch_modulo_2, witness) = 50,
    /// Curation tasks.
    tasks: Task(epoch, person) = 51,
    /// What epochs owe to nodes.
    scores: NodeScores(epoch) = 52,
    /// Node rewards that were paid.
    reward_claims: RewardNullifier(epoch, payee_kind, payee) = 53,
}

/// A record with a table in the state.
pub trait Stored: Leaf + 'static {
    /// Its table.
    fn table(state: &State) -> &Table<Self>;
    /// Its table, to hash and prove.
    fn table_mut(state: &mut State) -> &mut Table<Self>;
    /// What a transaction writes to its table.
    fn changed(changes: &Changes) -> &BTreeMap<Self::Key, Self>;
    /// What a transaction writes to its table, to add to.
    fn changed_mut(changes: &mut Changes) -> &mut BTreeMap<Self::Key, Self>;
}

/// What a table has under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Included(Inclusion),
    Absent(Absence),
}

/// Number of tables.
pub const TABLES: u32 = ORDER.len() as u32;

impl State {
    /// The state root: Poseidon over the roots of the tables, in order of their numbers (chain notes, section 2).
    pub fn root(&mut self) -> Felt {
        merkle::root(&self.table_roots())
    }

    /// Proof that a record stands in the state: inclusion in its table, and the table's path to the state root.
    pub fn prove<L: Stored>(&mut self, key: &L::Key) -> Option<(Inclusion, MerklePath)> {
        let inclusion = L::table_mut(self).prove(key)?;
        let path = self.table_path(L::TABLE);
        Some((inclusion, path))
    }

    /// Proof that no record stands under a key: absence in its table, and the table's path to the state root.
    pub fn prove_absence<L: Stored>(&mut self, key: &L::Key) -> Option<(Absence, MerklePath)> {
        let absence = L::table_mut(self).prove_absence(key)?;
        let path = merkle::path(&self.table_roots(), L::TABLE as usize)?;
        Some((absence, path))
    }

    /// Path of a table's root to the state root.
    pub(super) fn table_path(&mut self, table: TableId) -> MerklePath {
        merkle::path(&self.table_roots(), table as usize).expect("every table has a place")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_numbered_in_order() {
        assert!(ORDER.iter().enumerate().all(|(place, id)| *id as usize == place));
    }

    #[test]
    fn every_part_of_a_key_has_a_name() {
        for table in TableId::ALL {
            assert_eq!(table.part_names().len(), table.parts().len(), "{}", table.name());
        }
        assert_eq!(TableId::ClaimNullifier.parts(), [Part::Number, Part::Identifier, Part::Identifier]);
        assert_eq!(TableId::RewardNullifier.parts(), [Part::Number, Part::Number, Part::Identifier]);
    }
}
