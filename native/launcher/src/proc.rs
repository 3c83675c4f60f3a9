//! /proc of the new pid namespace, with what speaks of the host or changes the kernel covered.
use std::{fs, io, path::Path};

use crate::{
    failure::{check_long, Failure, Layer, Outcome},
    mounts::{bind, mount, restrict, tmpfs, READ_ONLY},
    spec::{path, Limits, Spec},
};

const MASKED_FILES: &[&str] = &[
    "kcore",
    "keys",
    "key-users",
    "kmsg",
    "kpagecount",
    "kpageflags",
    "kpagecgroup",
    "sched_debug",
    "sysrq-trigger",
    "timer_list",
    "timer_stats",
    "latency_stats",
    "kallsyms",
    "modules",
    "iomem",
    "ioports",
    "config.gz",
    "cmdline",
    "vmallocinfo",
    "slabinfo",
    "pagetypeinfo",
    "mounts.host",
    "swaps",
    "diskstats",
    "partitions",
    "bootconfig",
];
const MASKED_DIRS: &[&str] = &["acpi", "scsi", "asound", "bus", "driver", "fs", "irq", "tty"];

pub fn mount_new(spec: &Spec) -> Outcome<()> {
    let fail = |what: &str, error: io::Error| Failure::io(Layer::Proc, what, &error);
    let proc = path(&spec.stage).join("proc");
    let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
    // hidepid hides process 1 (it may not be traced), which is ours and no business of the command.
    mount(Path::new("proc"), &proc, "proc", flags, "hidepid=2")
        .or_else(|_| mount(Path::new("proc"), &proc, "proc", flags, ""))
        .map_err(|e| fail("mount /proc", e))?;
    limit_shared_memory(&proc, &spec.limits).map_err(|e| fail("limit shared memory", e))?;
    limit_shares(&proc).map_err(|e| fail("limit the share of the user", e))
}

/// Covers the dangerous files; after the limits were written through /proc/sys.
pub fn mask(spec: &Spec) -> Outcome<()> {
    let fail = |what: String, error: io::Error| Failure::io(Layer::Proc, what, &error);
    let proc = path(&spec.stage).join("proc");
    let null = path(&spec.stage).join("dev/null");
    for name in MASKED_FILES {
        let target = proc.join(name);
        if fs::symlink_metadata(&target).is_ok_and(|meta| meta.is_file()) {
            bind(&null, &target).map_err(|e| fail(format!("mask {name}"), e))?;
        }
    }
    for name in MASKED_DIRS {
        let target = proc.join(name);
        if fs::symlink_metadata(&target).is_ok_and(|meta| meta.is_dir()) {
            tmpfs(&target, "size=0,nr_inodes=2,mode=555").map_err(|e| fail(format!("mask {name}"), e))?;
            restrict(&target, READ_ONLY, false).map_err(|e| fail(format!("mask {name}"), e))?;
        }
    }
    let sys = proc.join("sys");
    bind(&sys, &sys).map_err(|e| fail("bind /proc/sys".into(), e))?;
    restrict(&sys, READ_ONLY, true).map_err(|e| fail("make /proc/sys read-only".into(), e))
}

/// System V segments stay out of every resident size: bound them through the new ipc namespace.
fn limit_shared_memory(proc: &Path, limits: &Limits) -> io::Result<()> {
    match fs::write(proc.join("sys/kernel/shmall"), format!("{}\n", (limits.memory / 4096).max(1))) {
        // Before Linux 5.19 only real root may write it; segments then count in the watch once attached.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        other => other,
    }
}

/// What the namespace may take of things that the whole user shares: inotify, on which Kairos itself and editors
/// live. No further user namespaces either, should a filter ever miss one.
fn limit_shares(proc: &Path) -> io::Result<()> {
    let shares = [("max_user_namespaces", 0), ("max_inotify_instances", 16), ("max_inotify_watches", 8192)];
    for (name, most) in shares {
        match fs::write(proc.join("sys/user").join(name), format!("{most}\n")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Bounds the number of processes by the pid namespace itself (Linux 6.14 on), for real root is exempt from
/// RLIMIT_NPROC. Numbers up to 300 are handed out once only, so they are used up first.
///
/// Returns whether the bound holds.
pub fn limit_processes(proc: &Path, limits: &Limits) -> bool {
    const RESERVED: u64 = 300;
    // Before, the file is the whole machine's, and real root may write it even from inside.
    if kernel_release() < (6, 14) {
        return false;
    }
    let most = RESERVED + limits.processes + 1;
    let own = || fs::read_to_string(proc.join("sys/kernel/pid_max")).ok().and_then(|text| text.trim().parse().ok());
    let Some(host) = own() else { return false };
    if most >= host {
        return false;
    }
    if fs::write(proc.join("sys/kernel/ns_last_pid"), format!("{RESERVED}\n")).is_err() && !burn(RESERVED) {
        return false;
    }
    fs::write(proc.join("sys/kernel/pid_max"), format!("{most}\n")).is_ok() && own() == Some(most)
}

/// Uses up the numbers below `reserved` where `ns_last_pid` cannot be written.
fn burn(reserved: u64) -> bool {
    (0..reserved).all(|_| {
        // SAFETY: the child of a single-threaded process only exits; the parent reaps exactly it.
        unsafe {
            match check_long(libc::fork().into()) {
                Ok(0) => libc::_exit(0),
                Ok(child) => libc::waitpid(child as libc::pid_t, std::ptr::null_mut(), 0) == child as libc::pid_t,
                Err(_) => false,
            }
        }
    })
}

/// (major, minor) of the running kernel; (0, 0) where it cannot be read.
fn kernel_release() -> (u32, u32) {
    let text = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}
