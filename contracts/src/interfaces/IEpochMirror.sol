// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestedRollup} from "./IAttestedRollup.sol";

/// @title Final epochs of the chain, on layer 1
/// @notice Keeps the records of epochs that are settled on the chain. Anybody may bring one, with the path from its
/// leaf to a state root of the rollup; nobody can bring another. The contract trusts the rollup's roots and nothing
/// else, has no owner and holds no money.
interface IEpochMirror {
    /// @notice What the chain holds of a final epoch. Amounts are in micro-credits. Values of type `uint256` but
    /// `sumOfWeights` are field elements; values of type `bytes32` are digests, byte 0 first.
    /// @param epoch The epoch.
    /// @param opening Commitment to what was fixed when it opened.
    /// @param params Digest of the governance parameters that it was settled under.
    /// @param batches Anchored headers.
    /// @param bundles Bundles in them.
    /// @param last Digest of the last header.
    /// @param anchors Hash chain over the headers and the signatures under which they were anchored.
    /// @param root Digest of the frozen root and its signatures.
    /// @param aggregate Digest of the totals and their proof.
    /// @param revenues Commitment to the revenue records.
    /// @param revenue Revenue of all tiers.
    /// @param fee Protocol fee.
    /// @param eco Eco-Reserve share.
    /// @param infra Share for node rewards.
    /// @param creators Creators' share.
    /// @param carriedIn What earlier epochs carried over to creators.
    /// @param paid Sum of payouts.
    /// @param onLayer1 Part of `paid` that goes to addresses on layer 1.
    /// @param carriedOut What is carried to the next epoch.
    /// @param sumOfWeights Sum of the works' weights, a number of 256 bits.
    /// @param payoutRoot Root over the payout leaves.
    /// @param figures Commitment to the figures of every work.
    struct EpochRecord {
        uint64 epoch;
        uint256 opening;
        bytes32 params;
        uint64 batches;
        uint64 bundles;
        bytes32 last;
        bytes32 anchors;
        bytes32 root;
        bytes32 aggregate;
        uint256 revenues;
        uint64 revenue;
        uint64 fee;
        uint64 eco;
        uint64 infra;
        uint64 creators;
        uint64 carriedIn;
        uint64 paid;
        uint64 onLayer1;
        uint64 carriedOut;
        uint256 sumOfWeights;
        uint256 payoutRoot;
        uint256 figures;
    }

    /// @notice How an epoch's leaf leads to a state root.
    /// @param batch The batch after which the state had the root.
    /// @param nextKey The next larger key in the table of epochs, or 0.
    /// @param position Where the leaf stands in the table.
    /// @param siblings Sibling nodes up to the table's root, the lowest first. There are 32.
    /// @param tableCount Tables of the state.
    /// @param tableSiblings Sibling nodes from the table's root to the top of the list of tables, the lowest first.
    struct StateProof {
        uint64 batch;
        uint256 nextKey;
        uint32 position;
        uint256[] siblings;
        uint32 tableCount;
        uint256[] tableSiblings;
    }

    /// @notice An epoch is on record.
    /// @param epoch The epoch.
    /// @param batch The batch whose state root it was proved against.
    /// @param payoutRoot Root over its payout leaves.
    /// @param onLayer1 What its payouts to addresses on layer 1 sum up to.
    event EpochMirrored(uint64 indexed epoch, uint64 indexed batch, uint256 payoutRoot, uint64 onLayer1);

    /// @notice The rollup named at deployment is the zero address.
    error ZeroRollup();

    /// @notice The epoch is on record already.
    /// @param epoch The epoch.
    error AlreadyMirrored(uint64 epoch);

    /// @notice The epoch is not on record.
    /// @param epoch The epoch.
    error NotMirrored(uint64 epoch);

    /// @notice The record does not stand in the state after the batch.
    /// @param expected The state root after the batch.
    /// @param found The root that record and proof lead to.
    error NotInState(uint256 expected, uint256 found);

    /// @notice The record's money does not add up, whatever the state says.
    /// @param epoch The epoch.
    error Unbalanced(uint64 epoch);

    /// @notice Puts a final epoch on record. Anybody may send it, once an epoch.
    /// @param record The epoch as the chain holds it.
    /// @param proof How its leaf leads to a state root.
    function mirror(EpochRecord calldata record, StateProof calldata proof) external;

    /// @notice The record of a mirrored epoch.
    /// @param number The epoch.
    function epoch(uint64 number) external view returns (EpochRecord memory);

    /// @notice Whether an epoch is on record.
    /// @param number The epoch.
    function isMirrored(uint64 number) external view returns (bool);

    /// @notice The rollup whose roots count.
    function rollup() external view returns (IAttestedRollup);
}
