// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Credits on layer 1
/// @notice One credit is a claim on one unit of the reserve's currency, with six decimals like the ledger's
/// micro-credits. Balances change by transfer, mint and burn alone: there is no yield, no rebasing, no blacklist, no
/// pause and no office besides the minter, whose hands are tied by the cap.
interface ICweCredit {
    /// @notice The minter named at deployment is the zero address.
    error ZeroMinter();

    /// @notice Somebody other than the minter tried to mint.
    /// @param caller Who tried.
    error NotMinter(address caller);

    /// @notice A mint would have lifted the supply above the cap.
    /// @param cap Most credits that may exist.
    /// @param supply Credits that would have existed.
    error CapExceeded(uint256 cap, uint256 supply);

    /// @notice Makes new credits. Only the minter can, and never above the cap.
    /// @param to Who holds them.
    /// @param amount How many, in micro-credits.
    function mint(address to, uint256 amount) external;

    /// @notice Destroys credits of the caller.
    /// @param amount How many, in micro-credits.
    function burn(uint256 amount) external;

    /// @notice The one address that can mint. It never changes.
    function minter() external view returns (address);

    /// @notice Most credits that may exist at a time, in micro-credits. It never changes.
    function cap() external view returns (uint256);
}
