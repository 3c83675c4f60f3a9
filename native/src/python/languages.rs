//! Source files for Python: ranges in characters.
use pyo3::prelude::*;

use crate::{error::Error, languages};

/// (kind, start, end, value) of every part of a source file that may refer to another file, by its start. ValueError
/// if the language is unknown, or if the text is too large or too slow to parse.
#[pyfunction]
fn source_references(
    py: Python<'_>,
    text: &str,
    language: &str,
) -> PyResult<Vec<(&'static str, usize, usize, String)>> {
    // A panic on a hostile file must not end the process that reads it.
    let read = || std::panic::catch_unwind(|| languages::references(text, language));
    let found = py.detach(read).map_err(|_| Error::Invalid("the parser failed".to_owned()))??;
    Ok(found.into_iter().map(|part| (part.kind, part.range.start, part.range.end, part.value)).collect())
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(source_references, module)?)
}
