// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CweCredit} from "../../src/CweCredit.sol";
import {PayoutVault} from "../../src/PayoutVault.sol";
import {IPayoutVault} from "../../src/interfaces/IPayoutVault.sol";
import {Poseidon} from "../../src/libraries/Poseidon.sol";
import {EpochFixture} from "./EpochFixture.sol";
import {Trees} from "./Trees.sol";

/// @dev A vault, and epochs whose payouts the test knows.
abstract contract VaultFixture is EpochFixture {
    struct Payout {
        bytes32 work;
        bytes32 payee;
        uint64 amount;
    }

    uint256 internal constant CAP = 1_000_000_000_000;

    CweCredit internal credit;
    PayoutVault internal vault;
    address internal sponsor = person("sponsor");

    function deployVault() internal {
        deployMirror();
        credit = new CweCredit(address(this), CAP);
        vault = new PayoutVault(credit, mirror);
        credit.mint(sponsor, CAP / 2);
        vm.prank(sponsor);
        credit.approve(address(vault), type(uint256).max);
    }

    /// @dev Payouts of an epoch: every third goes to a person of the chain, the others to layer 1.
    function payouts(uint64 epoch, uint256 count) internal pure returns (Payout[] memory list) {
        list = new Payout[](count);
        for (uint256 i = 0; i < count; ++i) {
            bytes32 payee = keccak256(abi.encode("payee", epoch, i));
            list[i].work = keccak256(abi.encode("work", i));
            list[i].payee = i % 3 == 2 ? payee : bytes32(uint256(uint160(uint256(payee))));
            list[i].amount = uint64(1_000 + 10 * i);
        }
    }

    function onLayer1(Payout memory payout) internal pure returns (bool) {
        return uint256(payout.payee) < 2 ** 160;
    }

    function payeeOf(Payout memory payout) internal pure returns (address) {
        return address(uint160(uint256(payout.payee)));
    }

    function sum(Payout[] memory list) internal pure returns (uint64 total) {
        for (uint256 i = 0; i < list.length; ++i) {
            if (onLayer1(list[i])) total += list[i].amount;
        }
    }

    /// @dev The path of a payout, and the root of all.
    function pathOf(uint64 epoch, Payout[] memory list, uint256 position)
        internal
        pure
        returns (IPayoutVault.PayoutPath memory path, uint256 root)
    {
        uint256[] memory leaves = new uint256[](list.length);
        for (uint256 i = 0; i < list.length; ++i) {
            uint256[] memory xs = new uint256[](6);
            (xs[0], xs[5]) = (epoch, list[i].amount);
            (xs[1], xs[2]) = (half(list[i].work, 0), half(list[i].work, 16));
            (xs[3], xs[4]) = (half(list[i].payee, 0), half(list[i].payee, 16));
            leaves[i] = Poseidon.hashMany(4, xs);
        }
        (path.position, path.count) = (uint32(position), uint32(list.length));
        (path.siblings, root) = Trees.list(leaves, position);
    }

    function mirrorPayouts(uint64 epoch, Payout[] memory list, uint64 total) internal {
        (, uint256 root) = pathOf(epoch, list, 0);
        mirrorEpoch(sample(epoch, root, total));
    }

    function fund(uint64 epoch) internal {
        vm.prank(sponsor);
        vault.fund(epoch);
    }

    function claim(uint64 epoch, Payout[] memory list, uint256 position) internal {
        (IPayoutVault.PayoutPath memory path,) = pathOf(epoch, list, position);
        vault.claim(epoch, list[position].work, payeeOf(list[position]), list[position].amount, path);
    }
}
