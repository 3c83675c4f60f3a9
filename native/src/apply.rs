//! Writes exported changes into the user's tree: all looked at first, then each by temp file, fsync, rename.
use std::{
    fs::File,
    io::{self, Write},
    os::fd::OwnedFd,
};

use rustix::{
    fs::{fchmod, fsync, mkdirat, openat, renameat, renameat_with, unlinkat, AtFlags, Mode, OFlags, RenameFlags, Stat},
    io::Errno,
};

use crate::{
    beneath::{self, Kind},
    export::{self, Change},
};

/// A moment of the clock that stamps files: (seconds, nanoseconds).
pub type Moment = (i64, i64);

/// Now. A stamp may lag behind this by one tick of the kernel (10 ms at most), which is less than the time from
/// here until the command runs: a change that slips through so was there before the command was.
pub fn now() -> Moment {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    (time.tv_sec, time.tv_nsec)
}

type Refusals = Vec<(Vec<u8>, String)>;

/// Applies `changes` of a run that began at `began`. Returns what was refused; if anything is refused before the
/// first write, nothing is written at all.
pub fn apply(root: &OwnedFd, upper: &OwnedFd, changes: &[(Vec<u8>, Change)], began: Moment) -> Refusals {
    let word = |error: Errno| io::Error::from(error).to_string();
    let look = |path: &[u8], change| ready(root, path, change, began);
    let refused: Refusals =
        changes.iter().filter_map(|(path, change)| look(path, *change).err().map(|why| (path.clone(), why))).collect();
    if !refused.is_empty() {
        return refused;
    }
    let mut refused = Refusals::new();
    // Removals first, deepest first: a file may take the place of a directory.
    for (path, _) in changes.iter().rev().filter(|(_, change)| *change == Change::Deleted) {
        if let Err(error) = remove(root, path) {
            refused.push((path.clone(), word(error)));
        }
    }
    for (path, change) in changes {
        let (executable, fresh) = match *change {
            Change::Created { executable } => (executable, true),
            Change::Modified { executable } => (executable, false),
            Change::Deleted => continue,
        };
        let wrote = export::read(upper, path)
            .map_err(|error| error.to_string())
            .and_then(|content| write(root, path, &content, executable, fresh).map_err(|error| error.to_string()));
        if let Err(why) = wrote {
            refused.push((path.clone(), why));
        }
    }
    refused
}

/// Whether the place is still as it was when the run began.
fn ready(root: &OwnedFd, path: &[u8], change: Change, began: Moment) -> Result<(), String> {
    let (parent, name) = beneath::split(path);
    let (kind, stat) = match beneath::directory(root, parent).and_then(|fd| beneath::entry(&fd, name)) {
        // A directory on the way is missing or is itself a file that goes.
        Err(Errno::NOENT | Errno::NOTDIR) => (Kind::Nothing, None),
        Err(Errno::LOOP) => return Err("a directory on the way is a symbolic link".into()),
        Err(error) => return Err(io::Error::from(error).to_string()),
        Ok(found) => found,
    };
    let fits = match change {
        // A directory here was seen by the survey: its files are among the removals.
        Change::Created { .. } => matches!(kind, Kind::Nothing | Kind::Directory),
        Change::Modified { .. } => kind == Kind::File,
        Change::Deleted => matches!(kind, Kind::File | Kind::Symlink),
    };
    let touched = stat.is_some_and(|stat| kind != Kind::Directory && changed_at(&stat) > began);
    if fits && !touched {
        Ok(())
    } else {
        Err("changed since the run began".into())
    }
}

fn changed_at(stat: &Stat) -> Moment {
    (stat.st_ctime, stat.st_ctime_nsec as i64)
}

fn remove(root: &OwnedFd, path: &[u8]) -> rustix::io::Result<()> {
    let (mut parent, name) = beneath::split(path);
    let directory = beneath::directory(root, parent)?;
    unlinkat(&directory, name, AtFlags::empty())?;
    fsync(&directory)?;
    // Directories left empty go too, as git does it.
    while !parent.is_empty() {
        let (above, name) = beneath::split(parent);
        if beneath::directory(root, above).and_then(|fd| unlinkat(fd, name, AtFlags::REMOVEDIR)).is_err() {
            break;
        }
        parent = above;
    }
    Ok(())
}

fn write(root: &OwnedFd, path: &[u8], content: &[u8], executable: bool, fresh: bool) -> io::Result<()> {
    let (parent, name) = beneath::split(path);
    let directory = make_parents(root, parent)?;
    let (_, old) = beneath::entry(&directory, name)?;
    let temporary = format!(".kairos-{}-{:x}.tmp", std::process::id(), blake3_prefix(path));
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let wanted = if executable { 0o777 } else { 0o666 };
    // The umask applies to this one, as to any file that a person makes.
    let fd = openat(&directory, &temporary, flags, Mode::from_raw_mode(wanted))?;
    let finish = || -> io::Result<()> {
        if let Some(old) = old.filter(|_| !fresh) {
            fchmod(&fd, Mode::from_raw_mode(like(old.st_mode, executable)))?;
        }
        let mut file = File::from(fd.try_clone()?);
        file.write_all(content)?;
        file.sync_all()?;
        if fresh {
            renameat_with(&directory, &temporary, &directory, name, RenameFlags::NOREPLACE)?;
        } else {
            renameat(&directory, &temporary, &directory, name)?;
        }
        Ok(fsync(&directory)?)
    };
    finish().inspect_err(|_| {
        // Best effort: the error that matters is the one on its way.
        let _ = unlinkat(&directory, &temporary, AtFlags::empty());
    })
}

/// The old permissions with the executable bit as wanted: never wider than what may read.
fn like(old: u32, executable: bool) -> u32 {
    let plain = old & 0o666;
    if executable {
        plain | ((plain & 0o444) >> 2)
    } else {
        plain
    }
}

fn blake3_prefix(path: &[u8]) -> u64 {
    let hash = blake3::hash(path);
    hash.as_bytes()[..8].iter().fold(0, |sum, &byte| (sum << 8) | u64::from(byte))
}

fn make_parents(root: &OwnedFd, parent: &[u8]) -> rustix::io::Result<OwnedFd> {
    match beneath::directory(root, parent) {
        Err(Errno::NOENT) if !parent.is_empty() => {
            let (above, name) = beneath::split(parent);
            let directory = make_parents(root, above)?;
            match mkdirat(&directory, name, Mode::from_raw_mode(0o777)) {
                Err(error) if error != Errno::EXIST => return Err(error),
                _ => {}
            }
            fsync(&directory)?;
            beneath::directory(root, parent)
        }
        other => other,
    }
}
