//! How long the machine has been suspended since boot: a jump means that hints were missed.
use rustix::time::{clock_gettime, ClockId, Timespec};

/// CLOCK_BOOTTIME − CLOCK_MONOTONIC in nanoseconds. Grows by the length of each suspend and, but for the
/// time between the two readings, at no other moment.
pub fn offset_ns() -> i64 {
    let nanoseconds = |time: Timespec| time.tv_sec * 1_000_000_000 + time.tv_nsec;
    let monotonic = nanoseconds(clock_gettime(ClockId::Monotonic));
    nanoseconds(clock_gettime(ClockId::Boottime)) - monotonic
}
