//! Markdown for Python: ranges in characters, as Python counts them.
use pyo3::prelude::*;

use crate::{error::Error, markdown};

/// (kind, start, end, value) of every part of a document that refers to something, by its start. ValueError if the
/// parser fails.
#[pyfunction]
#[pyo3(signature = (text, *, mdx = false))]
fn markdown_parts(py: Python<'_>, text: &str, mdx: bool) -> PyResult<Vec<(&'static str, usize, usize, String)>> {
    // A panic of the parser on a hostile document must not end the process that reads it.
    let read = || std::panic::catch_unwind(|| markdown::in_characters(text, markdown::parts(text, mdx)));
    let found = py.detach(read).map_err(|_| Error::Invalid("the Markdown parser failed".to_owned()))?;
    Ok(found.into_iter().map(|part| (part.kind.name(), part.range.start, part.range.end, part.value)).collect())
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(markdown_parts, module)?)
}
