//! Starting the launcher with `posix_spawn` (never `fork`: the parent may be large) and the pipes to it.
use std::{
    ffi::CString,
    io, mem,
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
    ptr,
};

use crate::error::{Error, Result};

pub fn last(what: &'static str) -> Error {
    Error::io(what, "kairos-exec", io::Error::last_os_error())
}

/// Descriptors above those that the launcher gets, so that no `dup2` overwrites one still needed.
pub fn lift(fd: RawFd) -> Result<OwnedFd> {
    // SAFETY: a new descriptor, owned at once.
    match unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 10) } {
        -1 => Err(last("duplicate")),
        new => Ok(unsafe { OwnedFd::from_raw_fd(new) }),
    }
}

pub fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: an array of two; both are owned at once.
    let (reader, writer) = unsafe {
        if libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) != 0 {
            return Err(last("pipe"));
        }
        (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1]))
    };
    // SAFETY: numbers only. The reader alone must not block; a larger pipe only saves wake-ups.
    unsafe {
        libc::fcntl(reader.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK);
        libc::fcntl(reader.as_raw_fd(), libc::F_SETPIPE_SZ, 1 << 20);
    }
    Ok((reader, lift(writer.as_raw_fd())?))
}

/// `posix_spawn` with nothing inherited but `handed` (descriptor, number there): default signals, a session of
/// its own, no environment.
pub fn spawn(program: &Path, handed: &[(RawFd, RawFd)]) -> Result<libc::pid_t> {
    const SETSID: libc::c_short = 0x80;
    let name = CString::new(program.as_os_str().as_bytes())
        .map_err(|_| Error::Invalid("a launcher path with a NUL byte".into()))?;
    let argv = [name.as_ptr() as *mut libc::c_char, ptr::null_mut()];
    let env = [ptr::null_mut::<libc::c_char>()];
    let mut pid = 0;
    // SAFETY: both objects are initialised before use and destroyed after; every pointer outlives the call.
    let result = unsafe {
        let mut actions: libc::posix_spawn_file_actions_t = mem::zeroed();
        let mut attributes: libc::posix_spawnattr_t = mem::zeroed();
        let mut none: libc::sigset_t = mem::zeroed();
        let mut every: libc::sigset_t = mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::sigfillset(&mut every);
        let mut steps = vec![
            libc::posix_spawn_file_actions_init(&mut actions),
            libc::posix_spawnattr_init(&mut attributes),
            libc::posix_spawn_file_actions_addopen(&mut actions, 0, c"/dev/null".as_ptr(), libc::O_RDONLY, 0),
            libc::posix_spawnattr_setsigmask(&mut attributes, &none),
            libc::posix_spawnattr_setsigdefault(&mut attributes, &every),
            libc::posix_spawnattr_setflags(
                &mut attributes,
                libc::POSIX_SPAWN_SETSIGMASK as libc::c_short | libc::POSIX_SPAWN_SETSIGDEF as libc::c_short | SETSID,
            ),
        ];
        for &(fd, number) in handed {
            steps.push(libc::posix_spawn_file_actions_adddup2(&mut actions, fd, number));
        }
        let ready = steps.into_iter().find(|&code| code != 0);
        let result = ready.unwrap_or_else(|| {
            libc::posix_spawn(&mut pid, name.as_ptr(), &actions, &attributes, argv.as_ptr(), env.as_ptr())
        });
        libc::posix_spawn_file_actions_destroy(&mut actions);
        libc::posix_spawnattr_destroy(&mut attributes);
        result
    };
    if result != 0 {
        return Err(Error::io("start", program, io::Error::from_raw_os_error(result)));
    }
    Ok(pid)
}
