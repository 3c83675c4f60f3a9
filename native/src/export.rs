//! The gate: what a run changed, which of it may leave the sandbox, and why the rest may not.
use std::{collections::BTreeSet, io::Read, os::fd::OwnedFd};

use rustix::{
    fs::{fgetxattr, Stat},
    io::Errno,
};

use crate::{
    beneath::{self, Kind},
    error::{Error, Result},
    names::{is_git_like, looks_like_git_dir},
    sandbox::names,
};

/// Maximum number of changes: nobody reads a larger patch, so nothing is exported then.
const MOST: usize = 50_000;
/// The kernel's PATH_MAX with room for a root in front.
const LONGEST: usize = 3_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Created { executable: bool },
    Modified { executable: bool },
    Deleted,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// What may be exported, by path.
    pub changes: Vec<(Vec<u8>, Change)>,
    /// What may not: (path, why).
    pub refused: Vec<(Vec<u8>, String)>,
    /// The survey gave up; nothing may be exported.
    pub too_many: bool,
}

struct Place {
    relative: Vec<u8>,
    /// The tree below has a directory here too, and it shows through.
    merged: bool,
}

/// Compares the directory of changes (an overlayfs upper layer) with the tree below it.
pub fn survey(upper: &OwnedFd, lower: &OwnedFd) -> Result<Survey> {
    let mut survey = Survey::default();
    let mut open = vec![Place { relative: Vec::new(), merged: true }];
    while let Some(place) = open.pop() {
        if let Err(error) = visit(upper, lower, &place, &mut open, &mut survey) {
            survey.refuse(&place.relative, format!("cannot be read: {}", std::io::Error::from(error)));
        }
        if survey.changes.len() + survey.refused.len() > MOST {
            survey.too_many = true;
            survey.changes.clear();
            survey.refuse(b"", format!("more than {MOST} changes"));
            break;
        }
    }
    survey.changes.sort_by(|a, b| a.0.cmp(&b.0));
    survey.refused.sort();
    Ok(survey)
}

fn visit(
    upper: &OwnedFd,
    lower: &OwnedFd,
    place: &Place,
    open: &mut Vec<Place>,
    survey: &mut Survey,
) -> rustix::io::Result<()> {
    let above = beneath::directory(upper, &place.relative)?;
    let below = if place.merged { beneath::directory(lower, &place.relative).ok() } else { None };
    let changed = names(&above)?;
    let hidden: BTreeSet<&[u8]> = changed.iter().map(Vec::as_slice).collect();
    let under = match &below {
        Some(below) => names(below)?,
        None => Vec::new(),
    };
    let opaque = is_opaque(&above);
    let shown = under.iter().map(Vec::as_slice).filter(|name| !opaque && !hidden.contains(name));
    // A whiteout is an entry too: taking it for a file errs on the safe side.
    if looks_like_git_dir(hidden.iter().copied().chain(shown)) {
        survey.refuse(&place.relative, "looks like a git directory");
        return Ok(());
    }
    for name in &changed {
        let relative = beneath::join(&place.relative, name);
        if let Some(why) = unfit(&relative, name) {
            survey.refuse(&relative, why);
            continue;
        }
        let (now, stat) = beneath::entry(&above, name)?;
        let (was, old) = match &below {
            Some(below) => beneath::entry(below, name)?,
            None => (Kind::Nothing, None),
        };
        match (now, was) {
            (Kind::Nothing, _) => {}
            (Kind::Whiteout, _) => survey.gone(lower, &relative, was),
            (Kind::Directory, Kind::Symlink | Kind::Special) => survey.refuse(&relative, replaces(was)),
            (Kind::Directory, _) => {
                if was == Kind::File {
                    survey.changes.push((relative.clone(), Change::Deleted));
                }
                open.push(Place { relative, merged: was == Kind::Directory });
            }
            (Kind::File, Kind::Symlink | Kind::Special) => survey.refuse(&relative, replaces(was)),
            (Kind::File, _) => {
                if let Some(stat) = stat {
                    survey.file(upper, lower, &relative, &stat, (was, old));
                }
            }
            (Kind::Symlink, Kind::Symlink) if same_link(&above, below.as_ref(), name) => {}
            (Kind::Symlink, _) => survey.refuse(&relative, "a symbolic link"),
            (Kind::Special, _) => survey.refuse(&relative, "a special file"),
        }
    }
    if opaque {
        for name in under.iter().filter(|name| !hidden.contains(name.as_slice())) {
            let relative = beneath::join(&place.relative, name);
            let was =
                below.as_ref().and_then(|below| beneath::entry(below, name).ok()).map_or(Kind::Nothing, |it| it.0);
            survey.gone(lower, &relative, was);
        }
    }
    Ok(())
}

