//! An interrupt while a transaction that a node took is waited for: it comes in a block all the same, and whoever
//! interrupts is told.

use crate::output;
use std::{
    env, process,
    sync::{Mutex, MutexGuard, Once, PoisonError},
};

/// Exit code of a command that was interrupted.
const INTERRUPTED: u8 = 130;

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
    let what = under_way().take();
    output::tell("interrupted", what.as_deref(), INTERRUPTED, output::is_json_asked(env::args_os()));
    process::exit(INTERRUPTED.into());
}
