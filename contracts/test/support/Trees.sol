// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Poseidon} from "../../src/libraries/Poseidon.sol";

/// @dev Builds the trees whose paths the contracts climb, level by level, as chain/src/merkle.rs does.
library Trees {
    /// @dev Levels above a list's leaves.
    function depth(uint256 count) internal pure returns (uint256 levels) {
        while (uint256(1) << levels < count) ++levels;
    }

    /// @dev The siblings of a position, and the node `height` levels up. What stands beyond the leaves is empty.
    function climb(uint256[] memory leaves, uint256 position, uint256 height)
        internal
        pure
        returns (uint256[] memory siblings, uint256 top)
    {
        siblings = new uint256[](height);
        uint256[] memory level = leaves;
        uint256 empty = 0;
        for (uint256 i = 0; i < height; ++i) {
            uint256 beside = (position >> i) ^ 1;
            siblings[i] = beside < level.length ? level[beside] : empty;
            uint256[] memory above = new uint256[]((level.length + 1) / 2);
            for (uint256 j = 0; j < above.length; ++j) {
                uint256 right = 2 * j + 1 < level.length ? level[2 * j + 1] : empty;
                above[j] = Poseidon.hash2(level[2 * j], right);
            }
            empty = Poseidon.hash2(empty, empty);
            level = above;
        }
        top = level.length == 0 ? empty : level[0];
    }

    /// @dev The siblings of a position in a list, and the list's root.
    function list(uint256[] memory leaves, uint256 position)
        internal
        pure
        returns (uint256[] memory siblings, uint256 root)
    {
        (siblings, root) = climb(leaves, position, depth(leaves.length));
        root = hash(Poseidon.LIST_ROOT, leaves.length, root);
    }

    /// @dev The sponge hash of two elements.
    function hash(uint32 domain, uint256 a, uint256 b) internal pure returns (uint256) {
        uint256[] memory xs = new uint256[](2);
        (xs[0], xs[1]) = (a, b);
        return Poseidon.hashMany(domain, xs);
    }

    /// @dev The sponge hash of three elements.
    function hash(uint32 domain, uint256 a, uint256 b, uint256 c) internal pure returns (uint256) {
        uint256[] memory xs = new uint256[](3);
        (xs[0], xs[1], xs[2]) = (a, b, c);
        return Poseidon.hashMany(domain, xs);
    }
}
