//! Returns memory that a large walk used to the system, so that an idle daemon stays small.

/// Releases free memory of the allocator. Only glibc needs this.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim takes no pointers and may be called at any time, from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}
