//! The door over real sockets, with methods that count.

use super::{super::MAX_CALLS, *};
use jsonrpsee::{
    RpcModule,
    core::client::{ClientT, SubscriptionClientT},
    rpc_params,
    server::{ServerHandle, stop_channel},
};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};
use tokio::runtime::Runtime;

const SHORT: Duration = Duration::from_millis(400);
/// Longest time that anything takes here.
const SOON: Duration = Duration::from_secs(20);
/// Length of the answers of `long`.
const LONG: usize = 1 << 20;

struct Server {
    address: SocketAddr,
    /// Calls that were begun.
    begun: Arc<AtomicUsize>,
    _handle: ServerHandle,
    runtime: Runtime,
}

impl Server {
    fn start(places: u32, patience: Patience) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let begun = Arc::new(AtomicUsize::new(0));
        let mut module = RpcModule::new(begun.clone());
        let count = |begun: &AtomicUsize| begun.fetch_add(1, Ordering::SeqCst);
        module.register_method("short", move |_, begun, _| count(begun)).expect("a method");
        let long =
            move |_: jsonrpsee::types::Params<'_>, begun: &Arc<AtomicUsize>, _: &jsonrpsee::Extensions| {
                count(begun);
                "x".repeat(LONG)
            };
        module.register_method("long", long).expect("a method");
        let (stop, handle) = stop_channel();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a socket");
        let address = listener.local_addr().expect("an address");
        let methods: Methods = module.into();
        runtime.spawn(listen(listener, [methods.clone(), methods], places, patience, stop));
        Self { address, begun, _handle: handle, runtime }
    }

    fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(self.address).expect("it listens");
        socket.set_read_timeout(Some(SOON)).expect("a timeout");
        socket
    }

    fn call(&self, socket: &mut TcpStream, host: &str, more: &str) -> u16 {
        let body = r#"{"jsonrpc":"2.0","id":1,"method":"short"}"#;
        let (length, kind) = (body.len(), "content-type: application/json");
        write!(
            socket,
            "POST / HTTP/1.1\r\nhost: {host}\r\n{more}{kind}\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .expect("sent");
        let mut answer = [0; 4096];
        let read = socket.read(&mut answer).expect("an answer");
        let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
        answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    fn upgrade(&self, more: &str) -> (TcpStream, u16) {
        let mut socket = self.connect();
        let head = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n";
        write!(
            socket,
            "{head}{more}sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        .expect("sent");
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            match socket.read(&mut byte) {
                Ok(1) => answer.push(byte[0]),
                _ => break,
            }
        }
        let answer = String::from_utf8_lossy(&answer).into_owned();
        (socket, answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0))
    }
}

/// A short text as a client sends it: masked, here with zeros.
fn frame(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).expect("short");
    assert!(length < 126);
    [&[0x81, 0x80 | length, 0, 0, 0, 0], text.as_bytes()].concat()
}

/// Whether the other side ends the socket.
fn ends(socket: &mut TcpStream) -> Duration {
    let begun = Instant::now();
    let mut rest = [0; 65536];
    while socket.read(&mut rest).is_ok_and(|read| read > 0) {}
    begun.elapsed()
}

fn short() -> Patience {
    Patience { request: SHORT, silence: 2 * SHORT, stall: SHORT }
}

#[test]
fn a_head_or_a_body_that_trickles_is_cut() {
    let server = Server::start(4, Patience { silence: SOON, ..short() });
    for begin in [
        "POST / HTTP/1.1\r\n",
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n",
    ] {
        let mut socket = server.connect();
        socket.write_all(begin.as_bytes()).expect("sent");
        let begun = Instant::now();
        while begun.elapsed() < SOON && socket.write_all(b"x").is_ok() {
            std::thread::sleep(SHORT / 10);
        }
        assert!(begun.elapsed() < SOON, "{begin}");
    }
    assert_eq!(server.begun(), 0);
}

#[test]
fn a_socket_that_does_nothing_is_closed_and_one_that_answers_pings_is_not() {
    let server = Server::start(4, Patience { silence: SHORT, ..short() });
    assert!(ends(&mut server.connect()) < SOON / 2, "it says nothing");
    let mut kept = server.connect();
    assert_eq!(server.call(&mut kept, "localhost", ""), 200);
    assert!(ends(&mut kept) < SOON / 2, "it says nothing more");
    let (mut silent, status) = server.upgrade("");
    assert_eq!(status, 101);
    assert!(ends(&mut silent) < SOON / 2, "it answers no pings");
    let client = server.runtime.block_on(async {
        let url = format!("ws://{}", server.address).parse().expect("an address");
        let transport = jsonrpsee::client_transport::ws::WsTransportClientBuilder::default();
        let (sender, receiver) = transport.build(url).await.expect("connects");
        jsonrpsee::core::client::ClientBuilder::new().build_with_tokio(sender, receiver)
    });
    std::thread::sleep(4 * SHORT);
    assert!(client.is_connected());
    let answer: usize = server.runtime.block_on(client.request("short", rpc_params![])).expect("an answer");
    assert_eq!(answer, 1);
    let none = server.runtime.block_on(client.subscribe::<usize, _>("none", rpc_params![], "nothing"));
    assert!(none.is_err());
}

