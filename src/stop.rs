//! When a program that serves is to end: at an interrupt, and with whoever started it, if that is asked for.

use std::{
    io, process,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

/// Set once the program is to end what is in hand.
pub(crate) static STOP: AtomicBool = AtomicBool::new(false);
/// Whether somebody looks at [`STOP`].
static IS_HEEDED: AtomicBool = AtomicBool::new(false);

/// For how long a program whose starter is gone may take to end what is in hand.
const GRACE: Duration = Duration::from_secs(10);
/// Exit code of a program that is ended from without.
const INTERRUPTED: i32 = 130;

/// Has an interrupt set [`STOP`]. The caller looks at it from time to time.
///
/// # Errors
/// If the system takes no handler.
pub(crate) fn heed_interrupts() -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| STOP.store(true, Ordering::Relaxed))?;
    IS_HEEDED.store(true, Ordering::Relaxed);
    Ok(())
}

/// Ends the program when its standard input does. Whoever starts it keeps the other end of a pipe, which the system closes
/// with the starter, however that ends. What heeds interrupts gets a while to end what is in hand.
///
/// # Errors
/// If the system starts no thread.
pub(crate) fn end_with_stdin() -> io::Result<()> {
    let watch = || {
        // What cannot be read has ended too.
        drop(io::copy(&mut io::stdin().lock(), &mut io::sink()));
        STOP.store(true, Ordering::Relaxed);
        if IS_HEEDED.load(Ordering::Relaxed) {
            thread::sleep(GRACE);
        }
        process::exit(INTERRUPTED);
    };
    thread::Builder::new().name("stdin".into()).spawn(watch).map(drop)
}
