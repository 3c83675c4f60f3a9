//! Segments for Python: rows are tuples in the order of the segment's columns.
use std::{collections::HashSet, ffi::OsString, os::unix::ffi::OsStringExt, path::PathBuf};

use pyo3::{prelude::*, types::PyBytes};

use crate::segment::{self, Row, Wanted};

type Plain = (i64, String, i64, String, i64, i64, Option<i64>, i64, String, Option<Vec<u8>>, Option<Vec<u8>>);
type Read<'py> = (
    i64,
    String,
    i64,
    String,
    i64,
    i64,
    Option<i64>,
    i64,
    String,
    Option<Bound<'py, PyBytes>>,
    Option<Bound<'py, PyBytes>>,
);

fn path_of(raw: Vec<u8>) -> PathBuf {
    PathBuf::from(OsString::from_vec(raw))
}

/// Writes rows to a new segment file and syncs it; returns its size in bytes.
#[pyfunction]
fn write_segment(py: Python<'_>, path: Vec<u8>, rows: Vec<Plain>) -> PyResult<u64> {
    let rows: Vec<Row> = rows
        .into_iter()
        .map(|(position, stream, version, topic, v, at, caused_by, correlation, origin, payload, leaf)| Row {
            position,
            stream,
            version,
            topic,
            v,
            at,
            caused_by,
            correlation,
            origin,
            payload,
            leaf,
        })
        .collect();
    Ok(py.detach(|| segment::write(&path_of(path), &rows))?)
}

/// The rows of a segment with after < position <= upto, of the named topics (none: all), at most `limit`.
#[pyfunction]
fn read_segment<'py>(
    py: Python<'py>,
    path: Vec<u8>,
    after: i64,
    upto: i64,
    limit: usize,
    topics: HashSet<String>,
) -> PyResult<Vec<Read<'py>>> {
    let rows = py.detach(|| segment::read(&path_of(path), &Wanted { after, upto, limit, topics }))?;
    Ok(rows
        .into_iter()
        .map(|r| {
            let payload = r.payload.map(|b| PyBytes::new(py, &b));
            let leaf = r.leaf.map(|b| PyBytes::new(py, &b));
            (r.position, r.stream, r.version, r.topic, r.v, r.at, r.caused_by, r.correlation, r.origin, payload, leaf)
        })
        .collect())
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(write_segment, module)?)?;
    module.add_function(wrap_pyfunction!(read_segment, module)?)?;
    Ok(())
}
