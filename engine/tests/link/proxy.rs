//! A line between two hosts that can be cut, frozen and slow.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

#[derive(Default)]
struct Line {
    /// Bytes after which the next connections are cut, the next one last.
    cuts: Mutex<Vec<usize>>,
    open: Mutex<Vec<TcpStream>>,
    made: AtomicUsize,
    frozen: AtomicBool,
    delay: Mutex<Duration>,
}

pub(crate) struct Proxy {
    pub(crate) at: String,
    line: Arc<Line>,
}

impl Proxy {
    /// A line to `target`.
    pub(crate) fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap().to_string();
        let line = Arc::new(Line::default());
        let (target, shared) = (target.to_string(), line.clone());
        thread::spawn(move || {
            for caller in listener.incoming().map_while(Result::ok) {
                let Ok(answer) = TcpStream::connect(&target) else { continue };
                shared.carry(caller, answer);
            }
        });
        Self { at, line }
    }

    /// The next connections are cut after these numbers of bytes, in whatever direction, in the middle of what is said.
    pub(crate) fn cut_after(&self, bytes: impl IntoIterator<Item = usize>) {
        let mut cuts: Vec<_> = bytes.into_iter().collect();
        cuts.reverse();
        *self.line.cuts.lock().unwrap() = cuts;
    }

    /// Cuts what is open.
    pub(crate) fn cut(&self) {
        for socket in self.line.open.lock().unwrap().drain(..) {
            let _gone = socket.shutdown(Shutdown::Both);
        }
    }

    /// Nothing crosses while the line is frozen, and nobody is told.
    pub(crate) fn freeze(&self, frozen: bool) {
        self.line.frozen.store(frozen, Ordering::SeqCst);
    }

    /// Every piece takes this long.
    pub(crate) fn delay(&self, delay: Duration) {
        *self.line.delay.lock().unwrap() = delay;
    }

    /// Connections so far.
    pub(crate) fn made(&self) -> usize {
        self.line.made.load(Ordering::SeqCst)
    }

    /// Cuts that are yet to happen.
    pub(crate) fn left(&self) -> usize {
        self.line.cuts.lock().unwrap().len()
    }
}

impl Line {
    fn carry(self: &Arc<Self>, caller: TcpStream, answer: TcpStream) {
        self.made.fetch_add(1, Ordering::SeqCst);
        let left = Arc::new(AtomicUsize::new(self.cuts.lock().unwrap().pop().unwrap_or(usize::MAX)));
        let copy = |socket: &TcpStream| socket.try_clone().unwrap();
        self.open.lock().unwrap().extend([copy(&caller), copy(&answer)]);
        for (from, to) in [(copy(&caller), copy(&answer)), (answer, caller)] {
            let (line, left) = (self.clone(), left.clone());
            thread::spawn(move || line.pump(from, to, &left));
        }
    }

    fn pump(&self, mut from: TcpStream, mut to: TcpStream, left: &AtomicUsize) {
        let mut piece = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut piece) {
            while self.frozen.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(5));
            }
            thread::sleep(*self.delay.lock().unwrap());
            let may =
                left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| Some(left.saturating_sub(read)));
            let allowed = may.unwrap().min(read);
            if to.write_all(&piece[..allowed]).is_err() || allowed < read {
                break;
            }
        }
        let _gone = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    }
}
