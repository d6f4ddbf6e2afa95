// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CweCredit} from "../../src/CweCredit.sol";
import {PayoutVault} from "../../src/PayoutVault.sol";
import {IPayoutVault} from "../../src/interfaces/IPayoutVault.sol";
import {Base} from "../support/Base.sol";
import {VaultFixture} from "../support/VaultFixture.sol";

/// @dev Funds and claims in any order, also what must fail, and counts what went in and out.
contract VaultHandler is VaultFixture {
    uint64 public constant EPOCHS_HELD = 3;
    uint32 public constant PAYOUTS = 7;

    mapping(uint64 epoch => uint64) public funded;
    mapping(uint64 epoch => uint64) public claimed;
    mapping(uint64 epoch => mapping(uint32 position => uint256)) public timesPaid;
    mapping(uint64 epoch => mapping(uint32 position => bytes)) private _claims;
    mapping(uint64 epoch => mapping(uint32 position => uint64)) private _amounts;
    mapping(uint64 epoch => uint64) private _totals;

    constructor() {
        deployVault();
        for (uint64 epoch = 0; epoch < EPOCHS_HELD; ++epoch) {
            Payout[] memory list = payouts(epoch, PAYOUTS);
            // The last epoch's root is false: it promises more than its record says.
            _totals[epoch] = epoch + 1 < EPOCHS_HELD ? sum(list) : sum(list) - 500;
            mirrorPayouts(epoch, list, _totals[epoch]);
            for (uint32 i = 0; i < PAYOUTS; ++i) {
                (IPayoutVault.PayoutPath memory path,) = pathOf(epoch, list, i);
                _amounts[epoch][i] = list[i].amount;
                _claims[epoch][i] =
                    abi.encodeCall(vault.claim, (epoch, list[i].work, payeeOf(list[i]), list[i].amount, path));
            }
        }
    }

    function underTest() external view returns (PayoutVault, CweCredit) {
        return (vault, credit);
    }

    function fundAny(uint64 epoch) external {
        epoch %= EPOCHS_HELD;
        vm.prank(sponsor);
        (bool taken,) = address(vault).call(abi.encodeCall(vault.fund, (epoch)));
        if (taken) funded[epoch] += _totals[epoch];
    }

    function claimAny(uint64 epoch, uint32 position) external {
        (epoch, position) = (epoch % EPOCHS_HELD, position % PAYOUTS);
        (bool taken,) = address(vault).call(_claims[epoch][position]);
        if (taken) {
            claimed[epoch] += _amounts[epoch][position];
            ++timesPaid[epoch][position];
        }
    }
}

contract VaultInvariantTest is Base {
    VaultHandler private _handler;
    PayoutVault private _vault;
    CweCredit private _credit;

    function setUp() public {
        _handler = new VaultHandler();
        (_vault, _credit) = _handler.underTest();
    }

    function targetContracts() public view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(_handler);
    }

    function invariant_the_vault_holds_what_was_funded_and_not_claimed() public view {
        uint256 held = 0;
        for (uint64 epoch = 0; epoch < _handler.EPOCHS_HELD(); ++epoch) {
            uint64 left = _handler.funded(epoch) - _handler.claimed(epoch);
            vm.assertEq(_vault.remaining(epoch), left);
            held += left;
        }
        vm.assertEq(_credit.balanceOf(address(_vault)), held);
    }

    function invariant_no_payout_is_paid_twice() public view {
        for (uint64 epoch = 0; epoch < _handler.EPOCHS_HELD(); ++epoch) {
            for (uint32 i = 0; i < _handler.PAYOUTS(); ++i) {
                uint256 times = _handler.timesPaid(epoch, i);
                vm.assertEq(times, _vault.isClaimed(epoch, i) ? 1 : 0);
            }
        }
    }
}
