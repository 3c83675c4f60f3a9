//! Starts the launcher and supervises it: bounds its output and wall time, and ends the whole process tree.
//!
//! `posix_spawn`, never `fork`: the parent may be large. The launcher notices the end of this process by the
//! control socket, so a `kill -9` here ends everything there.
use std::{
    io, mem,
    os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
    path::Path,
    ptr,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    capture::{Captured, CHUNK},
    error::Result,
    sandbox::Wish,
    spawn::{last, lift, pipe, spawn},
};

/// How long the launcher may take to end everything after it was asked to.
const GRACE: Duration = Duration::from_secs(5);

/// How a run went. Exactly one of `failed` and `ended` tells whether the command ran.
#[derive(Debug, Default)]
pub struct Outcome {
    /// (layer, why, errno): the command never ran.
    pub failed: Option<(String, String, i32)>,
    pub layers: Vec<String>,
    pub missing: Vec<String>,
    pub exit: Option<i32>,
    pub signal: Option<i32>,
    /// What ended the run before its own end: wall, output, memory, processes, disk, cancelled.
    pub stopped: Option<String>,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub cut: u64,
    pub changes: Option<OwnedFd>,
    /// The answer to a probe: (layer, why it does not work).
    pub probe: Vec<(String, Option<String>)>,
    pub seconds: f64,
}

/// A run under way. Dropping it ends it.
pub struct Run {
    launcher: libc::pid_t,
    control: Option<OwnedFd>,
    streams: [(Option<OwnedFd>, Captured); 2],
    began: Instant,
    wall: Duration,
    flood: u64,
    stop_sent: Option<Instant>,
    why_stopped: Option<&'static str>,
    ended: bool,
    outcome: Outcome,
    buffer: Vec<u8>,
    /// What was read of the standard output and not yet fetched by `heard`, if somebody listens.
    fresh: Option<Vec<u8>>,
    /// A descriptor of somebody else; when it can be read, the run is to end.
    waker: Option<RawFd>,
}

