//! The work tree: a directory below, the command's changes above, seen at its place.
use std::{
    fs, io,
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd},
        unix::fs::MetadataExt,
    },
    path::Path,
};

use crate::{
    failure::{check, check_long, Failure, Layer, Outcome},
    mounts::{bind, inside, make_dirs, mount, restrict, show, tmpfs, HARMLESS},
    spec::{c_string, path, Request, Seed, Spec},
};

/// Mounts the tree; returns the directory of the changes, which no path of the new root leads to.
pub fn mount_tree(spec: &Spec) -> Outcome<OwnedFd> {
    let fail = |what: &str, error: io::Error| Failure::io(Layer::Overlay, what, &error);
    let stage = path(&spec.stage);
    let root = path(&spec.root);
    let (lower, hold) = (stage.join(".lower"), stage.join(".hold"));
    for directory in [&lower, &hold] {
        make_dirs(directory).map_err(|e| fail("make a mount point", e))?;
    }
    bind(root, &lower).map_err(|e| fail("bind the tree", e))?;
    match &spec.disk_scratch {
        Some(directory) => bind(path(directory), &hold),
        None => tmpfs(&hold, &format!("size={},nr_inodes={},mode=700", spec.limits.disk, spec.limits.inodes)),
    }
    .map_err(|e| fail("mount the scratch", e))?;
    for name in ["upper", "work"] {
        make_dirs(&hold.join(name)).map_err(|e| fail("make the scratch", e))?;
    }
    let meta = fs::metadata(&lower).map_err(|e| fail("look at the tree", e))?;
    let upper = c_string(b".hold/upper").map_err(|e| fail("upper", e))?;
    // Relative names: no character of the real paths can be taken for an option.
    std::env::set_current_dir(stage).map_err(|e| fail("enter the stage", e))?;
    // SAFETY: NUL-terminated; the descriptor is owned at once.
    let changes = unsafe {
        check(libc::chmod(upper.as_ptr(), (meta.mode() & 0o7777) as libc::mode_t)).map_err(|e| fail("upper", e))?;
        let fd = check(libc::open(upper.as_ptr(), libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC))
            .map_err(|e| fail("open the upper", e))?;
        OwnedFd::from_raw_fd(fd)
    };
    // Without these the layers could not say that a directory was replaced (tmpfs has them since Linux 6.6).
    // SAFETY: NUL-terminated; the value is empty.
    check(unsafe { libc::setxattr(upper.as_ptr(), c"user.kairos".as_ptr(), std::ptr::null(), 0, 0) })
        .map_err(|e| fail("keep attributes in the scratch", e))?;
    let target = inside(stage, path(&spec.place));
    make_dirs(&target).map_err(|e| fail("make the place of the tree", e))?;
    let options = "lowerdir=.lower,upperdir=.hold/upper,workdir=.hold/work,userxattr";
    mount(Path::new("overlay"), &target, "overlay", libc::MS_NOSUID | libc::MS_NODEV, options)
        .map_err(|e| fail("mount overlayfs", e))?;
    restrict(&target, HARMLESS, false).map_err(|e| fail("restrict the tree", e))?;
    for directory in [&lower, &hold] {
        let name =
            c_string(std::os::unix::ffi::OsStrExt::as_bytes(directory.as_os_str())).map_err(|e| fail("name", e))?;
        // SAFETY: NUL-terminated. The overlay keeps its own hold on both.
        check(unsafe { libc::umount2(name.as_ptr(), libc::MNT_DETACH) }).map_err(|e| fail("hide the layers", e))?;
        fs::remove_dir(directory).map_err(|e| fail("hide the layers", e))?;
    }
    Ok(changes)
}

/// Shows the read roots that lie in the place of another directory: the tree itself does not have them.
pub fn lay_over(spec: &Spec) -> Outcome<()> {
    let place = path(&spec.place);
    let laid = spec.read_roots.iter().map(|bytes| path(bytes)).filter(|source| source.starts_with(place));
    for source in laid.filter(|source| spec.place != spec.root && *source != place) {
        show(path(&spec.stage), source).map_err(|e| Failure::io(Layer::Overlay, source.display(), &e))?;
    }
    Ok(())
}

