//! Reading one directory without ever following a symlink: open it, its names, what `stat` says.
use std::{mem::MaybeUninit, os::fd::AsFd, os::fd::BorrowedFd, os::fd::OwnedFd, path::Path};

use rustix::{
    fs::{openat, openat2, statat, AtFlags, FileType, Mode, OFlags, RawDir, ResolveFlags, CWD},
    io::{Errno, Result},
};

use crate::listing::{Kind, Stat};

const FLAGS: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Opens the directory that everything else is relative to.
pub fn open_root(path: &Path) -> Result<OwnedFd> {
    openat(CWD, path, FLAGS, Mode::empty())
}

/// Opens the directory `path` below `root` (empty: `root` again). A symlink in any place is `LOOP` or
/// `NOTDIR`.
pub fn open_below(root: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd> {
    if path.is_empty() {
        return openat(root, c".", FLAGS, Mode::empty());
    }
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match openat2(root, path, FLAGS, Mode::empty(), resolve) {
        // Older kernels and some sandboxes have no openat2: take the way component by component.
        Err(Errno::NOSYS | Errno::PERM | Errno::AGAIN) => {}
        other => return other,
    }
    let mut here: Option<OwnedFd> = None;
    for name in path.split(|byte| *byte == b'/') {
        let at = here.as_ref().map_or(root, |fd| fd.as_fd());
        here = Some(openat(at, name, FLAGS, Mode::empty())?);
    }
    here.ok_or(Errno::INVAL)
}

/// Whether the error says that there is no directory at the path (any more).
pub fn is_gone(error: Errno) -> bool {
    matches!(error, Errno::NOENT | Errno::NOTDIR | Errno::LOOP)
}

/// Whether the error is a want of this process and tells nothing about the path.
pub fn is_shortage(error: Errno) -> bool {
    matches!(error, Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::BADF)
}

/// The names in a directory, in one buffer that is used again for the next.
#[derive(Default)]
pub struct Names {
    raw: Vec<u8>,
    bytes: Vec<u8>,
    spans: Vec<(u32, u16, FileType)>,
}

impl Names {
    /// Reads all names but `.`, `..` and `.git`, and sorts them. A directory that changes meanwhile may
    /// show a name twice; it is kept once.
    pub fn read(&mut self, dir: BorrowedFd<'_>) -> Result<()> {
        self.bytes.clear();
        self.spans.clear();
        if self.raw.capacity() == 0 {
            self.raw.reserve(64 << 10);
        }
        let buffer: &mut [MaybeUninit<u8>] = self.raw.spare_capacity_mut();
        let mut entries = RawDir::new(dir, buffer);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b".." | b".git") || name.len() > usize::from(u16::MAX) {
                continue;
            }
            let start = u32::try_from(self.bytes.len()).map_err(|_| Errno::FBIG)?;
            self.bytes.extend_from_slice(name);
            self.spans.push((start, name.len() as u16, entry.file_type()));
        }
        let bytes = &self.bytes;
        let name = |span: &(u32, u16, FileType)| &bytes[span.0 as usize..][..usize::from(span.1)];
        self.spans.sort_unstable_by(|a, b| name(a).cmp(name(b)));
        self.spans.dedup_by(|a, b| name(a) == name(b));
        Ok(())
    }

    pub fn iter(&self) -> impl Iterator<Item = (&[u8], FileType)> {
        self.spans.iter().map(|(start, len, kind)| (&self.bytes[*start as usize..][..usize::from(*len)], *kind))
    }

    pub fn contains(&self, wanted: &[u8]) -> bool {
        self.spans
            .binary_search_by(|(start, len, _)| self.bytes[*start as usize..][..usize::from(*len)].cmp(wanted))
            .is_ok()
    }
}

/// `None` for what a listing never holds: pipes, sockets, devices.
pub fn kind_of(file_type: FileType) -> Option<Kind> {
    match file_type {
        FileType::RegularFile => Some(Kind::File),
        FileType::Directory => Some(Kind::Dir),
        FileType::Symlink => Some(Kind::Symlink),
        _ => None,
    }
}

/// What `lstat` says of `name` in `dir`, and whether it is a file with more names; `None` for special files.
pub fn stat_in(dir: BorrowedFd<'_>, name: &[u8]) -> Result<Option<(Stat, bool)>> {
    let stat = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let nanoseconds = |seconds: i64, rest: u64| seconds.saturating_mul(1_000_000_000).saturating_add(rest as i64);
    Ok(kind_of(FileType::from_raw_mode(stat.st_mode)).map(|kind| {
        let found = Stat {
            kind,
            mode: (stat.st_mode & 0o7777) as u16,
            ino: stat.st_ino,
            size: stat.st_size as u64,
            mtime_ns: nanoseconds(stat.st_mtime, stat.st_mtime_nsec),
            ctime_ns: nanoseconds(stat.st_ctime, stat.st_ctime_nsec),
        };
        (found, kind == Kind::File && stat.st_nlink > 1)
    }))
}
