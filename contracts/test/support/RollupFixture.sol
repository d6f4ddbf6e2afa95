// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AttestedRollup} from "../../src/AttestedRollup.sol";
import {IAttestedRollup} from "../../src/interfaces/IAttestedRollup.sol";
import {Base} from "./Base.sol";

/// @dev A rollup whose committee the test holds the keys of. Digests are written out here, apart from the contract.
abstract contract RollupFixture is Base {
    bytes32 internal constant GENESIS = bytes32(uint256(7));

    AttestedRollup internal rollup;

    function deployRollup() internal {
        rollup = new AttestedRollup(GENESIS, members(0));
    }

    /// @dev The key of a member of a generation's committee.
    function key(uint256 generation, uint256 member) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("member", generation, member)));
    }

    function members(uint256 generation) internal pure returns (address[3] memory list) {
        for (uint256 i = 0; i < 3; ++i) {
            list[i] = vm.addr(key(generation, i));
        }
    }

    function typedDigest(bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("CWE AttestedRollup"),
                keccak256("1"),
                block.chainid,
                address(rollup)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function digest(IAttestedRollup.Batch memory batch) internal view returns (bytes32) {
        bytes32 typehash = keccak256("Batch(uint64 number,bytes32 oldRoot,bytes32 newRoot,bytes data)");
        return
            typedDigest(
                keccak256(abi.encode(typehash, batch.number, batch.oldRoot, batch.newRoot, keccak256(batch.data)))
            );
    }

    function digest(uint64 generation, address[3] memory next) internal view returns (bytes32) {
        bytes32 typehash = keccak256("Committee(uint64 generation,address[3] members)");
        bytes32 list = keccak256(abi.encode(next[0], next[1], next[2]));
        return typedDigest(keccak256(abi.encode(typehash, generation, list)));
    }

    function sign(uint256 signer, uint8 member, bytes32 hash)
        internal
        pure
        returns (IAttestedRollup.Attestation memory)
    {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(signer, hash);
        return IAttestedRollup.Attestation(member, abi.encodePacked(r, s, v));
    }

    /// @dev Attestations of two members of a generation's committee.
    function attest(uint256 generation, uint8 first, uint8 second, bytes32 hash)
        internal
        pure
        returns (IAttestedRollup.Attestation[] memory list)
    {
        list = new IAttestedRollup.Attestation[](2);
        list[0] = sign(key(generation, first), first, hash);
        list[1] = sign(key(generation, second), second, hash);
    }

    function nextBatch(bytes32 newRoot, bytes memory data) internal view returns (IAttestedRollup.Batch memory) {
        return IAttestedRollup.Batch(rollup.batchCount() + 1, rollup.stateRoot(), newRoot, data);
    }

    /// @dev Commits a batch that leads to a root, and returns its number.
    function commitRoot(uint256 newRoot) internal returns (uint64) {
        IAttestedRollup.Batch memory batch = nextBatch(bytes32(newRoot), "block");
        rollup.commitBatch(batch, attest(rollup.generation(), 0, 2, digest(batch)));
        return batch.number;
    }
}
