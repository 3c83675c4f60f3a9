//! Comparing stored listings with the disk, a slice of them at a time, so that a sweep of any tree takes little memory
//! and never a processor for long.
use std::os::fd::AsFd;

use crate::{
    directory::{is_gone, is_shortage, open_root, Names},
    error::Result,
    listing::{diff, pack},
    scan::{require_below, Job, Outcome, Run, Scanner},
};

/// What a slice of a sweep found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Slice {
    /// The directories whose stored listing no longer holds, in the order of the rows.
    pub differing: Vec<Vec<u8>>,
    /// Ignored directories that were seen and not entered.
    pub ignored: usize,
}

/// The entered directories on the way to the present one, the root first. Rows that rise by path share most of it.
struct Way<'a> {
    run: Run<'a>,
    entered: Vec<Job>,
}

impl Scanner {
    /// Compares stored listings, which should rise by directory, with the disk.
    pub fn sweep(&self, rows: &[(Vec<u8>, Vec<u8>)]) -> Result<Slice> {
        let root = match open_root(&self.root) {
            Ok(root) => root,
            Err(error) if is_gone(error) || !is_shortage(error) => {
                let differing = rows.iter().map(|(dir, _)| dir.clone()).collect();
                return Ok(Slice { differing, ignored: 0 });
            }
            Err(error) => return Err(self.failed(b"", error)),
        };
        let mut way = Way { run: self.run(root.as_fd(), None), entered: Vec::new() };
        let (mut slice, mut names) = (Slice::default(), Names::default());
        for (dir, stored) in rows {
            let (now, ignored) = match way.to(dir)? {
                None => (None, 0),
                Some(job) => match way.run.read(&job, &mut names) {
                    Ok(Outcome::Gone) => (None, 0),
                    Ok(Outcome::Unreadable) => (Some(pack(&[])), 0),
                    Ok(Outcome::Read(entries, _, ignored)) => (Some(pack(&entries)), ignored),
                    Err(error) => return Err(self.failed(dir, error)),
                },
            };
            slice.ignored += ignored;
            if now.is_none() || !diff(Some(stored), now.as_deref())?.is_empty() {
                slice.differing.push(dir.clone());
            }
        }
        Ok(slice)
    }

    /// Begins to note files with several names anew; until `swept` the old notes stay in use beside the new ones.
    pub fn begin_sweep(&self) {
        self.links.begin();
    }

    /// Drops the notes made before `begin_sweep` and not confirmed since. Call it after a sweep of all directories.
    pub fn end_sweep(&self) {
        self.links.end();
    }
}

impl Way<'_> {
    /// The directory `dir`, ready to be read. `None` if it is left out, or one above it is gone.
    fn to(&mut self, dir: &[u8]) -> Result<Option<Job>> {
        require_below(dir)?;
        while self.entered.last().is_some_and(|job| !is_above(&job.path, dir)) {
            self.entered.pop();
        }
        if self.entered.is_empty() {
            let Some(mut top) = self.run.top() else { return Ok(None) };
            if dir.is_empty() {
                return Ok(Some(top));
            }
            if !self.run.enter(&mut top)? {
                return Ok(None);
            }
            self.entered.push(top);
        }
        loop {
            let Some(above) = self.entered.last() else { return Ok(None) };
            let rest = if above.path.is_empty() { dir } else { &dir[above.path.len() + 1..] };
            let end = rest.iter().position(|byte| *byte == b'/');
            let Some(mut job) = self.run.child(above, &rest[..end.unwrap_or(rest.len())]) else { return Ok(None) };
            if end.is_none() {
                return Ok(Some(job));
            }
            if !self.run.enter(&mut job)? {
                return Ok(None);
            }
            self.entered.push(job);
        }
    }
}

fn is_above(path: &[u8], dir: &[u8]) -> bool {
    if path.is_empty() {
        return !dir.is_empty();
    }
    dir.strip_prefix(path).is_some_and(|rest| rest.len() > 1 && rest[0] == b'/')
}

#[cfg(test)]
mod tests {
    use super::is_above;

    #[test]
    fn a_directory_is_above_those_below_it_and_not_above_its_neighbours() {
        assert!(is_above(b"", b"a"));
        assert!(is_above(b"a", b"a/b/c"));
        assert!(!is_above(b"", b""));
        assert!(!is_above(b"a", b"a"));
        assert!(!is_above(b"a", b"a-b"));
        assert!(!is_above(b"a/b", b"a"));
    }
}
