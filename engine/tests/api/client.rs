//! A client that says what it is told to, right or wrong.

use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// No answer takes as long as this.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the server said.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Vec<u8>,
}

impl Response {
    pub(super) fn json(&self) -> Value {
        assert_eq!(self.headers["content-type"], "application/json", "{self:?}");
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// The short name of an error.
    pub(super) fn kind(&self) -> String {
        self.json()["kind"].as_str().unwrap_or_else(|| panic!("no kind in {self:?}")).to_owned()
    }

    pub(super) fn retry_after(&self) -> Option<u64> {
        self.headers.get("retry-after").map(|seconds| seconds.parse().unwrap())
    }
}

pub(super) fn connect(to: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(to).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_write_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// The head of a request.
pub(super) fn head(method: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("{method} {path} HTTP/1.1\r\nhost: party\r\n{lines}\r\n")
}

/// Reads an answer: its head, and as much of a body as the head says. `None` if the connection ends before that.
pub(super) fn read(socket: &mut TcpStream, method: &str) -> Option<Response> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        more(socket, &mut bytes)?;
    };
    let text = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = text.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let header = |line: &str| line.split_once(": ").map(|(n, v)| (n.to_ascii_lowercase(), v.to_owned()));
    let headers: BTreeMap<_, _> = lines.filter_map(header).collect();
    let mut body = bytes.split_off(end + 4);
    let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    while method != "HEAD" && body.len() < length {
        more(socket, &mut body)?;
    }
    Some(Response { status, headers, body })
}

fn more(socket: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    let mut piece = [0; 1 << 14];
    // Whoever closes a connection that still has bytes on the way resets it.
    let count = socket.read(&mut piece).ok().filter(|count| *count > 0)?;
    bytes.extend_from_slice(&piece[..count]);
    Some(())
}

/// Asks for something over a connection of its own.
pub(super) fn ask(
    to: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Response {
    let mut socket = connect(to);
    send(&mut socket, method, path, headers, body);
    read(&mut socket, method).unwrap_or_else(|| panic!("no answer to {method} {path}"))
}

/// Sends a request. That the server stops reading is its answer's to explain.
pub(super) fn send(socket: &mut TcpStream, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) {
    let length = body.len().to_string();
    let framed = headers.iter().any(|(name, _)| *name == "content-length" || *name == "transfer-encoding");
    let mut all = headers.to_vec();
    if method == "POST" && !framed {
        all.push(("content-length", &length));
    }
    drop(socket.write_all(head(method, path, &all).as_bytes()).and_then(|()| socket.write_all(body)));
}

pub(super) fn get(to: SocketAddr, path: &str) -> Response {
    ask(to, "GET", path, &[], &[])
}

/// Hands a bundle in.
pub(super) fn submit(to: SocketAddr, bytes: &[u8]) -> Response {
    ask(to, "POST", "/v1/bundles", &[("content-type", "application/octet-stream")], bytes)
}
