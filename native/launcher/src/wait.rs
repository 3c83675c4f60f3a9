//! Process 1 of the namespace: builds the world, starts the command, watches it, and ends everything.
use std::{
    fs::File,
    io::Read,
    os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd},
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    command,
    control::{Control, Word},
    failure::{check, Failure, Layer, Outcome},
    mounts, namespaces, overlay, proc,
    spec::{path, Request},
    watch::{end_everything, Watch},
};

/// How often the watch looks, at most; a look that takes long makes the pauses longer.
const LOOK: Duration = Duration::from_millis(20);
/// In a run that mostly waits each pause is twice the one before, up to this; the limits of the kernel hold in between.
const CALM_LOOK: Duration = Duration::from_secs(60);

struct World {
    changes: OwnedFd,
    pids_bounded: bool,
    has_terminals: bool,
}

/// The whole life of process 1; returns its exit code.
pub fn first_process(mut request: Request, control: Control, in_cgroup: bool) -> i32 {
    // SAFETY: no pointers. The parent has one thread, so this fires when that process ends, not before.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0) };
    let world = match build(&mut request) {
        Ok(world) => world,
        Err(failure) => {
            control.failed(&failure);
            return 1;
        }
    };
    match start(&request) {
        Ok(child) => run(&request, control, &world, child, in_cgroup),
        Err((layer, code, why)) => {
            end_everything();
            control.say(&json!({"failed": layer, "why": why, "code": code}), None);
            return 1;
        }
    }
    0
}

fn build(request: &mut Request) -> Outcome<World> {
    request.fails_at(Layer::Mounts)?;
    mounts::build(&request.spec)?;
    let has_terminals = request.fails_at(Layer::Terminals).is_ok() && mounts::terminals(&request.spec).is_ok();
    request.fails_at(Layer::Proc)?;
    proc::mount_new(&request.spec)?;
    request.fails_at(Layer::Overlay)?;
    let changes = overlay::mount_tree(&request.spec)?;
    request.fails_at(Layer::Seed)?;
    overlay::seed(request)?;
    overlay::lay_over(&request.spec)?;
    request.fails_at(Layer::Network)?;
    if request.spec.loopback {
        namespaces::raise_loopback()?;
    }
    let by_number = proc::limit_processes(&path(&request.spec.stage).join("proc"), &request.spec.limits);
    // SAFETY: no pointers. RLIMIT_NPROC counts inside the user namespace, but never for real root.
    let pids_bounded = by_number || unsafe { libc::geteuid() } != 0;
    proc::mask(&request.spec)?;
    mounts::pivot(&request.spec)?;
    Ok(World { changes, pids_bounded, has_terminals })
}

/// Starts the command; an error is (layer, errno, why) and means that it never ran.
fn start(request: &Request) -> Result<libc::pid_t, (String, i32, String)> {
    let told = |failure: Failure| (failure.layer.name().to_owned(), failure.code, failure.why);
    let (mut errors, writer) = command::pipe().map_err(|e| told(Failure::io(Layer::Exec, "pipe", &e)))?;
    // SAFETY: this process has one thread; the child only sets itself up and executes.
    let child = unsafe { libc::fork() };
    if child == 0 {
        drop(errors);
        command::become_command(request, writer);
    }
    if child < 0 {
        return Err(told(Failure::last(Layer::Exec, "fork")));
    }
    drop(writer);
    let mut text = Vec::new();
    errors.read_to_end(&mut text).map_err(|e| told(Failure::io(Layer::Exec, "read the start", &e)))?;
    match command::parse_failure(&text) {
        Some(failure) => Err(failure),
        None => Ok(child),
    }
}

fn run(request: &Request, control: Control, world: &World, child: libc::pid_t, in_cgroup: bool) {
    let mut layers: Vec<&str> = Layer::REQUIRED.iter().map(|layer| layer.name()).collect();
    let mut missing = Vec::new();
    let pids_bounded = world.pids_bounded || in_cgroup;
    let optional = [(pids_bounded, Layer::Pids), (in_cgroup, Layer::Cgroup), (world.has_terminals, Layer::Terminals)];
    for (has, layer) in optional {
        if has { &mut layers } else { &mut missing }.push(layer.name());
    }
    control.say(&json!({"started": true, "layers": layers, "missing": missing}), None);
    let on_disk = request.spec.disk_scratch.is_some().then(|| world.changes.as_fd());
    let watch = Watch::new(&request.spec.limits, !pids_bounded, on_disk);
    let bell = child_bell();
    let mut status = None;
    let mut stopped = None;
    let mut pause = LOOK;
    while status.is_none() && stopped.is_none() {
        let spoken = wait_for_news(control, bell.as_ref(), pause);
        status = reap(child);
        if status.is_some() {
            break;
        }
        stopped = match spoken.then(|| control.listen()) {
            Some(Word::Stop) => Some("parent"),
            // The parent is gone; ending process 1 ends all others.
            Some(Word::Gone) => return,
            _ => None,
        };
        let began = Instant::now();
        stopped = stopped.or_else(|| watch.passed());
        let calmer = if request.spec.calm { CALM_LOOK.min(pause * 2) } else { LOOK };
        pause = calmer.max(began.elapsed() * 10);
    }
    end_everything();
    let (exit, signal) = match status {
        Some(status) if libc::WIFEXITED(status) => (Some(libc::WEXITSTATUS(status)), None),
        Some(status) => (None, Some(libc::WTERMSIG(status))),
        None => (None, Some(libc::SIGKILL)),
    };
    control
        .say(&json!({"ended": true, "exit": exit, "signal": signal, "stopped": stopped}), Some(world.changes.as_fd()));
}

/// A descriptor that can be read when a child has ended.
fn child_bell() -> Option<File> {
    // SAFETY: the set lives through the calls; the descriptor is owned at once.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGCHLD);
        check(libc::sigprocmask(libc::SIG_BLOCK, &set, std::ptr::null_mut())).ok()?;
        let fd = check(libc::signalfd(-1, &set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)).ok()?;
        Some(File::from_raw_fd(fd))
    }
}

/// Waits for a word of the parent, the end of a child, or `pause`. Returns whether the parent spoke.
fn wait_for_news(control: Control, bell: Option<&File>, pause: Duration) -> bool {
    let entry = |fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // A negative descriptor is skipped by poll.
    let mut waiting = [entry(control.fd()), entry(bell.map_or(-1, |bell| bell.as_raw_fd()))];
    // SAFETY: an array of two.
    unsafe { libc::poll(waiting.as_mut_ptr(), 2, pause.as_millis() as libc::c_int) };
    if let (Some(mut bell), true) = (bell, waiting[1].revents != 0) {
        let mut record = [0; std::mem::size_of::<libc::signalfd_siginfo>() * 8];
        while bell.read(&mut record).is_ok_and(|read| read == record.len()) {}
    }
    waiting[0].revents != 0
}

/// Reaps whatever ended; the status of `child` if it was among them.
fn reap(child: libc::pid_t) -> Option<libc::c_int> {
    let mut found = None;
    loop {
        let mut status = 0;
        // SAFETY: the integer lives through the call.
        match unsafe { libc::waitpid(-1, &mut status, libc::WNOHANG) } {
            pid if pid == child => found = Some(status),
            pid if pid > 0 => {}
            _ => return found,
        }
    }
}
