//! The one inotify instance of this process, shared by all watchers: a user may have 128 of them, and a daemon would
//! take one for each repository.
//!
//! Each watcher has a seat. Of the seats that wait one is the reader: it sleeps on the kernel's queue and gives each
//! event to the seats that own its watch; the others sleep on their bells. While nobody waits the queue fills, and if
//! it overflows every seat is told. Where no instance can be had, no directory can be added: EMFILE.
use std::{
    collections::{BTreeMap, BTreeSet},
    mem::MaybeUninit,
    os::fd::OwnedFd,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
    time::{Duration, Instant},
};

use rustix::{
    event::{eventfd, poll, EventfdFlags, PollFd, PollFlags, Timespec},
    fs::inotify::{self, CreateFlags, Event, ReadFlags, Reader, WatchFlags},
    io::{read, Errno, Result},
};

use crate::seat::{Kind, Seat};

/// Maximum time of one drain of the queue, so that constant writers cannot keep a waiter from its answer.
const DRAIN: Duration = Duration::from_millis(250);
/// Maximum number of watches removed at a time: each removal adds an event to the queue, which is read in between.
const GIVE_UP_AT_ONCE: usize = 1_000;
/// Attempts to add a watch without holding the lock, because the lookup of its path may be slow.
const FREE_TRIES: usize = 3;

static SHARED: Mutex<Weak<Instance>> = Mutex::new(Weak::new());

pub struct Instance {
    queue: OnceLock<OwnedFd>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    seats: BTreeMap<u32, Seat>,
    /// (watch, seat), so that the seats of a watch stand together.
    owners: BTreeSet<(i32, u32)>,
    /// Watches that nobody owned when they were given up; the kernel still has them.
    given_up: Vec<i32>,
    reader: Option<u32>,
    /// Counts the events after which a watch may be gone or its path may be wrong.
    upheavals: u64,
}

/// How a wait ended.
pub enum Ended {
    Told,
    /// A signal arrived: handle it and wait again.
    Interrupted,
}

