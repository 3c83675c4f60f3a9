//! Files below one directory, reached without following a single link.
use std::{
    fs::File,
    io::Read,
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
};

use rustix::{
    fs::{fstat, openat2, statat, AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat},
    io::{Errno, Result},
};

const SAFELY: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_MAGICLINKS);

/// What lies at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Nothing,
    File,
    Directory,
    Symlink,
    /// Overlayfs' mark of a removed entry: a character device 0:0.
    Whiteout,
    Special,
}

pub fn kind(stat: &Stat) -> Kind {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Directory,
        FileType::Symlink => Kind::Symlink,
        FileType::CharacterDevice if stat.st_rdev == 0 => Kind::Whiteout,
        _ => Kind::Special,
    }
}

/// Opens `relative` (empty: the top itself) below `top`.
pub fn open(top: impl AsFd, relative: &[u8], flags: OFlags, mode: Mode) -> Result<OwnedFd> {
    let name = if relative.is_empty() { b"." } else { relative };
    openat2(top, name, flags | OFlags::CLOEXEC, mode, SAFELY)
}

pub fn directory(top: impl AsFd, relative: &[u8]) -> Result<OwnedFd> {
    open(top, relative, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())
}

/// The entry `name` of an open directory; a missing one is `Kind::Nothing`.
pub fn entry(directory: impl AsFd, name: &[u8]) -> Result<(Kind, Option<Stat>)> {
    match statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok((kind(&stat), Some(stat))),
        Err(Errno::NOENT) => Ok((Kind::Nothing, None)),
        Err(error) => Err(error),
    }
}

/// A regular file for reading; anything else is an error. Never waits on a FIFO.
pub fn file(top: impl AsFd, relative: &[u8]) -> Result<File> {
    let fd = open(top, relative, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty())?;
    if kind(&fstat(&fd)?) != Kind::File {
        return Err(Errno::INVAL);
    }
    Ok(fd.into())
}

/// Whether both files hold the same bytes.
pub fn same(mut one: File, mut two: File) -> std::io::Result<bool> {
    if one.metadata()?.len() != two.metadata()?.len() {
        return Ok(false);
    }
    let (mut left, mut right) = (vec![0; 128 << 10], vec![0; 128 << 10]);
    loop {
        let size = one.read(&mut left)?;
        if size == 0 {
            return Ok(two.read(&mut right[..1])? == 0);
        }
        match two.read_exact(&mut right[..size]) {
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(false),
            other => other?,
        }
        if left[..size] != right[..size] {
            return Ok(false);
        }
    }
}

/// `a/b/c` as (`a/b`, `c`).
pub fn split(relative: &[u8]) -> (&[u8], &[u8]) {
    match relative.iter().rposition(|&b| b == b'/') {
        Some(at) => (&relative[..at], &relative[at + 1..]),
        None => (b"", relative),
    }
}

pub fn join(parent: &[u8], name: &[u8]) -> Vec<u8> {
    if parent.is_empty() {
        name.to_vec()
    } else {
        [parent, b"/", name].concat()
    }
}

/// The bytes of a path of the operating system.
pub fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}
