//! A WebSocket as a program of somebody else would write it: what is sent is sent as it is.

use super::running::SOON;
use serde_json::Value;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

/// Kind of a frame that holds a text, and whole.
const TEXT: u8 = 0x81;

/// An open WebSocket.
pub(super) struct Socket(TcpStream);

impl Socket {
    pub(super) fn connect(address: SocketAddr) -> Self {
        let mut socket = TcpStream::connect(address).expect("it listens");
        socket.set_read_timeout(Some(SOON)).expect("a timeout");
        let head = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                    sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
        socket.write_all(head.as_bytes()).expect("sent");
        let (mut answer, mut byte) = (Vec::new(), [0]);
        while !answer.ends_with(b"\r\n\r\n") {
            socket.read_exact(&mut byte).expect("an answer");
            answer.push(byte[0]);
        }
        Self(socket)
    }

    /// Sends a text, and gives the answer: the first text that is no news of a subscription.
    pub(super) fn ask(&mut self, text: &str) -> Value {
        let length = u16::try_from(text.len()).expect("short");
        // Masked, with zeros.
        let mut frame = if length < 126 { vec![TEXT, 0x80 | length as u8] } else { vec![TEXT, 0x80 | 126] };
        if length >= 126 {
            frame.extend(length.to_be_bytes());
        }
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        self.0.write_all(&frame).expect("sent");
        loop {
            let (kind, bytes) = self.frame();
            let answer: Value = match kind {
                TEXT => serde_json::from_slice(&bytes).expect("JSON"),
                _ => continue,
            };
            if answer["method"].is_null() {
                return answer;
            }
        }
    }

    fn frame(&mut self) -> (u8, Vec<u8>) {
        let mut head = [0; 2];
        self.0.read_exact(&mut head).expect("a frame");
        let length = match head[1] {
            126 => {
                let mut long = [0; 2];
                self.0.read_exact(&mut long).expect("a length");
                u16::from_be_bytes(long).into()
            }
            short => usize::from(short),
        };
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes).expect("a frame");
        (head[0], bytes)
    }
}
