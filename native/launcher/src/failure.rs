//! A setup step that failed: which layer, and why. Any failure means that the command never runs.
use std::{fmt, io};

pub type Outcome<T> = Result<T, Failure>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    Spec,
    Namespaces,
    Mounts,
    Overlay,
    Seed,
    Proc,
    Network,
    Pids,
    Limits,
    Capabilities,
    Landlock,
    Seccomp,
    Descriptors,
    Cgroup,
    /// Pseudo-terminals for the command's own use; without them it runs as well.
    Terminals,
    /// Not a layer of the confinement: the program itself could not be started.
    Exec,
}

impl Layer {
    /// The layers of tier T2, in the order in which they are set up.
    pub const REQUIRED: [Layer; 11] = [
        Layer::Namespaces,
        Layer::Mounts,
        Layer::Proc,
        Layer::Overlay,
        Layer::Seed,
        Layer::Network,
        Layer::Limits,
        Layer::Descriptors,
        Layer::Capabilities,
        Layer::Landlock,
        Layer::Seccomp,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Layer::Spec => "spec",
            Layer::Namespaces => "namespaces",
            Layer::Mounts => "mounts",
            Layer::Overlay => "overlay",
            Layer::Seed => "seed",
            Layer::Proc => "proc",
            Layer::Network => "network",
            Layer::Pids => "pids",
            Layer::Limits => "limits",
            Layer::Capabilities => "capabilities",
            Layer::Landlock => "landlock",
            Layer::Seccomp => "seccomp",
            Layer::Descriptors => "descriptors",
            Layer::Cgroup => "cgroup",
            Layer::Terminals => "terminals",
            Layer::Exec => "exec",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Failure {
    pub layer: Layer,
    pub why: String,
    /// The errno, where there is one.
    pub code: i32,
}

impl Failure {
    pub fn new(layer: Layer, why: impl Into<String>) -> Self {
        Self { layer, why: why.into(), code: 0 }
    }

    pub fn io(layer: Layer, what: impl fmt::Display, error: &io::Error) -> Self {
        Self { layer, why: format!("{what}: {error}"), code: error.raw_os_error().unwrap_or(0) }
    }

    /// The last error of the C library.
    pub fn last(layer: Layer, what: impl fmt::Display) -> Self {
        Self::io(layer, what, &io::Error::last_os_error())
    }
}

/// `-1` is an error, anything else a value.
pub fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

pub fn check_long(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}
