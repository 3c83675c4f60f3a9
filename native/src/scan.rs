//! The tree as listings: what is there, less what git ignores, `.git` and what the caller excludes.
//!
//! A directory is always reached from the root without following symlinks, and rules are read before the
//! entries are judged, so an ignored directory is never opened.
use std::{
    collections::BTreeSet,
    os::fd::{AsFd, BorrowedFd},
    os::unix::ffi::OsStrExt,
    panic::resume_unwind,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use rustix::{fs::FileType, io::Errno};

use crate::{
    directory::{is_gone, is_shortage, kind_of, open_below, open_root, stat_in, Names},
    error::{Error, Result},
    ignoring::{Chain, Tracked},
    links::Links,
    listing::{pack, Entry, Kind},
    queue::Queue,
    rulebook::Rulebook,
    watch::Watcher,
};

/// More threads than this wait for each other more than for the disk.
const THREADS: usize = 4;

pub struct Scanner {
    pub(crate) root: PathBuf,
    /// Excluded directories, relative to the root; an empty path excludes everything.
    excluded: Vec<Vec<u8>>,
    rules: Rulebook,
    tracked: Mutex<Arc<Tracked>>,
    pub(crate) links: Links,
}

/// What a walk found.
#[derive(Debug, Default)]
pub struct Found {
    /// Each directory with its packed listing, rising by path, so parents come before their children.
    pub listings: Vec<(Vec<u8>, Vec<u8>)>,
    /// Ignored directories that were not entered.
    pub ignored: usize,
    /// Directories that could not be read: their listing is empty.
    pub unreadable: Vec<Vec<u8>>,
}

/// A directory to be read: the rules above it, and whether only tracked paths count in it, because it is
/// ignored itself.
pub(crate) struct Job {
    pub path: Vec<u8>,
    chain: Chain,
    tracked_only: bool,
}

pub(crate) enum Outcome {
    Gone,
    Unreadable,
    Read(Vec<Entry>, Vec<Job>, usize),
}

/// One run: the state of the tree's surroundings, the same for all directories of it.
pub(crate) struct Run<'a> {
    scanner: &'a Scanner,
    root: BorrowedFd<'a>,
    tracked: Arc<Tracked>,
    watcher: Option<&'a Watcher>,
}

impl Scanner {
    /// `root` and `excluded` are absolute. `git_dir` is the one that holds `info/exclude`, `excludes_file`
    /// git's `core.excludesFile`.
    pub fn new(
        root: PathBuf,
        excluded: &[PathBuf],
        git_dir: Option<PathBuf>,
        excludes_file: Option<PathBuf>,
    ) -> Result<Self> {
        if let Some(path) = excluded.iter().chain([&root]).find(|path| !path.is_absolute()) {
            return Err(Error::Invalid(format!("not an absolute path: {}", path.display())));
        }
        // Without a slash at the end, as watches and listings name it.
        let root: PathBuf = root.components().collect();
        // `strip_prefix` compares components, so `/a/` and `/a` are one.
        let excluded = excluded
            .iter()
            .filter_map(|path| match root.strip_prefix(path) {
                Ok(_) => Some(Vec::new()),
                Err(_) => path.strip_prefix(&root).ok().map(|rest| rest.as_os_str().as_bytes().to_vec()),
            })
            .collect();
        let rules = Rulebook::new(git_dir, excludes_file);
        Ok(Self { root, excluded, rules, tracked: Mutex::default(), links: Links::default() })
    }

    /// Replaces the tracked paths, as `git ls-files -z` names them.
    pub fn set_tracked(&self, paths: Vec<Vec<u8>>) {
        *self.tracked.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(Tracked::new(paths));
    }

    /// The directories that hold names of these files, of those seen with more than one name.
    pub fn holding(&self, inos: &[u64]) -> BTreeSet<Vec<u8>> {
        self.links.holding(inos)
    }

