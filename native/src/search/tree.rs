//! One tree as a reader may see it.
use std::{
    os::fd::{AsFd, BorrowedFd},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use regex::bytes::{Regex, RegexBuilder};

use crate::{
    beneath,
    directory::open_root,
    error::{Error, Result},
    ignoring::Tracked,
    names::is_git_like,
    rulebook::Rulebook,
    search::{index, walk::Walk},
};

const INDEX_AT_MOST: u64 = 1 << 28;

pub struct Tree {
    pub(super) root: PathBuf,
    pub(super) rules: Rulebook,
    index: Option<PathBuf>,
    tracked: Mutex<Option<Arc<Tracked>>>,
    private: Regex,
    public: Regex,
}

impl Tree {
    /// `git_dir` holds `info/exclude`; `index` is git's index file, read once an ignored path is met; `private` names
    /// the paths that are never told unless `public` names them, too: both match without regard to case.
    pub fn new(
        root: PathBuf,
        git_dir: Option<PathBuf>,
        excludes_file: Option<PathBuf>,
        index: Option<PathBuf>,
        private: &str,
        public: &str,
    ) -> Result<Self> {
        let regex = |pattern| {
            let built = RegexBuilder::new(pattern).unicode(false).case_insensitive(true).build();
            built.map_err(|error| Error::Invalid(error.to_string()))
        };
        Ok(Self {
            root,
            rules: Rulebook::new(git_dir, excludes_file),
            index,
            tracked: Mutex::default(),
            private: regex(private)?,
            public: regex(public)?,
        })
    }

    /// The tracked paths, as git names them, in place of those that the index file names.
    pub fn set_tracked(&self, paths: Vec<Vec<u8>>) {
        *self.tracked.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(Tracked::new(paths)));
    }

    /// Whether the tracked paths are known: the index is of a form that is read here, or they were given.
    pub fn reads_index(&self) -> Result<bool> {
        match self.tracked() {
            Ok(_) => Ok(true),
            Err(Error::Invalid(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Invalid if the index is of a form that is not read here.
    pub(super) fn tracked(&self) -> Result<Arc<Tracked>> {
        let mut kept = self.tracked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = &*kept {
            return Ok(found.clone());
        }
        let found = Arc::new(match &self.index {
            Some(file) => match std::fs::metadata(file) {
                Ok(stat) if !stat.is_file() || stat.len() > INDEX_AT_MOST => {
                    return Err(Error::Invalid("the index is too large, or no file".into()));
                }
                Ok(_) => {
                    let bytes = std::fs::read(file).map_err(|error| Error::io("cannot read", file, error))?;
                    Tracked::new(index::paths(&bytes)?)
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Tracked::default(),
                Err(error) => return Err(Error::io("cannot read", file, error)),
            },
            None => Tracked::default(),
        });
        *kept = Some(found.clone());
        Ok(found)
    }

    /// Whether a file of this path would be told if there is one: not ignored, not private, not git's own.
    pub fn lists(&self, path: &[u8]) -> Result<bool> {
        let root = self.open()?;
        if !self.shows(path) || beneath::file(&root, path).is_err() {
            return Ok(false);
        }
        Walk::new(self, root.as_fd(), &[], Instant::now())?.reaches(path)
    }

    /// Whether a path may be told: not private, no component that git would take for its own directory.
    pub(super) fn shows(&self, path: &[u8]) -> bool {
        let wrong = |name: &[u8]| matches!(name, b"" | b"." | b"..") || name.contains(&0) || is_git_like(name);
        !path.split(|byte| *byte == b'/').any(wrong) && !self.is_private(path)
    }

    /// The same for a path whose components are known to be names of files that are not git's.
    pub(super) fn is_private(&self, path: &[u8]) -> bool {
        self.private.is_match(path) && !self.public.is_match(path)
    }

    pub(super) fn open(&self) -> Result<std::os::fd::OwnedFd> {
        open_root(&self.root).map_err(|error| Error::io("cannot open", &self.root, error.into()))
    }

    pub(super) fn walk<'a>(&'a self, root: BorrowedFd<'a>, below: &[Vec<u8>], until: Instant) -> Result<Walk<'a>> {
        Walk::new(self, root, below, until)
    }
}
