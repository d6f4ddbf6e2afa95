// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AttestedRollup} from "../../src/AttestedRollup.sol";
import {IAttestedRollup} from "../../src/interfaces/IAttestedRollup.sol";
import {Poseidon} from "../../src/libraries/Poseidon.sol";
import {Base} from "../support/Base.sol";
import {RollupFixture} from "../support/RollupFixture.sol";

/// @dev Commits batches and replaces committees, with tries that must fail, and remembers every root.
contract RollupHandler is RollupFixture {
    bytes32[] public roots = [GENESIS];
    bytes32[] public hashes = [bytes32(0)];
    uint64 public handovers;

    constructor() {
        deployRollup();
    }

    function contractUnderTest() external view returns (AttestedRollup) {
        return rollup;
    }

    function count() external view returns (uint256) {
        return roots.length - 1;
    }

    function commit(uint256 root, bytes calldata data, uint8 absent) external {
        bytes memory filled = abi.encodePacked(data, uint8(1));
        IAttestedRollup.Batch memory batch = nextBatch(bytes32(root % Poseidon.MODULUS), filled);
        rollup.commitBatch(batch, pair(absent, digest(batch)));
        roots.push(batch.newRoot);
        hashes.push(keccak256(filled));
    }

    function replay(uint64 number) external {
        IAttestedRollup.Batch memory batch = nextBatch(roots[0], "again");
        batch.number = uint64(bound(number, 0, roots.length - 1));
        refuse(batch, pair(0, digest(batch)));
    }

    function skip(uint64 number) external {
        IAttestedRollup.Batch memory batch = nextBatch(roots[0], "ahead");
        batch.number = uint64(bound(number, roots.length + 1, type(uint64).max));
        refuse(batch, pair(0, digest(batch)));
    }

    function forge(uint8 absent) external {
        IAttestedRollup.Batch memory batch = nextBatch(roots[0], "forged");
        IAttestedRollup.Attestation[] memory former = pair(absent, digest(batch));
        former[1] = sign(key(handovers + 1, former[1].member), former[1].member, digest(batch));
        refuse(batch, former);
    }

    function handOver(uint8 absent) external {
        address[3] memory next = members(handovers + 1);
        rollup.replaceCommittee(next, pair(absent, digest(handovers + 1, next)));
        ++handovers;
    }

    function pair(uint8 absent, bytes32 hash) private view returns (IAttestedRollup.Attestation[] memory) {
        absent %= 3;
        return attest(handovers, absent == 0 ? 1 : 0, absent == 2 ? 1 : 2, hash);
    }

    function refuse(IAttestedRollup.Batch memory batch, IAttestedRollup.Attestation[] memory list) private {
        (bool taken,) = address(rollup).call(abi.encodeCall(rollup.commitBatch, (batch, list)));
        require(!taken);
    }
}

contract RollupInvariantTest is Base {
    RollupHandler private _handler;
    AttestedRollup private _rollup;

    function setUp() public {
        _handler = new RollupHandler();
        _rollup = _handler.contractUnderTest();
    }

    function targetContracts() public view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(_handler);
    }

    function invariant_the_record_is_what_was_committed_in_order() public view {
        uint64 count = uint64(_handler.count());
        vm.assertEq(_rollup.batchCount(), count);
        vm.assertEq(_rollup.stateRoot(), _handler.roots(count));
        vm.assertEq(_rollup.stateRootAfter(0), _handler.roots(0));
        for (uint64 i = 1; i <= count; ++i) {
            vm.assertEq(_rollup.stateRootAfter(i), _handler.roots(i));
            vm.assertEq(_rollup.dataHashOf(i), _handler.hashes(i));
        }
    }

    function invariant_the_committee_is_the_last_that_was_handed_over_to() public view {
        vm.assertEq(_rollup.generation(), _handler.handovers());
    }
}
