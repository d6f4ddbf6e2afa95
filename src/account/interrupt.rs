//! An interrupt while a transaction that a node took is waited for: it comes in a block all the same, and whoever
//! interrupts is told.

use std::{
    io::{self, Write},
    process,
    sync::{Mutex, MutexGuard, Once, PoisonError},
};

/// Exit code of a command that was interrupted.
const INTERRUPTED: i32 = 130;

/// What is to be said.
static UNDER_WAY: Mutex<Option<String>> = Mutex::new(None);

fn under_way() -> MutexGuard<'static, Option<String>> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A transaction that is waited for, until this is dropped.
pub(super) struct Watch;

impl Watch {
    pub(super) fn over(url: &str, transaction: &str) -> Self {
        static HANDLER: Once = Once::new();
        *under_way() = Some(format!(
            "{url} took transaction {transaction}, which comes in a block without this command: look with `show` whether \
             it came before you send it again"
        ));
        // Without a handler an interrupt ends the command too, without a word.
        HANDLER.call_once(|| drop(ctrlc::set_handler(end)));
        Self
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        *under_way() = None;
    }
}

fn end() {
    let rest = under_way().take().map(|what| format!(": {what}")).unwrap_or_default();
    // A closed standard error is no reason to go on.
    drop(writeln!(io::stderr(), "\nerror: interrupted{rest}"));
    process::exit(INTERRUPTED);
}
