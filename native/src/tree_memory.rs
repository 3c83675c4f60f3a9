//! Counts the memory that tree-sitter holds in each thread: it has no limit of its own, and some kilobytes of hostile
//! text make it take gigabytes within a second.
use std::{cell::Cell, ffi::c_void, sync::Once};

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

/// Has tree-sitter take its memory here from now on. It costs nothing when it is repeated.
pub fn count() {
    static ONCE: Once = Once::new();
    // SAFETY: every one of these is the allocator of C, which tree-sitter uses by itself, too: what it allocated before
    // can be freed by them. `Once` orders the change before all that this thread and the waiting ones do next.
    ONCE.call_once(|| unsafe { tree_sitter::set_allocator(Some(malloc), Some(calloc), Some(realloc), Some(free)) });
}

/// How many bytes more this thread allocated than it freed. What one thread allocates and another frees makes it
/// differ from what is held, so compare two readings of one piece of work.
pub fn held() -> isize {
    HELD.get()
}

/// The greatest value of `held` since the last call.
pub fn peak() -> isize {
    PEAK.replace(HELD.get())
}

fn add(bytes: isize) {
    let now = HELD.get() + bytes;
    HELD.set(now);
    PEAK.set(PEAK.get().max(now));
}

/// The size of an allocation as its allocator has it; 0 where it does not tell, which ends the counting there.
unsafe fn size_of(at: *mut c_void) -> isize {
    #[cfg(target_os = "linux")]
    let size = libc::malloc_usable_size(at);
    #[cfg(not(target_os = "linux"))]
    let size = {
        let _ = at;
        0_usize
    };
    isize::try_from(size).unwrap_or(0)
}

/// What was allocated, counted. tree-sitter cannot go on without memory, and ends the process by itself, too.
unsafe fn counted(at: *mut c_void, wanted: usize) -> *mut c_void {
    if at.is_null() && wanted > 0 {
        std::process::abort();
    }
    add(size_of(at));
    at
}

unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
    counted(libc::malloc(size), size)
}

unsafe extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    counted(libc::calloc(count, size), count.saturating_mul(size))
}

unsafe extern "C" fn realloc(at: *mut c_void, size: usize) -> *mut c_void {
    add(-size_of(at));
    counted(libc::realloc(at, size), size)
}

unsafe extern "C" fn free(at: *mut c_void) {
    add(-size_of(at));
    libc::free(at);
}
