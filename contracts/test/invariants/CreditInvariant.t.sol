// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CweCredit} from "../../src/CweCredit.sol";
import {Base} from "../support/Base.sol";

/// @dev Moves credits among four holders and remembers what each should have.
contract CreditHandler is Base {
    uint256 public constant CAP = 10_000_000;

    CweCredit public immutable credit = new CweCredit(address(this), CAP);
    address[4] public holders = [person("a"), person("b"), person("c"), person("d")];
    mapping(address holder => uint256) public expected;

    function mint(uint256 to, uint256 amount) external {
        amount = bound(amount, 0, CAP - credit.totalSupply());
        credit.mint(holders[to % 4], amount);
        expected[holders[to % 4]] += amount;
    }

    function mintTooMuch(uint256 to, uint256 amount) external {
        amount = bound(amount, CAP - credit.totalSupply() + 1, type(uint128).max);
        (bool taken,) = address(credit).call(abi.encodeCall(credit.mint, (holders[to % 4], amount)));
        require(!taken);
    }

    function burn(uint256 from, uint256 amount) external {
        address holder = holders[from % 4];
        amount = bound(amount, 0, expected[holder]);
        vm.prank(holder);
        credit.burn(amount);
        expected[holder] -= amount;
    }

    function transfer(uint256 from, uint256 to, uint256 amount) external {
        address holder = holders[from % 4];
        amount = bound(amount, 0, expected[holder]);
        vm.prank(holder);
        require(credit.transfer(holders[to % 4], amount));
        expected[holder] -= amount;
        expected[holders[to % 4]] += amount;
    }
}

contract CreditInvariantTest is Base {
    CreditHandler private _handler;

    function setUp() public {
        _handler = new CreditHandler();
    }

    function targetContracts() public view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(_handler);
    }

    function invariant_the_supply_is_the_sum_of_balances_and_below_the_cap() public view {
        CweCredit credit = _handler.credit();
        uint256 sum = 0;
        for (uint256 i = 0; i < 4; ++i) {
            address holder = _handler.holders(i);
            vm.assertEq(credit.balanceOf(holder), _handler.expected(holder));
            sum += credit.balanceOf(holder);
        }
        vm.assertEq(credit.totalSupply(), sum);
        vm.assertTrue(sum <= credit.cap(), "the cap");
    }
}
