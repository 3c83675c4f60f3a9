//! Which path each watch is for, and which watch each path has.
use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound::{Excluded, Unbounded},
    sync::Arc,
};

/// A one-to-one map; sorted by path, so that all below a directory stand together.
#[derive(Default)]
pub struct Paths {
    by_watch: HashMap<i32, Arc<[u8]>>,
    by_path: BTreeMap<Arc<[u8]>, i32>,
}

impl Paths {
    pub fn len(&self) -> usize {
        self.by_path.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_path.is_empty()
    }

    pub fn watches(&self) -> Vec<i32> {
        self.by_path.values().copied().collect()
    }

    pub fn contains(&self, path: &[u8]) -> bool {
        self.by_path.contains_key(path)
    }

    pub fn path(&self, watch: i32) -> Option<&[u8]> {
        self.by_watch.get(&watch).map(|path| &path[..])
    }

    /// Notes that `watch` is for `path`. Another path of the same watch (the directory was renamed) is
    /// forgotten; another watch of the same path (the directory was replaced) is returned.
    pub fn insert(&mut self, watch: i32, path: &[u8]) -> Option<i32> {
        if self.path(watch) == Some(path) {
            return None;
        }
        self.forget(watch);
        let replaced = self.remove(path);
        let path: Arc<[u8]> = path.into();
        self.by_watch.insert(watch, path.clone());
        self.by_path.insert(path, watch);
        replaced
    }

    pub fn forget(&mut self, watch: i32) {
        if let Some(path) = self.by_watch.remove(&watch) {
            self.by_path.remove(&path);
        }
    }

    pub fn remove(&mut self, path: &[u8]) -> Option<i32> {
        let watch = self.by_path.remove(path)?;
        self.by_watch.remove(&watch);
        Some(watch)
    }

    /// Removes `path` and all below it, and returns their watches.
    pub fn remove_tree(&mut self, path: &[u8]) -> Vec<i32> {
        let prefix: Arc<[u8]> = [path, b"/"].concat().into();
        let below = self.by_path.range::<[u8], _>((Excluded(&prefix[..]), Unbounded));
        let below: Vec<_> = below.take_while(|(path, _)| path.starts_with(&prefix)).collect();
        let paths: Vec<Arc<[u8]>> = below.into_iter().map(|(path, _)| path.clone()).collect();
        let own = self.remove(path);
        own.into_iter().chain(paths.iter().filter_map(|path| self.remove(path))).collect()
    }
}
