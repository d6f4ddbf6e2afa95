//! The module on a small network: every rule, every message with every field changed, and the attacks that it is to stop.

mod answers;
mod attacks;
mod commits;
mod nodes;
mod rewards;
mod watch;

use super::{testing::*, *};
use crate::modules::usage::Phase;
use primitives::{Credits, Digest, EpochId};
