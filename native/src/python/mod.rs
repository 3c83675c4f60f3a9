//! The one PyO3 layer: converts values, releases the GIL, maps errors. No logic lives here.
use pyo3::{exceptions::PyOSError, exceptions::PyValueError, prelude::*, types::PyBytes};

mod exec;
mod segment;
mod sensing;

use crate::{chain, error::Error};

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        match error {
            Error::Io { what, path, source } => {
                let message = format!("{what}: {source}");
                PyOSError::new_err((source.raw_os_error().unwrap_or(0), message, path.into_os_string()))
            }
            Error::Invalid(text) => PyValueError::new_err(text),
        }
    }
}

/// Extends the chain: for each (header, payload) returns (leaf, link), the first linked to `previous`.
#[pyfunction]
#[allow(clippy::type_complexity)]
fn extend_chain<'py>(
    py: Python<'py>,
    previous: [u8; 32],
    records: Vec<(Vec<u8>, Vec<u8>)>,
) -> Vec<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let mut last = previous;
    records
        .iter()
        .map(|(header, payload)| {
            let leaf = chain::leaf(payload);
            last = chain::link(&last, header, &leaf);
            (PyBytes::new(py, &leaf), PyBytes::new(py, &last))
        })
        .collect()
}

/// The link of one record whose payload is known by its leaf hash only.
#[pyfunction]
fn link_leaf<'py>(py: Python<'py>, previous: [u8; 32], header: &[u8], leaf: [u8; 32]) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &chain::link(&previous, header, &leaf))
}

/// BLAKE3 of `data` as 32 bytes.
#[pyfunction]
fn blake3_hash<'py>(py: Python<'py>, data: &[u8]) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &chain::leaf(data))
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(extend_chain, module)?)?;
    module.add_function(wrap_pyfunction!(link_leaf, module)?)?;
    module.add_function(wrap_pyfunction!(blake3_hash, module)?)?;
    segment::register(module)?;
    sensing::register(module)?;
    exec::register(module)?;
    Ok(())
}
