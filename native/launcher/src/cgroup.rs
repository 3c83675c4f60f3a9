//! A cgroup of its own for the run (tier T3), where version 2 is delegated to the user: optional.
use std::{
    fs, io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    path::{Path, PathBuf},
};

use crate::{
    failure::check,
    spec::{c_string, Limits},
};
use std::os::unix::ffi::OsStrExt;

const NEEDED: [&str; 2] = ["memory", "pids"];

/// Opened before the namespaces change: the kernel judges later writes by who opened the file.
pub struct Cgroup {
    above: OwnedFd,
    members: OwnedFd,
    name: String,
}

impl Cgroup {
    /// `None` where no ancestor of our own group hands both controllers down to groups that we may make.
    pub fn make(limits: &Limits) -> Option<Self> {
        let mount = mount_point(&fs::read_to_string("/proc/self/mountinfo").ok()?)?;
        let own = own_path(&fs::read_to_string("/proc/self/cgroup").ok()?)?;
        let start = mount.join(own.strip_prefix("/").unwrap_or(&own));
        start
            .ancestors()
            .take_while(|path| path.starts_with(&mount))
            .filter(|path| hands_down(path))
            .find_map(|path| Self::make_in(path, limits).ok())
    }

    fn make_in(above: &Path, limits: &Limits) -> io::Result<Self> {
        let name = format!("kairos-exec-{}", std::process::id());
        let own = above.join(&name);
        fs::create_dir(&own)?;
        let filled = || -> io::Result<Self> {
            fs::write(own.join("memory.max"), limits.memory.to_string())?;
            fs::write(own.join("pids.max"), (limits.processes + 1).to_string())?;
            fs::write(own.join("memory.oom.group"), "1")?;
            // Without swap accounting the file is missing, and memory.max alone bounds.
            match fs::write(own.join("memory.swap.max"), "0") {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let members = open(&own.join("cgroup.procs"), libc::O_WRONLY)?;
            Ok(Self { above: open(above, libc::O_PATH | libc::O_DIRECTORY)?, members, name: name.clone() })
        };
        filled().inspect_err(|_| drop(fs::remove_dir(&own)))
    }

    /// Moves a process, still without children, into the group.
    pub fn take_in(&self, process: libc::pid_t) -> io::Result<()> {
        let text = process.to_string();
        // SAFETY: the buffer lives through the call.
        let wrote = unsafe { libc::write(self.members.as_raw_fd(), text.as_ptr().cast(), text.len()) };
        check(wrote as libc::c_int).map(drop)
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        if let Ok(name) = c_string(self.name.as_bytes()) {
            // SAFETY: NUL-terminated. All members are dead by now; a leftover is empty and harmless.
            unsafe { libc::unlinkat(self.above.as_raw_fd(), name.as_ptr(), libc::AT_REMOVEDIR) };
        }
    }
}

fn open(path: &Path, flags: libc::c_int) -> io::Result<OwnedFd> {
    let name = c_string(path.as_os_str().as_bytes())?;
    // SAFETY: NUL-terminated; owned at once.
    unsafe { Ok(OwnedFd::from_raw_fd(check(libc::open(name.as_ptr(), flags | libc::O_CLOEXEC))?)) }
}

fn hands_down(group: &Path) -> bool {
    let listed = fs::read_to_string(group.join("cgroup.subtree_control")).unwrap_or_default();
    NEEDED.iter().all(|name| listed.split_whitespace().any(|word| word == *name))
}

/// Where the unified hierarchy is mounted, from the text of mountinfo.
fn mount_point(mountinfo: &str) -> Option<PathBuf> {
    mountinfo.lines().find_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        (right.split(' ').next() == Some("cgroup2")).then(|| left.split(' ').nth(4).map(PathBuf::from))?
    })
}

/// Our own group in the unified hierarchy, from the text of /proc/self/cgroup.
fn own_path(cgroup: &str) -> Option<PathBuf> {
    cgroup.lines().find_map(|line| line.strip_prefix("0::")).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unified_hierarchy_is_found_among_others() {
        let text = "30 23 0:26 / /sys/fs/cgroup/pids rw shared:9 - cgroup cgroup rw,pids\n\
                    31 23 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw\n";
        assert_eq!(mount_point(text), Some(PathBuf::from("/sys/fs/cgroup/unified")));
        assert_eq!(mount_point("1 1 0:1 / / rw - ext4 /dev/x rw\n"), None);
        assert_eq!(own_path("5:pids:/x\n0::/user.slice/a\n"), Some(PathBuf::from("/user.slice/a")));
    }

    #[test]
    fn a_group_that_hands_down_one_controller_only_is_not_taken() {
        let place = std::env::temp_dir().join(format!("kairos-cgroup-test-{}", std::process::id()));
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join("cgroup.subtree_control"), "cpu memory\n").unwrap();
        assert!(!hands_down(&place));
        fs::write(place.join("cgroup.subtree_control"), "cpu memory pids\n").unwrap();
        assert!(hands_down(&place));
        fs::remove_dir_all(&place).unwrap();
    }
}