/// Writes the seeded files through the mounted tree, so that the kernel itself keeps the layers right.
pub fn seed(request: &mut Request) -> Outcome<()> {
    let seeds = std::mem::take(&mut request.spec.seed);
    let target = inside(path(&request.spec.stage), path(&request.spec.place));
    let refuse = |seed: &Seed, error: io::Error| {
        Failure::io(Layer::Seed, String::from_utf8_lossy(&seed.path).into_owned(), &error)
    };
    let name = c_string(std::os::unix::ffi::OsStrExt::as_bytes(target.as_os_str()))
        .map_err(|e| Failure::io(Layer::Seed, "tree", &e))?;
    // SAFETY: NUL-terminated; owned at once.
    let tree = unsafe {
        let fd = check(libc::open(name.as_ptr(), libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC))
            .map_err(|e| Failure::io(Layer::Seed, "tree", &e))?;
        OwnedFd::from_raw_fd(fd)
    };
    // Removals first: a file may take the place of a directory that they empty.
    for seed in seeds.iter().filter(|seed| seed.file.is_none()) {
        remove(&tree, &seed.path).map_err(|e| refuse(seed, e))?;
    }
    for seed in &seeds {
        if let Some(file) = &seed.file {
            let content = request.blob(file).map_err(|e| refuse(seed, e))?;
            write(&tree, &seed.path, &content, file.mode & 0o777).map_err(|e| refuse(seed, e))?;
        }
    }
    Ok(())
}

/// Opens `relative` below `tree` without following any link.
fn open_beneath(tree: &OwnedFd, relative: &[u8], flags: libc::c_int) -> io::Result<OwnedFd> {
    let name = c_string(if relative.is_empty() { b"." } else { relative })?;
    // SAFETY: `open_how` is plain data with the kernel's layout; the descriptor is owned at once.
    unsafe {
        let mut how: libc::open_how = std::mem::zeroed();
        how.flags = (flags | libc::O_CLOEXEC) as u64;
        how.resolve = libc::RESOLVE_BENEATH | libc::RESOLVE_NO_SYMLINKS | libc::RESOLVE_NO_MAGICLINKS;
        let fd = check_long(libc::syscall(
            libc::SYS_openat2,
            tree.as_raw_fd(),
            name.as_ptr(),
            &how as *const libc::open_how,
            std::mem::size_of::<libc::open_how>(),
        ))?;
        Ok(OwnedFd::from_raw_fd(fd as libc::c_int))
    }
}

fn split(relative: &[u8]) -> io::Result<(&[u8], &[u8])> {
    let bad = relative.split(|&b| b == b'/').any(|part| matches!(part, b"" | b"." | b".."));
    if bad || relative.contains(&0) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(match relative.iter().rposition(|&b| b == b'/') {
        Some(at) => (&relative[..at], &relative[at + 1..]),
        None => (b"", relative),
    })
}

fn remove(tree: &OwnedFd, relative: &[u8]) -> io::Result<()> {
    let (mut rest, mut name) = split(relative)?;
    let mut flags = 0;
    loop {
        let parent = open_beneath(tree, rest, libc::O_PATH | libc::O_DIRECTORY)?;
        let target = c_string(name)?;
        // SAFETY: NUL-terminated.
        let result = check(unsafe { libc::unlinkat(parent.as_raw_fd(), target.as_ptr(), flags) });
        // A directory left empty goes too, as git does it; the first that is not empty ends the walk.
        if flags != 0 && result.is_err() {
            return Ok(());
        }
        result?;
        flags = libc::AT_REMOVEDIR;
        if rest.is_empty() {
            return Ok(());
        }
        (rest, name) = split(rest)?;
    }
}

fn write(tree: &OwnedFd, relative: &[u8], content: &[u8], mode: u32) -> io::Result<()> {
    use std::io::Write;
    let (parent, name) = split(relative)?;
    let mut made = 0;
    while made < parent.len() {
        let end = parent[made..].iter().position(|&b| b == b'/').map_or(parent.len(), |at| made + at);
        let above = open_beneath(tree, parent[..made].strip_suffix(b"/").unwrap_or(&parent[..made]), libc::O_PATH)?;
        let part = c_string(&parent[made..end])?;
        // SAFETY: NUL-terminated.
        match check(unsafe { libc::mkdirat(above.as_raw_fd(), part.as_ptr(), 0o755) }) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => made = end + 1,
        }
    }
    let directory = open_beneath(tree, parent, libc::O_PATH | libc::O_DIRECTORY)?;
    let target = c_string(name)?;
    // SAFETY: NUL-terminated; the new descriptor is owned at once.
    let mut file = unsafe {
        match check(libc::unlinkat(directory.as_raw_fd(), target.as_ptr(), 0)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL | libc::O_NOFOLLOW | libc::O_CLOEXEC;
        let fd = check(libc::openat(directory.as_raw_fd(), target.as_ptr(), flags, 0o600 as libc::c_uint))?;
        fs::File::from_raw_fd(fd)
    };
    file.write_all(content)?;
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))
}
