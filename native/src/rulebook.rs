//! Finds git's ignore rules on disk and keeps them until the file changes.
use std::{
    collections::HashMap,
    fs::File,
    io::Read,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use rustix::{
    fs::{fstat, openat, statat, AtFlags, FileType, Mode, OFlags, Stat, CWD},
    time::{clock_gettime, ClockId},
};

use crate::ignoring::{Chain, Rules, FILE_LIMIT};

/// A file that changed this recently may change again without its times telling.
const SETTLED_SECONDS: i64 = 2;
/// Rules of directories that are gone stay until there are this many.
const KEPT: usize = 10_000;

type Signature = (u64, u64, i64, (i64, u64), (i64, u64));

struct Kept {
    signature: Signature,
    settled: bool,
    rules: Arc<Rules>,
}

/// Where rules come from: `.gitignore` in each directory, `info/exclude`, `core.excludesFile`.
pub struct Rulebook {
    outside: Vec<PathBuf>,
    kept: Mutex<HashMap<Vec<u8>, Kept>>,
}

impl Rulebook {
    pub fn new(git_dir: Option<PathBuf>, excludes_file: Option<PathBuf>) -> Self {
        let exclude = git_dir.map(|dir| dir.join("info/exclude"));
        Self { outside: excludes_file.into_iter().chain(exclude).collect(), kept: Mutex::default() }
    }

    /// The rules that hold for the whole tree, from outside it.
    pub fn outer(&self) -> Chain {
        let mut chain = Chain::default();
        for path in &self.outside {
            // An absolute path cannot be the key of a directory below the root. Links are followed here,
            // as git does: these files are the user's, not the repository's.
            let key = path.as_os_str().as_encoded_bytes();
            chain = chain.with(self.rules(key, CWD, key, false), b"");
        }
        chain
    }

    /// `chain` with the rules of the open directory `dir`, which is `path` below the root, in front.
    pub fn enter(&self, chain: &Chain, dir: BorrowedFd<'_>, path: &[u8]) -> Chain {
        chain.with(self.rules(path, dir, b".gitignore", true), path)
    }

    fn rules(&self, key: &[u8], dir: BorrowedFd<'_>, name: &[u8], in_tree: bool) -> Arc<Rules> {
        let (at, open) = match in_tree {
            true => (AtFlags::SYMLINK_NOFOLLOW, OFlags::NOFOLLOW),
            false => (AtFlags::empty(), OFlags::empty()),
        };
        let Ok(stat) = statat(dir, name, at) else { return Arc::default() };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = kept.get(key) {
            if found.settled && found.signature == signature(&stat) {
                return found.rules.clone();
            }
        }
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Arc::default();
        }
        let flags = open | OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let Ok(file) = openat(dir, name, flags, Mode::empty()) else { return Arc::default() };
        let now = clock_gettime(ClockId::Realtime).tv_sec;
        let Some((stat, rules)) = read(file) else { return Arc::default() };
        if kept.len() >= KEPT {
            kept.clear();
        }
        let settled = stat.st_ctime.max(stat.st_mtime).saturating_add(SETTLED_SECONDS) < now;
        let rules = Arc::new(rules);
        kept.insert(key.to_vec(), Kept { signature: signature(&stat), settled, rules: rules.clone() });
        rules
    }
}

fn read(file: OwnedFd) -> Option<(Stat, Rules)> {
    let stat = fstat(file.as_fd()).ok()?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || stat.st_size as u64 > FILE_LIMIT {
        return None;
    }
    let mut text = Vec::with_capacity(stat.st_size as usize + 1);
    File::from(file).take(FILE_LIMIT).read_to_end(&mut text).ok()?;
    Some((stat, Rules::parse(&text)))
}

fn signature(stat: &Stat) -> Signature {
    let (modified, changed) = ((stat.st_mtime, stat.st_mtime_nsec), (stat.st_ctime, stat.st_ctime_nsec));
    (stat.st_dev, stat.st_ino, stat.st_size, modified, changed)
}
