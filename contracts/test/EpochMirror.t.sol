// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EpochMirror} from "../src/EpochMirror.sol";
import {IAttestedRollup} from "../src/interfaces/IAttestedRollup.sol";
import {IEpochMirror} from "../src/interfaces/IEpochMirror.sol";
import {Merkle} from "../src/libraries/Merkle.sol";
import {Poseidon} from "../src/libraries/Poseidon.sol";
import {EpochFixture} from "./support/EpochFixture.sol";

/// forge-config: default.fuzz.runs = 64
contract EpochMirrorTest is EpochFixture {
    IEpochMirror.EpochRecord private _record;
    IEpochMirror.StateProof private _proof;

    function setUp() public {
        deployMirror();
        _record = sample(4, felt("payouts"), 1_000_000);
        _proof = settle(_record);
        commitRoot(felt("later"));
    }

    function test_a_record_in_the_state_is_mirrored_by_anybody() public {
        vm.assertTrue(!mirror.isMirrored(4), "not yet");
        vm.expectEmit(address(mirror));
        emit IEpochMirror.EpochMirrored(4, 1, _record.payoutRoot, 1_000_000);
        vm.prank(person("anybody"));
        mirror.mirror(_record, _proof);
        vm.assertTrue(mirror.isMirrored(4), "now");
        vm.assertEq(abi.encode(mirror.epoch(4)), abi.encode(_record));
    }

    function test_what_it_trusts() public {
        vm.assertEq(address(mirror.rollup()), address(rollup));
        vm.expectRevert(abi.encodeWithSelector(IEpochMirror.ZeroRollup.selector));
        new EpochMirror(IAttestedRollup(address(0)));
    }

    function test_an_epoch_is_mirrored_once() public {
        mirror.mirror(_record, _proof);
        bytes memory reason = abi.encodeWithSelector(IEpochMirror.AlreadyMirrored.selector, 4);
        refuse(_record, _proof, reason);
        IEpochMirror.EpochRecord memory other = sample(4, felt("other payouts"), 2_000_000);
        refuse(other, settle(other), reason);
    }

    function testFuzz_an_epoch_that_was_not_mirrored_has_no_record(uint64 epoch) public {
        mirror.mirror(_record, _proof);
        vm.assume(epoch != 4);
        vm.expectRevert(abi.encodeWithSelector(IEpochMirror.NotMirrored.selector, epoch));
        mirror.epoch(epoch);
    }

    function testFuzz_any_record_that_balances_is_mirrored(
        uint64[12] memory n,
        uint256[4] memory x,
        bytes32[5] memory d
    ) public {
        for (uint256 i = 0; i < 12; ++i) {
            n[i] >>= 3;
        }
        IEpochMirror.EpochRecord memory record = IEpochMirror.EpochRecord({
            epoch: n[0],
            opening: x[0] % Poseidon.MODULUS,
            params: d[0],
            batches: n[1],
            bundles: n[2],
            last: d[1],
            anchors: d[2],
            root: d[3],
            aggregate: d[4],
            revenues: x[1] % Poseidon.MODULUS,
            revenue: n[3] + n[4] + n[5] + n[6],
            fee: n[3],
            eco: n[4],
            infra: n[5],
            creators: n[6],
            carriedIn: n[7],
            paid: n[6] / 2 + n[7],
            onLayer1: uint64(bound(n[8], 0, n[6] / 2 + n[7])),
            carriedOut: n[6] - n[6] / 2,
            sumOfWeights: x[2],
            payoutRoot: x[3] % Poseidon.MODULUS,
            figures: uint256(d[0]) % Poseidon.MODULUS
        });
        mirrorEpoch(record);
        vm.assertEq(abi.encode(mirror.epoch(n[0])), abi.encode(record));
    }

    /// @dev Whatever word of the record changes, and whatever bit of it, the record is refused.
    function testFuzz_every_field_of_the_record_counts(uint8 field, uint8 bit) public {
        uint256[22] memory words = abi.decode(abi.encode(_record), (uint256[22]));
        field %= 22;
        uint256 width = words[field] <= type(uint64).max ? 64 : 256;
        words[field] ^= 1 << (bit % width);
        (IEpochMirror.EpochRecord memory changed) = abi.decode(abi.encode(words), (IEpochMirror.EpochRecord));
        assertRefused(changed, _proof);
    }

    /// @dev Money that still adds up, but is not what the chain holds.
    function test_moving_money_within_a_record_is_noticed() public {
        IEpochMirror.EpochRecord memory changed = _record;
        (changed.fee, changed.eco) = (changed.fee - 1, changed.eco + 1);
        assertNotInState(changed, _proof);
        changed = _record;
        (changed.paid, changed.carriedOut) = (changed.paid + 1, changed.carriedOut - 1);
        assertNotInState(changed, _proof);
        changed = _record;
        changed.onLayer1 += 1;
        assertNotInState(changed, _proof);
    }

    function test_sums_are_checked_even_where_the_state_has_them() public {
        IEpochMirror.EpochRecord[3] memory wrong = [_record, _record, _record];
        wrong[0].revenue += 1;
        wrong[1].carriedOut += 1;
        wrong[2].onLayer1 = wrong[2].paid + 1;
        for (uint256 i = 0; i < 3; ++i) {
            refuse(wrong[i], settle(wrong[i]), abi.encodeWithSelector(IEpochMirror.Unbalanced.selector, 4));
        }
    }

    /// @dev Four shares whose sum wraps around 64 bits to the revenue.
    function test_sums_do_not_wrap() public {
        IEpochMirror.EpochRecord memory record = _record;
        record.fee = type(uint64).max;
        record.eco += 1 + _record.fee;
        refuse(record, settle(record), abi.encodeWithSelector(IEpochMirror.Unbalanced.selector, 4));
    }

    function testFuzz_another_spelling_of_an_element_is_refused(uint8 field, bool isSibling) public {
        IEpochMirror.EpochRecord memory record = _record;
        IEpochMirror.StateProof memory proof = _proof;
        uint256 spelling;
        if (isSibling) {
            spelling = proof.siblings[field % 32] += Poseidon.MODULUS;
        } else if (field % 6 == 0) {
            spelling = record.opening += Poseidon.MODULUS;
        } else if (field % 6 == 1) {
            spelling = record.revenues += Poseidon.MODULUS;
        } else if (field % 6 == 2) {
            spelling = record.payoutRoot += Poseidon.MODULUS;
        } else if (field % 6 == 3) {
            spelling = record.figures += Poseidon.MODULUS;
        } else if (field % 6 == 4) {
            spelling = proof.nextKey += Poseidon.MODULUS;
        } else {
            spelling = proof.tableSiblings[field % 5] += Poseidon.MODULUS;
        }
        refuse(record, proof, abi.encodeWithSelector(Poseidon.NotCanonical.selector, spelling));
    }

    function testFuzz_every_node_of_the_proof_counts(uint8 place, uint256 other) public {
        IEpochMirror.StateProof memory proof = _proof;
        place %= 38;
        other %= Poseidon.MODULUS;
        if (place < 32) {
            vm.assume(proof.siblings[place] != other);
            proof.siblings[place] = other;
        } else if (place < 37) {
            vm.assume(proof.tableSiblings[place - 32] != other);
            proof.tableSiblings[place - 32] = other;
        } else {
            vm.assume(proof.nextKey != other);
            proof.nextKey = other;
        }
        assertNotInState(_record, proof);
    }

    function testFuzz_the_leaf_stands_in_one_place(uint32 position, uint32 tables) public {
        IEpochMirror.StateProof memory proof = _proof;
        vm.assume(position != proof.position);
        proof.position = position;
        assertNotInState(_record, proof);
        proof = _proof;
        // Lists of tables whose tree is as high.
        proof.tableCount = uint32(bound(tables, 2 ** (HEIGHT - 1) + 1, 2 ** HEIGHT));
        vm.assume(proof.tableCount != TABLES);
        assertNotInState(_record, proof);
    }

    function test_paths_are_as_long_as_their_trees_are_high() public {
        IEpochMirror.StateProof memory proof = _proof;
        proof.siblings = new uint256[](31);
        refuse(_record, proof, abi.encodeWithSelector(Merkle.PathLength.selector, 32, 31));
        proof.siblings = new uint256[](33);
        refuse(_record, proof, abi.encodeWithSelector(Merkle.PathLength.selector, 32, 33));
        proof = _proof;
        proof.tableCount = uint32(2 ** HEIGHT + 1);
        refuse(_record, proof, abi.encodeWithSelector(Merkle.PathLength.selector, HEIGHT + 1, HEIGHT));
        proof.tableCount = 9;
        refuse(_record, proof, abi.encodeWithSelector(Merkle.NoSuchPosition.selector, 9, 9));
    }

    function test_the_root_is_the_one_after_the_batch() public {
        IEpochMirror.StateProof memory proof = _proof;
        proof.batch = 3;
        refuse(_record, proof, abi.encodeWithSelector(IAttestedRollup.UnknownBatch.selector, 3));
        for (uint64 batch = 0; batch <= 2; batch += 2) {
            proof.batch = batch;
            assertNotInState(_record, proof);
        }
    }

    function refuse(IEpochMirror.EpochRecord memory record, IEpochMirror.StateProof memory proof, bytes memory reason)
        private
    {
        vm.expectRevert(reason);
        mirror.mirror(record, proof);
    }

    function assertRefused(IEpochMirror.EpochRecord memory record, IEpochMirror.StateProof memory proof)
        private
        returns (bytes4)
    {
        (bool taken, bytes memory reason) = address(mirror).call(abi.encodeCall(mirror.mirror, (record, proof)));
        vm.assertTrue(!taken && !mirror.isMirrored(record.epoch), "a record that is not in the state");
        return bytes4(reason);
    }

    function assertNotInState(IEpochMirror.EpochRecord memory record, IEpochMirror.StateProof memory proof) private {
        vm.assertTrue(assertRefused(record, proof) == IEpochMirror.NotInState.selector, "another reason");
    }
}
