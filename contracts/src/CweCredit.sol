// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ICweCredit} from "./interfaces/ICweCredit.sol";

/// @title Credits on layer 1
/// @notice See {ICweCredit}.
contract CweCredit is ICweCredit, ERC20, ERC20Permit {
    /// @inheritdoc ICweCredit
    address public immutable minter;
    /// @inheritdoc ICweCredit
    uint256 public immutable cap;

    /// @param minter_ The one address that can mint.
    /// @param cap_ Most credits that may exist at a time, in micro-credits.
    constructor(address minter_, uint256 cap_) ERC20("CWE Credit", "CWE") ERC20Permit("CWE Credit") {
        require(minter_ != address(0), ZeroMinter());
        minter = minter_;
        cap = cap_;
    }

    /// @inheritdoc ICweCredit
    function mint(address to, uint256 amount) external {
        require(msg.sender == minter, NotMinter(msg.sender));
        _mint(to, amount);
        require(totalSupply() <= cap, CapExceeded(cap, totalSupply()));
    }

    /// @inheritdoc ICweCredit
    function burn(uint256 amount) external {
        _burn(msg.sender, amount);
    }

    /// @notice Six, like the ledger's micro-credits.
    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
