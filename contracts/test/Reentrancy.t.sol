// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {PayoutVault} from "../src/PayoutVault.sol";
import {IPayoutVault} from "../src/interfaces/IPayoutVault.sol";
import {VaultFixture} from "./support/VaultFixture.sol";

/// @dev A token that calls somebody while it moves.
contract CallingToken is ERC20("Calling", "CALL") {
    address public target;
    bytes public message;
    bytes public answer;

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function callWhenMoved(address target_, bytes calldata message_) external {
        (target, message) = (target_, message_);
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (target != address(0)) (, answer) = target.call(message);
    }
}

/// @dev The credits of this project call nobody. The vault does not rely on that.
contract ReentrancyTest is VaultFixture {
    CallingToken private _token;
    Payout[] private _payouts;

    function setUp() public {
        deployVault();
        _token = new CallingToken();
        vault = new PayoutVault(_token, mirror);
        for (uint64 epoch = 1; epoch <= 2; ++epoch) {
            Payout[] memory list = payouts(epoch, 2);
            mirrorPayouts(epoch, list, sum(list));
            if (epoch == 1) {
                _payouts.push(list[0]);
                _payouts.push(list[1]);
            }
        }
        _token.mint(sponsor, 1_000_000);
        vm.prank(sponsor);
        _token.approve(address(vault), type(uint256).max);
        fund(2);
    }

    function test_a_claim_within_a_claim_finds_it_paid() public {
        fund(1);
        (IPayoutVault.PayoutPath memory path,) = pathOf(1, _payouts, 0);
        bytes memory again =
            abi.encodeCall(vault.claim, (1, _payouts[0].work, payeeOf(_payouts[0]), _payouts[0].amount, path));
        _token.callWhenMoved(address(vault), again);
        claim(1, _payouts, 0);
        vm.assertEq(_token.answer(), abi.encodeWithSelector(IPayoutVault.AlreadyClaimed.selector, 1, 0));
        vm.assertEq(_token.balanceOf(payeeOf(_payouts[0])), _payouts[0].amount);
        vm.assertEq(vault.remaining(1), _payouts[1].amount);
    }

    function test_a_funding_within_a_funding_finds_it_funded() public {
        _token.callWhenMoved(address(vault), abi.encodeCall(vault.fund, (1)));
        fund(1);
        vm.assertEq(_token.answer(), abi.encodeWithSelector(IPayoutVault.AlreadyFunded.selector, 1));
    }
}
