// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestedRollup} from "../src/interfaces/IAttestedRollup.sol";
import {IEpochMirror} from "../src/interfaces/IEpochMirror.sol";
import {IPayoutVault} from "../src/interfaces/IPayoutVault.sol";
import {Poseidon} from "../src/libraries/Poseidon.sol";
import {VaultFixture} from "./support/VaultFixture.sol";

/// @dev What whole transactions cost, calldata included. `npm test` compares it with snapshots/gas.json.
contract GasTest is VaultFixture {
    uint64 private constant EPOCH = 4;
    uint256 private constant PAYOUTS = 1000;

    function setUp() public {
        deployVault();
        commitRoot(1);
    }

    function test_gas_hash2() public {
        uint256 before = gasleft();
        Poseidon.hash2(1, 2);
        vm.snapshotValue("gas", "hash2", before - gasleft());
    }

    function test_gas_hashMany_34() public {
        uint256[] memory xs = new uint256[](34);
        uint256 before = gasleft();
        Poseidon.hashMany(Poseidon.STATE_VALUE, xs);
        vm.snapshotValue("gas", "hashMany of 34", before - gasleft());
    }

    function test_gas_commitBatch() public {
        commit(1024, "commitBatch, 1 KiB");
    }

    function test_gas_commitBatch_full() public {
        commit(rollup.MAX_DATA_BYTES(), "commitBatch, 96 KiB");
    }

    function test_gas_replaceCommittee() public {
        rollup.replaceCommittee(members(1), attest(0, 0, 1, digest(1, members(1))));
        vm.snapshotGasLastCall("gas", "replaceCommittee");
    }

    function test_gas_mirror() public {
        IEpochMirror.EpochRecord memory record = sample(EPOCH, felt("payouts"), 1_000_000);
        IEpochMirror.StateProof memory proof = settle(record);
        mirror.mirror(record, proof);
        vm.snapshotGasLastCall("gas", "mirror");
    }

    function test_gas_fund_and_claim() public {
        Payout[] memory list = payouts(EPOCH, PAYOUTS);
        mirrorPayouts(EPOCH, list, sum(list));
        fund(EPOCH);
        vm.snapshotGasLastCall("gas", "fund");
        (IPayoutVault.PayoutPath memory path,) = pathOf(EPOCH, list, 3);
        vault.claim(EPOCH, list[3].work, payeeOf(list[3]), list[3].amount, path);
        vm.snapshotGasLastCall("gas", "claim of 1000");
    }

    function test_gas_credit() public {
        credit.mint(person("a"), 5);
        vm.snapshotGasLastCall("gas", "mint");
        vm.prank(person("a"));
        credit.burn(2);
        vm.snapshotGasLastCall("gas", "burn");
    }

    /// @dev Bytes that are not zero cost most.
    function commit(uint256 length, string memory name) private {
        bytes memory data = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            data[i] = 0xff;
        }
        IAttestedRollup.Batch memory batch = nextBatch(bytes32(uint256(8)), data);
        rollup.commitBatch(batch, attest(0, 0, 1, digest(batch)));
        vm.snapshotGasLastCall("gas", name);
    }
}
