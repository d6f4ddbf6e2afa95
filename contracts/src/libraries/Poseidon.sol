// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PoseidonPermutation} from "./PoseidonPermutation.sol";

/// @title Poseidon over BN254's scalar field
/// @notice The chain's hash: `hash2` for inner nodes of trees, a sponge with domain and length for everything else.
/// Every input must be below the modulus. Otherwise `x` and `x + MODULUS` would hash alike, and each proof would have
/// several encodings.
library Poseidon {
    /// @notice Order of BN254's scalar field.
    uint256 internal constant MODULUS = 21888242871839275222246405745257275088548364400416034343698204186575808495617;

    /// @notice Domain of the leaves of a table.
    uint32 internal constant STATE_LEAF = 1;
    /// @notice Domain of the keys of a table.
    uint32 internal constant STATE_KEY = 2;
    /// @notice Domain of the records of a table.
    uint32 internal constant STATE_VALUE = 3;
    /// @notice Domain of the leaves of an epoch's payouts.
    uint32 internal constant PAYOUT_LEAF = 4;
    /// @notice Domain of the roots of lists.
    uint32 internal constant LIST_ROOT = 5;

    /// @notice A value is not below the modulus, so it is another spelling of a smaller one.
    /// @param value The value.
    error NotCanonical(uint256 value);

    /// @notice Refuses what is no field element.
    function check(uint256 value) internal pure {
        require(value < MODULUS, NotCanonical(value));
    }

    /// @notice An inner node of a tree.
    function hash2(uint256 left, uint256 right) internal pure returns (uint256) {
        check(left);
        check(right);
        (uint256 x0,,) = PoseidonPermutation.permute(0, left, right);
        return x0 % MODULUS;
    }

    /// @notice The sponge hash of a list in a domain.
    function hashMany(uint32 domain, uint256[] memory xs) internal pure returns (uint256) {
        unchecked {
            (uint256 x0, uint256 x1, uint256 x2) = (domain + (xs.length << 32), 0, 0);
            uint256 i = 0;
            do {
                (uint256 a, uint256 b) = (element(xs, i), element(xs, i + 1));
                // What a permutation returns is below three times the modulus, and it takes up to four times.
                (x0, x1, x2) = PoseidonPermutation.permute(x0, x1 + a, x2 + b);
                i += 2;
            } while (i < xs.length);
            return x0 % MODULUS;
        }
    }

    /// @dev An element of a list, or the zero that stands behind its end.
    function element(uint256[] memory xs, uint256 i) private pure returns (uint256 x) {
        if (i < xs.length) {
            x = xs[i];
            check(x);
        }
    }
}
