//! What to run and how confined: the spec that the launcher reads, and the scratch directories on disk.
use std::{
    ffi::OsStr,
    fs::File,
    io::Write,
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::{Path, PathBuf},
};

use rustix::fs::{
    chmodat, memfd_create, openat, renameat, statat, unlinkat, AtFlags, Dir, FileType, MemfdFlags, Mode, OFlags, CWD,
};
use serde_json::json;

use crate::error::{Error, Result};

/// One file to lay over the tree before the command starts; `None` removes the path.
pub type Seed = (Vec<u8>, Option<(Vec<u8>, u32)>);

/// Sizes in bytes.
#[derive(Debug, Clone)]
pub struct Limits {
    pub memory: u64,
    pub processes: u64,
    pub file: u64,
    pub disk: u64,
    pub inodes: u64,
    pub open_files: u64,
    pub cpu_seconds: u64,
}

#[derive(Debug, Clone)]
pub struct Wish {
    /// Only try each mechanism by itself.
    pub probe: bool,
    /// Canonical.
    pub root: PathBuf,
    /// The path at which the command sees the tree.
    pub place: PathBuf,
    /// A directory of this run alone, outside `root`, with the empty directories `stage` and `layers`.
    pub scratch: PathBuf,
    pub home: PathBuf,
    pub argv: Vec<Vec<u8>>,
    pub env: Vec<(Vec<u8>, Vec<u8>)>,
    pub read_roots: Vec<PathBuf>,
    pub seed: Vec<Seed>,
    pub loopback: bool,
    /// Goes on for days and mostly waits: what it uses is looked at ever more rarely.
    pub calm: bool,
    pub limits: Limits,
    /// Keep the changes on disk, below `scratch`, and not in memory.
    pub on_disk: bool,
    /// Tests: the named layer fails.
    pub fail_at: Option<String>,
}

/// A byte string may hold what JSON text cannot.
fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

impl Wish {
    /// Refuses trees that could not be told apart from what must stay hidden, where they are and where they are seen.
    pub fn check(&self) -> Result<()> {
        if self.probe {
            return Ok(());
        }
        self.check_tree(&self.root)?;
        self.check_tree(&self.place)?;
        if let Some(wide) = self
            .read_roots
            .iter()
            .find(|read| !read.is_absolute() || self.home.starts_with(read) || self.scratch.starts_with(read))
        {
            return Err(Error::Invalid(format!("a read root would show the home directory: {}", wide.display())));
        }
        Ok(())
    }

    fn check_tree(&self, tree: &Path) -> Result<()> {
        let refuse = |what: &str| Err(Error::Invalid(format!("{what}: {}", tree.display())));
        if !tree.is_absolute() || self.home.starts_with(tree) {
            return refuse("the tree would show the home directory");
        }
        if self.scratch.starts_with(tree) || tree.starts_with(&self.scratch) {
            return refuse("the scratch directory and the tree overlap");
        }
        let above = ["/proc", "/sys", "/dev/shm", "/etc", "/usr/bin", "/usr/lib", "/boot", "/run", "/tmp"];
        let within = ["/proc", "/sys", "/etc", "/usr/bin", "/usr/lib", "/boot"];
        let device = tree.starts_with("/dev") && !tree.starts_with("/dev/shm");
        if device
            || above.iter().any(|hidden| Path::new(hidden).starts_with(tree))
            || within.iter().any(|hidden| tree.starts_with(hidden))
        {
            return refuse("a system directory cannot be the tree");
        }
        Ok(())
    }

    /// The file that the launcher reads: 8 bytes length, JSON, then the seeded bytes. Never on disk.
    pub fn spec_file(&self) -> Result<OwnedFd> {
        let mut offset = 0u64;
        let mut seeds = Vec::new();
        for (path, file) in &self.seed {
            let file = file.as_ref().map(|(content, mode)| {
                let at = offset;
                offset += content.len() as u64;
                json!({"mode": mode, "offset": at, "len": content.len()})
            });
            seeds.push(json!({"path": path, "file": file}));
        }
        let limits = &self.limits;
        let stage = self.scratch.join("stage");
        let spec = json!({
            "probe": self.probe,
            "root": bytes(&self.root),
            "place": bytes(&self.place),
            "stage": bytes(&stage),
            "home": bytes(&self.home),
            "argv": self.argv,
            "env": self.env,
            "read_roots": self.read_roots.iter().map(|path| bytes(path)).collect::<Vec<_>>(),
            "seed": seeds,
            "loopback": self.loopback,
            "calm": self.calm,
            "limits": {
                "memory": limits.memory, "processes": limits.processes, "file": limits.file, "disk": limits.disk,
                "inodes": limits.inodes, "open_files": limits.open_files, "cpu_seconds": limits.cpu_seconds,
            },
            "disk_scratch": self.on_disk.then(|| bytes(&self.scratch.join("layers")).to_vec()),
            "fail_at": self.fail_at,
        })
        .to_string();
        let fail = |e: std::io::Error| Error::io("write the spec", "kairos-spec", e);
        let mut file = File::from(memfd_create("kairos-spec", MemfdFlags::CLOEXEC).map_err(|e| fail(e.into()))?);
        file.write_all(&(spec.len() as u64).to_le_bytes()).map_err(fail)?;
        file.write_all(spec.as_bytes()).map_err(fail)?;
        for (content, _) in self.seed.iter().filter_map(|(_, file)| file.as_ref()) {
            file.write_all(content).map_err(fail)?;
        }
        Ok(file.into())
    }
}

