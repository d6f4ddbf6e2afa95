// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AttestedRollup} from "../src/AttestedRollup.sol";
import {IAttestedRollup} from "../src/interfaces/IAttestedRollup.sol";
import {Poseidon} from "../src/libraries/Poseidon.sol";
import {RollupFixture} from "./support/RollupFixture.sol";

contract AttestedRollupTest is RollupFixture {
    function setUp() public {
        deployRollup();
    }

    function test_genesis() public view {
        vm.assertEq(rollup.batchCount(), 0);
        vm.assertEq(rollup.stateRoot(), GENESIS);
        vm.assertEq(rollup.stateRootAfter(0), GENESIS);
        vm.assertEq(rollup.generation(), 0);
        vm.assertEq(rollup.MAX_DATA_BYTES(), 98_304);
        for (uint256 i = 0; i < 3; ++i) {
            vm.assertEq(rollup.committee()[i], members(0)[i]);
        }
    }

    function test_genesis_is_a_field_element() public {
        vm.expectRevert(abi.encodeWithSelector(Poseidon.NotCanonical.selector, Poseidon.MODULUS));
        new AttestedRollup(bytes32(Poseidon.MODULUS), members(0));
    }

    function test_a_batch_is_put_on_record_by_anybody() public {
        IAttestedRollup.Batch memory batch = nextBatch(bytes32(uint256(8)), "first");
        vm.expectEmit(address(rollup));
        emit IAttestedRollup.BatchCommitted(1, GENESIS, batch.newRoot, keccak256("first"));
        vm.prank(person("anybody"));
        rollup.commitBatch(batch, attest(0, 0, 1, digest(batch)));
        vm.assertEq(rollup.batchCount(), 1);
        vm.assertEq(rollup.stateRoot(), batch.newRoot);
        vm.assertEq(rollup.stateRootAfter(0), GENESIS);
        vm.assertEq(rollup.stateRootAfter(1), batch.newRoot);
        vm.assertEq(rollup.dataHashOf(1), keccak256("first"));
    }

    function test_any_two_members_and_all_three_suffice() public {
        uint8[2][3] memory pairs = [[0, 1], [0, 2], [1, 2]];
        for (uint256 i = 0; i < 3; ++i) {
            IAttestedRollup.Batch memory two = nextBatch(bytes32(i), "data");
            rollup.commitBatch(two, attest(0, pairs[i][0], pairs[i][1], digest(two)));
        }
        IAttestedRollup.Batch memory batch = nextBatch(bytes32(uint256(9)), "data");
        IAttestedRollup.Attestation[] memory three = new IAttestedRollup.Attestation[](3);
        for (uint8 i = 0; i < 3; ++i) {
            three[i] = sign(key(0, i), i, digest(batch));
        }
        rollup.commitBatch(batch, three);
        vm.assertEq(rollup.batchCount(), 4);
    }

    function testFuzz_batches_come_in_order(uint64 number) public {
        vm.assume(number != 1);
        IAttestedRollup.Batch memory batch = nextBatch(bytes32(uint256(8)), "data");
        batch.number = number;
        refuse(batch, abi.encodeWithSelector(IAttestedRollup.OutOfOrder.selector, 1, number));
    }

    function test_a_batch_is_taken_once() public {
        IAttestedRollup.Batch memory batch = nextBatch(GENESIS, "data");
        rollup.commitBatch(batch, attest(0, 0, 1, digest(batch)));
        refuse(batch, abi.encodeWithSelector(IAttestedRollup.OutOfOrder.selector, 2, 1));
    }

    function testFuzz_a_batch_starts_at_the_present_root(bytes32 root) public {
        vm.assume(root != GENESIS);
        IAttestedRollup.Batch memory batch = nextBatch(bytes32(uint256(8)), "data");
        batch.oldRoot = root;
        refuse(batch, abi.encodeWithSelector(IAttestedRollup.OtherRoot.selector, GENESIS, root));
    }

    function testFuzz_a_root_is_a_field_element(uint256 root) public {
        root = bound(root, Poseidon.MODULUS, type(uint256).max);
        IAttestedRollup.Batch memory batch = nextBatch(bytes32(root), "data");
        refuse(batch, abi.encodeWithSelector(Poseidon.NotCanonical.selector, root));
    }

    function test_data_is_bounded() public {
        uint256 most = rollup.MAX_DATA_BYTES();
        refuse(nextBatch(GENESIS, ""), abi.encodeWithSelector(IAttestedRollup.EmptyData.selector));
        refuse(
            nextBatch(GENESIS, new bytes(most + 1)),
            abi.encodeWithSelector(IAttestedRollup.DataTooLong.selector, most, most + 1)
        );
        IAttestedRollup.Batch memory batch = nextBatch(GENESIS, new bytes(most));
        rollup.commitBatch(batch, attest(0, 0, 1, digest(batch)));
    }

    function testFuzz_every_field_is_signed(uint8 field, bytes32 noise) public {
        commitRoot(11);
        IAttestedRollup.Batch memory batch = nextBatch(bytes32(uint256(8)), "data");
        IAttestedRollup.Batch memory signed = nextBatch(bytes32(uint256(8)), "data");
        if (field % 4 == 0) signed.number = uint64(uint256(noise));
        if (field % 4 == 1) signed.oldRoot = noise;
        if (field % 4 == 2) signed.newRoot = noise;
        if (field % 4 == 3) signed.data = abi.encode(noise);
        vm.assume(keccak256(abi.encode(batch)) != keccak256(abi.encode(signed)));
        expectWrongSigner(0, signed, batch);
        rollup.commitBatch(batch, attest(0, 0, 1, digest(signed)));
    }

    function test_another_chain_or_contract_is_signed_for_in_vain() public {
        IAttestedRollup.Batch memory batch = nextBatch(bytes32(uint256(8)), "data");
        IAttestedRollup.Attestation[] memory elsewhere = attest(0, 0, 1, digest(batch));
        vm.chainId(block.chainid + 1);
        (bool taken,) = address(rollup).call(abi.encodeCall(rollup.commitBatch, (batch, elsewhere)));
        vm.assertTrue(!taken, "another chain");
        vm.chainId(block.chainid - 1);
        deployRollup();
        (taken,) = address(rollup).call(abi.encodeCall(rollup.commitBatch, (batch, elsewhere)));
        vm.assertTrue(!taken, "another contract");
    }

    function test_what_does_not_exist_has_no_root_and_no_data() public {
        bytes memory first = abi.encodeWithSelector(IAttestedRollup.UnknownBatch.selector, 1);
        vm.expectRevert(first);
        rollup.stateRootAfter(1);
        vm.expectRevert(first);
        rollup.dataHashOf(1);
        vm.expectRevert(abi.encodeWithSelector(IAttestedRollup.UnknownBatch.selector, 0));
        rollup.dataHashOf(0);
        commitRoot(8);
        rollup.dataHashOf(1);
        vm.expectRevert(abi.encodeWithSelector(IAttestedRollup.UnknownBatch.selector, type(uint64).max));
        rollup.stateRootAfter(type(uint64).max);
    }

    /// @dev A batch that would be taken if it were signed is refused for what it says.
    function refuse(IAttestedRollup.Batch memory batch, bytes memory reason) private {
        IAttestedRollup.Attestation[] memory attestations = attest(0, 0, 1, digest(batch));
        vm.expectRevert(reason);
        rollup.commitBatch(batch, attestations);
    }

    /// @dev A signature of something else recovers to some address that is no member's.
    function expectWrongSigner(uint8 member, IAttestedRollup.Batch memory signed, IAttestedRollup.Batch memory sent)
        private
    {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key(0, member), digest(signed));
        address recovered = ecrecover(digest(sent), v, r, s);
        vm.expectRevert(abi.encodeWithSelector(IAttestedRollup.WrongSigner.selector, member, recovered));
    }
}