    /// Every directory at or below `start`. With a watcher each is watched just before it is read, so that
    /// nothing falls between; which watches failed the watcher tells (`missing`).
    pub fn walk(&self, start: &[u8], watcher: Option<&Watcher>) -> Result<Found> {
        let root = match open_root(&self.root) {
            Ok(root) => root,
            Err(error) if is_gone(error) => return Ok(Found::default()),
            Err(error) if is_shortage(error) => return Err(self.failed(start, error)),
            Err(_) => return Ok(Found { unreadable: vec![start.to_vec()], ..Found::default() }),
        };
        if start.is_empty() {
            self.links.clear();
        }
        let run = self.run(root.as_fd(), watcher);
        let Some(first) = run.descend(start)? else { return Ok(Found::default()) };
        let queue = Queue::new(first);
        let threads = std::thread::available_parallelism().map_or(1, |count| count.get().min(THREADS));
        let mut found = Found::default();
        std::thread::scope(|scope| -> Result<()> {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(|| run.work(&queue))).collect();
            let mine = run.work(&queue);
            let others = others.into_iter().map(|one| one.join().unwrap_or_else(|panic| resume_unwind(panic)));
            for part in std::iter::once(mine).chain(others) {
                let part = part?;
                found.listings.extend(part.listings);
                found.unreadable.extend(part.unreadable);
                found.ignored += part.ignored;
            }
            Ok(())
        })?;
        found.listings.sort_unstable();
        found.unreadable.sort_unstable();
        Ok(found)
    }

    /// The packed listing of one directory; empty if it may not be read. `None` if it is gone, no
    /// directory, reached through a symlink, ignored, excluded or inside `.git`.
    pub fn list_dir(&self, path: &[u8]) -> Result<Option<Vec<u8>>> {
        let root = match open_root(&self.root) {
            Ok(root) => root,
            Err(error) if is_shortage(error) => return Err(self.failed(path, error)),
            Err(_) => return Ok(None),
        };
        let run = self.run(root.as_fd(), None);
        let Some(job) = run.descend(path)? else { return Ok(None) };
        match run.read(&job, &mut Names::default()) {
            Ok(Outcome::Gone) => Ok(None),
            Ok(Outcome::Unreadable) => Ok(Some(pack(&[]))),
            Ok(Outcome::Read(entries, _, _)) => Ok(Some(pack(&entries))),
            Err(error) => Err(self.failed(path, error)),
        }
    }

    pub(crate) fn run<'a>(&'a self, root: BorrowedFd<'a>, watcher: Option<&'a Watcher>) -> Run<'a> {
        let tracked = self.tracked.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Run { scanner: self, root, tracked, watcher }
    }

    pub(crate) fn failed(&self, path: &[u8], error: Errno) -> Error {
        Error::io("cannot scan", self.absolute(path), error.into())
    }

    fn absolute(&self, path: &[u8]) -> PathBuf {
        match path {
            b"" => self.root.clone(),
            _ => self.root.join(Path::new(std::ffi::OsStr::from_bytes(path))),
        }
    }

    fn excludes(&self, path: &[u8]) -> bool {
        self.excluded.iter().any(|excluded| excluded == path)
    }
}

