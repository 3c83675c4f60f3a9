//! Work that makes more work, shared by a few threads.
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Last in, first out: in this order a walk keeps the queue short.
pub struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    waiting: Vec<T>,
    busy: usize,
    stopped: bool,
}

/// A piece of work that was taken. The queue is not finished before it is dropped, also by a panic.
pub struct Share<'a, T>(&'a Queue<T>);

impl<T> Queue<T> {
    pub fn new(first: T) -> Self {
        let state = State { waiting: vec![first], busy: 0, stopped: false };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// The next piece of work, waiting for others to find some; `None` when all is done or stopped.
    pub fn take(&self) -> Option<(T, Share<'_, T>)> {
        let mut state = self.lock();
        loop {
            if state.stopped {
                return None;
            }
            if let Some(next) = state.waiting.pop() {
                state.busy += 1;
                return Some((next, Share(self)));
            }
            if state.busy == 0 {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Stops handing out work.
    pub fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Share<'_, T> {
    /// More work, found while doing this.
    pub fn add(&self, more: Vec<T>) {
        if !more.is_empty() {
            self.0.lock().waiting.extend(more);
            self.0.changed.notify_all();
        }
    }
}

impl<T> Drop for Share<'_, T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.busy -= 1;
        if state.busy == 0 {
            self.0.changed.notify_all();
        }
    }
}
