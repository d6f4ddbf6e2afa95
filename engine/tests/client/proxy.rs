//! Parties and issuers through a proxy: names are looked up at its other end, and nobody shares a circuit.

use super::{
    http::{error, server},
    world::{EPOCH, region},
};
use engine::client::{
    LinkError, Parties, Signers, Standing,
    http::{Circuits, HttpError, HttpParties, HttpSigners},
};
use primitives::{Digest, PartyId, Tier};
use proofs::receipt::Denomination;
use rand_core::OsRng;
use std::{
    collections::BTreeSet,
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// Credentials and host of everybody who came.
type Came = Arc<Mutex<Vec<(String, String, String)>>>;

fn text(stream: &mut TcpStream) -> io::Result<String> {
    let mut length = [0];
    stream.read_exact(&mut length)?;
    let mut text = vec![0; length[0].into()];
    stream.read_exact(&mut text)?;
    Ok(String::from_utf8(text).unwrap())
}

/// One connection of a proxy that takes every name for `backend` (RFC 1928 and 1929).
fn carry(mut stream: TcpStream, backend: &str, came: &Came) -> io::Result<()> {
    let mut head = [0; 2];
    stream.read_exact(&mut head)?;
    let mut methods = vec![0; head[1].into()];
    stream.read_exact(&mut methods)?;
    assert!(methods.contains(&2), "a name and a password are shown");
    stream.write_all(&[5, 2])?;
    stream.read_exact(&mut [0])?;
    let (name, password) = (text(&mut stream)?, text(&mut stream)?);
    stream.write_all(&[1, 0])?;
    let mut request = [0; 4];
    stream.read_exact(&mut request)?;
    assert_eq!(request, [5, 1, 0, 3], "a connection to a name, which nobody has looked up");
    let host = text(&mut stream)?;
    stream.read_exact(&mut [0; 2])?;
    came.lock().unwrap().push((name, password, host));
    let mut inner = TcpStream::connect(backend)?;
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    let (mut back, mut from) = (stream.try_clone()?, inner.try_clone()?);
    thread::spawn(move || io::copy(&mut from, &mut back));
    io::copy(&mut stream, &mut inner).map(|_| ())
}

/// A proxy before a server.
fn proxy(backend: String, came: &Came) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("socks5h://{}", listener.local_addr().unwrap());
    let came = came.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (came, backend) = (came.clone(), backend.clone());
            // Whoever has heard enough hangs up.
            thread::spawn(move || drop(carry(stream.unwrap(), &backend, &came)));
        }
    });
    url
}

#[test]
fn parties_and_issuers_are_reached_by_name_and_apart_from_each_other() {
    let backend = server(Arc::new(|_, _, _| error(404, "unknown-bundle", "")));
    let came = Came::default();
    let url = proxy(backend.trim_start_matches("http://").into(), &came);
    let circuits = Circuits::new(&url, &mut OsRng).unwrap();
    let urls = ["http://one.onion", "http://two.onion", "http://three.onion"];
    let parties = HttpParties::through(urls, Some(&circuits)).unwrap();
    for party in PartyId::ALL {
        assert_eq!(parties.standing(party, &Digest([7; 32])), Ok(Standing::Unknown));
    }
    let at = ("http://tokens.onion", "code");
    let signers = HttpSigners::through(at, Some(("http://receipts.onion", "code")), Some(&circuits)).unwrap();
    let refused = |answer| matches!(answer, Err(LinkError::Refused { .. }));
    assert!(refused(signers.token(EPOCH, Tier(1), &[7; 256])));
    assert!(refused(signers.receipt(EPOCH, (region(), Denomination::new(1).unwrap()), &[7; 256])));
    let first = came.lock().unwrap().clone();
    let hosts: Vec<_> = first.iter().map(|(_, _, host)| &**host).collect();
    assert_eq!(hosts, ["one.onion", "two.onion", "three.onion", "tokens.onion", "receipts.onion"]);
    let names: BTreeSet<_> = first.iter().map(|(name, password, _)| (name, password)).collect();
    assert_eq!(names.len(), 5, "each has a circuit of its own");
    // Another run shares none with this one.
    let again = HttpParties::through(urls, Some(&Circuits::new(&url, &mut OsRng).unwrap())).unwrap();
    again.standing(PartyId::ALL[0], &Digest([7; 32])).unwrap();
    let last = came.lock().unwrap().last().cloned().unwrap();
    assert!(!first.contains(&last) && last.0 == first[0].0, "the password is drawn anew");
}

#[test]
fn a_proxy_that_looks_names_up_here_is_refused() {
    let refused = |url| matches!(Circuits::new(url, &mut OsRng), Err(HttpError::Proxy { .. }));
    for bad in ["", "socks5://127.0.0.1:9050", "http://127.0.0.1:8118", "socks5h://me:too@127.0.0.1:9050"] {
        assert!(refused(bad), "{bad}");
    }
    assert!(!refused("socks5h://127.0.0.1:9050"));
    // Nobody is spoken to around a proxy that is not there.
    let circuits = Circuits::new("socks5h://127.0.0.1:1", &mut OsRng).unwrap();
    let backend = server(Arc::new(|_, _, _| error(404, "unknown-bundle", "")));
    let parties = HttpParties::through([&backend, &backend, &backend], Some(&circuits)).unwrap();
    let heard = parties.standing(PartyId::ALL[0], &Digest([7; 32]));
    assert!(matches!(heard, Err(LinkError::Unreachable { .. })), "{heard:?}");
}

#[test]
fn through_a_proxy_nothing_is_said_that_its_other_end_could_read() {
    let circuits = Circuits::new("socks5h://127.0.0.1:1", &mut OsRng).unwrap();
    let closed = "https://party.example";
    let fails = |url: &str, through| {
        let parties = [[url, closed, closed], [closed, url, closed], [closed, closed, url]]
            .map(|urls| HttpParties::through(urls, through).err());
        let tokens = HttpSigners::through((url, "code"), None, through).err();
        let receipts = HttpSigners::through((closed, "code"), Some((url, "code")), through).err();
        let all: Vec<_> = parties.into_iter().chain([tokens, receipts]).collect();
        assert!(all.iter().all(|error| error.is_some() == all[0].is_some()), "{url}");
        assert!(all.iter().flatten().all(|error| matches!(error, HttpError::Open { .. })), "{url}");
        all[0].is_some()
    };
    let open = [
        "http://party.example",
        "http://192.0.2.7:4501",
        "http://[2001:db8::1]:4501",
        "http://onion.example",
        "http://xonion",
        "http://127.0.0.1.example",
        "http://localhost.example",
    ];
    for url in open {
        assert!(fails(url, Some(&circuits)), "{url}");
        assert!(!fails(url, None), "{url}");
    }
    let well = [
        "http://abc.onion",
        "http://ABC.Onion.:80",
        "http://127.9.8.7:1",
        "http://[::1]:1",
        "http://localhost:1",
    ];
    for url in well.into_iter().chain([closed]) {
        assert!(!fails(url, Some(&circuits)), "{url}");
    }
}
