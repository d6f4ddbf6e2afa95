// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AttestedRollup} from "../src/AttestedRollup.sol";
import {IAttestedRollup} from "../src/interfaces/IAttestedRollup.sol";
import {RollupFixture} from "./support/RollupFixture.sol";

contract CommitteeTest is RollupFixture {
    IAttestedRollup.Batch private _batch;

    function setUp() public {
        deployRollup();
        _batch = nextBatch(bytes32(uint256(8)), "data");
    }

    function test_the_first_committee_is_announced() public {
        vm.expectEmit();
        emit IAttestedRollup.CommitteeReplaced(0, members(3));
        new AttestedRollup(GENESIS, members(3));
    }

    function test_members_are_somebody_and_distinct() public {
        address[3] memory list = members(0);
        for (uint8 i = 0; i < 3; ++i) {
            list[i] = address(0);
            vm.expectRevert(abi.encodeWithSelector(IAttestedRollup.ZeroMember.selector, i));
            new AttestedRollup(GENESIS, list);
            list = members(0);
            list[i] = list[(i + 1) % 3];
            vm.expectRevert(abi.encodeWithSelector(IAttestedRollup.RepeatedMember.selector, list[i]));
            new AttestedRollup(GENESIS, list);
            list = members(0);
        }
    }

    function test_one_signature_is_too_few() public {
        IAttestedRollup.Attestation[] memory list = new IAttestedRollup.Attestation[](0);
        refuse(list, abi.encodeWithSelector(IAttestedRollup.TooFewSignatures.selector, 0));
        list = new IAttestedRollup.Attestation[](1);
        list[0] = sign(key(0, 0), 0, digest(_batch));
        refuse(list, abi.encodeWithSelector(IAttestedRollup.TooFewSignatures.selector, 1));
    }

    function testFuzz_members_stand_in_ascending_order(uint8 first, uint8 second) public {
        first %= 3;
        second = uint8(bound(second, 0, first));
        IAttestedRollup.Attestation[] memory list = attest(0, first, second, digest(_batch));
        refuse(list, abi.encodeWithSelector(IAttestedRollup.NotAscending.selector, first, second));
    }

    function testFuzz_there_are_three_members(uint8 member) public {
        member = uint8(bound(member, 3, type(uint8).max));
        IAttestedRollup.Attestation[] memory list = attest(0, 0, member, digest(_batch));
        refuse(list, abi.encodeWithSelector(IAttestedRollup.NotAMember.selector, member));
    }

    function test_a_fourth_attestation_finds_no_place() public {
        IAttestedRollup.Attestation[] memory list = new IAttestedRollup.Attestation[](4);
        for (uint8 i = 0; i < 3; ++i) {
            list[i] = sign(key(0, i), i, digest(_batch));
        }
        list[3] = list[2];
        refuse(list, abi.encodeWithSelector(IAttestedRollup.NotAscending.selector, 2, 2));
    }

    function testFuzz_a_stranger_does_not_sign(uint256 stranger, uint8 member) public {
        stranger = bound(stranger, 1, 2 ** 255);
        member %= 3;
        vm.assume(vm.addr(stranger) != members(0)[member]);
        uint8 other = member == 0 ? 1 : 0;
        IAttestedRollup.Attestation[] memory list =
            other < member ? attest(0, other, member, digest(_batch)) : attest(0, member, other, digest(_batch));
        list[other < member ? 1 : 0] = sign(stranger, member, digest(_batch));
        refuse(list, abi.encodeWithSelector(IAttestedRollup.WrongSigner.selector, member, vm.addr(stranger)));
    }

    function test_one_member_does_not_sign_for_another() public {
        IAttestedRollup.Attestation[] memory list = attest(0, 0, 1, digest(_batch));
        list[1].signature = list[0].signature;
        refuse(list, abi.encodeWithSelector(IAttestedRollup.WrongSigner.selector, 1, members(0)[0]));
    }

    /// @dev The same signature with the other s would be a second encoding of one attestation.
    function test_a_high_s_is_refused() public {
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key(0, 1), digest(_batch));
        IAttestedRollup.Attestation[] memory list = attest(0, 0, 1, digest(_batch));
        list[1].signature = abi.encodePacked(r, bytes32(order - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        refuse(list, abi.encodeWithSelector(IAttestedRollup.MalformedSignature.selector, 1));
    }

    function testFuzz_a_signature_has_65_bytes(bytes memory other) public {
        vm.assume(other.length != 65);
        IAttestedRollup.Attestation[] memory list = attest(0, 0, 1, digest(_batch));
        list[0].signature = other;
        refuse(list, abi.encodeWithSelector(IAttestedRollup.MalformedSignature.selector, 0));
    }

    function testFuzz_every_bit_of_a_signature_counts(uint8 which, uint16 bit) public {
        IAttestedRollup.Attestation[] memory list = attest(0, 0, 1, digest(_batch));
        bit %= 65 * 8;
        list[which % 2].signature[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        (bool taken,) = address(rollup).call(abi.encodeCall(rollup.commitBatch, (_batch, list)));
        vm.assertTrue(!taken, "a changed signature");
    }

    function test_a_committee_hands_over() public {
        IAttestedRollup.Attestation[] memory list = attest(0, 1, 2, digest(1, members(1)));
        vm.expectEmit(address(rollup));
        emit IAttestedRollup.CommitteeReplaced(1, members(1));
        vm.prank(person("anybody"));
        rollup.replaceCommittee(members(1), list);
        vm.assertEq(rollup.generation(), 1);
        for (uint256 i = 0; i < 3; ++i) {
            vm.assertEq(rollup.committee()[i], members(1)[i]);
        }
        list = attest(0, 0, 1, digest(_batch));
        refuse(list, abi.encodeWithSelector(IAttestedRollup.WrongSigner.selector, 0, members(0)[0]));
        rollup.commitBatch(_batch, attest(1, 0, 1, digest(_batch)));
    }

    /// @dev The first committee signs for generation 1, hands over, is handed back to, and does not hand over twice.
    function test_a_handover_is_taken_once() public {
        IAttestedRollup.Attestation[] memory first = attest(0, 0, 1, digest(1, members(1)));
        rollup.replaceCommittee(members(1), first);
        rollup.replaceCommittee(members(0), attest(1, 0, 1, digest(2, members(0))));
        (bool taken,) = address(rollup).call(abi.encodeCall(rollup.replaceCommittee, (members(1), first)));
        vm.assertTrue(!taken, "an old handover");
        vm.assertEq(rollup.generation(), 2);
    }

    function testFuzz_a_handover_is_signed_as_it_is(uint64 generation, uint8 place, address other) public {
        address[3] memory signed = members(1);
        signed[place % 3] = other;
        vm.assume(generation != 1 || other != members(1)[place % 3]);
        IAttestedRollup.Attestation[] memory list = attest(0, 0, 1, digest(generation, signed));
        (bool taken,) = address(rollup).call(abi.encodeCall(rollup.replaceCommittee, (members(1), list)));
        vm.assertTrue(!taken, "another handover than was signed");
    }

    function test_a_handover_needs_two_and_a_proper_committee() public {
        IAttestedRollup.Attestation[] memory one = new IAttestedRollup.Attestation[](1);
        vm.expectRevert(abi.encodeWithSelector(IAttestedRollup.TooFewSignatures.selector, 1));
        rollup.replaceCommittee(members(1), one);
        address[3] memory twice = members(1);
        twice[2] = twice[0];
        IAttestedRollup.Attestation[] memory list = attest(0, 0, 1, digest(1, twice));
        vm.expectRevert(abi.encodeWithSelector(IAttestedRollup.RepeatedMember.selector, twice[0]));
        rollup.replaceCommittee(twice, list);
    }

    function refuse(IAttestedRollup.Attestation[] memory list, bytes memory reason) private {
        vm.expectRevert(reason);
        rollup.commitBatch(_batch, list);
    }
}