/// How deep below the top a directory is emptied in place; deeper ones are first moved up.
const DEPTH: usize = 32;

/// Removes a directory with everything in it, however deep a command nested it and whatever modes it set.
/// Follows no link; a missing directory is fine.
pub fn remove_tree(path: &Path) -> Result<()> {
    let fail = |e: rustix::io::Errno| Error::io("remove", path, e.into());
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let top = match openat(CWD, path, flags, Mode::empty()) {
        Err(rustix::io::Errno::NOENT) => return Ok(()),
        other => other.map_err(fail)?,
    };
    let mut moved = 0u64;
    // Each round empties what it reaches; directories moved up by one round go in the next.
    loop {
        let before = moved;
        empty(&top, &top, 0, &mut moved).map_err(fail)?;
        if moved == before {
            break;
        }
    }
    unlinkat(CWD, path, AtFlags::REMOVEDIR).map_err(fail)
}

fn empty(top: &OwnedFd, directory: &OwnedFd, depth: usize, moved: &mut u64) -> rustix::io::Result<()> {
    let names = names(directory)?;
    for name in names {
        let name = OsStr::from_bytes(&name);
        let about = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(about.st_mode) != FileType::Directory {
            unlinkat(directory, name, AtFlags::empty())?;
            continue;
        }
        // The kernel leaves its work directory without any permission, and a command may do the same.
        if about.st_mode & 0o700 != 0o700 {
            chmodat(directory, name, Mode::RWXU, AtFlags::empty())?;
        }
        if depth >= DEPTH {
            *moved += 1;
            renameat(directory, name, top, format!(".moved-{moved}"))?;
            continue;
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let below = openat(directory, name, flags, Mode::empty())?;
        empty(top, &below, depth + 1, moved)?;
        unlinkat(directory, name, AtFlags::REMOVEDIR)?;
    }
    Ok(())
}

/// The entries of a directory, without `.` and `..`, in byte order.
pub fn names(directory: &OwnedFd) -> rustix::io::Result<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(root: &str) -> Wish {
        Wish {
            probe: false,
            root: root.into(),
            place: root.into(),
            scratch: "/var/lib/kairos/scratch/1".into(),
            home: "/home/anna".into(),
            argv: vec![],
            env: vec![],
            read_roots: vec![],
            seed: vec![],
            loopback: false,
            calm: false,
            limits: Limits { memory: 1, processes: 1, file: 1, disk: 1, inodes: 1, open_files: 1, cpu_seconds: 1 },
            on_disk: false,
            fail_at: None,
        }
    }

    #[test]
    fn a_tree_that_holds_the_home_the_scratch_or_the_system_is_refused() {
        for bad in ["/", "/home", "/home/anna", "/var/lib/kairos", "/usr", "/etc", "/proc/self/cwd", "/tmp", "rel"] {
            assert!(wish(bad).check().is_err(), "{bad}");
        }
        for good in ["/home/anna/src/repo", "/tmp/x/repo", "/srv/repo", "/usr/src/repo"] {
            assert!(wish(good).check().is_ok(), "{good}");
        }
    }

    #[test]
    fn a_tree_is_refused_for_the_place_where_it_is_seen_too() {
        for bad in ["/home/anna", "/etc", "/var/lib/kairos", "rel"] {
            let mut seen = wish("/srv/repo");
            seen.place = bad.into();
            assert!(seen.check().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_read_root_that_holds_the_home_is_refused() {
        let mut wide = wish("/srv/repo");
        wide.read_roots = vec!["/home".into()];
        assert!(wide.check().is_err());
        wide.read_roots = vec!["/home/anna/.pyenv".into()];
        assert!(wide.check().is_ok());
    }

    #[test]
    fn a_tree_deeper_than_any_path_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let top = place.path().join("top");
        std::fs::create_dir(&top).unwrap();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let mut here = openat(CWD, &top, flags, Mode::empty()).unwrap();
        for _ in 0..500 {
            rustix::fs::mkdirat(&here, "d".repeat(40), Mode::RWXU).unwrap();
            here = openat(&here, "d".repeat(40), flags, Mode::empty()).unwrap();
        }
        rustix::fs::mkdirat(&here, "closed", Mode::empty()).unwrap();
        remove_tree(&top).unwrap();
        assert!(!top.exists());
        remove_tree(&top).unwrap();
    }
}
