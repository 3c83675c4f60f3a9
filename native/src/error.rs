//! The error type of this crate: what failed, on which path, and the error of the operating system.
use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use parquet::errors::ParquetError;

#[derive(Debug)]
pub enum Error {
    /// An operating system call on `path` failed while doing `what`.
    Io { what: &'static str, path: PathBuf, source: io::Error },
    /// The error that a database reported for a query.
    Database(String),
    /// Input that does not have the required form.
    Invalid(String),
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub fn io(what: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::Io { what, path: path.into(), source }
    }

    /// Converts an error of the segment codec; an error of the operating system (a full disk) inside it is kept.
    pub fn segment(path: &Path, error: ParquetError) -> Self {
        match error {
            ParquetError::External(cause) if cause.is::<io::Error>() => match cause.downcast::<io::Error>() {
                Ok(cause) => Self::io("using a segment", path, *cause),
                Err(cause) => Self::Invalid(format!("segment {}: {cause}", path.display())),
            },
            error => Self::Invalid(format!("segment {}: {error}", path.display())),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { what, path, source } => write!(f, "{what} {}: {source}", path.display()),
            Self::Database(text) | Self::Invalid(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Error {}
