//! What the parties publish of accepted bundles, kept on disk until the run folder is written: a large run's does not fit
//! in memory.
//!
//! Batches of different shards become final in any order, so each has a file of its own; together, by shard and position,
//! they are the stream that `cwe epoch audit` reads.

use super::DemoError;
use crate::world::CHAIN;
use chain::light::audit::stream;
use primitives::{EpochId, ShardIndex};
use proofs::bundle::Published;
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Batches of an epoch so far.
#[derive(Debug, Default)]
pub struct Statements {
    epoch: EpochId,
    dir: PathBuf,
    batches: BTreeSet<(ShardIndex, u64)>,
}

impl Statements {
    /// Begins in a new folder of `scratch`.
    pub(super) fn begin(scratch: &Path, epoch: EpochId) -> Result<Self, DemoError> {
        let dir = scratch.join(format!("statements-{epoch}"));
        fs::create_dir(&dir).map_err(|error| DemoError::Statements { path: dir.clone(), error })?;
        Ok(Self { epoch, dir, batches: BTreeSet::new() })
    }

    fn file(&self, (shard, position): &(ShardIndex, u64)) -> PathBuf {
        self.dir.join(format!("{shard}-{position}"))
    }

    /// Keeps what is published of a final batch.
    pub(super) fn keep(
        &mut self,
        batch: (ShardIndex, u64),
        published: &[Arc<Published>],
    ) -> Result<(), DemoError> {
        let path = self.file(&batch);
        let write = |path: &Path| {
            let mut out = BufWriter::new(File::create_new(path)?);
            stream::write_batch(&mut out, batch, published)?;
            out.flush()
        };
        write(&path).map_err(|error| DemoError::Statements { path, error })?;
        self.batches.insert(batch);
        Ok(())
    }

    /// Writes the whole stream. The folder in which the batches are must still be there.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        stream::begin(out, (CHAIN, self.epoch))?;
        for batch in &self.batches {
            io::copy(&mut File::open(self.file(batch))?, out)?;
        }
        Ok(())
    }
}
