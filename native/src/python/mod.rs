//! The one PyO3 layer: converts values, releases the GIL, maps errors. No logic lives here.
use pyo3::{exceptions::PyOSError, exceptions::PyValueError, import_exception, prelude::*};

mod alarm;
mod chain;
mod exec;
mod languages;
mod markdown;
mod search;
mod secrets;
mod segment;
mod sensing;

use crate::error::Error;

import_exception!(sqlite3, DatabaseError);

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        match error {
            Error::Io { what, path, source } => {
                let message = format!("{what}: {source}");
                PyOSError::new_err((source.raw_os_error().unwrap_or(0), message, path.into_os_string()))
            }
            Error::Database(text) => DatabaseError::new_err(text),
            Error::Invalid(text) => PyValueError::new_err(text),
        }
    }
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    alarm::register(module)?;
    chain::register(module)?;
    segment::register(module)?;
    sensing::register(module)?;
    exec::register(module)?;
    languages::register(module)?;
    markdown::register(module)?;
    search::register(module)?;
    secrets::register(module)?;
    Ok(())
}
