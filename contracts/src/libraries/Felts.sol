// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "@openzeppelin/contracts/utils/Bytes.sol";
import {Poseidon} from "./Poseidon.sol";

/// @title Records as lists of field elements
/// @notice The chain's spelling of values: an integer is one element, a value of 256 bits is two of 128, the low half
/// first, so that nothing wraps around the modulus.
library Felts {
    /// @notice A list that grows up to the length it was made for.
    struct Buffer {
        uint256[] xs;
        uint256 length;
    }

    /// @notice An empty list with room for `length` elements.
    function buffer(uint256 length) internal pure returns (Buffer memory) {
        return Buffer(new uint256[](length), 0);
    }

    /// @notice Appends one element.
    function push(Buffer memory self, uint256 x) internal pure returns (Buffer memory) {
        self.xs[self.length++] = x;
        return self;
    }

    /// @notice Appends an integer of 256 bits.
    function pushWide(Buffer memory self, uint256 x) internal pure returns (Buffer memory) {
        return push(push(self, x & type(uint128).max), x >> 128);
    }

    /// @notice Appends 32 bytes. The chain reads them as a little-endian number, byte 0 first.
    function pushBytes(Buffer memory self, bytes32 x) internal pure returns (Buffer memory) {
        return pushWide(self, uint256(Bytes.reverseBytes32(x)));
    }

    /// @notice The sponge hash of the list, which must be full: its length is part of what is hashed.
    function hash(Buffer memory self, uint32 domain) internal pure returns (uint256) {
        assert(self.length == self.xs.length);
        return Poseidon.hashMany(domain, self.xs);
    }
}
