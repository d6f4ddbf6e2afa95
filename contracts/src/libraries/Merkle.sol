// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Felts} from "./Felts.sol";
import {Poseidon} from "./Poseidon.sol";

/// @title Paths through the chain's trees
/// @notice A list is padded with zeros to a power of two, and its root hashes its length and the node at the top. So
/// padding never passes for an entry, and a path has one length and one spelling.
library Merkle {
    using Felts for Felts.Buffer;

    /// @notice The list has no such position.
    /// @param position The position.
    /// @param count Leaves in the list.
    error NoSuchPosition(uint32 position, uint32 count);

    /// @notice A path is not as long as its tree is high, so an inner node would pass for a leaf.
    /// @param expected Levels of the tree.
    /// @param found Siblings in the path.
    error PathLength(uint256 expected, uint256 found);

    /// @notice The node that a leaf leads to in a tree of `height` levels. Bit `i` of the position says whether the
    /// node at height `i` is the right one of its pair.
    function climb(uint256 node, uint32 position, uint256[] calldata siblings, uint256 height)
        internal
        pure
        returns (uint256)
    {
        require(siblings.length == height, PathLength(height, siblings.length));
        for (uint256 i = 0; i < height; ++i) {
            bool isRight = (position >> i) & 1 == 1;
            node = isRight ? Poseidon.hash2(siblings[i], node) : Poseidon.hash2(node, siblings[i]);
        }
        return node;
    }

    /// @notice The root that a leaf leads to in a list of `count`.
    function listRoot(uint256 leaf, uint32 position, uint32 count, uint256[] calldata siblings)
        internal
        pure
        returns (uint256)
    {
        require(position < count, NoSuchPosition(position, count));
        uint256 top = climb(leaf, position, siblings, Math.log2(count, Math.Rounding.Ceil));
        return Felts.buffer(2).push(count).push(top).hash(Poseidon.LIST_ROOT);
    }
}
