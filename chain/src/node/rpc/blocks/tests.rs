//! A submission that crosses its own block.

use super::{
    super::{Payouts, args::Param},
    *,
};
use crate::{
    Block, Payload,
    ledger::TxError,
    modules::dapr::FinaliseEpoch,
    node::{Store, rpc::args::Kind, store::tests::genesis},
};
use primitives::{EpochId, PersonId};
use std::sync::mpsc::sync_channel;
use tokio::runtime::Runtime;

const BYTES: &[Param] = &[Param { name: "bytes", about: "bytes", kind: Kind::Bytes, required: true }];

/// Between the first look at the files and the sequencer's answer the block was written: the sequencer refuses what is in
/// it, and the caller learns where it stands.
#[test]
fn what_went_into_a_block_meanwhile_is_not_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let (mut store, ledger) = Store::open(dir.path(), genesis()).expect("opens");
    let shared = Shared::new(ledger.clone(), store.archive());
    let (submissions, inbox) = sync_channel::<Submission>(4);
    let service = Arc::new(Service {
        shared,
        submissions: Some(submissions),
        sequencer: None,
        payouts: Payouts::default(),
        instance: Digest::default(),
    });
    let [in_block, wrong] =
        [1, 2].map(|n| Transaction::open(Payload::FinaliseEpoch(FinaliseEpoch { epoch: EpochId(n) })));
    let block = Block {
        height: 1,
        parent: ledger.head(),
        time: ledger.now(),
        state_root: ledger.clone().state_root(),
        transactions: vec![in_block.clone()],
    };
    let sequencer = std::thread::spawn(move || {
        for (n, Submission { reply, .. }) in inbox.iter().take(2).enumerate() {
            if n == 0 {
                store.append(&SealedBlock { block: block.clone(), seal: None }).expect("on disk");
            }
            let signer = PersonId([1; 32]);
            let spent = TxError::from(EnvelopeError::Nonce { signer, expected: 1, found: 0 });
            reply.send(Answer::Refused(Refusal::Rule(spent))).expect("somebody waits");
        }
    });
    let runtime = Runtime::new().expect("a runtime");
    let turns = Arc::new(Semaphore::new(1));
    let submitted = |tx: &Transaction| {
        let text = json!([ids::to_hex(&tx.to_bytes())]).to_string();
        let args = Args::parse(BYTES, Some(&text)).expect("bytes");
        runtime.block_on(submit(service.clone(), &args, turns.clone()))
    };
    let stands = submitted(&in_block).expect("it is in a block");
    assert_eq!((&stands["status"], &stands["height"]), (&json!("in-block"), &json!(1)));
    assert_eq!(submitted(&wrong).expect_err("it is in none").code, codes::RULE);
    sequencer.join().expect("both came");
}
