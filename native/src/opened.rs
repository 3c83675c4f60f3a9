//! A segment file that is open for reading. Its bytes are hashed through the descriptor that they are decoded through, and
//! a write in between is noticed: what was compared with the manifest is what is read.
use std::{
    fs::{File, Metadata},
    io::{Seek, SeekFrom},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crate::{
    chain::Hash,
    error::{Error, Result},
};

/// For how long after a write another one may carry the same time: file systems count in ticks.
const TICK: Duration = Duration::from_millis(100);

pub struct Opened {
    path: PathBuf,
    file: File,
    stamp: Stamp,
    settled: bool,
}

/// What a file system says of a file: two equal ones are the same file, not written to in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub device: u64,
    pub inode: u64,
    pub size: u64,
    /// (seconds, nanoseconds) of the last write, and of the last change of anything.
    pub written: (i64, i64),
    pub changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            written: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Of the last change: unlike that of the last write, nobody can set it back.
    fn time(&self) -> SystemTime {
        let (seconds, nanoseconds) = self.changed;
        SystemTime::UNIX_EPOCH + Duration::new(seconds.try_into().unwrap_or(0), nanoseconds.try_into().unwrap_or(0))
    }
}

impl Opened {
    pub fn new(path: &Path) -> Result<Self> {
        let failed = |e| Error::io("opening a segment", path, e);
        let file = File::open(path).map_err(failed)?;
        let stamp = Stamp::of(&file.metadata().map_err(failed)?);
        let settled = SystemTime::now().duration_since(stamp.time()).is_ok_and(|age| age > TICK);
        Ok(Self { path: path.to_owned(), file, stamp, settled })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// As it was when it was opened. None if it was written to just before: the next write may leave no other stamp.
    pub fn stamp(&self) -> Option<Stamp> {
        self.settled.then_some(self.stamp)
    }

    /// The same file once more, through the same descriptor.
    pub fn again(&self) -> Result<Self> {
        Ok(Self { path: self.path.clone(), file: self.file()?, ..*self })
    }

    /// The file for a decoder, which seeks before it reads.
    pub fn file(&self) -> Result<File> {
        self.file.try_clone().map_err(|e| Error::io("opening a segment", &self.path, e))
    }

    /// BLAKE3 of the whole file.
    pub fn digest(&self) -> Result<Hash> {
        let mut hasher = blake3::Hasher::new();
        let read = (&self.file).seek(SeekFrom::Start(0)).and_then(|_| hasher.update_reader(&self.file).map(|_| ()));
        read.map_err(|e| Error::io("hashing a segment", &self.path, e))?;
        Ok(*hasher.finalize().as_bytes())
    }

    /// An error if the file was written to since it was opened. That it lost its name, or got another one, is no harm.
    pub fn unchanged(&self) -> Result<()> {
        let now = Stamp::of(&self.file.metadata().map_err(|e| Error::io("measuring a segment", &self.path, e))?);
        if (now.size, now.written) == (self.stamp.size, self.stamp.written) {
            return Ok(());
        }
        Err(Error::Invalid(format!("segment {}: it was written to while it was read", self.path.display())))
    }
}
