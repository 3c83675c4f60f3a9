//! The files of a tree, one after the other in the order of their paths, less what git ignores.
use std::{
    os::fd::{AsFd, BorrowedFd},
    time::Instant,
};

use rustix::fs::FileType;

use crate::{
    beneath::join,
    directory::{is_shortage, kind_of, open_below, stat_in, Names},
    error::{Error, Result},
    ignoring::Chain,
    listing::Kind,
    names::is_git_like,
    search::tree::Tree,
};

/// Directories below more than so many others are left out.
const DEEPEST: usize = 512;

/// A directory to be read: the rules above it, and whether only tracked paths count in it.
#[derive(Clone)]
struct Dir {
    path: Vec<u8>,
    chain: Chain,
    tracked_only: bool,
    depth: usize,
}

enum Item {
    File(Vec<u8>),
    Dir(Dir),
}

pub struct Walk<'a> {
    tree: &'a Tree,
    root: BorrowedFd<'a>,
    /// The names of the first directories on the way: nothing beside them is wanted.
    below: Vec<Vec<u8>>,
    /// What is left to do, the next thing last.
    stack: Vec<Item>,
    names: Names,
    /// Directories that could not be read, or lie too deep.
    pub unreadable: usize,
    until: Instant,
    /// The time was over before the last file.
    pub late: bool,
}

impl<'a> Walk<'a> {
    pub fn new(tree: &'a Tree, root: BorrowedFd<'a>, below: &[Vec<u8>], until: Instant) -> Result<Self> {
        let top = Dir { path: Vec::new(), chain: tree.rules.outer(), tracked_only: false, depth: 0 };
        let stack = vec![Item::Dir(top)];
        let (below, names) = (below.to_vec(), Names::default());
        Ok(Self { tree, root, below, stack, names, unreadable: 0, until, late: false })
    }

    /// The next file; None after the last, and when the time is over.
    pub fn next_file(&mut self) -> Result<Option<Vec<u8>>> {
        while let Some(item) = self.stack.pop() {
            match item {
                Item::File(path) => return Ok(Some(path)),
                Item::Dir(_) if Instant::now() >= self.until => {
                    self.late = true;
                    self.stack.clear();
                }
                Item::Dir(dir) => self.enter(dir)?,
            }
        }
        Ok(None)
    }

    /// Whether the walk would come to this path.
    pub fn reaches(mut self, path: &[u8]) -> Result<bool> {
        let Some(Item::Dir(mut dir)) = self.stack.pop() else { return Ok(false) };
        let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
        for (place, name) in parts.iter().enumerate() {
            let is_dir = place + 1 < parts.len();
            let Ok(open) = open_below(self.root, &dir.path) else { return Ok(false) };
            let chain = match dir.tracked_only {
                true => dir.chain.clone(),
                false => self.tree.rules.enter(&dir.chain, open.as_fd(), &dir.path),
            };
            let below = join(&dir.path, name);
            match self.judge(&below, is_dir, &chain, dir.tracked_only)? {
                None => return Ok(false),
                Some(tracked_only) => dir = Dir { path: below, chain, tracked_only, depth: dir.depth + 1 },
            }
        }
        Ok(true)
    }

    fn enter(&mut self, dir: Dir) -> Result<()> {
        let read = open_below(self.root, &dir.path).and_then(|open| self.names.read(open.as_fd()).map(|()| open));
        let open = match read {
            Ok(open) if dir.depth <= DEEPEST => open,
            Err(error) if is_shortage(error) => {
                return Err(Error::io("cannot search", &self.tree.root, error.into()));
            }
            _ => {
                self.unreadable += 1;
                return Ok(());
            }
        };
        let mut chain = dir.chain.clone();
        if !dir.tracked_only && self.names.contains(b".gitignore") {
            chain = self.tree.rules.enter(&chain, open.as_fd(), &dir.path);
        }
        let only = self.below.get(dir.depth);
        let mut found: Vec<(Vec<u8>, Item)> = Vec::new();
        for (name, file_type) in self.names.iter() {
            if only.is_some_and(|only| only != name) || is_git_like(name) {
                continue;
            }
            let kind = match file_type {
                FileType::Unknown => stat_in(open.as_fd(), name).ok().flatten().map(|(stat, _)| stat.kind),
                known => kind_of(known),
            };
            let is_dir = match kind {
                Some(Kind::Dir) => true,
                Some(Kind::File) => false,
                _ => continue,
            };
            let path = join(&dir.path, name);
            let Some(tracked_only) = self.judge(&path, is_dir, &chain, dir.tracked_only)? else { continue };
            let mut key = name.to_vec();
            if is_dir {
                key.push(b'/');
                let depth = dir.depth + 1;
                found.push((key, Item::Dir(Dir { path, chain: chain.clone(), tracked_only, depth })));
            } else {
                found.push((key, Item::File(path)));
            }
        }
        found.sort_unstable_by(|one, other| other.0.cmp(&one.0));
        self.stack.extend(found.into_iter().map(|(_, item)| item));
        Ok(())
    }

    /// None: left out. Otherwise whether only tracked paths count below.
    fn judge(&self, path: &[u8], is_dir: bool, chain: &Chain, tracked_only: bool) -> Result<Option<bool>> {
        let ignored = tracked_only || chain.ignores(path, is_dir);
        Ok((!ignored || self.tree.tracked()?.holds(path, is_dir)).then_some(ignored))
    }
}
