//! An L1 node behind Ethereum's JSON-RPC interface, by alloy.
//!
//! Requests are repeated with growing pauses where the network fails; every one of them may be (see [`Port`]).

use super::port::{Call, Fees, Port, PortError, Receipt};
use alloy::{
    eips::BlockNumberOrTag,
    network::{Ethereum, Network, TransactionBuilder},
    primitives::{Address, B256, Bytes, TxKind, U256, keccak256},
    providers::{Provider, RootProvider},
    rpc::client::RpcClient,
    transports::{RpcError, TransportError, TransportErrorKind, http::Http},
};
use std::{future::Future, time::Duration};
use tokio::runtime::Runtime;

/// Longest wait for one answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Attempts of a request that the network fails.
const ATTEMPTS: u32 = 4;
/// Pause before the second attempt; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// Parts of a URL from this length on are not repeated: they may be keys.
const SECRET: usize = 6;
/// Pause between two looks for a receipt.
const POLL: Duration = Duration::from_secs(1);

/// A node at a URL. What follows the host in the URL is never shown: it may hold a key to the service.
pub struct Endpoint {
    /// As errors of the library spell it: without user and password.
    spelled: String,
    origin: String,
    runtime: Runtime,
    provider: RootProvider,
}

impl Endpoint {
    /// The node at `url`, which is `http://…` or `https://…`. Asks it nothing yet.
    ///
    /// Errors: [`PortError::BadUrl`]; [`PortError::Unreachable`] where nothing can be asked at all.
    pub fn new(url: &str) -> Result<Self, PortError> {
        let unreachable = |reason: String| PortError::Unreachable { endpoint: origin(url), reason };
        let bad = |reason: &str| PortError::BadUrl { reason: reason.into() };
        let parsed: reqwest::Url = url.parse().map_err(|_| bad("it cannot be read"))?;
        if !["http", "https"].contains(&parsed.scheme()) {
            return Err(bad("it has another scheme"));
        }
        // Where another part of the program has chosen a provider already, that one serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(TIMEOUT).build();
        let client = client.map_err(|error| unreachable(error.to_string()))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| unreachable(error.to_string()))?;
        let mut bare = parsed.clone();
        // URLs of these schemes have a place for both.
        let _ = (bare.set_username(""), bare.set_password(None));
        let spelled = bare.to_string();
        let provider = RootProvider::new(RpcClient::new(Http::with_client(client, parsed), false));
        Ok(Self { spelled, origin: origin(url), runtime, provider })
    }

    /// Scheme, host and port of the URL.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Asks until there is an answer, or the network has failed often enough.
    fn ask<T, F: Future<Output = Result<T, TransportError>>>(
        &self,
        request: impl Fn(RootProvider) -> F,
    ) -> Result<T, PortError> {
        let mut pause = FIRST_PAUSE;
        for attempt in 1.. {
            match self.runtime.block_on(request(self.provider.clone())) {
                Ok(answer) => return Ok(answer),
                Err(error) if attempt < ATTEMPTS && is_transient(&error) => {
                    self.sleep(pause);
                    pause *= 2;
                }
                Err(error) => return Err(self.explain(error)),
            }
        }
        unreachable!("the last attempt returns")
    }

    /// The beginning of a text, without what in the URL follows the host.
    fn shown(&self, text: &str) -> String {
        let tail = self.spelled.strip_prefix(&self.origin).unwrap_or_default();
        let mut shown = text.replace(&self.spelled, &self.origin);
        for secret in tail.split(['/', '?', '&', '=']).filter(|part| part.len() >= SECRET) {
            shown = shown.replace(secret, "…");
        }
        shown.lines().next().unwrap_or_default().chars().take(200).collect()
    }

    fn sleep(&self, pause: Duration) {
        // Inside the future: a timer belongs to the runtime that makes it.
        self.runtime.block_on(async { tokio::time::sleep(pause).await });
    }

    fn explain(&self, error: TransportError) -> PortError {
        match error {
            RpcError::ErrorResp(answer) => match answer.as_revert_data() {
                Some(data) => PortError::Reverted(data),
                None if answer.message.contains("revert") => PortError::Reverted(Bytes::new()),
                None => PortError::Rejected(self.shown(&answer.message)),
            },
            // What a server that is no node answers may be a whole page, and may repeat what it was asked.
            RpcError::Transport(TransportErrorKind::HttpError(error)) => PortError::Unreachable {
                endpoint: self.origin.clone(),
                reason: format!("it answers with HTTP status {}", error.status),
            },
            error => {
                let reason = self.shown(&error.to_string());
                PortError::Unreachable { endpoint: self.origin.clone(), reason }
            }
        }
    }
}

/// Scheme, host and port: what of a URL may be shown.
fn origin(url: &str) -> String {
    match url.parse::<reqwest::Url>() {
        Ok(parsed) if parsed.has_host() => parsed.origin().ascii_serialization(),
        _ => "the given address".into(),
    }
}

