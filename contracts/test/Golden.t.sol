// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEpochMirror} from "../src/interfaces/IEpochMirror.sol";
import {IPayoutVault} from "../src/interfaces/IPayoutVault.sol";
import {VaultFixture} from "./support/VaultFixture.sol";

/// @dev A final epoch as the chain itself made it: record, state, payouts. Nothing here is built by the tests.
contract GoldenTest is VaultFixture {
    string private _json;
    IEpochMirror.EpochRecord private _record;

    function setUp() public {
        deployVault();
        _json = vm.readFile("../vectors/layer1.json");
        _record = record();
    }

    function test_the_spelling_of_the_record_is_the_chain_s() public view {
        vm.assertEq(valueOf(_record), number(".value"));
    }

    function test_the_epoch_is_mirrored_and_every_payout_here_is_paid() public {
        mirror.mirror(_record, proof(commitRoot(number(".state_root"))));
        vm.assertEq(mirror.epoch(_record.epoch).payoutRoot, _record.payoutRoot);
        fund(_record.epoch);

        uint64 total = 0;
        for (uint256 i = 0; vm.keyExistsJson(_json, path(i, "")); ++i) {
            bytes32 person = digest(path(i, ".payee"));
            address payee = address(uint160(uint256(person)));
            uint64 amount = small(path(i, ".amount"));
            bool isHere = uint256(person) < 2 ** 160;
            bytes memory call = abi.encodeCall(
                vault.claim, (small(path(i, ".epoch")), digest(path(i, ".work")), payee, amount, payoutPath(i))
            );
            uint256 before = credit.balanceOf(payee);
            (bool paid,) = address(vault).call(call);
            vm.assertEq(paid, isHere);
            vm.assertEq(credit.balanceOf(payee) - before, isHere ? amount : 0);
            total += amount;
        }
        vm.assertEq(total, _record.paid);
        vm.assertEq(vault.remaining(_record.epoch), 0);
        vm.assertTrue(_record.onLayer1 > 0, "something was paid here");
    }

    function record() private view returns (IEpochMirror.EpochRecord memory r) {
        r.epoch = small(".epoch_record.epoch");
        r.opening = number(".epoch_record.opening");
        r.params = digest(".epoch_record.params");
        r.batches = small(".epoch_record.batches");
        r.bundles = small(".epoch_record.bundles");
        r.last = digest(".epoch_record.last");
        r.anchors = digest(".epoch_record.anchors");
        r.root = digest(".epoch_record.root");
        r.aggregate = digest(".epoch_record.aggregate");
        r.revenues = number(".epoch_record.revenues");
        r.revenue = small(".epoch_record.revenue");
        r.fee = small(".epoch_record.fee");
        r.eco = small(".epoch_record.eco");
        r.infra = small(".epoch_record.infra");
        r.creators = small(".epoch_record.creators");
        r.carriedIn = small(".epoch_record.carriedIn");
        r.paid = small(".epoch_record.paid");
        r.onLayer1 = small(".epoch_record.onLayer1");
        r.carriedOut = small(".epoch_record.carriedOut");
        r.sumOfWeights = number(".epoch_record.sumOfWeights");
        r.payoutRoot = number(".epoch_record.payoutRoot");
        r.figures = number(".epoch_record.figures");
    }

    function proof(uint64 batch) private view returns (IEpochMirror.StateProof memory) {
        return IEpochMirror.StateProof({
            batch: batch,
            nextKey: number(".state_proof.nextKey"),
            position: uint32(small(".state_proof.position")),
            siblings: vm.parseJsonUintArray(_json, ".state_proof.siblings"),
            tableCount: uint32(small(".state_proof.tableCount")),
            tableSiblings: vm.parseJsonUintArray(_json, ".state_proof.tableSiblings")
        });
    }

    function payoutPath(uint256 i) private view returns (IPayoutVault.PayoutPath memory) {
        return IPayoutVault.PayoutPath({
            position: uint32(small(path(i, ".path.position"))),
            count: uint32(small(path(i, ".path.count"))),
            siblings: vm.parseJsonUintArray(_json, path(i, ".path.siblings"))
        });
    }

    function path(uint256 i, string memory key) private pure returns (string memory) {
        return string.concat(".claims[", vm.toString(i), "]", key);
    }

    function number(string memory key) private view returns (uint256) {
        return vm.parseJsonUint(_json, key);
    }

    function small(string memory key) private view returns (uint64) {
        return uint64(number(key));
    }

    function digest(string memory key) private view returns (bytes32) {
        return vm.parseJsonBytes32(_json, key);
    }
}
