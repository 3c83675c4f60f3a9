//! The new root: read-only system directories, a tiny /etc and /dev, fresh /tmp and home, and nothing else.
use std::{
    fs, io,
    os::unix::fs::{symlink, DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use crate::{
    failure::{check, check_long, Failure, Layer, Outcome},
    spec::{c_string, path, Spec},
};
use std::os::unix::ffi::OsStrExt;

const SYSTEM: &[&str] = &["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "nix/store", "gnu/store"];
const DEVICES: &[&str] = &["null", "zero", "full", "random", "urandom"];
/// Of /etc only what programs need to start: no users' secrets, no host keys, no proxy or mirror settings.
const ETC: &[&str] = &[
    "alternatives",
    "bash.bashrc",
    "debian_version",
    "fonts",
    "gai.conf",
    "host.conf",
    "inputrc",
    "java-11-openjdk",
    "java-17-openjdk",
    "java-21-openjdk",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "locale.alias",
    "locale.conf",
    "magic",
    "magic.mime",
    "mime.types",
    "networks",
    "os-release",
    "perl",
    "profile",
    "protocols",
    "python3",
    "python3.11",
    "python3.12",
    "python3.13",
    "services",
    "ssl/certs",
    "ssl/openssl.cnf",
    "terminfo",
    "timezone",
    "xattr.conf",
];
const SHM: u64 = 64 << 20;
const HOME: u64 = 64 << 20;
/// How many pseudo-terminals the command may have open.
const TERMINALS: usize = 64;

fn fail(what: impl std::fmt::Display, error: &io::Error) -> Failure {
    Failure::io(Layer::Mounts, what, error)
}

pub fn mount(source: &Path, target: &Path, kind: &str, flags: libc::c_ulong, data: &str) -> io::Result<()> {
    let source = c_string(source.as_os_str().as_bytes())?;
    let target = c_string(target.as_os_str().as_bytes())?;
    let kind = c_string(kind.as_bytes())?;
    let data = c_string(data.as_bytes())?;
    // SAFETY: all four are NUL-terminated and outlive the call.
    check(unsafe { libc::mount(source.as_ptr(), target.as_ptr(), kind.as_ptr(), flags, data.as_ptr().cast()) })?;
    Ok(())
}

/// `struct mount_attr` of mount_setattr(2).
#[repr(C)]
struct Attributes {
    set: u64,
    clear: u64,
    propagation: u64,
    user_ns: u64,
}

/// Adds mount attributes (they can only restrict), on the whole tree of mounts below where `below`.
pub fn restrict(target: &Path, attributes: u64, below: bool) -> io::Result<()> {
    let target = c_string(target.as_os_str().as_bytes())?;
    let wish = Attributes { set: attributes, clear: 0, propagation: 0, user_ns: 0 };
    let flags = if below { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the struct has the kernel's layout and its size is passed.
    check_long(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            target.as_ptr(),
            flags,
            &wish as *const Attributes,
            std::mem::size_of::<Attributes>(),
        )
    })?;
    Ok(())
}

pub const READ_ONLY: u64 = libc::MOUNT_ATTR_RDONLY | HARMLESS;
pub const HARMLESS: u64 = libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV;

pub fn bind(source: &Path, target: &Path) -> io::Result<()> {
    mount(source, target, "", libc::MS_BIND | libc::MS_REC, "")
}

fn bind_read_only(source: &Path, target: &Path) -> io::Result<()> {
    bind(source, target)?;
    restrict(target, READ_ONLY, true)
}

pub fn tmpfs(target: &Path, options: &str) -> io::Result<()> {
    mount(Path::new("tmpfs"), target, "tmpfs", libc::MS_NOSUID | libc::MS_NODEV, options)
}

pub fn make_dirs(target: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o755).create(target)
}

fn make_file(target: &Path) -> io::Result<()> {
    if let Some(parent) = target.parent() {
        make_dirs(parent)?;
    }
    fs::OpenOptions::new().create(true).append(true).open(target).map(drop)
}

/// `/a/b` seen below `stage`.
pub fn inside(stage: &Path, absolute: &Path) -> PathBuf {
    stage.join(absolute.strip_prefix("/").unwrap_or(absolute))
}

/// Shows `source` read-only at the same place; a symlink stays a symlink.
pub fn show(stage: &Path, source: &Path) -> io::Result<()> {
    let target = inside(stage, source);
    let meta = match fs::symlink_metadata(source) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if fs::symlink_metadata(&target).is_ok_and(|seen| !seen.is_dir()) {
        return Ok(());
    }
    if let Some(parent) = target.parent() {
        make_dirs(parent)?;
    }
    if meta.is_symlink() {
        symlink(fs::read_link(source)?, &target)
    } else if meta.is_dir() {
        make_dirs(&target)?;
        bind_read_only(source, &target)
    } else if meta.is_file() {
        make_file(&target)?;
        bind_read_only(source, &target)
    } else {
        Ok(())
    }
}

/// Builds everything but the work tree and /proc on `spec.stage`. The stage hides nothing that is still needed.
pub fn build(spec: &Spec) -> Outcome<()> {
    let stage = path(&spec.stage);
    mount(Path::new("none"), Path::new("/"), "", libc::MS_REC | libc::MS_PRIVATE, "")
        .map_err(|e| fail("make mounts private", &e))?;
    tmpfs(stage, "size=4m,nr_inodes=4096,mode=755").map_err(|e| fail("mount the new root", &e))?;
    for name in ["dev", "etc", "proc", "run", "tmp", "var", "root"] {
        make_dirs(&stage.join(name)).map_err(|e| fail(name, &e))?;
    }
    for name in SYSTEM {
        let source = Path::new("/").join(name);
        show(stage, &source).map_err(|e| fail(source.display(), &e))?;
    }
    etc(stage, spec).map_err(|e| fail("/etc", &e))?;
    devices(stage).map_err(|e| fail("/dev", &e))?;
    let limits = &spec.limits;
    let temporary = limits.disk.min(limits.memory);
    tmpfs(&stage.join("tmp"), &format!("size={temporary},nr_inodes={},mode=1777", limits.inodes))
        .map_err(|e| fail("/tmp", &e))?;
    symlink("/tmp", stage.join("var/tmp")).map_err(|e| fail("/var/tmp", &e))?;
    let home = inside(stage, path(&spec.home));
    if path(&spec.home) != Path::new("/tmp") {
        make_dirs(&home).map_err(|e| fail("home", &e))?;
        tmpfs(&home, &format!("size={HOME},nr_inodes=16384,mode=700")).map_err(|e| fail("home", &e))?;
    }
    let mut extra: Vec<&Path> = spec.read_roots.iter().map(|bytes| path(bytes)).collect();
    extra.sort();
    extra.dedup();
    let place = path(&spec.place);
    let mut last: Option<&Path> = None;
    for source in extra {
        // What lies in the tree is seen through the tree, or laid over it later; a system directory is there already.
        let shown = SYSTEM.iter().any(|name| source.starts_with(Path::new("/").join(name)));
        let covered = last.is_some_and(|above| source.starts_with(above));
        if !source.is_absolute() || place.starts_with(source) || source.starts_with(place) || shown || covered {
            continue;
        }
        last = Some(source);
        show(stage, source).map_err(|e| fail(source.display(), &e))?;
    }
    Ok(())
}

fn etc(stage: &Path, spec: &Spec) -> io::Result<()> {
    let etc = Path::new("/etc");
    for name in ETC {
        show(stage, &etc.join(name))?;
    }
    // SAFETY: no pointers.
    let (user, group) = unsafe { (libc::geteuid(), libc::getegid()) };
    let home = String::from_utf8_lossy(&spec.home).replace([':', '\n'], "_");
    let (name, circle) = (if user == 0 { "root" } else { "user" }, if group == 0 { "root" } else { "user" });
    let passwd = format!("{name}:x:{user}:{group}::{home}:/bin/sh\nnobody:x:65534:65534::/nonexistent:/bin/false\n");
    let write = |file: &str, text: &str| fs::write(stage.join("etc").join(file), text);
    write("passwd", &passwd)?;
    write("group", &format!("{circle}:x:{group}:\nnogroup:x:65534:\n"))?;
    write("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n")?;
    write("hosts", "127.0.0.1 localhost kairos\n::1 localhost\n")?;
    write("hostname", "kairos\n")
}

fn devices(stage: &Path) -> io::Result<()> {
    let dev = stage.join("dev");
    for name in DEVICES {
        let target = dev.join(name);
        make_file(&target)?;
        bind(&Path::new("/dev").join(name), &target)?;
        // Not `nodev`: these five are meant to work.
        restrict(&target, libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NOEXEC, false)?;
    }
    for (name, target) in [("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")] {
        symlink(format!("/proc/self/fd{target}"), dev.join(name))?;
    }
    make_dirs(&dev.join("shm"))?;
    tmpfs(&dev.join("shm"), &format!("size={SHM},nr_inodes=4096,mode=1777"))
}

/// Pseudo-terminals of the command's own: an instance of devpts that holds those opened inside and no other, and
/// /dev/tty, which is the terminal of the caller's own session, so none until the command makes one.
pub fn terminals(spec: &Spec) -> io::Result<()> {
    let dev = path(&spec.stage).join("dev");
    let (pts, tty) = (dev.join("pts"), dev.join("tty"));
    make_dirs(&pts)?;
    let options = format!("newinstance,ptmxmode=0666,mode=0620,max={TERMINALS}");
    mount(Path::new("devpts"), &pts, "devpts", libc::MS_NOSUID | libc::MS_NOEXEC, &options)?;
    // They are opened by number; nothing in it is to be listed.
    fs::set_permissions(&pts, fs::Permissions::from_mode(0o111))?;
    symlink("pts/ptmx", dev.join("ptmx"))?;
    make_file(&tty)?;
    bind(Path::new("/dev/tty"), &tty)?;
    restrict(&tty, libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NOEXEC, false)
}

/// Makes the stage the root and lets go of the old one.
pub fn pivot(spec: &Spec) -> Outcome<()> {
    let stage = path(&spec.stage);
    fs::set_permissions(stage, fs::Permissions::from_mode(0o755)).map_err(|e| fail("mode of the new root", &e))?;
    std::env::set_current_dir(stage).map_err(|e| fail("enter the new root", &e))?;
    // SAFETY: both are NUL-terminated. "." on "." stacks the old root over the new one; the umount takes it off.
    unsafe {
        check_long(libc::syscall(libc::SYS_pivot_root, c".".as_ptr(), c".".as_ptr()))
            .map_err(|e| fail("pivot_root", &e))?;
        check(libc::umount2(c".".as_ptr(), libc::MNT_DETACH)).map_err(|e| fail("leave the old root", &e))?;
    }
    std::env::set_current_dir("/").map_err(|e| fail("enter /", &e))?;
    restrict(Path::new("/"), READ_ONLY, false).map_err(|e| fail("make / read-only", &e))
}
