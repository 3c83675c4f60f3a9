//! `kairos-exec`: runs one command confined, or not at all.
//!
//! Started by the extension with two descriptors: 3, the spec (see `spec`), and 4, a socket to the parent.
//! Three processes: this one stays outside the new pid namespace and ends it when the parent is gone; its
//! child is process 1 inside, builds the new root and watches; and that one's child becomes the command.
mod cgroup;
mod command;
mod control;
mod failure;
mod landlock;
mod limits;
mod mounts;
mod namespaces;
mod overlay;
mod probe;
mod proc;
mod seccomp;
mod spec;
mod wait;
mod watch;

use std::{
    fs::File,
    io::{Read, Write},
    os::fd::FromRawFd,
};

use serde_json::json;

use control::Control;
use failure::{Failure, Layer, Outcome};
use spec::Request;

const SPEC: libc::c_int = 3;
const CONTROL: libc::c_int = 4;

fn main() {
    // SAFETY: fcntl on numbers only tells whether the descriptors were handed over.
    if unsafe { libc::fcntl(SPEC, libc::F_GETFD) < 0 || libc::fcntl(CONTROL, libc::F_GETFD) < 0 } {
        eprintln!("kairos-exec is started by Kairos, not by hand");
        std::process::exit(125);
    }
    let control = Control::new(CONTROL);
    if let Err(failure) = supervise(control) {
        control.failed(&failure);
        std::process::exit(125);
    }
}

fn supervise(control: Control) -> Outcome<()> {
    // Everything else that was inherited is closed; these two close when the command is executed.
    limits::close_from(CONTROL as libc::c_uint + 1, 0)?;
    // SAFETY: the spec's descriptor is ours from here on; fcntl has no pointers.
    let file = unsafe {
        libc::fcntl(CONTROL, libc::F_SETFD, libc::FD_CLOEXEC);
        libc::fcntl(SPEC, libc::F_SETFD, libc::FD_CLOEXEC);
        File::from_raw_fd(SPEC)
    };
    let request = Request::read(file)?;
    if request.spec.probe {
        control.say(&probe::report(), None);
        return Ok(());
    }
    let group = cgroup::Cgroup::make(&request.spec.limits);
    // SAFETY: no pointers.
    let parent = unsafe { libc::getppid() };
    request.fails_at(Layer::Namespaces)?;
    namespaces::enter()?;
    let (mut go, mut ready) = command::pipe().map_err(|e| Failure::io(Layer::Namespaces, "pipe", &e))?;
    // SAFETY: this process has one thread.
    let first = unsafe { libc::fork() };
    if first == 0 {
        drop(ready);
        let mut word = [0];
        // The byte says whether the cgroup has taken this process in; without it the launcher is gone.
        if go.read_exact(&mut word).is_err() {
            std::process::exit(1);
        }
        std::process::exit(wait::first_process(request, control, word[0] == 1));
    }
    if first < 0 {
        return Err(Failure::last(Layer::Namespaces, "fork"));
    }
    drop(go);
    let counted = group.as_ref().is_some_and(|group| group.take_in(first).is_ok());
    if ready.write_all(&[u8::from(counted)]).is_err() {
        return Err(Failure::new(Layer::Namespaces, "the first process ended at once"));
    }
    drop(request);
    let status = guard(control, first, parent);
    // The kernel may have killed the first process (memory): the parent must hear an end in any case.
    control.say(&json!({"gone": true, "status": status}), None);
    Ok(())
}

/// Waits for the first process; ends it, and so everything, when the parent is gone.
fn guard(control: Control, first: libc::pid_t, parent: libc::pid_t) -> libc::c_int {
    // SAFETY: pidfd_open has no pointers.
    let handle = |pid: libc::pid_t| unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) as libc::c_int };
    let (ended, orphaned) = (handle(first), handle(parent));
    // A run may last for days: nothing wakes it where the kernel tells of both ends.
    let pause = if ended < 0 || orphaned < 0 { 500 } else { -1 };
    loop {
        let mut waiting = [
            // Only the end of the socket: the first process reads the messages.
            libc::pollfd { fd: control.fd(), events: libc::POLLRDHUP, revents: 0 },
            libc::pollfd { fd: ended, events: libc::POLLIN, revents: 0 },
            libc::pollfd { fd: orphaned, events: libc::POLLIN, revents: 0 },
        ];
        let mut status = 0;
        // SAFETY: an array of three; the parent is looked at before each wait; the status lives through the call.
        unsafe {
            if libc::getppid() == parent {
                libc::poll(waiting.as_mut_ptr(), 3, pause);
            }
            // A socket that some other process still holds does not hang up: look at the parent itself too.
            let gone = waiting[0].revents != 0 || libc::getppid() != parent;
            if gone {
                libc::kill(first, libc::SIGKILL);
            }
            let flags = if gone { 0 } else { libc::WNOHANG };
            if libc::waitpid(first, &mut status, flags) == first {
                return status;
            }
        }
    }
}
