//! Files with more than one name, and the directories that hold the names.
//!
//! The kernel tells of a write only to the directory through whose name the file was opened. Whoever finds
//! such a file changed in one directory has to look into the others as well.
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Maximum number of entries, so that a tree of hard links cannot fill the memory; a full walk finds the others.
const KEPT: usize = 100_000;

#[derive(Default)]
pub struct Links(Mutex<State>);

#[derive(Default)]
struct State {
    now: Noted,
    /// What a sweep that runs has noted; it takes the place of `now` when the sweep ends.
    next: Option<Noted>,
}

#[derive(Default)]
struct Noted {
    dirs: HashMap<u64, BTreeSet<Vec<u8>>>,
    names: usize,
}

impl Noted {
    fn note(&mut self, ino: u64, dir: &[u8]) {
        let known = self.dirs.get(&ino).is_some_and(|dirs| dirs.contains(dir));
        if !known && self.names < KEPT {
            self.names += 1;
            self.dirs.entry(ino).or_default().insert(dir.to_vec());
        }
    }
}

impl Links {
    /// A file (by inode) that has more than one name has one in `dir`.
    pub fn note(&self, ino: u64, dir: &[u8]) {
        let mut state = self.lock();
        state.now.note(ino, dir);
        if let Some(next) = &mut state.next {
            next.note(ino, dir);
        }
    }

    /// Every directory that was seen to hold a name of one of these files, rising.
    pub fn holding(&self, inos: &[u64]) -> BTreeSet<Vec<u8>> {
        let state = self.lock();
        inos.iter().filter_map(|ino| state.now.dirs.get(ino)).flatten().cloned().collect()
    }

    /// Forgets everything: a full walk notes it anew.
    pub fn clear(&self) {
        *self.lock() = State::default();
    }

    /// Begins to note everything anew beside what is known.
    pub fn begin(&self) {
        self.lock().next = Some(Noted::default());
    }

    /// Forgets what was not noted again since `begin`.
    pub fn end(&self) {
        let mut state = self.lock();
        if let Some(next) = state.next.take() {
            state.now = next;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