/// Places are those of sockets, whatever is spoken over them.
#[test]
fn one_socket_more_waits_until_another_is_closed() {
    let server = Server::start(2, Patience::default());
    let (first, second) = (server.connect(), server.upgrade("").0);
    let mut third = server.connect();
    third.set_read_timeout(Some(SHORT)).expect("a timeout");
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"short"}"#;
    let (length, kind) = (body.len(), "content-type: application/json");
    write!(third, "POST / HTTP/1.1\r\nhost: localhost\r\n{kind}\r\ncontent-length: {length}\r\n\r\n{body}")
        .expect("sent");
    assert!(third.read(&mut [0; 16]).is_err(), "nobody listens yet");
    assert_eq!(server.begun(), 0);
    drop(second);
    third.set_read_timeout(Some(SOON)).expect("a timeout");
    let mut answer = [0; 15];
    third.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    drop(first);
}

/// Bytes that two sockets of one machine hold for each other, at most.
const ON_THE_WAY: usize = 24 << 20;

#[test]
fn who_calls_and_reads_nothing_is_not_heard_and_then_cut() {
    let asked = 200;
    let call = frame(r#"{"jsonrpc":"2.0","id":7,"method":"long"}"#);
    let server = Server::start(4, Patience { silence: SOON, stall: 5 * SHORT, ..short() });
    let (mut socket, _) = server.upgrade("");
    socket.write_all(&call.repeat(asked)).expect("sent");
    std::thread::sleep(2 * SHORT);
    let begun = server.begun();
    assert!((1..=MAX_CALLS + 1 + ON_THE_WAY / LONG).contains(&begun), "{begun} were begun");
    // Whoever reads has all the answers.
    let mut left = asked * LONG;
    let mut buffer = vec![0; 1 << 20];
    while left > 0 {
        let read = socket.read(&mut buffer).expect("answers");
        assert!(read > 0, "{left} are missing");
        left = left.saturating_sub(read);
    }
    assert_eq!(server.begun(), asked);
    // Whoever does not is cut, and what it asked for is not done.
    let (mut socket, _) = server.upgrade("");
    drop(socket.write_all(&call.repeat(asked)));
    std::thread::sleep(10 * SHORT);
    assert!(server.begun() - asked <= MAX_CALLS + 1 + ON_THE_WAY / LONG);
    ends(&mut socket);
    assert!(server.begun() < 2 * asked);
}

#[test]
fn a_node_of_this_machine_is_driven_by_no_page() {
    let server = Server::start(4, Patience::default());
    let (port, mut socket) = (server.address.port(), server.connect());
    for host in
        [format!("127.0.0.1:{port}"), "localhost".into(), format!("LOCALHOST:{port}"), "[::1]:1".into()]
    {
        assert_eq!(server.call(&mut socket, &host, ""), 200, "{host}");
    }
    for host in
        ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "evil.example:localhost", ""]
    {
        assert_eq!(server.call(&mut server.connect(), host, ""), 403, "{host}");
    }
    assert_eq!(server.call(&mut server.connect(), "localhost", "origin: https://evil.example\r\n"), 403);
    assert_eq!(server.begun(), 4);
    assert_eq!(server.upgrade("origin: http://localhost:8000\r\n").1, 101);
    for origin in ["https://evil.example", "null", "http://localhost.evil.example"] {
        assert_eq!(server.upgrade(&format!("origin: {origin}\r\n")).1, 403, "{origin}");
    }
}

#[test]
fn answers_that_nobody_took_share_one_room() {
    let room = Room::new();
    let longest = MAX_RESPONSE_BYTES as usize;
    let mut held: Vec<_> = (0..UNREAD_BYTES / longest).map(|_| room.take(longest).expect("room")).collect();
    assert!(room.take(longest).is_err() && room.take(SMALL_BYTES + 1).is_err());
    assert!(room.take(SMALL_BYTES).expect("always").is_none());
    held.pop();
    assert!(room.take(longest).is_ok());
}
