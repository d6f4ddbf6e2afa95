//! One exchange over HTTP: bounded in time and length, and read for what its status means.

use super::{HttpError, foreign::shown};
use crate::client::LinkError;
use reqwest::{
    Client, Method, Proxy, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderValue, RETRY_AFTER},
    redirect::Policy,
    tls::Version,
};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use tokio::runtime::{Builder, Runtime};

/// Longest time to connect. Through a proxy it may take all of [`EXCHANGE`]: circuits are built first.
const CONNECT: Duration = Duration::from_secs(10);
/// Longest time of a whole exchange: a party answers as soon as it has checked a bundle, and says when that takes longer.
const EXCHANGE: Duration = Duration::from_secs(60);
/// Longest answer that is read; of what it says [`shown`] passes less on. The longest that means something is an inclusion as JSON, of some kilobytes.
pub(super) const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// Longest pause that an answer may ask for. One who asks for more is taken to ask for this.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(86_400);
/// Refusals that are none.
const TEMPORARY: [&str; 5] = ["broken-body", "busy", "duplicate", "may-be-counted", "too-far-ahead"];
/// Bytes as they are.
pub(super) const BYTES: &str = "application/octet-stream";
/// Text for programs.
pub(super) const JSON: &str = "application/json";

/// A runtime and what speaks HTTP in it. Its functions block, and must not be called from within another runtime.
pub(super) struct Agent {
    runtime: Runtime,
    client: Client,
    /// It speaks through a proxy.
    is_proxied: bool,
}

/// What is asked.
pub(super) struct Question<'a> {
    method: Method,
    url: Url,
    code: Option<&'a HeaderValue>,
    body: Option<&'a [u8]>,
    /// Form in which the answer is wanted.
    accept: &'static str,
    /// Longest answer that is read.
    limit: usize,
    /// Longest time in which it may come.
    time: Duration,
}

impl<'a> Question<'a> {
    pub(super) fn get(url: Url, accept: &'static str, limit: usize) -> Self {
        Self { method: Method::GET, url, code: None, body: None, accept, limit, time: EXCHANGE }
    }

    pub(super) fn post(url: Url, body: &'a [u8], accept: &'static str) -> Self {
        let (method, limit) = (Method::POST, MAX_ANSWER_BYTES);
        Self { method, url, code: None, body: Some(body), accept, limit, time: EXCHANGE }
    }

    /// The same, with so much time for an answer.
    pub(super) fn within(self, time: Duration) -> Self {
        Self { time, ..self }
    }

    /// The same, with a code in its head.
    pub(super) fn with(self, code: &'a HeaderValue) -> Self {
        Self { code: Some(code), ..self }
    }
}

/// An answer, whatever it says.
pub(super) struct Reply {
    pub(super) status: u16,
    retry_after: Option<Duration>,
    /// The clock of whoever answered, as it was sent.
    pub(super) date: Option<String>,
    pub(super) body: Vec<u8>,
}

/// The body of every error.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ErrorBody {
    error: String,
    pub(super) kind: String,
    hint: String,
}

impl Agent {
    pub(super) fn new() -> Result<Arc<Self>, HttpError> {
        Self::through(None)
    }

    /// One that speaks through a proxy and never around it, if there is one.
    pub(super) fn through(proxy: Option<Proxy>) -> Result<Arc<Self>, HttpError> {
        let failed = |error: &dyn std::fmt::Display| HttpError::Machine { reason: error.to_string() };
        // Where another part of the program has chosen a provider already, that one serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let is_proxied = proxy.is_some();
        let builder = Client::builder().redirect(Policy::none()).tls_version_min(Version::TLS_1_3);
        let builder = match proxy {
            Some(proxy) => builder.connect_timeout(EXCHANGE).proxy(proxy),
            None => builder.connect_timeout(CONNECT),
        };
        let client = builder.build().map_err(|error| failed(&error))?;
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        Ok(Arc::new(Self { runtime: runtime.map_err(|error| failed(&error))?, client, is_proxied }))
    }

    pub(super) fn exchange(&self, question: Question<'_>) -> Result<Reply, LinkError> {
        let Question { method, url, code, body, accept, limit, time } = question;
        let mut request = self.client.request(method, url).header(ACCEPT, accept).timeout(time);
        if let Some(code) = code {
            request = request.header(AUTHORIZATION, code.clone());
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, BYTES).body(body.to_vec());
        }
        let unreachable = |error: reqwest::Error| {
            let by = if self.is_proxied && error.is_connect() { "through the proxy: " } else { "" };
            LinkError::Unreachable { reason: shown(&format!("{by}{}", causes(&error.without_url()))) }
        };
        self.runtime.block_on(async {
            let mut response = request.send().await.map_err(unreachable)?;
            let status = response.status().as_u16();
            let asked =
                response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            let retry_after = asked.map(|seconds| Duration::from_secs(seconds).min(MAX_RETRY_AFTER));
            let date = response.headers().get(DATE).and_then(|value| Some(value.to_str().ok()?.to_owned()));
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
                if body.len() + chunk.len() > limit {
                    return Err(garbage(format!("more than {limit} bytes")));
                }
                body.extend_from_slice(&chunk);
            }
            Ok(Reply { status, retry_after, date, body })
        })
    }
}

/// Whether a refusal of this kind is none: the bundle may come again, or has come.
pub(super) fn is_temporary(kind: &str) -> bool {
    TEMPORARY.contains(&kind)
}

/// An error with all that caused it: the outermost says little.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

pub(super) fn garbage(what: impl AsRef<str>) -> LinkError {
    LinkError::Garbage { what: shown(what.as_ref()) }
}

impl Reply {
    pub(super) fn json<T: for<'de> Deserialize<'de>>(&self, what: &str) -> Result<T, LinkError> {
        serde_json::from_slice(&self.body).map_err(|error| garbage(format!("not {what}: {error}")))
    }

    /// What a status that is no success says.
    pub(super) fn error(&self) -> LinkError {
        let ErrorBody { error, kind, hint } = serde_json::from_slice(&self.body).unwrap_or_default();
        let (error, kind) = (shown(&error), shown(&kind));
        let error = if hint.is_empty() { error } else { shown(&format!("{error}; {hint}")) };
        let kind = if kind.is_empty() { format!("status {}", self.status) } else { kind };
        match self.status {
            408 | 425 | 429 | 500..=599 => LinkError::Busy { kind, retry_after: self.retry_after },
            400..=499 if is_temporary(&kind) => LinkError::Busy { kind, retry_after: self.retry_after },
            400..=499 if !error.is_empty() => LinkError::Refused { kind, text: error },
            status => garbage(format!("HTTP status {status}")),
        }
    }
}

/// An address to which paths are added.
pub(super) fn base(url: &str) -> Result<Url, HttpError> {
    let bad = || HttpError::Url { url: url.to_owned() };
    let mut parsed: Url = url.parse().map_err(|_| bad())?;
    if !["http", "https"].contains(&parsed.scheme()) || parsed.query().is_some() || !parsed.has_host() {
        return Err(bad());
    }
    if !parsed.path().ends_with('/') {
        parsed.set_path(&format!("{}/", parsed.path()));
    }
    Ok(parsed)
}

pub(super) fn at(base: &Url, path: &str) -> Url {
    base.join(path).expect("a path of letters, digits and slashes is relative to any base")
}
