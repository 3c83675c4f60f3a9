//! Sleeps until a moment of the wall clock, even if the clock is set or the machine sleeps meanwhile.
//!
//! A timer of CLOCK_REALTIME goes off at its moment also when the machine slept through it, and the kernel says
//! when the clock jumped: somebody set it, or the machine woke. A sleep on CLOCK_MONOTONIC would know neither.
use std::os::fd::OwnedFd;

use rustix::{
    event::{eventfd, poll, EventfdFlags, PollFd, PollFlags},
    io::{read, write, Errno},
    time::{timerfd_create, timerfd_settime, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec},
};

use crate::error::{Error, Result};

/// The moment to sleep until when nothing is due: so far ahead that only a jump of the clock ends the sleep.
const NEVER_US: i64 = i64::MAX / 2;

pub struct Alarm {
    timer: OwnedFd,
    bell: OwnedFd,
}

/// How a sleep ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Woken {
    /// The moment has come, or `wake` was called.
    Due,
    /// The clock jumped: every moment must be computed again.
    Jumped,
    /// A signal arrived: handle it and sleep again.
    Interrupted,
}

impl Alarm {
    pub fn new() -> Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Realtime, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC);
        let bell = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC);
        Ok(Self { timer: timer.map_err(fail)?, bell: bell.map_err(fail)? })
    }

    /// Sleeps until a moment (microseconds since the epoch; `None`: none), `wake`, or a jump of the clock.
    pub fn wait(&self, at_us: Option<i64>) -> Result<Woken> {
        if self.set(at_us.unwrap_or(NEVER_US)).map_err(fail)? {
            return Ok(Woken::Jumped);
        }
        let mut sources = [PollFd::new(&self.timer, PollFlags::IN), PollFd::new(&self.bell, PollFlags::IN)];
        match poll(&mut sources, None) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(Woken::Interrupted),
            Err(error) => return Err(fail(error)),
        }
        let (timer, bell) = (!sources[0].revents().is_empty(), !sources[1].revents().is_empty());
        if bell {
            self.take(&self.bell).map_err(fail)?;
        }
        let jumped = timer && self.take(&self.timer).map_err(fail)?;
        Ok(if jumped { Woken::Jumped } else { Woken::Due })
    }

    /// Ends the current sleep, or else the next one, at once.
    pub fn wake(&self) -> Result<()> {
        match write(&self.bell, &1u64.to_ne_bytes()) {
            // A full counter rings as well.
            Ok(_) | Err(Errno::AGAIN) => Ok(()),
            Err(error) => Err(fail(error)),
        }
    }

    /// Whether the clock jumped since the timer was set last.
    fn set(&self, at_us: i64) -> rustix::io::Result<bool> {
        // A value of zero would disarm it.
        let at_us = at_us.max(1);
        let at = Timespec { tv_sec: at_us / 1_000_000, tv_nsec: (at_us % 1_000_000) * 1_000 };
        let never = Timespec { tv_sec: 0, tv_nsec: 0 };
        let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
        match timerfd_settime(&self.timer, flags, &Itimerspec { it_interval: never, it_value: at }) {
            Ok(_) => Ok(false),
            Err(Errno::CANCELED) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Empties a counter; whether it tells of a jump of the clock.
    fn take(&self, counter: &OwnedFd) -> rustix::io::Result<bool> {
        match read(counter, &mut [0u8; 8]) {
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => Ok(false),
            Err(Errno::CANCELED) => Ok(true),
            Err(error) => Err(error),
        }
    }
}

fn fail(error: Errno) -> Error {
    Error::io("cannot sleep on", "the wall clock", error.into())
}
