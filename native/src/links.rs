//! Files with more than one name, and the directories that hold the names.
//!
//! The kernel tells of a write only to the directory through whose name the file was opened. Whoever finds
//! such a file changed in one directory has to look into the others as well.
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A tree of nothing but hard links must not fill the memory; what is not kept here a full walk finds.
const KEPT: usize = 100_000;

#[derive(Default)]
pub struct Links(Mutex<State>);

#[derive(Default)]
struct State {
    dirs: HashMap<u64, BTreeSet<Vec<u8>>>,
    names: usize,
}

impl Links {
    /// A file (by inode) that has more than one name has one in `dir`.
    pub fn note(&self, ino: u64, dir: &[u8]) {
        let mut state = self.lock();
        let known = state.dirs.get(&ino).is_some_and(|dirs| dirs.contains(dir));
        if !known && state.names < KEPT {
            state.names += 1;
            state.dirs.entry(ino).or_default().insert(dir.to_vec());
        }
    }

    /// Every directory that was seen to hold a name of one of these files, rising.
    pub fn holding(&self, inos: &[u64]) -> BTreeSet<Vec<u8>> {
        let state = self.lock();
        inos.iter().filter_map(|ino| state.dirs.get(ino)).flatten().cloned().collect()
    }

    /// Forgets everything: a full walk notes it anew.
    pub fn clear(&self) {
        *self.lock() = State::default();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
