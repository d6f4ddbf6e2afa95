//! The one table of methods.

use super::{
    Failure, Service,
    args::{Args, Kind, Param},
    blocks, discovery, epochs, governance, openrpc, records,
    subscriptions::Topic,
};
use serde_json::Value;

/// What runs a method.
#[derive(Clone, Copy)]
pub(super) enum Run {
    /// Reads what the node shows.
    Read(fn(&Service, &Args) -> Result<Value, Failure>),
    /// The same, of something that takes long: one at a time, so that the others are not kept waiting.
    ReadLong(fn(&Service, &Args) -> Result<Value, Failure>),
    /// Hands a transaction in, and waits for the answer.
    Submit,
}

/// A method.
pub(super) struct Method {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) params: &'static [Param],
    /// Names of the result's fields, all of which are always there.
    pub(super) result: &'static [&'static str],
    pub(super) run: Run,
}

/// A subscription.
pub(super) struct Subscription {
    pub(super) name: &'static str,
    pub(super) unsubscribe: &'static str,
    pub(super) notification: &'static str,
    pub(super) about: &'static str,
    pub(super) params: &'static [Param],
    pub(super) topic: Topic,
    /// Names of the fields of what it brings.
    pub(super) result: &'static [&'static str],
}

const fn param(name: &'static str, kind: Kind, about: &'static str) -> Param {
    Param { name, about, kind, required: true }
}

const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Param {
    Param { name, about, kind, required: false }
}

const HEAD: &[&str] = &["height", "digest", "time", "state_root"];
const STATUS: &[&str] = &["transaction", "status", "height", "position", "confirmation", "waits", "refusal"];
const WORK: &[&str] = &[
    "id",
    "creator",
    "fingerprint",
    "media",
    "category",
    "metadata",
    "active_from",
    "terms",
    "next",
    "gone",
];
const PERSON: Param = param("person", Kind::Id, "who");
const CREATOR: Param = optional("creator", Kind::Id, "works of this person alone");
const CATEGORY: Param = optional("category", Kind::Number, "works of this category alone");
const MEDIA: Param =
    optional("media", Kind::Text, "audio, video, text, image, software or other: works of this kind alone");
const COUNT: Param = optional("count", Kind::Count, "how many at most: 256 without, and never more");
const EPOCH: Param = param("epoch", Kind::Number, "number of the epoch");
const AFTER_WORK: Param = optional("after", Kind::Id, "the last work of the page before");
const BEFORE: Param = optional("before", Kind::Number, "the last number of the page before");
const PROPOSAL: Param = param("proposal", Kind::Number, "number of the proposal");
const TRANSACTION: Param = param("transaction", Kind::Id, "identifier of the transaction");

