//! Credential-like values in texts and files, for Python.
use kairos_secrets::{find, label, redact, redact_command, scan, Purpose};
use pyo3::{prelude::*, types::PyBytes};

/// Positions in characters, of a text that Python encoded: every byte that does not continue a character begins one.
fn in_characters(text: &[u8], found: Vec<kairos_secrets::Match>) -> Vec<(&'static str, usize, usize)> {
    let (mut at, mut characters) = (0, 0);
    let mut until = |end: usize| {
        characters += text[at..end].iter().filter(|b| **b & 0xC0 != 0x80).count();
        at = end;
        characters
    };
    found.into_iter().map(|m| (m.kind, until(m.start), until(m.end))).collect()
}

#[pyfunction]
fn find_secrets(py: Python<'_>, text: &[u8], detect: bool) -> Vec<(&'static str, usize, usize)> {
    py.detach(|| in_characters(text, find(text, if detect { Purpose::Detect } else { Purpose::Redact })))
}

#[pyfunction]
fn redact_secrets(py: Python<'_>, text: &[u8]) -> Option<Py<PyBytes>> {
    py.detach(|| redact(text)).map(|clean| PyBytes::new(py, &clean).unbind())
}

#[pyfunction]
fn redact_words(py: Python<'_>, words: Vec<Vec<u8>>) -> Vec<Py<PyBytes>> {
    let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    let clean = py.detach(|| redact_command(&words));
    clean.iter().map(|word| PyBytes::new(py, word).unbind()).collect()
}

type Held = (&'static str, usize, Py<PyBytes>, &'static str);

#[pyfunction]
fn scan_secrets(py: Python<'_>, path: &[u8], data: &[u8]) -> (bool, bool, Vec<Held>) {
    let scanned = py.detach(|| scan(path, data));
    let held = scanned
        .held
        .iter()
        .map(|h| (h.kind, h.line, PyBytes::new(py, &h.value).unbind(), h.confidence.name()))
        .collect();
    (scanned.text, scanned.others, held)
}

#[pyfunction]
fn secret_label(kind: &str) -> &'static str {
    label(kind)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(find_secrets, module)?)?;
    module.add_function(wrap_pyfunction!(redact_secrets, module)?)?;
    module.add_function(wrap_pyfunction!(redact_words, module)?)?;
    module.add_function(wrap_pyfunction!(scan_secrets, module)?)?;
    module.add_function(wrap_pyfunction!(secret_label, module)?)
}
