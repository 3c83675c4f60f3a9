//! Segments for Python: rows are tuples in the order of the segment's columns.
use std::{
    ffi::OsString,
    os::unix::ffi::OsStringExt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use pyo3::{
    prelude::*,
    types::{PyBytes, PyString, PyTuple},
};

use crate::{
    chain::Hash,
    error::Error,
    reading::Reader,
    sealing::Writer,
    segment::{self, Row, Wanted},
};

/// Rows that are handed to the encoder at a time, and their payload bytes, about.
const ROWS_AT_ONCE: usize = 4_096;
const BYTES_AT_ONCE: usize = 1 << 20;

fn path_of(raw: Vec<u8>) -> PathBuf {
    PathBuf::from(OsString::from_vec(raw))
}

/// A segment file being written.
#[pyclass]
struct SegmentWriter(Writer);

#[pymethods]
impl SegmentWriter {
    #[new]
    fn new(path: Vec<u8>) -> PyResult<Self> {
        Ok(Self(Writer::new(&path_of(path))?))
    }

    /// Takes rows from an iterable as the encoder can use them; returns how many.
    fn add(&mut self, py: Python<'_>, rows: &Bound<'_, PyAny>) -> PyResult<usize> {
        let (mut batch, mut bytes, mut count) = (Vec::new(), 0, 0);
        let mut texts = Texts::default();
        for row in rows.try_iter()? {
            let row = texts.row(row?.cast::<PyTuple>()?)?;
            bytes += row.payload.as_ref().map_or(0, Vec::len);
            batch.push(row);
            count += 1;
            if batch.len() >= ROWS_AT_ONCE || bytes >= BYTES_AT_ONCE {
                let full = std::mem::replace(&mut batch, Vec::with_capacity(ROWS_AT_ONCE));
                py.detach(|| self.0.add(full))?;
                bytes = 0;
            }
        }
        py.detach(|| self.0.add(batch))?;
        Ok(count)
    }

    /// Completes and syncs the file; its size in bytes.
    fn finish(&mut self, py: Python<'_>) -> PyResult<u64> {
        Ok(py.detach(|| self.0.finish())?)
    }
}

/// Texts of the row before: neighbours share them.
#[derive(Default)]
struct Texts([Option<Arc<str>>; 3]);

impl Texts {
    fn row(&mut self, row: &Bound<'_, PyTuple>) -> PyResult<Row> {
        if row.len() != 11 {
            return Err(Error::Invalid("a row of a segment has eleven fields".into()).into());
        }
        let number = |place| row.get_borrowed_item(place)?.extract::<i64>();
        let bytes =
            |place| Ok::<_, PyErr>(row.get_borrowed_item(place)?.extract::<Option<&[u8]>>()?.map(<[u8]>::to_vec));
        Ok(Row {
            position: number(0)?,
            stream: self.text(0, row, 1)?,
            version: number(2)?,
            topic: self.text(1, row, 3)?,
            v: number(4)?,
            at: number(5)?,
            caused_by: row.get_borrowed_item(6)?.extract()?,
            correlation: number(7)?,
            origin: self.text(2, row, 8)?,
            payload: bytes(9)?,
            leaf: bytes(10)?,
        })
    }

    fn text(&mut self, which: usize, row: &Bound<'_, PyTuple>, place: usize) -> PyResult<Arc<str>> {
        let item = row.get_borrowed_item(place)?;
        let item = item.cast::<PyString>()?;
        let text = item.to_str()?;
        match &self.0[which] {
            Some(last) if **last == *text => Ok(last.clone()),
            _ => Ok(self.0[which].insert(text.into()).clone()),
        }
    }
}

/// An open segment, read on from where it was.
#[pyclass]
struct SegmentReader(Mutex<Reader>);

#[pymethods]
impl SegmentReader {
    /// For rows with after < position <= upto, of the named topics (none: all).
    #[new]
    fn new(py: Python<'_>, path: Vec<u8>, after: i64, upto: i64, topics: Vec<String>) -> PyResult<Self> {
        let wanted = Wanted { after, upto, topics: topics.into_iter().collect() };
        Ok(Self(Mutex::new(py.detach(|| Reader::open(&path_of(path), wanted))?)))
    }

    /// (rows, scanned): the next rows, at most `limit`; every wanted one up to position `scanned` was told by now.
    fn read<'py>(&self, py: Python<'py>, limit: usize) -> PyResult<(Vec<Bound<'py, PyTuple>>, i64)> {
        let found = py.detach(|| self.0.lock().unwrap_or_else(PoisonError::into_inner).read(limit))?;
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

type Run<'py> = (i64, i64, Bound<'py, PyBytes>, Bound<'py, PyBytes>);

/// (rows, link, runs) up to a position, given the link before the first row, from the content alone. A run of folded
/// records: (first, last, link before, link after).
#[pyfunction]
fn walk_segment<'py>(
    py: Python<'py>,
    path: Vec<u8>,
    before: Hash,
    upto: i64,
) -> PyResult<(usize, Bound<'py, PyBytes>, Vec<Run<'py>>)> {
    let walked = py.detach(|| segment::walk(&path_of(path), before, upto))?;
    let hash = |hash: &Hash| PyBytes::new(py, hash);
    let runs = walked.runs.iter().map(|r| (r.first, r.last, hash(&r.before), hash(&r.after))).collect();
    Ok((walked.rows, hash(&walked.link), runs))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<SegmentWriter>()?;
    module.add_class::<SegmentReader>()?;
    module.add_function(wrap_pyfunction!(walk_segment, module)?)?;
    Ok(())
}
