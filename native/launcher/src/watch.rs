//! Measures memory, processes and disk use of the whole namespace where no cgroup does. Process 1 measures every
//! few milliseconds; the hard limits (rlimits, tmpfs sizes) hold in between.
use std::{
    ffi::CStr,
    fs, io, mem,
    os::fd::{AsRawFd, BorrowedFd},
};

use crate::{failure::check, spec::Limits};

pub struct Watch<'a> {
    limits: &'a Limits,
    /// Nothing in the kernel bounds the number of processes, so it is counted here.
    counts: bool,
    /// The directory of the changes, if it is on a disk that others use too.
    disk: Option<Disk<'a>>,
}

struct Disk<'a> {
    changes: BorrowedFd<'a>,
    free_at_start: u64,
}

impl<'a> Watch<'a> {
    pub fn new(limits: &'a Limits, counts: bool, on_disk: Option<BorrowedFd<'a>>) -> Self {
        let disk = on_disk.map(|changes| Disk { changes, free_at_start: free_bytes(changes).unwrap_or(0) });
        Self { limits, counts, disk }
    }

    /// The limit that the run has passed, if any.
    pub fn passed(&self) -> Option<&'static str> {
        let (count, rough) = self.processes(resident);
        if self.counts && count > self.limits.processes {
            return Some("processes");
        }
        // Pages shared by forked workers count once for each in `rough`: look closely only when it matters.
        if rough > self.limits.memory && self.processes(proportional).1 > self.limits.memory {
            return Some("memory");
        }
        self.disk.as_ref().and_then(|disk| disk.passed(self.limits.disk))
    }

    /// How many processes and threads besides process 1, and the sum of what `measure` says of each process.
    fn processes(&self, measure: fn(&str) -> Option<u64>) -> (u64, u64) {
        let Ok(entries) = fs::read_dir("/proc") else { return (0, 0) };
        let (mut count, mut sum) = (0, 0);
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| *name != "1" && name.bytes().all(|b| b.is_ascii_digit()))
            else {
                continue;
            };
            count += threads(name).unwrap_or(1);
            sum += measure(name).unwrap_or(0);
        }
        (count, sum)
    }
}

fn threads(process: &str) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name in parentheses may hold anything; the fields start behind the last one.
    stat[stat.rfind(')')? + 2..].split(' ').nth(17)?.parse().ok()
}

/// Resident bytes that are not of files.
fn resident(process: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    Some(field(&text, "RssAnon:") + field(&text, "RssShmem:"))
}

/// The same with shared pages divided among those who share them.
fn proportional(process: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
    Some(field(&text, "Pss_Anon:") + field(&text, "Pss_Shmem:"))
}

fn field(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) * 1024
}

impl Disk<'_> {
    fn passed(&self, most: u64) -> Option<&'static str> {
        // Cheap first: somebody used that much of the disk since the start; then whether it was this run.
        let used = self.free_at_start.saturating_sub(free_bytes(self.changes)?);
        // Far beyond the limit means that what is used has no name any more (unlinked, still open).
        (used > most && (tree_bytes(self.changes, most) > most || used > most.saturating_mul(4))).then_some("disk")
    }
}

fn free_bytes(directory: BorrowedFd) -> Option<u64> {
    // SAFETY: the struct is plain data and lives through the call.
    unsafe {
        let mut about: libc::statvfs = mem::zeroed();
        check(libc::fstatvfs(directory.as_raw_fd(), &mut about)).ok()?;
        Some(about.f_bfree as u64 * about.f_frsize as u64)
    }
}

/// Allocated bytes below `directory`; stops counting once beyond `enough`.
fn tree_bytes(directory: BorrowedFd, enough: u64) -> u64 {
    let mut open = vec![];
    // SAFETY: a descriptor of its own for the stream, closed with it.
    unsafe {
        let copy =
            libc::openat(directory.as_raw_fd(), c".".as_ptr(), libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC);
        let stream = libc::fdopendir(copy);
        if stream.is_null() {
            return 0;
        }
        open.push(stream);
    }
    let mut sum = 0;
    while let Some(&stream) = open.last() {
        // SAFETY: every stream in `open` is open; entries are used before the next read.
        unsafe {
            let entry = libc::readdir(stream);
            if entry.is_null() || sum > enough {
                libc::closedir(stream);
                open.pop();
                continue;
            }
            let name = CStr::from_ptr((*entry).d_name.as_ptr());
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let above = libc::dirfd(stream);
            let mut about: libc::stat = mem::zeroed();
            if libc::fstatat(above, name.as_ptr(), &mut about, libc::AT_SYMLINK_NOFOLLOW) != 0 {
                continue;
            }
            sum += about.st_blocks as u64 * 512;
            // Below this depth nothing is counted: the descriptors are few. Free space still tells.
            if about.st_mode & libc::S_IFMT == libc::S_IFDIR && open.len() < 128 {
                let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_NOFOLLOW | libc::O_CLOEXEC;
                let below = libc::fdopendir(libc::openat(above, name.as_ptr(), flags));
                if !below.is_null() {
                    open.push(below);
                }
            }
        }
    }
    sum
}

/// Kills every other process of the namespace and waits until all are gone.
pub fn end_everything() {
    // SAFETY: no pointers but null; process 1 itself is not reached by -1.
    unsafe {
        libc::kill(-1, libc::SIGKILL);
        while libc::waitpid(-1, std::ptr::null_mut(), 0) > 0
            || io::Error::last_os_error().raw_os_error() == Some(libc::EINTR)
        {}
    }
}
