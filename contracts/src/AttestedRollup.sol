// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IAttestedRollup} from "./interfaces/IAttestedRollup.sol";
import {Poseidon} from "./libraries/Poseidon.sol";

/// @title State roots of the chain, attested by its committee
/// @notice See {IAttestedRollup}.
contract AttestedRollup is IAttestedRollup, EIP712 {
    /// @dev What is kept of a batch.
    struct Anchor {
        bytes32 root;
        bytes32 dataHash;
    }

    bytes32 private constant BATCH_TYPEHASH =
        keccak256("Batch(uint64 number,bytes32 oldRoot,bytes32 newRoot,bytes data)");
    bytes32 private constant COMMITTEE_TYPEHASH = keccak256("Committee(uint64 generation,address[3] members)");

    /// @dev One member alone must not attest.
    uint256 private constant QUORUM = 2;

    /// @inheritdoc IAttestedRollup
    uint256 public constant MAX_DATA_BYTES = 96 * 1024;

    /// @inheritdoc IAttestedRollup
    uint64 public generation;
    address[3] private _committee;
    /// @dev By number. The first stands for genesis and has no data.
    Anchor[] private _anchors;

    /// @param genesisRoot State root before the first batch.
    /// @param members The first committee.
    constructor(bytes32 genesisRoot, address[3] memory members) EIP712("CWE AttestedRollup", "1") {
        Poseidon.check(uint256(genesisRoot));
        _anchors.push(Anchor(genesisRoot, 0));
        _seat(members);
    }

    /// @inheritdoc IAttestedRollup
    function commitBatch(Batch calldata batch, Attestation[] calldata attestations) external {
        uint64 next = batchCount() + 1;
        bytes32 root = stateRoot();
        require(batch.number == next, OutOfOrder(next, batch.number));
        require(batch.oldRoot == root, OtherRoot(root, batch.oldRoot));
        // A root has one spelling, so that it equals what Poseidon returns when a proof is checked against it.
        Poseidon.check(uint256(batch.newRoot));
        require(batch.data.length > 0, EmptyData());
        require(batch.data.length <= MAX_DATA_BYTES, DataTooLong(MAX_DATA_BYTES, batch.data.length));

        bytes32 dataHash = keccak256(batch.data);
        _requireQuorum(
            keccak256(abi.encode(BATCH_TYPEHASH, batch.number, batch.oldRoot, batch.newRoot, dataHash)), attestations
        );

        _anchors.push(Anchor(batch.newRoot, dataHash));
        emit BatchCommitted(batch.number, batch.oldRoot, batch.newRoot, dataHash);
    }

    /// @inheritdoc IAttestedRollup
    function replaceCommittee(address[3] calldata members, Attestation[] calldata attestations) external {
        // The generation is signed, so a committee that was replaced cannot be brought back by old signatures.
        uint64 next = generation + 1;
        _requireQuorum(keccak256(abi.encode(COMMITTEE_TYPEHASH, next, keccak256(abi.encode(members)))), attestations);
        generation = next;
        _seat(members);
    }

    /// @inheritdoc IAttestedRollup
    function batchCount() public view returns (uint64) {
        return uint64(_anchors.length - 1);
    }

    /// @inheritdoc IAttestedRollup
    function stateRoot() public view returns (bytes32) {
        return _anchors[_anchors.length - 1].root;
    }

    /// @inheritdoc IAttestedRollup
    function stateRootAfter(uint64 number) external view returns (bytes32) {
        require(number <= batchCount(), UnknownBatch(number));
        return _anchors[number].root;
    }

    /// @inheritdoc IAttestedRollup
    function dataHashOf(uint64 number) external view returns (bytes32) {
        require(number > 0 && number <= batchCount(), UnknownBatch(number));
        return _anchors[number].dataHash;
    }

    /// @inheritdoc IAttestedRollup
    function committee() external view returns (address[3] memory) {
        return _committee;
    }

    function _seat(address[3] memory members) private {
        for (uint8 i = 0; i < 3; ++i) {
            require(members[i] != address(0), ZeroMember(i));
            address next = members[(i + 1) % 3];
            require(members[i] != next, RepeatedMember(next));
        }
        _committee = members;
        emit CommitteeReplaced(generation, members);
    }

    /// @dev Strictly ascending members: one key cannot count twice.
    function _requireQuorum(bytes32 structHash, Attestation[] calldata attestations) private view {
        require(attestations.length >= QUORUM, TooFewSignatures(attestations.length));
        bytes32 digest = _hashTypedDataV4(structHash);
        for (uint256 i = 0; i < attestations.length; ++i) {
            uint8 member = attestations[i].member;
            require(member < 3, NotAMember(member));
            if (i > 0) {
                uint8 before = attestations[i - 1].member;
                require(before < member, NotAscending(before, member));
            }
            (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, attestations[i].signature);
            require(failure == ECDSA.RecoverError.NoError, MalformedSignature(member));
            require(signer == _committee[member], WrongSigner(member, signer));
        }
    }
}
