// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EpochMirror} from "../../src/EpochMirror.sol";
import {IEpochMirror} from "../../src/interfaces/IEpochMirror.sol";
import {Poseidon} from "../../src/libraries/Poseidon.sol";
import {RollupFixture} from "./RollupFixture.sol";
import {Trees} from "./Trees.sol";

/// @dev A chain's state with epochs in it. Leaves are spelled out here a second time, apart from the contracts.
abstract contract EpochFixture is RollupFixture {
    uint32 internal constant TABLES = 54;
    /// @dev Of the tree over so many tables.
    uint256 internal constant HEIGHT = 6;
    uint32 internal constant EPOCHS = 9;

    EpochMirror internal mirror;

    function deployMirror() internal {
        deployRollup();
        mirror = new EpochMirror(rollup);
    }

    function felt(string memory name) internal pure returns (uint256) {
        return uint256(keccak256(bytes(name))) % Poseidon.MODULUS;
    }

    function sample(uint64 epoch, uint256 payoutRoot, uint64 onLayer1)
        internal
        pure
        returns (IEpochMirror.EpochRecord memory)
    {
        uint64 paid = onLayer1 + 3_000_000;
        return IEpochMirror.EpochRecord({
            epoch: epoch,
            opening: felt("opening"),
            params: keccak256("params"),
            batches: 12,
            bundles: 340,
            last: keccak256("last"),
            anchors: keccak256("anchors"),
            root: keccak256("root"),
            aggregate: keccak256("aggregate"),
            revenues: felt("revenues"),
            revenue: paid + 900_000,
            fee: 500_000,
            eco: 250_000,
            infra: 100_000,
            creators: paid + 50_000,
            carriedIn: 7_000,
            paid: paid,
            onLayer1: onLayer1,
            carriedOut: 57_000,
            sumOfWeights: uint256(keccak256("weights")),
            payoutRoot: payoutRoot,
            figures: felt("figures")
        });
    }

    /// @dev Half of 32 bytes as the chain reads them: little-endian, byte by byte.
    function half(bytes32 x, uint256 from) internal pure returns (uint256 value) {
        for (uint256 i = 0; i < 16; ++i) {
            value += uint256(uint8(x[from + i])) << (8 * i);
        }
    }

    function valueOf(IEpochMirror.EpochRecord memory r) internal pure returns (uint256) {
        uint256[34] memory list = [
            r.epoch,
            3,
            r.opening,
            half(r.params, 0),
            half(r.params, 16),
            r.batches,
            r.bundles,
            half(r.last, 0),
            half(r.last, 16),
            half(r.anchors, 0),
            half(r.anchors, 16),
            1,
            half(r.root, 0),
            half(r.root, 16),
            1,
            half(r.aggregate, 0),
            half(r.aggregate, 16),
            1,
            r.revenues,
            1,
            r.revenue,
            r.fee,
            r.eco,
            r.infra,
            r.creators,
            r.carriedIn,
            r.paid,
            r.onLayer1,
            r.carriedOut,
            r.sumOfWeights % 2 ** 128,
            r.sumOfWeights / 2 ** 128,
            r.payoutRoot,
            r.figures,
            0
        ];
        uint256[] memory xs = new uint256[](34);
        for (uint256 i = 0; i < 34; ++i) {
            xs[i] = list[i];
        }
        return Poseidon.hashMany(3, xs);
    }

    /// @dev A state in which an epoch with this value stands third in its table, and the proof of it.
    function stateWith(uint64 epoch, uint256 value)
        internal
        pure
        returns (IEpochMirror.StateProof memory proof, uint256 root)
    {
        uint256[] memory leaves = new uint256[](5);
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = felt(string.concat("leaf ", vm.toString(i)));
        }
        proof.position = 2;
        proof.nextKey = felt("next key");
        leaves[2] = Trees.hash(1, Trees.hash(2, EPOCHS, epoch), proof.nextKey, value);

        uint256[] memory tables = new uint256[](TABLES);
        for (uint256 i = 0; i < TABLES; ++i) {
            tables[i] = felt(string.concat("table ", vm.toString(i)));
        }
        proof.tableCount = TABLES;
        (proof.siblings, tables[EPOCHS]) = Trees.climb(leaves, proof.position, 32);
        (proof.tableSiblings, root) = Trees.list(tables, EPOCHS);
    }

    /// @dev Commits a state in which the record stands, and returns the proof of it.
    function settle(IEpochMirror.EpochRecord memory record) internal returns (IEpochMirror.StateProof memory proof) {
        uint256 root;
        (proof, root) = stateWith(record.epoch, valueOf(record));
        proof.batch = commitRoot(root);
    }

    function mirrorEpoch(IEpochMirror.EpochRecord memory record) internal {
        mirror.mirror(record, settle(record));
    }
}
