// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Poseidon} from "../src/libraries/Poseidon.sol";
import {PoseidonPermutation} from "../src/libraries/PoseidonPermutation.sol";
import {Base} from "./support/Base.sol";

contract PoseidonTest is Base {
    string private _vectors;

    function setUp() public {
        _vectors = vm.readFile("../vectors/poseidon.json");
    }

    function hash2(uint256 a, uint256 b) external pure returns (uint256) {
        return Poseidon.hash2(a, b);
    }

    function hashMany(uint32 domain, uint256[] calldata xs) external pure returns (uint256) {
        return Poseidon.hashMany(domain, xs);
    }

    function test_permute_vectors() public view {
        uint256 i = 0;
        for (string memory entry; vm.keyExistsJson(_vectors, entry = path("permute", i)); ++i) {
            uint256[] memory x = numbers(entry, ".input");
            uint256[] memory y = numbers(entry, ".output");
            (x[0], x[1], x[2]) = PoseidonPermutation.permute(x[0], x[1], x[2]);
            for (uint256 j = 0; j < 3; ++j) {
                vm.assertEq(x[j] % Poseidon.MODULUS, y[j], entry);
            }
        }
        vm.assertTrue(i >= 4, "vectors were read");
    }

    function test_hash2_vectors() public view {
        uint256 i = 0;
        for (string memory entry; vm.keyExistsJson(_vectors, entry = path("hash2", i)); ++i) {
            vm.assertEq(Poseidon.hash2(number(entry, ".a"), number(entry, ".b")), number(entry, ".hash"), entry);
        }
        vm.assertTrue(i >= 5, "vectors were read");
    }

    function test_hashMany_vectors() public view {
        uint256 i = 0;
        for (string memory entry; vm.keyExistsJson(_vectors, entry = path("hash_many", i)); ++i) {
            uint32 domain = uint32(number(entry, ".domain"));
            vm.assertEq(Poseidon.hashMany(domain, numbers(entry, ".input")), number(entry, ".hash"), entry);
        }
        vm.assertTrue(i >= 20, "vectors were read");
    }

    /// @dev The bound on which the permutation leaves out reductions.
    function testFuzz_permute_takes_four_times_the_modulus(uint256 a, uint256 b, uint256 c) public pure {
        uint256 most = 4 * Poseidon.MODULUS;
        uint256 r = Poseidon.MODULUS;
        (a, b, c) = (bound(a, 0, most), bound(b, 0, most), bound(c, 0, most));
        (uint256 x0, uint256 x1, uint256 x2) = PoseidonPermutation.permute(a, b, c);
        (uint256 y0, uint256 y1, uint256 y2) = PoseidonPermutation.permute(a % r, b % r, c % r);
        vm.assertTrue(x0 < 3 * r && x1 < 3 * r && x2 < 3 * r, "outputs stay below three times the modulus");
        vm.assertEq(x0 % r, y0 % r);
        vm.assertEq(x1 % r, y1 % r);
        vm.assertEq(x2 % r, y2 % r);
    }

    function test_permute_at_its_bounds() public pure {
        testFuzz_permute_takes_four_times_the_modulus(type(uint256).max, 0, 0);
        uint256 most = 4 * Poseidon.MODULUS;
        testFuzz_permute_takes_four_times_the_modulus(most, most, most);
    }

    /// forge-config: default.fuzz.runs = 32
    function testFuzz_hashMany_is_the_definition(uint32 domain, uint256[] memory xs) public pure {
        uint256 r = Poseidon.MODULUS;
        for (uint256 i = 0; i < xs.length; ++i) {
            xs[i] %= r;
        }
        uint256[3] memory s = [domain + xs.length * 2 ** 32, 0, 0];
        for (uint256 i = 0; i < xs.length || i == 0; i += 2) {
            s[1] = addmod(s[1], i < xs.length ? xs[i] : 0, r);
            s[2] = addmod(s[2], i + 1 < xs.length ? xs[i + 1] : 0, r);
            (s[0], s[1], s[2]) = PoseidonPermutation.permute(s[0], s[1], s[2]);
            s = [s[0] % r, s[1] % r, s[2] % r];
        }
        vm.assertEq(Poseidon.hashMany(domain, xs), s[0]);
    }

    function testFuzz_another_spelling_of_an_element_is_refused(uint256 x, uint8 place) public {
        x = bound(x, Poseidon.MODULUS, type(uint256).max);
        bytes memory refused = abi.encodeWithSelector(Poseidon.NotCanonical.selector, x);
        vm.expectRevert(refused);
        this.hash2(x, 1);
        vm.expectRevert(refused);
        this.hash2(1, x);
        uint256[] memory xs = new uint256[](5);
        xs[place % 5] = x;
        vm.expectRevert(refused);
        this.hashMany(Poseidon.STATE_VALUE, xs);
    }

    function testFuzz_length_and_domain_change_the_hash(uint256 x) public pure {
        uint256[] memory one = new uint256[](1);
        uint256[] memory two = new uint256[](2);
        one[0] = two[0] = x % Poseidon.MODULUS;
        uint256 hash = Poseidon.hashMany(1, one);
        vm.assertTrue(hash != Poseidon.hashMany(1, two), "a zero at the end counts");
        vm.assertTrue(hash != Poseidon.hashMany(2, one), "the domain counts");
        vm.assertTrue(hash != Poseidon.hash2(one[0], 0), "a sponge is no inner node");
    }

    function path(string memory list, uint256 i) private pure returns (string memory) {
        return string.concat(".", list, "[", vm.toString(i), "]");
    }

    function number(string memory entry, string memory key) private view returns (uint256) {
        return vm.parseJsonUint(_vectors, string.concat(entry, key));
    }

    function numbers(string memory entry, string memory key) private view returns (uint256[] memory) {
        return vm.parseJsonUintArray(_vectors, string.concat(entry, key));
    }
}
