// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {CweCredit} from "../src/CweCredit.sol";
import {ICweCredit} from "../src/interfaces/ICweCredit.sol";
import {Base} from "./support/Base.sol";

contract CweCreditTest is Base {
    uint256 private constant CAP = 1_000_000;

    CweCredit private _credit;
    address private _minter = person("minter");
    address private _holder = person("holder");

    function setUp() public {
        _credit = new CweCredit(_minter, CAP);
    }

    function mint(address to, uint256 amount) private {
        vm.prank(_minter);
        _credit.mint(to, amount);
    }

    function test_what_it_is() public {
        vm.assertEq(_credit.name(), "CWE Credit");
        vm.assertEq(_credit.symbol(), "CWE");
        vm.assertEq(_credit.decimals(), 6);
        vm.assertEq(_credit.minter(), _minter);
        vm.assertEq(_credit.cap(), CAP);
        vm.assertEq(_credit.totalSupply(), 0);
        vm.expectRevert(abi.encodeWithSelector(ICweCredit.ZeroMinter.selector));
        new CweCredit(address(0), CAP);
    }

    function testFuzz_the_minter_mints(uint256 amount) public {
        amount = bound(amount, 0, CAP);
        vm.expectEmit(address(_credit));
        emit IERC20.Transfer(address(0), _holder, amount);
        mint(_holder, amount);
        vm.assertEq(_credit.balanceOf(_holder), amount);
        vm.assertEq(_credit.totalSupply(), amount);
    }

    function testFuzz_nobody_else_mints(address other) public {
        vm.assume(other != _minter);
        vm.prank(other);
        vm.expectRevert(abi.encodeWithSelector(ICweCredit.NotMinter.selector, other));
        _credit.mint(other, 1);
    }

    function testFuzz_the_supply_stays_below_the_cap(uint256 first, uint256 second) public {
        first = bound(first, 0, CAP);
        second = bound(second, CAP - first + 1, type(uint256).max - first);
        mint(_holder, first);
        vm.prank(_minter);
        vm.expectRevert(abi.encodeWithSelector(ICweCredit.CapExceeded.selector, CAP, first + second));
        _credit.mint(_holder, second);
        mint(_holder, CAP - first);
        vm.assertEq(_credit.totalSupply(), CAP);
    }

    function testFuzz_a_holder_burns_what_is_there(uint256 held, uint256 burnt) public {
        held = bound(held, 0, CAP);
        burnt = bound(burnt, 0, held);
        mint(_holder, held);
        vm.prank(_holder);
        vm.expectEmit(address(_credit));
        emit IERC20.Transfer(_holder, address(0), burnt);
        _credit.burn(burnt);
        vm.assertEq(_credit.totalSupply(), held - burnt);
        vm.prank(_holder);
        vm.expectRevert(
            abi.encodeWithSelector(
                IERC20Errors.ERC20InsufficientBalance.selector, _holder, held - burnt, held - burnt + 1
            )
        );
        _credit.burn(held - burnt + 1);
    }

    function test_what_was_burnt_can_be_minted_again() public {
        mint(_holder, CAP);
        vm.prank(_holder);
        _credit.burn(40);
        mint(_holder, 40);
        vm.assertEq(_credit.totalSupply(), CAP);
    }

    function test_the_zero_address_holds_nothing() public {
        vm.prank(_minter);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InvalidReceiver.selector, address(0)));
        _credit.mint(address(0), 1);
    }

    function testFuzz_a_permit_approves_once(uint256 amount, uint256 deadline) public {
        uint256 key = uint256(keccak256("owner"));
        address owner = vm.addr(key);
        deadline = bound(deadline, block.timestamp, type(uint256).max);
        bytes32 typehash =
            keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 structHash = keccak256(abi.encode(typehash, owner, _holder, amount, 0, deadline));
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(key, keccak256(abi.encodePacked(hex"1901", _credit.DOMAIN_SEPARATOR(), structHash)));
        _credit.permit(owner, _holder, amount, deadline, v, r, s);
        vm.assertEq(_credit.allowance(owner, _holder), amount);
        (bool taken,) =
            address(_credit).call(abi.encodeCall(ERC20Permit.permit, (owner, _holder, amount, deadline, v, r, s)));
        vm.assertTrue(!taken, "a permit that was used");
    }
}