impl Survey {
    fn refuse(&mut self, path: &[u8], why: impl Into<String>) {
        self.refused.push((if path.is_empty() { b".".to_vec() } else { path.to_vec() }, why.into()));
    }

    fn file(&mut self, upper: &OwnedFd, lower: &OwnedFd, path: &[u8], stat: &Stat, old: (Kind, Option<Stat>)) {
        if stat.st_mode & 0o6000 != 0 {
            return self.refuse(path, "setuid or setgid");
        }
        let executable = stat.st_mode & 0o111 != 0;
        let new = match beneath::file(upper, path) {
            Ok(file) => file,
            Err(error) => return self.refuse(path, format!("cannot be read: {}", std::io::Error::from(error))),
        };
        match old {
            (Kind::File, Some(before)) => {
                let same = (before.st_mode & 0o111 != 0) == executable
                    && beneath::file(lower, path).is_ok_and(|file| beneath::same(new, file).unwrap_or(false));
                if !same {
                    self.changes.push((path.to_vec(), Change::Modified { executable }));
                }
            }
            (was, _) => {
                // A directory whose place is taken goes with all its files.
                self.gone(lower, path, was);
                self.changes.push((path.to_vec(), Change::Created { executable }));
            }
        }
    }

    /// What was below at `path` is no longer there.
    fn gone(&mut self, lower: &OwnedFd, path: &[u8], was: Kind) {
        if was != Kind::Directory {
            match was {
                Kind::File | Kind::Symlink => self.changes.push((path.to_vec(), Change::Deleted)),
                Kind::Special | Kind::Whiteout => self.refuse(path, "a special file"),
                _ => {}
            }
            return;
        }
        let mut open = vec![path.to_vec()];
        while let Some(relative) = open.pop() {
            let listed = beneath::directory(lower, &relative).and_then(|fd| names(&fd).map(|names| (fd, names)));
            let (directory, entries) = match listed {
                Ok(both) => both,
                Err(error) => {
                    self.refuse(&relative, format!("cannot be read: {}", std::io::Error::from(error)));
                    continue;
                }
            };
            for name in entries {
                let below = beneath::join(&relative, &name);
                if let Some(why) = unfit(&below, &name) {
                    self.refuse(&below, why);
                    continue;
                }
                match beneath::entry(&directory, &name) {
                    Ok((Kind::Directory, _)) => open.push(below),
                    Ok((Kind::File | Kind::Symlink, _)) => self.changes.push((below, Change::Deleted)),
                    _ => self.refuse(&below, "a special file"),
                }
                if self.changes.len() > MOST {
                    return;
                }
            }
        }
    }
}

fn unfit(relative: &[u8], name: &[u8]) -> Option<&'static str> {
    if is_git_like(name) {
        Some("git's own directory")
    } else if relative.len() > LONGEST {
        Some("the path is too long")
    } else {
        None
    }
}

fn replaces(was: Kind) -> &'static str {
    if was == Kind::Symlink {
        "takes the place of a symbolic link"
    } else {
        "takes the place of a special file"
    }
}

fn same_link(above: &OwnedFd, below: Option<&OwnedFd>, name: &[u8]) -> bool {
    let target = |directory: &OwnedFd| rustix::fs::readlinkat(directory, name, Vec::new()).ok();
    below.is_some_and(|below| target(above).is_some() && target(above) == target(below))
}

fn is_opaque(directory: &OwnedFd) -> bool {
    let mut value = [0; 4];
    match fgetxattr(directory, c"user.overlay.opaque", &mut value[..]) {
        Ok(size) => &value[..size] == b"y",
        Err(Errno::NODATA | Errno::OPNOTSUPP) => false,
        // Not knowing, everything below counts as removed, which a reader sees.
        Err(_) => true,
    }
}

/// The bytes of one changed file.
pub fn read(upper: &OwnedFd, path: &[u8]) -> Result<Vec<u8>> {
    let fail = |e: std::io::Error| Error::io("read", std::ffi::OsStr::new(&*String::from_utf8_lossy(path)), e);
    let mut content = Vec::new();
    let mut file = beneath::file(upper, path).map_err(|e| fail(e.into()))?;
    file.read_to_end(&mut content).map_err(fail)?;
    Ok(content)
}
