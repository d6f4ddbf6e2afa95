// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title State roots of the chain, attested by its committee
/// @notice Orders batches of the chain's data and keeps the state root after each.
///
/// The data of all batches, in order, is the chain's stream of blocks. A batch may end in the middle of a block: its
/// root is the one after the last block that is complete by then, so the roots of the batches that a long block spans
/// stay equal until its end. The data itself stays in the transaction; its hash is stored.
///
/// *Attested* says what this is: two of three members sign a root, and the contract believes them. It checks no
/// execution, and there is no verifier here that would always say yes. Two members who collude can have any root
/// accepted, and with it any record of an epoch: they can direct to themselves whatever is funded for epochs after
/// that. Two members who refuse can stop the chain here. They cannot touch what a vault holds for epochs that were
/// mirrored before, nor hide what they did: the data is public, and whoever replays it comes to the true root.
/// Validity proofs are to take the place of that trust.
interface IAttestedRollup {
    /// @notice A piece of the chain's data and what it leads to.
    /// @param number Its place: one more than the batch before. The first is 1.
    /// @param oldRoot State root before it.
    /// @param newRoot State root after the last block that is complete in the data so far. A field element.
    /// @param data The next bytes of the stream of blocks, at least one and at most `MAX_DATA_BYTES`.
    struct Batch {
        uint64 number;
        bytes32 oldRoot;
        bytes32 newRoot;
        bytes data;
    }

    /// @notice A member's signature (EIP-712, domain "CWE AttestedRollup", version "1").
    /// @param member The signer's position in the committee: 0, 1 or 2.
    /// @param signature 65 bytes: r, s, v, with s in the lower half of its range.
    struct Attestation {
        uint8 member;
        bytes signature;
    }

    /// @notice A batch is on record.
    /// @param number Its place.
    /// @param oldRoot State root before it.
    /// @param newRoot State root after it.
    /// @param dataHash Keccak-256 of its data.
    event BatchCommitted(uint64 indexed number, bytes32 oldRoot, bytes32 newRoot, bytes32 dataHash);

    /// @notice A committee serves from now on.
    /// @param generation Its number. The first, named at deployment, is 0.
    /// @param members Its members.
    event CommitteeReplaced(uint64 indexed generation, address[3] members);

    /// @notice A committee names the zero address.
    /// @param member At this position.
    error ZeroMember(uint8 member);

    /// @notice A committee names somebody twice, who could then attest alone.
    /// @param member Who is named twice.
    error RepeatedMember(address member);

    /// @notice A batch is not the next one.
    /// @param expected Number of the next batch.
    /// @param found Number of this one.
    error OutOfOrder(uint64 expected, uint64 found);

    /// @notice A batch starts from another state.
    /// @param expected The state root now.
    /// @param found The batch's old root.
    error OtherRoot(bytes32 expected, bytes32 found);

    /// @notice A batch has no data.
    error EmptyData();

    /// @notice A batch has more data than a transaction carries through the pools of nodes.
    /// @param limit Most bytes.
    /// @param found Bytes of this one.
    error DataTooLong(uint256 limit, uint256 found);

    /// @notice Fewer than two members attest.
    /// @param found How many do.
    error TooFewSignatures(uint256 found);

    /// @notice Attestations do not stand in strictly ascending order of their members.
    /// @param before The member before.
    /// @param member The member that does not come after it.
    error NotAscending(uint8 before, uint8 member);

    /// @notice The committee has no such position.
    /// @param member The position.
    error NotAMember(uint8 member);

    /// @notice A signature is malformed: of another length than 65 bytes, with a high s, or of no key at all.
    /// @param member Whose it is said to be.
    error MalformedSignature(uint8 member);

    /// @notice A signature is somebody else's, or of something else.
    /// @param member Whose it is said to be.
    /// @param recovered Who signed this, if anybody did.
    error WrongSigner(uint8 member, address recovered);

    /// @notice There is no such batch.
    /// @param number The number that was asked for.
    error UnknownBatch(uint64 number);

    /// @notice Appends the next batch. Anybody may send it.
    /// @dev Signed: `Batch(uint64 number,bytes32 oldRoot,bytes32 newRoot,bytes data)`.
    /// @param batch The batch.
    /// @param attestations Two or three, in strictly ascending order of members.
    function commitBatch(Batch calldata batch, Attestation[] calldata attestations) external;

    /// @notice Hands over to another committee. Anybody may send it, once: the generation in it is the next.
    /// @dev Signed: `Committee(uint64 generation,address[3] members)`.
    /// @param members The next committee.
    /// @param attestations Two or three of the present committee, in strictly ascending order of members.
    function replaceCommittee(address[3] calldata members, Attestation[] calldata attestations) external;

    /// @notice Most bytes of data in a batch: 96 KiB, since pools of nodes take transactions of up to 128 KiB.
    function MAX_DATA_BYTES() external view returns (uint256);

    /// @notice Batches on record.
    function batchCount() external view returns (uint64);

    /// @notice The state root after the last batch, as a big-endian number.
    function stateRoot() external view returns (bytes32);

    /// @notice The state root after a batch.
    /// @param number The batch; 0 is the state at genesis.
    function stateRootAfter(uint64 number) external view returns (bytes32);

    /// @notice Keccak-256 of a batch's data.
    /// @param number The batch, from 1.
    function dataHashOf(uint64 number) external view returns (bytes32);

    /// @notice The committee by position.
    function committee() external view returns (address[3] memory);

    /// @notice Number of the committee: how often it was replaced.
    function generation() external view returns (uint64);
}
