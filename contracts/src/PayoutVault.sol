// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";
import {IEpochMirror} from "./interfaces/IEpochMirror.sol";
import {IPayoutVault} from "./interfaces/IPayoutVault.sol";
import {Felts} from "./libraries/Felts.sol";
import {Merkle} from "./libraries/Merkle.sol";
import {Poseidon} from "./libraries/Poseidon.sol";

/// @title Payouts to addresses on layer 1
/// @notice See {IPayoutVault}.
contract PayoutVault is IPayoutVault {
    using BitMaps for BitMaps.BitMap;
    using Felts for Felts.Buffer;
    using SafeERC20 for IERC20;

    /// @dev An epoch's own money: what is funded for one never pays another.
    struct Account {
        uint256 payoutRoot;
        bool funded;
        uint64 remaining;
        BitMaps.BitMap claimed;
    }

    /// @inheritdoc IPayoutVault
    IERC20 public immutable credit;
    /// @inheritdoc IPayoutVault
    IEpochMirror public immutable mirror;
    mapping(uint64 epoch => Account) private _accounts;

    /// @param credit_ The token that is paid.
    /// @param mirror_ The mirror whose payout roots count.
    constructor(IERC20 credit_, IEpochMirror mirror_) {
        require(address(credit_) != address(0) && address(mirror_) != address(0), ZeroAddress());
        credit = credit_;
        mirror = mirror_;
    }

    /// @inheritdoc IPayoutVault
    function fund(uint64 epoch) external {
        Account storage account = _accounts[epoch];
        require(!account.funded, AlreadyFunded(epoch));
        IEpochMirror.EpochRecord memory record = mirror.epoch(epoch);

        account.payoutRoot = record.payoutRoot;
        account.funded = true;
        account.remaining = record.onLayer1;
        emit Funded(epoch, msg.sender, record.onLayer1);
        credit.safeTransferFrom(msg.sender, address(this), record.onLayer1);
    }

    /// @inheritdoc IPayoutVault
    function claim(uint64 epoch, bytes32 work, address payee, uint64 amount, PayoutPath calldata path) external {
        Account storage account = _accounts[epoch];
        require(account.funded, NotFunded(epoch));
        require(payee != address(0), ZeroPayee());
        require(!account.claimed.get(path.position), AlreadyClaimed(epoch, path.position));
        uint256 root = Merkle.listRoot(_leaf(epoch, work, payee, amount), path.position, path.count, path.siblings);
        require(root == account.payoutRoot, NotOwed(epoch, work, payee, amount));
        // Only a false root gets here. It must not reach the money of other epochs.
        require(amount <= account.remaining, Overdrawn(epoch, account.remaining, amount));

        // Before the transfer: a token that calls back finds the payout paid.
        account.claimed.set(path.position);
        account.remaining -= amount;
        emit Claimed(epoch, work, payee, amount, path.position);
        credit.safeTransfer(payee, amount);
    }

    /// @inheritdoc IPayoutVault
    function remaining(uint64 epoch) external view returns (uint64) {
        return _accounts[epoch].remaining;
    }

    /// @inheritdoc IPayoutVault
    function isFunded(uint64 epoch) external view returns (bool) {
        return _accounts[epoch].funded;
    }

    /// @inheritdoc IPayoutVault
    function isClaimed(uint64 epoch, uint32 position) external view returns (bool) {
        return _accounts[epoch].claimed.get(position);
    }

    /// @dev The chain knows a payee by 32 bytes: twelve zeros before an address on layer 1.
    function _leaf(uint64 epoch, bytes32 work, address payee, uint64 amount) private pure returns (uint256) {
        bytes32 person = bytes32(uint256(uint160(payee)));
        return Felts.buffer(6).push(epoch).pushBytes(work).pushBytes(person).push(amount).hash(Poseidon.PAYOUT_LEAF);
    }
}
