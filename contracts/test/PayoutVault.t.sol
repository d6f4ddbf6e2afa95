// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {PayoutVault} from "../src/PayoutVault.sol";
import {IEpochMirror} from "../src/interfaces/IEpochMirror.sol";
import {IPayoutVault} from "../src/interfaces/IPayoutVault.sol";
import {Merkle} from "../src/libraries/Merkle.sol";
import {Poseidon} from "../src/libraries/Poseidon.sol";
import {VaultFixture} from "./support/VaultFixture.sol";

/// forge-config: default.fuzz.runs = 64
contract PayoutVaultTest is VaultFixture {
    uint64 private constant EPOCH = 4;
    uint256 private constant COUNT = 11;

    Payout[] private _payouts;
    uint64 private _total;

    function setUp() public {
        deployVault();
        Payout[] memory list = payouts(EPOCH, COUNT);
        for (uint256 i = 0; i < COUNT; ++i) {
            _payouts.push(list[i]);
        }
        _total = sum(list);
        mirrorPayouts(EPOCH, list, _total);
    }

    function test_what_it_trusts() public {
        vm.assertEq(address(vault.credit()), address(credit));
        vm.assertEq(address(vault.mirror()), address(mirror));
        bytes memory reason = abi.encodeWithSelector(IPayoutVault.ZeroAddress.selector);
        vm.expectRevert(reason);
        new PayoutVault(IERC20(address(0)), mirror);
        vm.expectRevert(reason);
        new PayoutVault(credit, IEpochMirror(address(0)));
    }

    function test_funding_takes_exactly_what_the_epoch_owes_here() public {
        vm.assertTrue(!vault.isFunded(EPOCH) && vault.remaining(EPOCH) == 0, "not yet");
        vm.expectEmit(address(vault));
        emit IPayoutVault.Funded(EPOCH, sponsor, _total);
        fund(EPOCH);
        vm.assertTrue(vault.isFunded(EPOCH) && vault.remaining(EPOCH) == _total, "now");
        vm.assertEq(credit.balanceOf(address(vault)), _total);
        vm.assertEq(credit.balanceOf(sponsor), CAP / 2 - _total);
        vm.expectRevert(abi.encodeWithSelector(IPayoutVault.AlreadyFunded.selector, EPOCH));
        fund(EPOCH);
    }

    function test_funding_needs_a_mirrored_epoch_and_the_money() public {
        vm.expectRevert(abi.encodeWithSelector(IEpochMirror.NotMirrored.selector, 5));
        fund(5);
        address poor = person("poor");
        vm.prank(poor);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(vault), 0, _total)
        );
        vault.fund(EPOCH);
        vm.assertTrue(!vault.isFunded(EPOCH), "without the money");
    }

    function test_an_epoch_that_owes_nothing_here_is_funded_with_nothing() public {
        mirrorPayouts(5, payouts(5, 1), 0);
        vm.prank(person("anybody"));
        vault.fund(5);
        vm.assertTrue(vault.isFunded(5) && vault.remaining(5) == 0, "funded");
    }

    function test_every_payout_here_is_paid_to_its_payee() public {
        fund(EPOCH);
        uint64 left = _total;
        for (uint32 i = 0; i < COUNT; ++i) {
            if (!onLayer1(_payouts[i])) continue;
            address payee = payeeOf(_payouts[i]);
            vm.expectEmit(address(vault));
            emit IPayoutVault.Claimed(EPOCH, _payouts[i].work, payee, _payouts[i].amount, i);
            vm.prank(person("anybody"));
            claim(EPOCH, _payouts, i);
            left -= _payouts[i].amount;
            vm.assertEq(credit.balanceOf(payee), _payouts[i].amount);
            vm.assertTrue(vault.isClaimed(EPOCH, i) && vault.remaining(EPOCH) == left, "paid");
        }
        vm.assertEq(left, 0);
        vm.assertEq(credit.balanceOf(address(vault)), 0);
    }

    function test_a_payout_is_paid_once() public {
        fund(EPOCH);
        claim(EPOCH, _payouts, 3);
        expectRefusal(abi.encodeWithSelector(IPayoutVault.AlreadyClaimed.selector, EPOCH, 3), 3);
        vm.assertTrue(!vault.isClaimed(EPOCH, 4), "its neighbour is not");
        claim(EPOCH, _payouts, 4);
    }

    function test_nothing_is_paid_before_the_epoch_is_funded() public {
        expectRefusal(abi.encodeWithSelector(IPayoutVault.NotFunded.selector, EPOCH), 0);
    }

    /// @dev A person of the chain has no address here, whatever its last twenty bytes spell.
    function test_persons_of_the_chain_are_not_paid_here() public {
        fund(EPOCH);
        Payout memory payout = _payouts[2];
        bytes memory reason =
            abi.encodeWithSelector(IPayoutVault.NotOwed.selector, EPOCH, payout.work, payeeOf(payout), payout.amount);
        expectRefusal(reason, 2);
    }

    function test_the_zero_address_is_nobody() public {
        Payout[] memory list = payouts(5, 2);
        list[0].payee = 0;
        mirrorPayouts(5, list, sum(list));
        fund(5);
        (IPayoutVault.PayoutPath memory path,) = pathOf(5, list, 0);
        vm.expectRevert(abi.encodeWithSelector(IPayoutVault.ZeroPayee.selector));
        vault.claim(5, list[0].work, address(0), list[0].amount, path);
        claim(5, list, 1);
    }

    /// @dev A false root may promise more than its epoch has. It gets nothing of what others were promised.
    function test_an_epoch_does_not_draw_on_another() public {
        Payout[] memory list = payouts(5, 2);
        mirrorPayouts(5, list, list[0].amount + 1);
        fund(EPOCH);
        fund(5);
        claim(5, list, 0);
        (IPayoutVault.PayoutPath memory path,) = pathOf(5, list, 1);
        vm.expectRevert(abi.encodeWithSelector(IPayoutVault.Overdrawn.selector, 5, 1, list[1].amount));
        vault.claim(5, list[1].work, payeeOf(list[1]), list[1].amount, path);
        vm.assertEq(credit.balanceOf(address(vault)), _total + 1);
    }

    function test_a_payout_of_one_epoch_is_none_of_another() public {
        mirrorPayouts(5, payouts(5, COUNT), _total);
        fund(5);
        (IPayoutVault.PayoutPath memory path,) = pathOf(EPOCH, _payouts, 0);
        expectNotOwed(5, _payouts[0], path);
    }

    function testFuzz_every_field_of_a_payout_counts(uint8 field, uint8 position, bytes32 noise) public {
        fund(EPOCH);
        position = uint8(position % COUNT);
        vm.assume(onLayer1(_payouts[position]));
        (IPayoutVault.PayoutPath memory path,) = pathOf(EPOCH, _payouts, position);
        Payout memory changed = _payouts[position];
        if (field % 3 == 0) changed.work = noise;
        if (field % 3 == 1) changed.payee = bytes32(uint256(uint160(bytes20(noise))));
        if (field % 3 == 2) changed.amount = uint64(bytes8(noise));
        vm.assume(keccak256(abi.encode(changed)) != keccak256(abi.encode(_payouts[position])));
        vm.assume(changed.payee != 0);
        expectNotOwed(EPOCH, changed, path);
    }

    function testFuzz_every_field_of_a_path_counts(uint8 field, uint8 position, uint256 other) public {
        fund(EPOCH);
        position = uint8(position % COUNT);
        (IPayoutVault.PayoutPath memory path,) = pathOf(EPOCH, _payouts, position);
        if (field % 6 == 0) {
            path.position = uint32(other % COUNT);
            vm.assume(path.position != position);
        } else if (field % 6 == 1) {
            path.count = uint32(bound(other, 12, 16));
        } else {
            other %= Poseidon.MODULUS;
            vm.assume(path.siblings[field % 6 - 2] != other);
            path.siblings[field % 6 - 2] = other;
        }
        expectNotOwed(EPOCH, _payouts[position], path);
    }

    function test_a_path_that_no_list_has_is_refused() public {
        fund(EPOCH);
        (IPayoutVault.PayoutPath memory path,) = pathOf(EPOCH, _payouts, 3);
        path.position = 11;
        expectRefusal(abi.encodeWithSelector(Merkle.NoSuchPosition.selector, 11, 11), path);
        path.count = 17;
        expectRefusal(abi.encodeWithSelector(Merkle.PathLength.selector, 5, 4), path);
        (path.position, path.count) = (0, 0);
        expectRefusal(abi.encodeWithSelector(Merkle.NoSuchPosition.selector, 0, 0), path);
        path.count = 1;
        expectRefusal(abi.encodeWithSelector(Merkle.PathLength.selector, 0, 4), path);
        path.count = type(uint32).max;
        expectRefusal(abi.encodeWithSelector(Merkle.PathLength.selector, 32, 4), path);
        (path.position, path.count) = (3, uint32(COUNT));
        path.siblings[1] += Poseidon.MODULUS;
        expectRefusal(abi.encodeWithSelector(Poseidon.NotCanonical.selector, path.siblings[1]), path);
    }

    function testFuzz_lists_of_any_length_are_paid_from(uint8 count, uint8 position) public {
        count = uint8(bound(count, 1, 40));
        position = uint8(position % count);
        Payout[] memory list = payouts(6, count);
        vm.assume(onLayer1(list[position]));
        mirrorPayouts(6, list, sum(list));
        fund(6);
        claim(6, list, position);
        vm.assertEq(credit.balanceOf(payeeOf(list[position])), list[position].amount);
    }

    function expectRefusal(bytes memory reason, uint256 position) private {
        (IPayoutVault.PayoutPath memory path,) = pathOf(EPOCH, _payouts, position);
        expectRefusal(reason, EPOCH, _payouts[position], path);
    }

    function expectRefusal(bytes memory reason, IPayoutVault.PayoutPath memory path) private {
        expectRefusal(reason, EPOCH, _payouts[3], path);
    }

    function expectNotOwed(uint64 epoch, Payout memory payout, IPayoutVault.PayoutPath memory path) private {
        bytes memory reason =
            abi.encodeWithSelector(IPayoutVault.NotOwed.selector, epoch, payout.work, payeeOf(payout), payout.amount);
        expectRefusal(reason, epoch, payout, path);
    }

    function expectRefusal(bytes memory reason, uint64 epoch, Payout memory payout, IPayoutVault.PayoutPath memory path)
        private
    {
        vm.expectRevert(reason);
        vault.claim(epoch, payout.work, payeeOf(payout), payout.amount, path);
    }
}