/// Whether asking again may help: the node was not reached, or was too busy.
fn is_transient(error: &TransportError) -> bool {
    match error {
        RpcError::Transport(TransportErrorKind::HttpError(error)) => {
            error.status == 429 || error.status >= 500
        }
        RpcError::Transport(_) => true,
        _ => false,
    }
}

/// A call as JSON-RPC has it.
type TransactionRequest = <Ethereum as Network>::TransactionRequest;

fn request(call: &Call) -> TransactionRequest {
    let request = TransactionRequest::default()
        .with_from(call.from)
        .with_value(call.value)
        .with_input(call.data.clone());
    match call.to {
        TxKind::Call(to) => request.with_to(to),
        TxKind::Create => request.into_create(),
    }
}

impl Port for Endpoint {
    fn chain_id(&mut self) -> Result<u64, PortError> {
        self.ask(|node| async move { node.get_chain_id().await })
    }

    fn genesis(&mut self) -> Result<B256, PortError> {
        let block =
            self.ask(|node| async move { node.get_block_by_number(BlockNumberOrTag::Earliest).await })?;
        block
            .map(|block| block.header.hash)
            .ok_or_else(|| PortError::Rejected("there is no first block".into()))
    }

    fn height(&mut self) -> Result<u64, PortError> {
        self.ask(|node| async move { node.get_block_number().await })
    }

    fn nonce(&mut self, account: Address) -> Result<u64, PortError> {
        self.ask(|node| async move { node.get_transaction_count(account).await })
    }

    fn balance(&mut self, account: Address) -> Result<U256, PortError> {
        self.ask(|node| async move { node.get_balance(account).await })
    }

    fn fees(&mut self) -> Result<Fees, PortError> {
        let latest =
            self.ask(|node| async move { node.get_block_by_number(BlockNumberOrTag::Latest).await })?;
        let base = latest.and_then(|block| block.header.base_fee_per_gas);
        let base = base.ok_or_else(|| PortError::Rejected("blocks without a base fee (EIP-1559)".into()))?;
        let tip = self.ask(|node| async move { node.get_max_priority_fee_per_gas().await })?;
        Ok(Fees { base: base.into(), tip })
    }

    fn call(&mut self, call: &Call) -> Result<Bytes, PortError> {
        let request = request(call);
        self.ask(|node| {
            let request = request.clone();
            async move { node.call(request).await }
        })
    }

    fn estimate(&mut self, call: &Call) -> Result<u64, PortError> {
        let request = request(call);
        self.ask(|node| {
            let request = request.clone();
            async move { node.estimate_gas(request).await }
        })
    }

    fn send(&mut self, raw: &[u8]) -> Result<(), PortError> {
        let sent = self.ask(|node| {
            let raw = raw.to_vec();
            async move { node.send_raw_transaction(&raw).await.map(|_| ()) }
        });
        match sent {
            // What a node says of a transaction that it has already is its own affair.
            Err(PortError::Rejected(reason)) => {
                let hash = keccak256(raw);
                let known = self.ask(|node| async move { node.get_transaction_by_hash(hash).await })?;
                if known.is_some() { Ok(()) } else { Err(PortError::Rejected(reason)) }
            }
            sent => sent,
        }
    }

    fn receipt(&mut self, transaction: B256) -> Result<Option<Receipt>, PortError> {
        let found = self.ask(|node| async move { node.get_transaction_receipt(transaction).await })?;
        Ok(found.and_then(|receipt| {
            Some(Receipt {
                hash: receipt.transaction_hash,
                success: receipt.status(),
                block: receipt.block_number?,
                gas: receipt.gas_used,
                created: receipt.contract_address,
            })
        }))
    }

    fn wait(&mut self) -> Result<(), PortError> {
        self.sleep(POLL);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_host_is_never_shown() {
        // Nobody listens on port 9 of this machine.
        let mut endpoint = Endpoint::new("http://user:word@127.0.0.1:9/v3/secret").expect("a URL");
        assert_eq!(endpoint.origin(), "http://127.0.0.1:9");
        let error = endpoint.chain_id().expect_err("nobody answers");
        let shown = format!("{error} {error:?}");
        assert!(
            shown.contains("127.0.0.1:9") && !shown.contains("secret") && !shown.contains("word"),
            "{shown}"
        );
    }

    #[test]
    fn a_url_is_checked_before_anything_is_asked() {
        for bad in ["", "127.0.0.1:8545", "ftp://host/secret", "http://"] {
            let Err(error) = Endpoint::new(bad) else { panic!("{bad} is no URL of a node") };
            assert!(matches!(&error, PortError::BadUrl { .. }) && !error.to_string().contains("secret"));
        }
    }
}
