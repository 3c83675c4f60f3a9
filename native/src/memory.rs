//! Memory that a large walk has used goes back to the system: an idle daemon should be small.

/// Returns what the allocator keeps free. Only glibc has to be asked.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim takes no pointers and may be called at any time, from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}
