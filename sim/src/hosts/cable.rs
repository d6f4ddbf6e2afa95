//! Cables between hosts: each carries one link over TCP, and can be cut, slowed down, or made to damage what it carries.

use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore, SeedableRng},
};
use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

/// How often a cable looks whether it was cut.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Bytes that are carried at a time.
const PIECE: usize = 16 << 10;

/// How a cable is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It carries everything.
    Sound,
    /// It carries nothing, and whoever calls hears nothing.
    Cut,
    /// It holds each piece back for so long.
    Slow(Duration),
    /// It changes a bit of about one piece in so many, ends the connection after half of another, and carries the rest.
    Noisy(u32),
}

/// A cable to a host.
pub struct Cable {
    at: SocketAddr,
    condition: Arc<Mutex<Condition>>,
}

impl Cable {
    /// Lays a cable to an address.
    ///
    /// # Errors
    /// If there is no port left for its near end.
    pub fn lay(to: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let at = listener.local_addr()?;
        let condition = Arc::new(Mutex::new(Condition::Sound));
        let of = condition.clone();
        // It ends with the process: a cable is part of a test's world.
        thread::Builder::new().name("cable".into()).spawn(move || {
            for (number, near) in (0..).zip(listener.incoming()) {
                let Ok(near) = near else { continue };
                if read(&of) == Condition::Cut {
                    continue;
                }
                if let Ok(far) = TcpStream::connect(to) {
                    // A connection that cannot be carried is closed, and made again.
                    drop(carry(&near, &far, &of, number));
                }
            }
        })?;
        Ok(Self { at, condition })
    }

    /// Its near end.
    pub fn at(&self) -> SocketAddr {
        self.at
    }

    /// Changes how it is, for the connections that it carries too.
    pub fn set(&self, condition: Condition) {
        *self.condition.lock().unwrap_or_else(PoisonError::into_inner) = condition;
    }
}

fn read(condition: &Mutex<Condition>) -> Condition {
    *condition.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Carries a connection both ways, each on a thread.
fn carry(
    near: &TcpStream,
    far: &TcpStream,
    condition: &Arc<Mutex<Condition>>,
    number: u64,
) -> io::Result<()> {
    for (way, from, to) in [(0, near, far), (1, far, near)] {
        let (from, to, condition) = (from.try_clone()?, to.try_clone()?, condition.clone());
        let noise = ChaCha20Rng::seed_from_u64(2 * number + way);
        thread::Builder::new().name("cable".into()).spawn(move || {
            // Either end may be gone.
            let _ended = one_way(&from, &to, &condition, noise);
            let _closed = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
        })?;
    }
    Ok(())
}

fn one_way(
    mut from: &TcpStream,
    mut to: &TcpStream,
    condition: &Mutex<Condition>,
    mut noise: ChaCha20Rng,
) -> io::Result<()> {
    from.set_read_timeout(Some(LOOK_EVERY))?;
    let mut piece = vec![0; PIECE];
    loop {
        let length = match from.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(length) => length,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => 0,
            Err(error) => return Err(error),
        };
        match read(condition) {
            Condition::Cut => return Ok(()),
            Condition::Slow(pause) if length > 0 => thread::sleep(pause),
            Condition::Noisy(one_in) if length > 0 => match noise.next_u32() % one_in.max(1) {
                0 => piece[noise.next_u32() as usize % length] ^= 1 << (noise.next_u32() % 8),
                1 => return to.write_all(&piece[..length / 2]),
                _ => {}
            },
            _ => {}
        }
        to.write_all(&piece[..length])?;
    }
}
