//! An inotify reader that says which directories are dirty, and when it may have missed something.
//!
//! Hints only: the caller compares the directory with what it knew. So events are folded into a set of
//! directories as they are read, and a wrong hint costs a look while a lost one is told as a loss.
//!
//! A watch sticks to the directory, not to its path. When a directory moves away, the watches on it and
//! below are dropped, because their paths are no longer true; its old and new parents are dirty, and the
//! caller finds which of their directories are `missing` a watch and walks those anew.
use std::{
    collections::BTreeSet,
    io,
    mem::MaybeUninit,
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rustix::{
    event::{eventfd, poll, EventfdFlags, PollFd, PollFlags, Timespec},
    fs::inotify::{self, CreateFlags, Event, ReadFlags, Reader, WatchFlags},
    io::{read, write, Errno},
};

use crate::{
    error::{Error, Result},
    paths::Paths,
};

const MASK: WatchFlags = WatchFlags::MODIFY
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::CREATE)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR)
    .union(WatchFlags::DONT_FOLLOW)
    .union(WatchFlags::EXCL_UNLINK);

/// Writers that never rest must not keep a waiter from its answer.
const DRAIN: Duration = Duration::from_millis(250);

pub struct Watcher {
    inotify: OwnedFd,
    bell: OwnedFd,
    watches: Mutex<Paths>,
}

/// What happened since the last wait.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Directories in which something changed, rising.
    pub dirty: BTreeSet<Vec<u8>>,
    /// Why more may have changed than `dirty` tells: `overflow`, `unmount`.
    pub losses: BTreeSet<&'static str>,
}

/// How a wait ended.
pub enum Waited {
    Done(News),
    /// A signal came; look at it and wait on.
    Interrupted,
}