impl Instance {
    /// The instance of this process. It lives as long as somebody has it; the kernel's part begins with the first watch.
    pub fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let made = Arc::new(Self { queue: OnceLock::new(), state: Mutex::default() });
            *shared = Arc::downgrade(&made);
            made
        })
    }

    /// A new seat, by its number.
    pub fn join(&self) -> Result<u32> {
        let bell = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        let mut state = self.lock();
        let number = state.seats.last_key_value().map_or(0, |(last, _)| last + 1);
        state.seats.insert(number, Seat::new(bell));
        Ok(number)
    }

    /// Takes a seat away, and its watches if others go on.
    pub fn leave(self: &Arc<Self>, number: u32) {
        {
            let mut state = self.lock();
            let watches = state.seats.remove(&number).map(|seat| seat.paths.watches()).unwrap_or_default();
            watches.into_iter().for_each(|watch| state.release(watch, number));
            state.pass_on(number);
        }
        if Arc::strong_count(self) > 1 {
            // If this fails, the next waiter does it.
            let _ = self.drain(number);
        }
    }

    pub fn seat<T>(&self, number: u32, work: impl FnOnce(&mut Seat) -> T) -> Option<T> {
        self.lock().seats.get_mut(&number).map(work)
    }

    /// Watches one directory for a seat.
    pub fn add(&self, number: u32, dir: &Path, kind: Kind) -> Result<()> {
        let queue = self.queue()?;
        let flags = kind.flags() | WatchFlags::MASK_ADD;
        for _ in 0..FREE_TRIES {
            let before = self.lock().upheavals;
            let watch = inotify::add_watch(queue, dir, flags)?;
            let mut state = self.lock();
            if state.upheavals == before {
                state.own(number, watch, dir, kind);
                return Ok(());
            }
            // It may have been removed, or its directory moved, before it was known to be anybody's.
            state.give_up(watch);
        }
        let mut state = self.lock();
        let watch = inotify::add_watch(queue, dir, flags)?;
        state.own(number, watch, dir, kind);
        Ok(())
    }

    /// Stops watching exactly this directory.
    pub fn remove(&self, number: u32, dir: &[u8]) {
        let mut state = self.lock();
        if let Some(watch) = state.seats.get_mut(&number).and_then(|seat| seat.remove(dir)) {
            state.release(watch, number);
            self.forsake(&mut state);
        }
    }

    /// Stops watching a directory and all below it.
    pub fn remove_tree(&self, number: u32, dir: &[u8]) {
        let mut state = self.lock();
        let watches = state.seats.get_mut(&number).map(|seat| seat.remove_tree(dir)).unwrap_or_default();
        watches.into_iter().for_each(|watch| state.release(watch, number));
        self.forsake(&mut state);
    }

    /// Waits until the seat has news, was woken, or the deadline passed. All there is to read was read by then.
    pub fn wait(&self, number: u32, deadline: Option<Instant>) -> Result<Ended> {
        loop {
            self.drain(number)?;
            let mut state = self.lock();
            let over = deadline.is_some_and(|at| at <= Instant::now());
            let Some(seat) = state.seats.get_mut(&number) else { return Ok(Ended::Told) };
            if over || seat.has_news() {
                seat.waits = false;
                state.pass_on(number);
                return Ok(Ended::Told);
            }
            seat.waits = true;
            let bell = seat.bell.clone();
            let reads = *state.reader.get_or_insert(number) == number;
            drop(state);
            if let Err(error) = self.sleep(&bell, reads, deadline) {
                let mut state = self.lock();
                state.seats.entry(number).and_modify(|seat| seat.waits = false);
                state.pass_on(number);
                return if error == Errno::INTR { Ok(Ended::Interrupted) } else { Err(error) };
            }
        }
    }

    fn sleep(&self, bell: &OwnedFd, reads: bool, deadline: Option<Instant>) -> Result<()> {
        let left = deadline.map(|at| at.saturating_duration_since(Instant::now())).map(|left| Timespec {
            tv_sec: left.as_secs().min(i64::MAX as u64 / 2) as i64,
            tv_nsec: i64::from(left.subsec_nanos()),
        });
        let mut sources = vec![PollFd::new(bell, PollFlags::IN)];
        if let (true, Some(queue)) = (reads, self.queue.get()) {
            sources.push(PollFd::new(queue, PollFlags::IN));
        }
        poll(&mut sources, left.as_ref())?;
        if !sources[0].revents().is_empty() {
            match read(bell, &mut [0u8; 8]) {
                Ok(_) | Err(Errno::AGAIN | Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads all pending events, hands them to the seats that own them, and rings the bells of the others.
    fn drain(&self, number: u32) -> Result<()> {
        let Some(queue) = self.queue.get() else { return Ok(()) };
        let mut buffer = vec![MaybeUninit::<u8>::uninit(); 64 << 10];
        let mut reader = Reader::new(queue, &mut buffer);
        let started = Instant::now();
        loop {
            // One read at a time: an add that is under way in another thread has its turn. What was read is given out
            // under the same lock, so that two who read keep the order of the events.
            let mut state = self.lock();
            loop {
                match reader.next() {
                    Ok(event) => state.take(&event, number),
                    Err(Errno::AGAIN) if self.forsake(&mut state) => {}
                    Err(Errno::AGAIN) => return Ok(()),
                    Err(Errno::INTR) => {}
                    Err(error) => return Err(error),
                }
                if reader.is_buffer_empty() {
                    break;
                }
            }
            drop(state);
            if started.elapsed() > DRAIN {
                return Ok(());
            }
        }
    }

    /// Removes some of the watches that were given up, if nobody took them over; whether there were any.
    fn forsake(&self, state: &mut State) -> bool {
        let rest = state.given_up.len().saturating_sub(GIVE_UP_AT_ONCE);
        let (owners, some) = (&state.owners, state.given_up.split_off(rest));
        for watch in some.iter().filter(|watch| !is_owned(owners, **watch)) {
            state.upheavals += 1;
            if let Some(queue) = self.queue.get() {
                // It fails if the watch is gone with its directory, and then there is nothing to do.
                let _ = inotify::remove_watch(queue, *watch);
            }
        }
        !some.is_empty()
    }

    fn queue(&self) -> Result<&OwnedFd> {
        if let Some(queue) = self.queue.get() {
            return Ok(queue);
        }
        let made = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        let queue = self.queue.get_or_init(|| made);
        let state = self.lock();
        if let Some(seat) = state.reader.and_then(|reader| state.seats.get(&reader)) {
            seat.ring(); // it sleeps without the queue
        }
        Ok(queue)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn own(&mut self, number: u32, watch: i32, dir: &Path, kind: Kind) {
        let Some(seat) = self.seats.get_mut(&number) else { return self.give_up(watch) };
        let replaced = seat.insert(watch, dir, kind);
        self.owners.insert((watch, number));
        if let Some(replaced) = replaced {
            self.release(replaced, number);
        }
    }

    /// Removes a seat from the owners of a watch.
    fn release(&mut self, watch: i32, number: u32) {
        self.owners.remove(&(watch, number));
        self.give_up(watch);
    }

    fn give_up(&mut self, watch: i32) {
        if !is_owned(&self.owners, watch) {
            self.given_up.push(watch);
        }
    }

    /// Makes a waiting seat the reader if there is none.
    fn pass_on(&mut self, number: u32) {
        if self.reader == Some(number) {
            self.reader = None;
        }
        if self.reader.is_none() {
            if let Some(next) = self.seats.values().find(|seat| seat.waits) {
                next.ring();
            }
        }
    }

    fn take(&mut self, event: &Event<'_>, me: u32) {
        let (what, watch) = (event.events(), event.wd());
        if what.contains(ReadFlags::QUEUE_OVERFLOW) {
            self.seats.iter_mut().for_each(|(number, seat)| seat.lose("overflow", *number != me));
            return;
        }
        self.upheavals += u64::from(is_upheaval(what));
        // An event whose watch we do not know is of one that we gave up: an add that is under way starts again after
        // an upheaval, and whoever adds looks into the directory afterwards. The kernel may send one even behind its
        // last word on a watch.
        let mut from = 0;
        while let Some((_, number)) = self.owners.range((watch, from)..=(watch, u32::MAX)).next().copied() {
            from = number + 1;
            let given_up = self.seats.get_mut(&number).map(|seat| seat.take(event, number != me)).unwrap_or_default();
            given_up.into_iter().for_each(|watch| self.release(watch, number));
            if what.contains(ReadFlags::IGNORED) {
                self.owners.remove(&(watch, number));
            }
        }
    }
}

fn is_owned(owners: &BTreeSet<(i32, u32)>, watch: i32) -> bool {
    owners.range((watch, 0)..=(watch, u32::MAX)).next().is_some()
}

/// Whether a watch may be gone after this event, or its path or one below it may be wrong.
fn is_upheaval(what: ReadFlags) -> bool {
    let itself = ReadFlags::IGNORED | ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::UNMOUNT;
    what.intersects(itself) || what.contains(ReadFlags::MOVED_FROM | ReadFlags::ISDIR)
}
