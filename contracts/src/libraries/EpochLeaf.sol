// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEpochMirror} from "../interfaces/IEpochMirror.sol";
import {Felts} from "./Felts.sol";
import {Poseidon} from "./Poseidon.sol";

/// @title The leaf of a final epoch
/// @notice As the chain hashes it: key, next key and value, where the value hashes the whole record.
library EpochLeaf {
    using Felts for Felts.Buffer;

    /// @notice Number of the table of epochs.
    uint32 internal constant TABLE = 9;

    /// @dev Phase of an epoch that is settled. A record in any other phase has another hash.
    uint256 private constant FINALISED = 3;
    /// @dev How the chain spells that an optional value is there, and that it is not.
    uint256 private constant SOME = 1;
    uint256 private constant NONE = 0;

    /// @notice The leaf's node.
    function hash(IEpochMirror.EpochRecord calldata record, uint256 nextKey) internal pure returns (uint256) {
        return Felts.buffer(3).push(_key(record.epoch)).push(nextKey).push(_value(record)).hash(Poseidon.STATE_LEAF);
    }

    function _key(uint64 epoch) private pure returns (uint256) {
        return Felts.buffer(2).push(TABLE).push(epoch).hash(Poseidon.STATE_KEY);
    }

    function _value(IEpochMirror.EpochRecord calldata record) private pure returns (uint256) {
        Felts.Buffer memory out = Felts.buffer(34);
        out.push(record.epoch).push(FINALISED).push(record.opening).pushBytes(record.params);
        out.push(record.batches).push(record.bundles).pushBytes(record.last).pushBytes(record.anchors);
        out.push(SOME).pushBytes(record.root);
        out.push(SOME).pushBytes(record.aggregate);
        out.push(SOME).push(record.revenues);
        out.push(SOME).push(record.revenue).push(record.fee).push(record.eco).push(record.infra);
        out.push(record.creators).push(record.carriedIn).push(record.paid).push(record.onLayer1);
        out.push(record.carriedOut).pushWide(record.sumOfWeights).push(record.payoutRoot).push(record.figures);
        // Not abandoned: an epoch that was given up pays nothing.
        out.push(NONE);
        return out.hash(Poseidon.STATE_VALUE);
    }
}