impl Watcher {
    pub fn new() -> Result<Self> {
        let fail = |what| move |error: Errno| Error::io(what, "inotify", error.into());
        let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC);
        let bell = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC);
        Ok(Self {
            inotify: inotify.map_err(fail("cannot watch"))?,
            bell: bell.map_err(fail("cannot make a bell for"))?,
            watches: Mutex::default(),
        })
    }

    /// Watches directories; returns those that could not be, with the error number. `opened`: a file that is only
    /// opened makes its directory dirty as well.
    pub fn add(&self, dirs: &[PathBuf], opened: bool) -> Vec<(PathBuf, i32)> {
        let mask = if opened { MASK.union(WatchFlags::OPEN) } else { MASK };
        let failed = |dir: &PathBuf| self.add_one(dir, mask).err().map(|error| (dir.clone(), error.raw_os_error()));
        dirs.iter().filter_map(failed).collect()
    }

    /// Watches one directory, or leaves it `missing`.
    pub fn try_add(&self, dir: &Path) {
        // The error is found again, with its number, by whoever adds what is missing.
        let _ = self.add_one(dir, MASK);
    }

    fn add_one(&self, dir: &Path, mask: WatchFlags) -> rustix::io::Result<()> {
        // Held over both steps, so that no event is looked up between them.
        let mut watches = self.lock();
        let watch = inotify::add_watch(&self.inotify, dir, mask)?;
        if let Some(replaced) = watches.insert(watch, dir.as_os_str().as_bytes()) {
            self.give_up(replaced);
        }
        Ok(())
    }

    /// Stops watching exactly these directories.
    pub fn remove(&self, dirs: &[PathBuf]) {
        let mut watches = self.lock();
        for dir in dirs {
            if let Some(watch) = watches.remove(dir.as_os_str().as_bytes()) {
                self.give_up(watch);
            }
        }
    }

    /// Stops watching a directory and all below it.
    pub fn remove_tree(&self, dir: &Path) {
        self.drop_tree(&mut self.lock(), dir.as_os_str().as_bytes());
    }

    /// Those of `dirs` that have no watch.
    pub fn missing(&self, dirs: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let watches = self.lock();
        dirs.into_iter().filter(|dir| !watches.contains(dir)).collect()
    }

    pub fn watched(&self) -> usize {
        self.lock().len()
    }

    /// Waits until something is dirty or lost, `wake` was called, or the deadline passed; then takes all
    /// there is to read.
    pub fn wait(&self, deadline: Option<Instant>) -> Result<Waited> {
        let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
        let left = left.map(|left| Timespec {
            tv_sec: left.as_secs().min(i64::MAX as u64 / 2) as i64,
            tv_nsec: i64::from(left.subsec_nanos()),
        });
        let fail = |error: Errno| Error::io("cannot wait for", "inotify", error.into());
        let mut sources = [PollFd::new(&self.inotify, PollFlags::IN), PollFd::new(&self.bell, PollFlags::IN)];
        match poll(&mut sources, left.as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(Waited::Interrupted),
            Err(error) => return Err(fail(error)),
        }
        if !sources[1].revents().is_empty() {
            match read(&self.bell, &mut [0u8; 8]) {
                Ok(_) | Err(Errno::AGAIN | Errno::INTR) => {}
                Err(error) => return Err(fail(error)),
            }
        }
        self.drain().map(Waited::Done).map_err(fail)
    }

    /// Makes the wait that runs, or else the next one, return at once.
    pub fn wake(&self) -> Result<()> {
        match write(&self.bell, &1u64.to_ne_bytes()) {
            // A full counter rings as well.
            Ok(_) | Err(Errno::AGAIN) => Ok(()),
            Err(error) => Err(Error::io("cannot ring the bell of", "inotify", io::Error::from(error))),
        }
    }

    fn drain(&self) -> rustix::io::Result<News> {
        let mut news = News::default();
        let mut buffer = vec![MaybeUninit::<u8>::uninit(); 64 << 10];
        let mut reader = Reader::new(&self.inotify, &mut buffer);
        let started = Instant::now();
        loop {
            // Looked up one read at a time: an add that is under way in another thread has its turn.
            let whole = reader.is_buffer_empty();
            if whole && started.elapsed() > DRAIN {
                return Ok(news);
            }
            match reader.next() {
                Ok(event) => self.take(&mut self.lock(), &event, &mut news),
                Err(Errno::AGAIN) => return Ok(news),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn take(&self, watches: &mut Paths, event: &Event<'_>, news: &mut News) {
        let what = event.events();
        if what.contains(ReadFlags::QUEUE_OVERFLOW) {
            news.losses.insert("overflow");
            return;
        }
        if what.contains(ReadFlags::UNMOUNT) {
            news.losses.insert("unmount");
        }
        // An event whose watch we do not know is of one that we gave up: an add holds the lock until its
        // watch is known. The kernel may send it even behind its last word on that watch.
        let Some(dir) = watches.path(event.wd()) else { return };
        if what.contains(ReadFlags::IGNORED) {
            watches.forget(event.wd());
            return;
        }
        let itself = what.intersects(ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::UNMOUNT);
        if let (true, Some(place)) = (itself, dir.iter().rposition(|byte| *byte == b'/')) {
            news.dirty.insert(dir[..place.max(1)].to_vec());
        }
        let moved = if what.contains(ReadFlags::MOVE_SELF) {
            Some(dir.to_vec())
        } else if what.contains(ReadFlags::MOVED_FROM | ReadFlags::ISDIR) {
            event.file_name().map(|name| [dir, b"/", name.to_bytes()].concat())
        } else {
            None
        };
        if !news.dirty.contains(dir) {
            news.dirty.insert(dir.to_vec());
        }
        if let Some(moved) = moved {
            self.drop_tree(watches, &moved);
        }
    }

    fn drop_tree(&self, watches: &mut Paths, dir: &[u8]) {
        watches.remove_tree(dir).into_iter().for_each(|watch| self.give_up(watch));
    }

    fn give_up(&self, watch: i32) {
        // It fails if the watch is gone with its directory, and then there is nothing to do.
        let _ = inotify::remove_watch(&self.inotify, watch);
    }

    fn lock(&self) -> MutexGuard<'_, Paths> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
