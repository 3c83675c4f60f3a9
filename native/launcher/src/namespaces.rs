//! The namespaces: user, mount, pid, network, ipc, uts and cgroup, all new, all at once.
use std::{fs, io};

use crate::failure::{check, Failure, Layer, Outcome};

const NEW: libc::c_int = libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP;

/// After this the caller has every capability inside the new user namespace and none outside; its next
/// child is process 1 of the new pid namespace.
///
/// The user keeps his own number: files of the tree look the same inside, and tools that compare owners
/// (git) agree. Real root stays 0 inside but can touch nothing outside what the mounts show.
pub fn enter() -> Outcome<()> {
    let fail = |what: &str, error: io::Error| Failure::io(Layer::Namespaces, what, &error);
    // SAFETY: plain system calls without pointers.
    let (user, group) = unsafe { (libc::geteuid(), libc::getegid()) };
    if user == 0 {
        // SAFETY: an empty list; refused without CAP_SETGID, and then there is nothing to drop it with.
        unsafe { libc::setgroups(0, std::ptr::null()) };
    }
    // SAFETY: no pointers; this process has one thread.
    check(unsafe { libc::unshare(NEW) }).map_err(|e| fail("unshare", e))?;
    fs::write("/proc/self/setgroups", "deny").map_err(|e| fail("deny setgroups", e))?;
    fs::write("/proc/self/uid_map", format!("{user} {user} 1\n")).map_err(|e| fail("map the user", e))?;
    fs::write("/proc/self/gid_map", format!("{group} {group} 1\n")).map_err(|e| fail("map the group", e))?;
    let name = b"kairos";
    // SAFETY: the pointer and length are of `name`.
    check(unsafe { libc::sethostname(name.as_ptr().cast(), name.len()) }).map_err(|e| fail("set the host name", e))?;
    // SAFETY: no pointers. Nobody outside may trace or read this process from here on.
    check(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) }).map_err(|e| fail("make undumpable", e))?;
    Ok(())
}

/// Brings `lo` up in the private network namespace. It leads nowhere but to the sandbox itself.
pub fn raise_loopback() -> Outcome<()> {
    let fail = |what: &str, error: io::Error| Failure::io(Layer::Network, what, &error);
    // SAFETY: `ifreq` is plain data and lives through both calls; the socket is closed below.
    unsafe {
        let socket = check(libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0))
            .map_err(|e| fail("open a socket", e))?;
        let mut request: libc::ifreq = std::mem::zeroed();
        request.ifr_name[0] = b'l' as libc::c_char;
        request.ifr_name[1] = b'o' as libc::c_char;
        request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
        let result = check(libc::ioctl(socket, libc::SIOCSIFFLAGS as _, &request)).map_err(|e| fail("raise lo", e));
        libc::close(socket);
        result?;
    }
    Ok(())
}
