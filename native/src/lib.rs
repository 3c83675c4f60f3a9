//! The Rust floor of Kairos. Pure Rust modules; `python` is the one thin layer over them.
pub mod beneath;
pub mod capture;
pub mod chain;
pub mod directory;
pub mod error;
pub mod exec;
pub mod export;
pub mod fingerprint;
pub mod ignoring;
pub mod links;
pub mod listing;
pub mod memory;
pub mod names;
pub mod paths;
pub mod pattern;
#[cfg(feature = "python")]
mod python;
pub mod queue;
pub mod rulebook;
pub mod sandbox;
pub mod scan;
pub mod segment;
pub mod spawn;
pub mod suspend;
pub mod watch;
