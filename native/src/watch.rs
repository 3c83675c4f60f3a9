//! Tells which directories are dirty, and when that may be incomplete.
//!
//! Hints only: the caller compares the directory with what it knew. So events are folded into a set of
//! directories as they are read, and a wrong hint costs a look while a lost one is told as a loss.
//!
//! A watch sticks to the directory, not to its path. When a directory moves away, the watches on it and
//! below are dropped, because their paths are no longer true; its old and new parents are dirty, and the
//! caller finds which of their directories are `missing` a watch and walks those anew.
use std::{
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use rustix::io::Errno;

use crate::{
    error::{Error, Result},
    inotify::{Ended, Instance},
    seat::Seat,
};

pub use crate::seat::{Kind, News};

/// One seat at the inotify instance of this process.
pub struct Watcher {
    instance: Arc<Instance>,
    seat: u32,
}

/// How a wait ended.
pub enum Waited {
    Done(News),
    /// A signal arrived: handle it and wait again.
    Interrupted,
}

impl Watcher {
    pub fn new() -> Result<Self> {
        let instance = Instance::shared();
        let seat =
            instance.join().map_err(|error| Error::io("cannot create an eventfd for", "inotify", error.into()))?;
        Ok(Self { instance, seat })
    }

    /// Watches directories; returns those that could not be, with the error number.
    pub fn add(&self, dirs: &[PathBuf], kind: Kind) -> Vec<(PathBuf, i32)> {
        let failed = |error: Errno, dir: &PathBuf| (dir.clone(), error.raw_os_error());
        dirs.iter().filter_map(|dir| self.instance.add(self.seat, dir, kind).err().map(|e| failed(e, dir))).collect()
    }

    /// Watches one directory, or leaves it `missing`.
    pub fn try_add(&self, dir: &Path) {
        // The error is found again, with its number, by whoever adds what is missing.
        let _ = self.instance.add(self.seat, dir, Kind::Changes);
    }

    /// Stops watching exactly these directories.
    pub fn remove(&self, dirs: &[PathBuf]) {
        dirs.iter().for_each(|dir| self.instance.remove(self.seat, dir.as_os_str().as_bytes()));
    }

    /// Stops watching a directory and all below it.
    pub fn remove_tree(&self, dir: &Path) {
        self.instance.remove_tree(self.seat, dir.as_os_str().as_bytes());
    }

    /// Those of `dirs` that have no watch.
    pub fn missing(&self, dirs: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let missing = |seat: &mut Seat| dirs.into_iter().filter(|dir| !seat.paths.contains(dir)).collect();
        self.instance.seat(self.seat, missing).unwrap_or_default()
    }

    pub fn watched(&self) -> usize {
        self.instance.seat(self.seat, |seat| seat.paths.len()).unwrap_or_default()
    }

    /// Waits until something is dirty or lost, `wake` was called, or the deadline passed.
    pub fn wait(&self, deadline: Option<Instant>) -> Result<Waited> {
        let fail = |error: Errno| Error::io("cannot wait for", "inotify", error.into());
        match self.instance.wait(self.seat, deadline).map_err(fail)? {
            Ended::Interrupted => Ok(Waited::Interrupted),
            Ended::Told => {
                let news = self.instance.seat(self.seat, |seat| seat.take_news());
                Ok(Waited::Done(news.unwrap_or_default()))
            }
        }
    }

    /// Makes the current wait, or else the next one, return at once.
    pub fn wake(&self) {
        self.instance.seat(self.seat, |seat| seat.wake());
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.instance.leave(self.seat);
    }
}
