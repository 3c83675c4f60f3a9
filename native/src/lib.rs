//! The Rust floor of Kairos. Pure Rust modules; `python` is the one thin layer over them.
pub mod chain;
pub mod error;
#[cfg(feature = "python")]
mod python;
