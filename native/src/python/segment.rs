//! Segments for Python: rows are tuples in the order of the segment's columns.
use std::{collections::HashSet, ffi::OsString, os::unix::ffi::OsStringExt, path::PathBuf, sync::Arc};

use pyo3::{
    prelude::*,
    types::{PyBytes, PyString, PyTuple},
};

use crate::{
    chain::Hash,
    sealing,
    segment::{self, Row, Wanted},
};

type Plain = (i64, String, i64, String, i64, i64, Option<i64>, i64, String, Option<Vec<u8>>, Option<Vec<u8>>);

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
            stream: stream.into(),
            version,
            topic: topic.into(),
            v,
            at,
            caused_by,
            correlation,
            origin: origin.into(),
            payload,
            leaf,
        })
        .collect();
    Ok(py.detach(|| sealing::write(&path_of(path), &rows))?)
}

/// (rows, scanned): rows with after < position <= upto, of the named topics (none: all), in whole row groups up to
/// about `limit`; all wanted rows up to position `scanned` are among them.
#[pyfunction]
fn read_segment<'py>(
    py: Python<'py>,
    path: Vec<u8>,
    after: i64,
    upto: i64,
    limit: usize,
    topics: HashSet<String>,
) -> PyResult<(Vec<Bound<'py, PyTuple>>, i64)> {
    let found = py.detach(|| segment::read(&path_of(path), &Wanted { after, upto, limit, topics }))?;
    let (mut streams, mut topics, mut origins) = (Shared::default(), Shared::default(), Shared::default());
    let rows = found
        .rows
        .iter()
        .map(|r| {
            let payload = r.payload.as_ref().map(|b| PyBytes::new(py, b));
            let leaf = r.leaf.as_ref().map(|b| PyBytes::new(py, b));
            (
                r.position,
                streams.of(py, &r.stream),
                r.version,
                topics.of(py, &r.topic),
                r.v,
                r.at,
                r.caused_by,
                r.correlation,
                origins.of(py, &r.origin),
                payload,
                leaf,
            )
                .into_pyobject(py)
        })
        .collect::<PyResult<Vec<_>>>()?;
    Ok((rows, found.scanned))
}

/// The text of the row before, so that neighbours share one Python object.
#[derive(Default)]
struct Shared<'a, 'py> {
    last: Option<(&'a Arc<str>, Bound<'py, PyString>)>,
}

impl<'a, 'py> Shared<'a, 'py> {
    fn of(&mut self, py: Python<'py>, text: &'a Arc<str>) -> Bound<'py, PyString> {
        match &self.last {
            Some((last, made)) if Arc::ptr_eq(last, text) => made.clone(),
            _ => {
                let made = PyString::new(py, text);
                self.last = Some((text, made.clone()));
                made
            }
        }
    }
}

/// The link after the last row up to a position, given the link before the first, from the content alone.
#[pyfunction]
fn segment_link<'py>(py: Python<'py>, path: Vec<u8>, before: Hash, upto: i64) -> PyResult<Bound<'py, PyBytes>> {
    let link = py.detach(|| segment::link(&path_of(path), before, upto))?;
    Ok(PyBytes::new(py, &link))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(write_segment, module)?)?;
    module.add_function(wrap_pyfunction!(read_segment, module)?)?;
    module.add_function(wrap_pyfunction!(segment_link, module)?)?;
    Ok(())
}