/// Every method.
pub(super) const METHODS: &[Method] = &[
    Method {
        name: "cwe_chain",
        about: "Which chain this is, which epoch runs, what this node does, and its last block. `instance` is drawn anew \
                whenever the node starts.",
        params: &[],
        result: &[
            "chain",
            "genesis",
            "first_epoch",
            "epoch",
            "next_epoch",
            "role",
            "sequencer",
            "instance",
            "head",
        ],
        run: Run::Read(blocks::chain),
    },
    Method {
        name: "cwe_head",
        about: "The last block.",
        params: &[],
        result: HEAD,
        run: Run::Read(blocks::head),
    },
    Method {
        name: "cwe_block",
        about: "A block: its header, who sealed it, and identifiers of its transactions.",
        params: &[param("height", Kind::Number, "height of the block, from 1")],
        result: &["height", "digest", "parent", "time", "state_root", "seal", "transactions"],
        run: Run::Read(blocks::block),
    },
    Method {
        name: "cwe_blocks",
        about: "Blocks from a height on with their seals, as bytes: what a full node repeats the chain from. A range ends \
                after 256 blocks, after 4 MiB, or at the head.",
        params: &[param("from", Kind::Number, "height of the first"), COUNT],
        result: &["blocks", "head"],
        run: Run::Read(blocks::blocks),
    },
    Method {
        name: "cwe_transaction",
        about: "Where a transaction stands: in-block, confirmed (by the sequencer's signature, in the block in hand), waits \
                (for earlier ones of its account), refused, or unknown.",
        params: &[TRANSACTION],
        result: STATUS,
        run: Run::Read(blocks::transaction),
    },
    Method {
        name: "cwe_check",
        about: "Whether the ledger after the last block would take a payload now, from a signer under their next nonce: the \
                refusal names module and rule. Nothing is signed, and nothing changes. What takes long to judge (an epoch's settlement, a jury's draw) is not judged here.",
        params: &[
            param("payload", Kind::Bytes, "what a transaction would ask for, encoded"),
            optional("signer", Kind::Id, "who would sign it, where somebody has to"),
        ],
        result: &["height", "refusal"],
        run: Run::ReadLong(blocks::check),
    },
    Method {
        name: "cwe_submit",
        about: "Hands a transaction in. The answer comes once it is on the sequencer's disk with its place, or waits; a \
                refusal is an error whose data name module and rule. Handing it in again changes nothing.",
        params: &[param("bytes", Kind::Bytes, "the transaction's encoding")],
        result: STATUS,
        run: Run::Submit,
    },
    Method {
        name: "cwe_account",
        about: "Key, nonce, balance and wallet of an account after the last block.",
        params: &[PERSON],
        result: &["owner", "key", "nonce", "balance", "wallet"],
        run: Run::Read(records::account),
    },
    Method {
        name: "cwe_accountOf",
        about: "Whose accounts have a key.",
        params: &[param("public_key", Kind::Id, "the key, compressed")],
        result: &["public_key", "persons"],
        run: Run::Read(records::account_of),
    },
    Method {
        name: "cwe_nonce",
        about: "The nonce of an account after the last block, and that of its next transaction, confirmed ones counted.",
        params: &[PERSON],
        result: &["sealed", "next"],
        run: Run::Read(records::nonce),
    },
    Method {
        name: "cwe_identity",
        about: "Roles and status of a person.",
        params: &[PERSON],
        result: &["person", "roles", "status", "credential", "since"],
        run: Run::Read(records::identity),
    },
    Method {
        name: "cwe_work",
        about: "A registered work.",
        params: &[param("work", Kind::Id, "identifier of the work")],
        result: WORK,
        run: Run::Read(records::work),
    },
    Method {
        name: "cwe_works",
        about: "Registered works by ascending identifier, at most 256 at once.",
        params: &[
            optional("after", Kind::Id, "the last identifier of the page before"),
            COUNT,
            CREATOR,
            CATEGORY,
            MEDIA,
        ],
        result: &["works", "next", "total"],
        run: Run::Read(records::works),
    },
    Method {
        name: "cwe_discovery",
        about: "Works in the order of search after the last settled epoch, at most 256 at once. The order knows no price.",
        params: &[
            optional("skip", Kind::Number, "how many of the order are left out"),
            COUNT,
            CREATOR,
            CATEGORY,
            MEDIA,
        ],
        result: &["epoch", "works", "total"],
        run: Run::Read(discovery::discovery),
    },
    Method {
        name: "cwe_epoch",
        about: "How far an epoch is: open, frozen, aggregated, finalised or abandoned, and which block settled it.",
        params: &[EPOCH],
        result: &["epoch", "phase", "tiers_reported", "settled_in"],
        run: Run::Read(epochs::epoch),
    },
    Method {
        name: "cwe_epochRecord",
        about: "The public record of a settled epoch: what `cwe epoch verify` checks.",
        params: &[EPOCH],
        result: &[],
        run: Run::ReadLong(epochs::epoch_record),
    },
    Method {
        name: "cwe_payouts",
        about: "What an epoch pays a person for each work: expected (not settled yet), claimable, claimed, or on-layer1; at \
                most 256 at once.",
        params: &[PERSON, EPOCH, AFTER_WORK, COUNT],
        result: &["person", "epoch", "phase", "payouts", "next"],
        run: Run::ReadLong(epochs::payouts),
    },
    Method {
        name: "cwe_claims",
        about: "Claims of a person that are not paid yet, each as a transaction that anybody may submit; at most 256 \
                at once.",
        params: &[PERSON, EPOCH, AFTER_WORK, COUNT],
        result: &["person", "epoch", "claims", "next"],
        run: Run::ReadLong(epochs::claims),
    },
    Method {
        name: "cwe_funds",
        about: "Credits that were minted, burnt and are in existence, and what each fund holds.",
        params: &[],
        result: &["height", "minted", "burnt", "in_existence", "funds"],
        run: Run::Read(records::funds),
    },
    Method {
        name: "cwe_version",
        about: "Parameters and rules in force.",
        params: &[],
        result: &["from", "params", "params_digest", "rules", "rules_digest", "proposal", "review_by"],
        run: Run::Read(records::version),
    },
    Method {
        name: "cwe_parameters",
        about: "Parameters and rules of an epoch by their names, as governance changes them, and every version there is.",
        params: &[optional("epoch", Kind::Number, "number of the epoch; the running one without")],
        result: &["epoch", "version", "parameters", "versions"],
        run: Run::Read(governance::parameters),
    },
    Method {
        name: "cwe_proposals",
        about: "Proposals, the newest first, at most 256 at once: what each would do, where it stands, what comes next. One \
                whose notice is over and that the council has not approved of waits-for-council, and is not ready.",
        params: &[BEFORE, COUNT],
        result: &["proposals", "next", "total", "now"],
        run: Run::Read(governance::proposals),
    },
    Method {
        name: "cwe_proposal",
        about: "A proposal, and what was said on it.",
        params: &[PROPOSAL],
        result: &["now", "proposal", "statements"],
        run: Run::Read(governance::proposal),
    },
    Method {
        name: "cwe_ballots",
        about: "Votes on a proposal by ascending voter, at most 256 at once.",
        params: &[PROPOSAL, optional("after", Kind::Id, "the last voter of the page before"), COUNT],
        result: &["proposal", "ballots", "next"],
        run: Run::Read(governance::ballots),
    },
    Method {
        name: "cwe_council",
        about: "Who sits on the council, how many of them it takes, and its last election.",
        params: &[],
        result: &["now", "seats", "council", "approvals_needed", "vetoes_needed", "election"],
        run: Run::Read(governance::council),
    },
    Method {
        name: "cwe_cases",
        about: "Cases before juries, the newest first, at most 256 at once.",
        params: &[BEFORE, COUNT],
        result: &["cases", "next", "total", "now"],
        run: Run::Read(governance::cases),
    },
    Method {
        name: "cwe_tables",
        about: "Names and numbers of the state's tables, and what the key of each is made of. A part that names one of a few \
                things has their numbers in `values`.",
        params: &[],
        result: &["tables"],
        run: Run::Read(records::tables),
    },
    Method {
        name: "cwe_proof",
        about: "Proof of what a table has under a key after the last block, up to the state root: a leaf, or that there is \
                none.",
        params: &[
            param("table", Kind::Text, "name of the table"),
            param(
                "key",
                Kind::Key,
                "parts of the table's key, in their order: numbers, identifiers of 256 bits, addresses on L1",
            ),
        ],
        result: &["height", "state_root", "proof"],
        run: Run::Read(records::proof),
    },
    Method {
        name: "rpc.discover",
        about: "This document.",
        params: &[],
        result: &["openrpc", "info", "x-limits", "methods"],
        run: Run::Read(openrpc::discover),
    },
];

/// What every subscription is ended with.
pub(super) const UNSUBSCRIBE: &[Param] =
    &[param("subscription", Kind::Subscription, "what the subscription is known by, as it was answered")];

/// Every subscription.
pub(super) const SUBSCRIPTIONS: &[Subscription] = &[
    Subscription {
        name: "cwe_subscribeHeads",
        unsubscribe: "cwe_unsubscribeHeads",
        notification: "cwe_heads",
        about: "Every new last block. One who reads too slowly is cut off and asks for a range of blocks instead.",
        params: &[],
        topic: Topic::Heads,
        result: HEAD,
    },
    Subscription {
        name: "cwe_subscribeTransaction",
        unsubscribe: "cwe_unsubscribeTransaction",
        notification: "cwe_transactions",
        about: "Where a transaction stands, at once and whenever that changes, until it is in a block.",
        params: &[TRANSACTION],
        topic: Topic::Transaction,
        result: STATUS,
    },
];
