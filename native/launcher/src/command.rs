//! The command's own process: the last layers, in the order that lets each still be set, then exec.
use std::{
    ffi::CString,
    fs::File,
    io::Write,
    os::{fd::AsRawFd, unix::ffi::OsStrExt},
    path::Path,
};

use crate::{
    failure::{check, Failure, Layer, Outcome},
    landlock, limits, seccomp,
    spec::{c_string, path, Request},
};

/// Never returns. What fails is written to `errors` (closed by a successful exec) as `layer\0code\0why`.
pub fn become_command(request: &Request, mut errors: File) -> ! {
    let failure = match confine(request) {
        Ok(()) => execute(request),
        Err(failure) => failure,
    };
    let text = format!("{}\0{}\0{}", failure.layer.name(), failure.code, failure.why);
    let told = errors.write_all(text.as_bytes()).is_ok();
    // SAFETY: ends this process at once.
    unsafe { libc::_exit(if told { 126 } else { 125 }) }
}

fn confine(request: &Request) -> Outcome<()> {
    let spec = &request.spec;
    let fail = |what: &str, error: std::io::Error| Failure::io(Layer::Descriptors, what, &error);
    request.fails_at(Layer::Limits)?;
    limits::die_first()?;
    limits::set(&spec.limits)?;
    request.fails_at(Layer::Descriptors)?;
    // SAFETY: no pointers but NUL-terminated ones.
    unsafe {
        // A session of its own without a terminal: nobody's keyboard to push keys into.
        check(libc::setsid()).map_err(|e| fail("setsid", e))?;
        let null = check(libc::open(c"/dev/null".as_ptr(), libc::O_RDONLY)).map_err(|e| fail("open /dev/null", e))?;
        check(libc::dup2(null, 0)).map_err(|e| fail("dup2", e))?;
        let root = c_string(&spec.place).map_err(|e| fail("root", e))?;
        check(libc::chdir(root.as_ptr())).map_err(|e| fail("enter the tree", e))?;
        libc::umask(0o022);
        // The Rust runtime ignores this signal, and exec would hand that on.
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
    limits::close_descriptors()?;
    request.fails_at(Layer::Capabilities)?;
    limits::drop_capabilities()?;
    request.fails_at(Layer::Landlock)?;
    landlock::restrict(spec)?;
    request.fails_at(Layer::Seccomp)?;
    seccomp::restrict(spec.loopback)
}

/// Tries the command along the spec's own PATH; returns only if nothing could be started.
fn execute(request: &Request) -> Failure {
    let spec = &request.spec;
    let fail = |error: &std::io::Error| {
        let name = spec.argv.first().map(|name| String::from_utf8_lossy(name)).unwrap_or_default();
        Failure::io(Layer::Exec, name, error)
    };
    let strings = || -> std::io::Result<(Vec<CString>, Vec<CString>)> {
        let argv = spec.argv.iter().map(|word| c_string(word)).collect::<Result<_, _>>()?;
        let env = spec.env.iter().map(|(name, value)| c_string(&[name, b"=".as_slice(), value].concat()));
        Ok((argv, env.collect::<Result<_, _>>()?))
    };
    let (argv, env) = match strings() {
        Ok(both) => both,
        Err(error) => return fail(&error),
    };
    let pointers = |list: &[CString]| -> Vec<*const libc::c_char> {
        list.iter().map(|word| word.as_ptr()).chain([std::ptr::null()]).collect()
    };
    let (arguments, environment) = (pointers(&argv), pointers(&env));
    let mut first = std::io::Error::from_raw_os_error(libc::ENOENT);
    for candidate in candidates(request) {
        // SAFETY: both lists end with null and point into `argv` and `env`, which are alive.
        unsafe { libc::execve(candidate.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
        let error = std::io::Error::last_os_error();
        if !matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENOTDIR)) {
            first = error;
        }
    }
    fail(&first)
}

fn candidates(request: &Request) -> Vec<CString> {
    let Some(name) = request.spec.argv.first().filter(|name| !name.is_empty()) else { return Vec::new() };
    if name.contains(&b'/') {
        return c_string(name).into_iter().collect();
    }
    let search = request.spec.env.iter().find(|(key, _)| key == b"PATH").map(|(_, value)| value.as_slice());
    search
        .unwrap_or(b"/usr/bin:/bin")
        .split(|&b| b == b':')
        // An empty or relative entry would mean the tree itself: a planted `ls` must not win.
        .filter(|part| part.starts_with(b"/"))
        .filter_map(|part| c_string(Path::new(path(part)).join(path(name)).as_os_str().as_bytes()).ok())
        .collect()
}

/// The read end's view: what the command's process said before it became the command, if anything.
pub fn parse_failure(text: &[u8]) -> Option<(String, i32, String)> {
    let mut parts = text.splitn(3, |&b| b == 0).map(|part| String::from_utf8_lossy(part).into_owned());
    let layer = parts.next().filter(|layer| !layer.is_empty())?;
    Some((layer, parts.next()?.parse().unwrap_or(0), parts.next()?))
}

/// A pipe whose ends close on exec: (read, write).
pub fn pipe() -> std::io::Result<(File, File)> {
    use std::os::fd::FromRawFd;
    let mut ends = [0; 2];
    // SAFETY: an array of two; both descriptors are owned at once.
    unsafe {
        check(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC))?;
        let both = (File::from_raw_fd(ends[0]), File::from_raw_fd(ends[1]));
        debug_assert!(both.0.as_raw_fd() > 2);
        Ok(both)
    }
}
