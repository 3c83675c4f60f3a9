//! What the command may use up, and what it may not be: resource limits, capabilities, descriptors.
use std::io;

use crate::{
    failure::{check, check_long, Failure, Layer, Outcome},
    spec::Limits,
};

/// Sets soft and hard limits of the calling process; they can never be raised again.
pub fn set(limits: &Limits) -> Outcome<()> {
    let wishes = [
        ("DATA", libc::RLIMIT_DATA, limits.memory),
        ("NPROC", libc::RLIMIT_NPROC, limits.processes + 1),
        ("FSIZE", libc::RLIMIT_FSIZE, limits.file),
        ("NOFILE", libc::RLIMIT_NOFILE, limits.open_files),
        ("CPU", libc::RLIMIT_CPU, limits.cpu_seconds),
        ("CORE", libc::RLIMIT_CORE, 0),
        ("STACK", libc::RLIMIT_STACK, 16 << 20),
        ("MEMLOCK", libc::RLIMIT_MEMLOCK, 64 << 10),
        ("MSGQUEUE", libc::RLIMIT_MSGQUEUE, 0),
        ("RTPRIO", libc::RLIMIT_RTPRIO, 0),
        ("SIGPENDING", libc::RLIMIT_SIGPENDING, 4096),
    ];
    for (name, resource, value) in wishes {
        // SAFETY: the structs live through the calls.
        let result = unsafe {
            let mut now = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            check(libc::getrlimit(resource, &mut now)).and_then(|_| {
                // A limit that is already tighter stays: only real root could raise it.
                let value = value.min(now.rlim_max);
                check(libc::setrlimit(resource, &libc::rlimit { rlim_cur: value, rlim_max: value }))
            })
        };
        result.map_err(|e| Failure::io(Layer::Limits, name, &e))?;
    }
    Ok(())
}

/// The kernel's out-of-memory killer takes the command before anything of the user's.
pub fn die_first() -> Outcome<()> {
    // Only a dumpable process of a user other than root owns its files in /proc. Nothing hostile runs yet, and
    // the exec to come makes it dumpable anyway.
    // SAFETY: no pointers.
    check(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0) })
        .map_err(|e| Failure::io(Layer::Limits, "make dumpable", &e))?;
    std::fs::write("/proc/self/oom_score_adj", "1000\n")
        .map_err(|e| Failure::io(Layer::Limits, "set oom_score_adj", &e))
}

/// Nothing that is executed from here on gains anything by it: no setuid, no file capabilities.
pub fn no_new_privileges() -> Outcome<()> {
    // SAFETY: no pointers.
    check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) })
        .map_err(|e| Failure::io(Layer::Capabilities, "no_new_privs", &e))?;
    Ok(())
}

/// No capability now, none by executing anything, none by being user 0.
pub fn drop_capabilities() -> Outcome<()> {
    no_new_privileges()?;
    let fail = |what: &str, error: io::Error| Failure::io(Layer::Capabilities, what, &error);
    // SECBIT_NOROOT | NO_SETUID_FIXUP | KEEP_CAPS off | NO_CAP_AMBIENT_RAISE, each with its lock.
    const SECURE: libc::c_ulong = 0b1110_1111;
    // SAFETY: no pointers but the two structs of capset, which live through the call.
    unsafe {
        for capability in 0.. {
            match check(libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0)) {
                Ok(_) => {}
                // One past the last that this kernel knows.
                Err(error) if error.raw_os_error() == Some(libc::EINVAL) && capability > 0 => break,
                Err(error) => return Err(fail("drop the bounding set", error)),
            }
        }
        check(libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
            .map_err(|e| fail("clear the ambient set", e))?;
        check(libc::prctl(libc::PR_SET_SECUREBITS, SECURE, 0, 0, 0)).map_err(|e| fail("secure bits", e))?;
        let head = Head { version: 0x2008_0522, process: 0 };
        let none = [Sets::default(), Sets::default()];
        check_long(libc::syscall(libc::SYS_capset, &head as *const Head, none.as_ptr()))
            .map_err(|e| fail("capset", e))?;
    }
    Ok(())
}

/// `struct __user_cap_header_struct`, version 3.
#[repr(C)]
struct Head {
    version: u32,
    process: i32,
}

/// `struct __user_cap_data_struct`.
#[repr(C)]
#[derive(Default)]
struct Sets {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Everything above stderr closes when the command starts.
pub fn close_descriptors() -> Outcome<()> {
    close_from(3, libc::CLOSE_RANGE_CLOEXEC)
}

pub fn close_from(first: libc::c_uint, flags: libc::c_uint) -> Outcome<()> {
    // SAFETY: no pointers.
    check_long(unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, flags) })
        .map_err(|e| Failure::io(Layer::Descriptors, "close_range", &e))?;
    Ok(())
}
