//! An alarm of the wall clock goes off at its moment, at once for one that has passed, and when it is woken.
use std::{
    sync::Arc,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use _native::alarm::{Alarm, Woken};

fn now_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as i64
}

#[test]
fn a_moment_that_comes_ends_the_sleep_and_never_before() {
    let alarm = Alarm::new().unwrap();
    let at = now_us() + 30_000;
    assert_eq!(alarm.wait(Some(at)).unwrap(), Woken::Due);
    assert!(now_us() >= at);
}

#[test]
fn a_moment_that_has_passed_ends_it_at_once() {
    let alarm = Alarm::new().unwrap();
    for at in [now_us() - 1, 1, 0, -1, i64::MIN] {
        assert_eq!(alarm.wait(Some(at)).unwrap(), Woken::Due);
    }
}

#[test]
fn a_wake_before_the_sleep_ends_it_once() {
    let alarm = Alarm::new().unwrap();
    alarm.wake().unwrap();
    alarm.wake().unwrap();
    assert_eq!(alarm.wait(None).unwrap(), Woken::Due);
    let at = now_us() + 20_000;
    assert_eq!(alarm.wait(Some(at)).unwrap(), Woken::Due);
    assert!(now_us() >= at, "the wake was taken by the sleep before");
}

#[test]
fn a_wake_from_another_thread_ends_a_sleep_without_a_moment() {
    let alarm = Arc::new(Alarm::new().unwrap());
    let waker = Arc::clone(&alarm);
    let thread = thread::spawn(move || {
        thread::sleep(Duration::from_millis(20));
        waker.wake().unwrap();
    });
    assert_eq!(alarm.wait(None).unwrap(), Woken::Due);
    thread.join().unwrap();
}

#[test]
fn a_later_moment_replaces_an_earlier_one() {
    let alarm = Alarm::new().unwrap();
    alarm.wake().unwrap();
    assert_eq!(alarm.wait(Some(now_us() + 5_000)).unwrap(), Woken::Due);
    let at = now_us() + 60_000;
    assert_eq!(alarm.wait(Some(at)).unwrap(), Woken::Due);
    assert!(now_us() >= at);
}
