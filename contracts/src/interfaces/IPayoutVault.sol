// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IEpochMirror} from "./IEpochMirror.sol";

/// @title Payouts to addresses on layer 1
/// @notice On the chain a payee is 32 bytes. One whose first twelve are zero is the address on layer 1 in the last
/// twenty: the chain does not pay it, but counts it into the epoch's `onLayer1`, and it is paid here. Each epoch has
/// its own account: what is funded for one never pays another. Money leaves by `claim` alone, to the payee of a leaf
/// under the mirrored payout root. There is no owner and no way to take anything back.
interface IPayoutVault {
    /// @notice How a payout leaf leads to an epoch's payout root.
    /// @param position The leaf's position in the list of payouts.
    /// @param count Leaves in the list.
    /// @param siblings Sibling nodes, the lowest first: as many as a list of that length demands.
    struct PayoutPath {
        uint32 position;
        uint32 count;
        uint256[] siblings;
    }

    /// @notice An epoch's payouts on layer 1 can be claimed.
    /// @param epoch The epoch.
    /// @param from Who paid for it.
    /// @param amount Their sum, in micro-credits.
    event Funded(uint64 indexed epoch, address indexed from, uint64 amount);

    /// @notice A payout was paid.
    /// @param epoch The epoch.
    /// @param work The work.
    /// @param payee Who was paid.
    /// @param amount How much, in micro-credits.
    /// @param position The leaf's position in the list of payouts.
    event Claimed(uint64 indexed epoch, bytes32 indexed work, address indexed payee, uint64 amount, uint32 position);

    /// @notice The token or the mirror named at deployment is the zero address.
    error ZeroAddress();

    /// @notice The epoch is funded already.
    /// @param epoch The epoch.
    error AlreadyFunded(uint64 epoch);

    /// @notice The epoch is not funded.
    /// @param epoch The epoch.
    error NotFunded(uint64 epoch);

    /// @notice The payee is the zero address: 32 zero bytes are no address on layer 1.
    error ZeroPayee();

    /// @notice The payout at this position was paid.
    /// @param epoch The epoch.
    /// @param position The position.
    error AlreadyClaimed(uint64 epoch, uint32 position);

    /// @notice No such payout stands under the epoch's payout root at the path's end.
    /// @param epoch The epoch.
    /// @param work The work.
    /// @param payee Who would have been paid.
    /// @param amount How much, in micro-credits.
    error NotOwed(uint64 epoch, bytes32 work, address payee, uint64 amount);

    /// @notice The epoch's payouts exceed what its record says that they sum up to.
    /// @param epoch The epoch.
    /// @param remaining What is left of it.
    /// @param amount What was claimed.
    error Overdrawn(uint64 epoch, uint64 remaining, uint64 amount);

    /// @notice Takes exactly the epoch's `onLayer1` from the caller, who must have approved it. Once an epoch. An
    /// epoch that owes nothing here is funded with nothing.
    /// @param epoch The epoch, which must be mirrored.
    function fund(uint64 epoch) external;

    /// @notice Pays a payout to its payee, once. Anybody may send it.
    /// @param epoch The epoch, which must be funded.
    /// @param work The work.
    /// @param payee Who is paid.
    /// @param amount How much, in micro-credits.
    /// @param path How the leaf leads to the payout root.
    function claim(uint64 epoch, bytes32 work, address payee, uint64 amount, PayoutPath calldata path) external;

    /// @notice What is left of an epoch's money, in micro-credits. Nothing before it is funded.
    /// @param epoch The epoch.
    function remaining(uint64 epoch) external view returns (uint64);

    /// @notice Whether an epoch is funded.
    /// @param epoch The epoch.
    function isFunded(uint64 epoch) external view returns (bool);

    /// @notice Whether the payout at a position was paid.
    /// @param epoch The epoch.
    /// @param position The position.
    function isClaimed(uint64 epoch, uint32 position) external view returns (bool);

    /// @notice The token that is paid: a plain ERC-20 that moves exactly what it is told to move.
    function credit() external view returns (IERC20);

    /// @notice The mirror whose payout roots count.
    function mirror() external view returns (IEpochMirror);
}
