//! Asks whether a host is there and who it is, without a link to it.
//!
//! The caller proves its key and says that it speaks no version. The other end refuses that and names the versions that it
//! speaks; the link that there may be between the two is not touched.

use super::{
    Endpoint, Host, LinkKey, Refusal,
    event::Breach,
    frame::{Frame, Parting},
    greet,
    hello::{Hello, Incarnation, Mismatch, Versions},
};
use primitives::{ChainId, Digest};
use rand_core::{OsRng, RngCore};
use std::{io, time::Duration};
use thiserror::Error;
use tokio::{net::TcpStream, time::timeout};

/// Why a host is not found to be there.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Absent {
    /// Nobody takes connections there.
    #[error("{at} cannot be reached: {reason}")]
    Unreachable {
        /// Where.
        at: String,
        /// What the system says.
        reason: String,
    },
    /// Somebody is there, and not that host.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// This machine has no threads or sockets for it.
    #[error("nothing can be asked from this machine: {0}")]
    Machine(io::Error),
}

/// Asks the host at an address, under the key of this one, and gives the versions that it speaks. Waits this long at most
/// for the connection and as long again for the answer.
///
/// # Errors
/// If nobody is there, if it is somebody else, or if it does not know this host.
pub fn probe(
    (key, me): (&LinkKey, Host),
    (peer, endpoint): (Host, &Endpoint),
    (chain, genesis): (ChainId, Digest),
    patience: Duration,
) -> Result<Versions, Absent> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(Absent::Machine)?.block_on(async {
        let unreachable = |reason: String| Absent::Unreachable { at: endpoint.address.clone(), reason };
        let slow = || format!("no connection within {patience:.1?}");
        let connected = timeout(patience, TcpStream::connect(&endpoint.address)).await;
        let socket = connected.map_err(|_| unreachable(slow()))?;
        let socket = socket.map_err(|error| unreachable(error.to_string()))?;
        let hello = Hello {
            versions: Versions::NONE,
            chain,
            genesis,
            from: me,
            to: peer,
            incarnation: Incarnation(OsRng.next_u64()),
            received: None,
        };
        let greeted = timeout(patience, greet::ask(key, (me, peer), endpoint.key, (socket, hello))).await;
        match greeted.unwrap_or(Err(Refusal::Slow { waited: patience }))? {
            Frame::Bye(Parting::Refused(Mismatch::Version { expected, .. })) => Ok(expected),
            Frame::Bye(Parting::Refused(mismatch)) => Err(Refusal::RefusedBy(mismatch).into()),
            _ => Err(Refusal::from(Breach::Greeting).into()),
        }
    })
}
