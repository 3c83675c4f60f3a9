//! One watcher's part of the shared inotify instance: its watches, its pending events and its bell.
use std::{
    collections::{BTreeSet, HashMap},
    mem::take,
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::Path,
    sync::Arc,
};

use rustix::{
    fs::inotify::{Event, ReadFlags, WatchFlags},
    io::write,
};

use crate::paths::Paths;

const CHANGES: WatchFlags = WatchFlags::MODIFY
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::CREATE)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::MOVED_TO)
    .union(ITSELF);
const ITSELF: WatchFlags = WatchFlags::DELETE_SELF.union(WatchFlags::MOVE_SELF);
const HOW: WatchFlags = WatchFlags::ONLYDIR.union(WatchFlags::DONT_FOLLOW).union(WatchFlags::EXCL_UNLINK);

/// Which events of a directory count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any change in it.
    Changes,
    /// Any change, and opening a file in it.
    Opened,
    /// Only its own removal or move.
    Itself,
}

/// What happened since the last wait.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Directories in which something changed, rising.
    pub dirty: BTreeSet<Vec<u8>>,
    /// Why more may have changed than `dirty` tells: `overflow`, `unmount`.
    pub losses: BTreeSet<&'static str>,
}

pub struct Seat {
    pub bell: Arc<OwnedFd>,
    pub paths: Paths,
    /// Whether somebody sleeps on the bell.
    pub waits: bool,
    /// The kinds other than `Changes`, which few are.
    kinds: HashMap<i32, Kind>,
    news: News,
    woken: bool,
}

impl Kind {
    pub fn flags(self) -> WatchFlags {
        self.events().union(HOW)
    }

    fn events(self) -> WatchFlags {
        match self {
            Self::Changes => CHANGES,
            Self::Opened => CHANGES.union(WatchFlags::OPEN),
            Self::Itself => ITSELF,
        }
    }
}

impl Seat {
    pub fn new(bell: OwnedFd) -> Self {
        let (paths, kinds) = (Paths::default(), HashMap::new());
        Self { bell: Arc::new(bell), paths, waits: false, kinds, news: News::default(), woken: false }
    }

    pub fn ring(&self) {
        ring(&self.bell);
    }

    /// Ends the current wait, or else the next one.
    pub fn wake(&mut self) {
        self.woken = true;
        self.ring();
    }

    pub fn has_news(&self) -> bool {
        self.woken || self.news != News::default()
    }

    pub fn take_news(&mut self) -> News {
        self.woken = false;
        take(&mut self.news)
    }

    /// Notes that a watch is for a directory; returns the one that was for it before.
    pub fn insert(&mut self, watch: i32, dir: &Path, kind: Kind) -> Option<i32> {
        let replaced = self.paths.insert(watch, dir.as_os_str().as_bytes());
        replaced.and_then(|replaced| self.kinds.remove(&replaced));
        if kind == Kind::Changes {
            self.kinds.remove(&watch);
        } else {
            self.kinds.insert(watch, kind);
        }
        replaced
    }

    pub fn remove(&mut self, dir: &[u8]) -> Option<i32> {
        let watch = self.paths.remove(dir)?;
        self.kinds.remove(&watch);
        Some(watch)
    }

    pub fn remove_tree(&mut self, dir: &[u8]) -> Vec<i32> {
        let watches = self.paths.remove_tree(dir);
        self.kinds.retain(|watch, _| !watches.contains(watch));
        watches
    }

    /// `rings`: somebody else reads, and the owner of this seat sleeps.
    pub fn lose(&mut self, why: &'static str, rings: bool) {
        self.tell(rings, |news| news.losses.extend([why]));
    }

    /// Takes in an event on a watch of this seat; returns the watches whose paths are no longer true.
    pub fn take(&mut self, event: &Event<'_>, rings: bool) -> Vec<i32> {
        let (what, watch) = (event.events(), event.wd());
        if what.contains(ReadFlags::IGNORED) {
            self.paths.forget(watch);
            self.kinds.remove(&watch);
            return Vec::new();
        }
        if what.contains(ReadFlags::UNMOUNT) {
            self.lose("unmount", rings);
        }
        let kind = self.kinds.get(&watch).copied().unwrap_or(Kind::Changes);
        let wanted = ReadFlags::from_bits_retain(kind.events().bits()).union(ReadFlags::UNMOUNT);
        let Some(dir) = self.paths.path(watch).filter(|_| what.intersects(wanted)).map(<[u8]>::to_vec) else {
            return Vec::new();
        };
        let itself = what.intersects(ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::UNMOUNT);
        let parent = dir.iter().rposition(|byte| *byte == b'/').filter(|_| itself);
        let moved = if what.contains(ReadFlags::MOVE_SELF) {
            Some(dir.clone())
        } else if what.contains(ReadFlags::MOVED_FROM | ReadFlags::ISDIR) {
            event.file_name().map(|name| [&dir[..], b"/", name.to_bytes()].concat())
        } else {
            None
        };
        self.tell(rings, |news| {
            news.dirty.extend(parent.map(|place| dir[..place.max(1)].to_vec()));
            news.dirty.insert(dir);
        });
        moved.map(|moved| self.remove_tree(&moved)).unwrap_or_default()
    }

    fn tell(&mut self, rings: bool, add: impl FnOnce(&mut News)) {
        let silent = !self.has_news();
        add(&mut self.news);
        if rings && silent {
            self.ring();
        }
    }
}

fn ring(bell: &OwnedFd) {
    // A full counter rings as well, and nothing else can go wrong with an eventfd of our own.
    let _ = write(bell, &1u64.to_ne_bytes());
}