impl Run {
    /// Starts the launcher at `launcher`. `keep` bytes of each stream are kept; more than `flood` bytes of
    /// both together end the run.
    pub fn start(launcher: &Path, wish: &Wish, wall: Duration, keep: usize, flood: u64) -> Result<Self> {
        wish.check()?;
        let spec = lift(wish.spec_file()?.as_raw_fd())?;
        let mut ends = [0; 2];
        // SAFETY: an array of two; both are owned at once.
        let (control, theirs) = unsafe {
            if libc::socketpair(libc::AF_UNIX, libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC, 0, ends.as_mut_ptr()) != 0 {
                return Err(last("socketpair"));
            }
            (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1]))
        };
        let theirs = lift(theirs.as_raw_fd())?;
        let ((out, out_write), (err, err_write)) = (pipe()?, pipe()?);
        let handed = [(&out_write, 1), (&err_write, 2), (&spec, 3), (&theirs, 4)];
        let launcher = spawn(launcher, &handed.map(|(fd, number)| (fd.as_raw_fd(), number)))?;
        Ok(Self {
            launcher,
            control: Some(control),
            streams: [(Some(out), Captured::new(keep)), (Some(err), Captured::new(keep))],
            began: Instant::now(),
            wall,
            flood,
            stop_sent: None,
            why_stopped: None,
            ended: false,
            outcome: Outcome::default(),
            buffer: vec![0; CHUNK],
            fresh: None,
            waker: None,
        })
    }

    /// Hands out the standard output as it comes: `step` returns when there is something, `heard` fetches it. The run
    /// ends when `waker` can be read; it must stay open as long as the run.
    pub fn listen(&mut self, waker: Option<RawFd>) {
        self.fresh = Some(Vec::new());
        self.waker = waker;
    }

    /// What came since the last call. Empty if nobody listens.
    pub fn heard(&mut self) -> Vec<u8> {
        self.fresh.as_mut().map(mem::take).unwrap_or_default()
    }

    /// Asks the launcher to end the run; it still returns the changes.
    pub fn stop(&mut self, why: &'static str) {
        if self.stop_sent.is_some() {
            return;
        }
        self.stop_sent = Some(Instant::now());
        self.why_stopped = Some(why);
        if let Some(control) = &self.control {
            // SAFETY: a literal and its length. A launcher that is gone shows as the end of the socket.
            unsafe { libc::send(control.as_raw_fd(), c"stop".as_ptr().cast(), 4, libc::MSG_NOSIGNAL) };
        }
    }

    /// Works for at most `slice`; true once the run is over and everything is read.
    pub fn step(&mut self, slice: Duration) -> bool {
        let until = Instant::now() + slice;
        loop {
            let done = self.control.is_none() && self.streams.iter().all(|(stream, _)| stream.is_none());
            if done {
                return true;
            }
            let now = Instant::now();
            if !self.ended && now.duration_since(self.began) >= self.wall {
                self.stop("wall");
            }
            if self.stop_sent.is_some_and(|at| now.duration_since(at) > GRACE) {
                self.abandon();
                return true;
            }
            if now >= until || self.fresh.as_ref().is_some_and(|fresh| !fresh.is_empty()) {
                return false;
            }
            if let Err(error) = self
                .wait((until - now).min(self.wall.saturating_sub(self.began.elapsed()).max(Duration::from_millis(1))))
            {
                self.outcome.failed.get_or_insert(("spawn".into(), error.to_string(), 0));
                self.abandon();
                return true;
            }
        }
    }

    fn wait(&mut self, pause: Duration) -> io::Result<()> {
        let raw = |fd: &Option<OwnedFd>| fd.as_ref().map_or(-1, AsRawFd::as_raw_fd);
        let entry = |fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        let waker = if self.stop_sent.is_none() { self.waker.unwrap_or(-1) } else { -1 };
        let [out, err] = [0, 1].map(|index| entry(raw(&self.streams[index].0)));
        let mut waiting = [entry(raw(&self.control)), out, err, entry(waker)];
        let pause = pause.as_millis().clamp(1, libc::c_int::MAX as u128) as libc::c_int;
        // SAFETY: an array of four; negative descriptors are skipped.
        let ready = unsafe { libc::poll(waiting.as_mut_ptr(), 4, pause) };
        if ready < 0 {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::Interrupted { Ok(()) } else { Err(error) };
        }
        for index in 0..2 {
            if waiting[index + 1].revents != 0 {
                self.drain(index)?;
            }
        }
        if waiting[0].revents != 0 {
            self.hear()?;
        }
        if waiting[3].revents != 0 {
            self.stop("cancelled");
        }
        if self.streams.iter().map(|(_, kept)| kept.total()).sum::<u64>() > self.flood {
            self.stop("output");
        }
        Ok(())
    }

    /// Reads one stream while it has data, up to a bound, so that the other one is read as well.
    fn drain(&mut self, index: usize) -> io::Result<()> {
        for _ in 0..8 {
            let (stream, kept) = &mut self.streams[index];
            let Some(fd) = stream else { return Ok(()) };
            // SAFETY: the buffer is ours and as long as said.
            let read = unsafe { libc::read(fd.as_raw_fd(), self.buffer.as_mut_ptr().cast(), self.buffer.len()) };
            match read {
                0 => *stream = None,
                n if n > 0 => {
                    kept.take(&self.buffer[..n as usize]);
                    if let (0, Some(fresh)) = (index, &mut self.fresh) {
                        fresh.extend_from_slice(&self.buffer[..n as usize]);
                    }
                }
                _ => {
                    let error = io::Error::last_os_error();
                    return match error.kind() {
                        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(()),
                        _ => Err(error),
                    };
                }
            }
        }
        Ok(())
    }

    /// One message of the launcher, and the descriptor that may come with it.
    fn hear(&mut self) -> io::Result<()> {
        let Some(control) = &self.control else { return Ok(()) };
        let mut text = vec![0u8; 64 << 10];
        let mut space = [0u64; 8];
        // SAFETY: msghdr is plain data, its pointers outlive the call; a received descriptor is owned at once.
        let (size, extra) = unsafe {
            let mut part = libc::iovec { iov_base: text.as_mut_ptr().cast(), iov_len: text.len() };
            let mut head: libc::msghdr = mem::zeroed();
            head.msg_iov = &mut part;
            head.msg_iovlen = 1;
            head.msg_control = space.as_mut_ptr().cast();
            head.msg_controllen = mem::size_of_val(&space) as _;
            let size = libc::recvmsg(control.as_raw_fd(), &mut head, libc::MSG_CMSG_CLOEXEC | libc::MSG_DONTWAIT);
            let first = libc::CMSG_FIRSTHDR(&head);
            let extra = (size > 0 && !first.is_null() && (*first).cmsg_type == libc::SCM_RIGHTS)
                .then(|| OwnedFd::from_raw_fd(ptr::read_unaligned(libc::CMSG_DATA(first).cast())));
            (size, extra)
        };
        if size < 0 {
            let error = io::Error::last_os_error();
            match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => return Ok(()),
                // The launcher died before it read our messages: the same as the end of the socket.
                io::ErrorKind::ConnectionReset => {}
                _ => return Err(error),
            }
        }
        if size <= 0 {
            self.control = None;
            return Ok(());
        }
        let message: Value = serde_json::from_slice(&text[..size as usize])?;
        self.understand(&message, extra);
        Ok(())
    }

    fn understand(&mut self, message: &Value, extra: Option<OwnedFd>) {
        let word = |name: &str| message[name].as_str().map(str::to_owned);
        let words = |name: &str| -> Vec<String> {
            let list = message[name].as_array().map(Vec::as_slice).unwrap_or_default();
            list.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect()
        };
        let number = |name: &str| message[name].as_i64().map(|n| n as i32);
        if let Some(layer) = word("failed") {
            let why = word("why").unwrap_or_default();
            self.outcome.failed.get_or_insert((layer, why, number("code").unwrap_or(0)));
        } else if message["started"] == true {
            (self.outcome.layers, self.outcome.missing) = (words("layers"), words("missing"));
        } else if message["ended"] == true {
            self.ended = true;
            self.outcome.seconds = self.began.elapsed().as_secs_f64();
            (self.outcome.exit, self.outcome.signal) = (number("exit"), number("signal"));
            self.outcome.stopped = match word("stopped").as_deref() {
                Some("parent") => self.why_stopped.map(str::to_owned),
                other => other.map(str::to_owned),
            };
            self.outcome.changes = extra;
        } else if let Some(trials) = message["probe"].as_object() {
            let tell = |(layer, why): (&String, &Value)| (layer.clone(), why.as_str().map(str::to_owned));
            self.outcome.probe = trials.iter().map(tell).collect();
            self.ended = true;
        }
    }

    /// Ends the launcher and with it everything inside.
    fn abandon(&mut self) {
        self.control = None;
        self.streams[0].0 = None;
        self.streams[1].0 = None;
        // SAFETY: our own child, not reaped before `reap`.
        unsafe { libc::kill(self.launcher, libc::SIGKILL) };
    }

    /// Reaps the launcher and tells how the run went.
    pub fn finish(mut self) -> Outcome {
        self.reap();
        let mut outcome = mem::take(&mut self.outcome);
        let [out, err] = &mut self.streams;
        let (stdout, cut_out) = mem::take(&mut out.1).finish();
        let (stderr, cut_err) = mem::take(&mut err.1).finish();
        (outcome.stdout, outcome.stderr, outcome.cut) = (stdout, stderr, cut_out + cut_err);
        if outcome.seconds == 0.0 {
            outcome.seconds = self.began.elapsed().as_secs_f64();
        }
        if !self.ended && outcome.failed.is_none() {
            if outcome.layers.is_empty() {
                outcome.failed = Some(("spawn".into(), "the launcher exited without a report".into(), 0));
            } else {
                // It had started and was killed from outside: by the kernel for memory, or by a person.
                outcome.signal = Some(libc::SIGKILL);
                outcome.stopped = Some(self.why_stopped.unwrap_or("killed").to_owned());
            }
        }
        outcome
    }

    fn reap(&mut self) {
        self.control = None;
        if self.launcher > 0 {
            // SAFETY: our own child. Without the socket it ends by itself; nobody else reaps it.
            unsafe {
                while libc::waitpid(self.launcher, ptr::null_mut(), 0) < 0 && *libc::__errno_location() == libc::EINTR {
                }
            }
            self.launcher = 0;
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if self.launcher > 0 {
            self.abandon();
            self.reap();
        }
    }
}
