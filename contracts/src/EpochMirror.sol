// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestedRollup} from "./interfaces/IAttestedRollup.sol";
import {IEpochMirror} from "./interfaces/IEpochMirror.sol";
import {EpochLeaf} from "./libraries/EpochLeaf.sol";
import {Merkle} from "./libraries/Merkle.sol";

/// @title Final epochs of the chain, on layer 1
/// @notice See {IEpochMirror}.
contract EpochMirror is IEpochMirror {
    /// @dev Levels of a table: positions are 32-bit numbers.
    uint256 private constant TABLE_HEIGHT = 32;

    /// @inheritdoc IEpochMirror
    IAttestedRollup public immutable rollup;
    /// @inheritdoc IEpochMirror
    mapping(uint64 number => bool) public isMirrored;
    mapping(uint64 number => EpochRecord) private _records;

    /// @param rollup_ The rollup whose roots count.
    constructor(IAttestedRollup rollup_) {
        require(address(rollup_) != address(0), ZeroRollup());
        rollup = rollup_;
    }

    /// @inheritdoc IEpochMirror
    function mirror(EpochRecord calldata record, StateProof calldata proof) external {
        require(!isMirrored[record.epoch], AlreadyMirrored(record.epoch));
        _requireBalance(record);
        uint256 expected = uint256(rollup.stateRootAfter(proof.batch));
        uint256 found = _stateRoot(record, proof);
        require(found == expected, NotInState(expected, found));

        isMirrored[record.epoch] = true;
        _records[record.epoch] = record;
        emit EpochMirrored(record.epoch, proof.batch, record.payoutRoot, record.onLayer1);
    }

    /// @inheritdoc IEpochMirror
    function epoch(uint64 number) external view returns (EpochRecord memory) {
        require(isMirrored[number], NotMirrored(number));
        return _records[number];
    }

    /// @dev The root that the record's leaf leads to: up its table, then up the list of tables.
    function _stateRoot(EpochRecord calldata record, StateProof calldata proof) private pure returns (uint256) {
        uint256 leaf = EpochLeaf.hash(record, proof.nextKey);
        uint256 table = Merkle.climb(leaf, proof.position, proof.siblings, TABLE_HEIGHT);
        return Merkle.listRoot(table, EpochLeaf.TABLE, proof.tableCount, proof.tableSiblings);
    }

    /// @dev The ledger keeps these sums. A root that breaks them is false, whoever attested it.
    function _requireBalance(EpochRecord calldata record) private pure {
        uint256 shares = uint256(record.fee) + record.eco + record.infra + record.creators;
        uint256 pool = uint256(record.creators) + record.carriedIn;
        bool balanced = record.revenue == shares && pool == uint256(record.paid) + record.carriedOut
            && record.onLayer1 <= record.paid;
        require(balanced, Unbalanced(record.epoch));
    }
}