impl Run<'_> {
    /// Judges every directory on the way to `path`. `None` if one of them is left out or gone.
    fn descend(&self, path: &[u8]) -> Result<Option<Job>> {
        require_below(path)?;
        let Some(mut job) = self.top() else { return Ok(None) };
        if path.is_empty() {
            return Ok(Some(job));
        }
        for name in path.split(|byte| *byte == b'/') {
            if !self.enter(&mut job)? {
                return Ok(None);
            }
            match self.child(&job, name) {
                Some(child) => job = child,
                None => return Ok(None),
            }
        }
        Ok(Some(job))
    }

    /// The root. `None` if it is left out.
    pub(crate) fn top(&self) -> Option<Job> {
        let job = Job { path: Vec::new(), chain: self.scanner.rules.outer(), tracked_only: false };
        (!self.scanner.excludes(b"")).then_some(job)
    }

    /// Adds a directory's own rules to those above it, so that its entries can be judged. False if it is gone.
    pub(crate) fn enter(&self, job: &mut Job) -> Result<bool> {
        match open_below(self.root, &job.path) {
            Ok(dir) if !job.tracked_only => {
                job.chain = self.scanner.rules.enter(&job.chain, dir.as_fd(), &job.path);
                Ok(true)
            }
            Ok(_) => Ok(true),
            Err(error) if is_shortage(error) => Err(self.scanner.failed(&job.path, error)),
            Err(_) => Ok(false),
        }
    }

    /// The directory `name` in an entered one. `None` if it is left out.
    pub(crate) fn child(&self, entered: &Job, name: &[u8]) -> Option<Job> {
        let mut path = entered.path.clone();
        append(&mut path, name);
        let verdict = self.judge(&path, true, &entered.chain, entered.tracked_only).filter(|_| name != b".git");
        verdict.map(|tracked_only| Job { path, chain: entered.chain.clone(), tracked_only })
    }

    /// `None`: left out. Otherwise whether only tracked paths count below.
    fn judge(&self, path: &[u8], is_dir: bool, chain: &Chain, tracked_only: bool) -> Option<bool> {
        if self.scanner.excludes(path) {
            return None;
        }
        let ignored = tracked_only || chain.ignores(path, is_dir);
        (!ignored || self.tracked.holds(path, is_dir)).then_some(ignored)
    }

    pub(crate) fn read(&self, job: &Job, names: &mut Names) -> rustix::io::Result<Outcome> {
        let outcome = self.entries(job, names);
        match outcome {
            Err(error) if is_gone(error) => Ok(Outcome::Gone),
            Err(error) if !is_shortage(error) => Ok(Outcome::Unreadable),
            other => other,
        }
    }

    fn entries(&self, job: &Job, names: &mut Names) -> rustix::io::Result<Outcome> {
        let dir = open_below(self.root, &job.path)?;
        names.read(dir.as_fd())?;
        let mut chain = job.chain.clone();
        if !job.tracked_only && names.contains(b".gitignore") {
            chain = self.scanner.rules.enter(&chain, dir.as_fd(), &job.path);
        }
        let (mut entries, mut jobs, mut ignored) = (Vec::new(), Vec::new(), 0);
        let mut path = job.path.clone();
        for (name, file_type) in names.iter() {
            path.truncate(job.path.len());
            append(&mut path, name);
            // Most file systems tell the type with the name, which spares the stat of what is left out.
            let told = kind_of(file_type).map(|kind| kind == Kind::Dir);
            let mut verdict = told.and_then(|is_dir| self.judge(&path, is_dir, &chain, job.tracked_only));
            if told.is_some() && verdict.is_none() {
                ignored += usize::from(told == Some(true) && !self.scanner.excludes(&path));
                continue;
            }
            if told.is_none() && file_type != FileType::Unknown {
                continue;
            }
            let (stat, linked) = match stat_in(dir.as_fd(), name) {
                Ok(Some(found)) => found,
                Ok(None) | Err(Errno::NOENT) => continue,
                Err(error) => return Err(error),
            };
            let is_dir = stat.kind == Kind::Dir;
            if told != Some(is_dir) {
                verdict = self.judge(&path, is_dir, &chain, job.tracked_only);
            }
            let Some(tracked_only) = verdict else { continue };
            if linked {
                self.scanner.links.note(stat.ino, &job.path);
            }
            if is_dir {
                jobs.push(Job { path: path.clone(), chain: chain.clone(), tracked_only });
            }
            entries.push(Entry { name: name.into(), stat });
        }
        Ok(Outcome::Read(entries, jobs, ignored))
    }

    fn work(&self, queue: &Queue<Job>) -> Result<Found> {
        let (mut found, mut names) = (Found::default(), Names::default());
        while let Some((job, share)) = queue.take() {
            if let Some(watcher) = self.watcher {
                watcher.try_add(&self.scanner.absolute(&job.path));
            }
            match self.read(&job, &mut names) {
                Ok(Outcome::Gone) => {}
                Ok(Outcome::Unreadable) => {
                    found.listings.push((job.path.clone(), pack(&[])));
                    found.unreadable.push(job.path);
                }
                Ok(Outcome::Read(entries, below, ignored)) => {
                    found.ignored += ignored;
                    found.listings.push((job.path, pack(&entries)));
                    share.add(below);
                }
                Err(error) => {
                    queue.stop();
                    return Err(self.scanner.failed(&job.path, error));
                }
            }
        }
        Ok(found)
    }
}

/// Refuses a path that leaves the root, or has more than one form.
pub(crate) fn require_below(path: &[u8]) -> Result<()> {
    let wrong = |name: &[u8]| matches!(name, b"" | b"." | b"..") || name.contains(&0);
    if !path.is_empty() && path.split(|byte| *byte == b'/').any(wrong) {
        let shown = String::from_utf8_lossy(path);
        return Err(Error::Invalid(format!("not a path below the root: {shown}")));
    }
    Ok(())
}

fn append(path: &mut Vec<u8>, name: &[u8]) {
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name);
}
