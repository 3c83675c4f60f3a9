//! Segments for Python: rows are tuples in the order of the segment's columns.
use std::{
    ffi::{CStr, OsString},
    os::unix::ffi::OsStringExt,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use pyo3::{
    prelude::*,
    types::{PyBytes, PyString, PyTuple},
};

use crate::{
    chain::{Hash, Header},
    error::Error,
    hot::Library,
    opened::{Opened, Stamp},
    reading::{Reader, Wanted},
    rows::{Row, Rows},
    sealing::Writer,
    segment,
};

fn path_of(raw: Vec<u8>) -> PathBuf {
    PathBuf::from(OsString::from_vec(raw))
}

/// A segment file being written.
#[pyclass]
struct SegmentWriter(Mutex<Writer>);

#[pymethods]
impl SegmentWriter {
    #[new]
    fn new(path: Vec<u8>) -> PyResult<Self> {
        Ok(Self(Mutex::new(Writer::new(&path_of(path))?)))
    }

    /// Takes rows from an iterable as the encoder can use them; returns how many.
    fn add(&mut self, py: Python<'_>, rows: &Bound<'_, PyAny>) -> PyResult<usize> {
        let writer = self.writer();
        let mut count = 0;
        for row in rows.try_iter()? {
            count += 1;
            if writer.push(&segment_row(row?.cast::<PyTuple>()?)?) {
                py.detach(|| writer.flush())?;
            }
        }
        Ok(count)
    }

    /// Takes the rows of a query over a database file, from the SQLite library that a module is linked to; returns how
    /// many. `None`: that library is out of reach, and nothing was taken.
    fn add_hot(
        &mut self,
        py: Python<'_>,
        module: &CStr,
        uri: &CStr,
        sql: &CStr,
        numbers: Vec<i64>,
    ) -> PyResult<Option<usize>> {
        let Some(library) = Library::of(module) else { return Ok(None) };
        let mut count = 0;
        let writer = self.writer();
        py.detach(|| {
            library.each(uri, sql, &numbers, |row| {
                count += 1;
                if writer.push(row) {
                    writer.flush()
                } else {
                    Ok(())
                }
            })
        })?;
        Ok(Some(count))
    }

    /// Completes and syncs the file; its size in bytes.
    fn finish(&mut self, py: Python<'_>) -> PyResult<u64> {
        Ok(py.detach(|| self.writer().finish())?)
    }
}

impl SegmentWriter {
    fn writer(&mut self) -> &mut Writer {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

fn segment_row<'a>(row: &'a Bound<'_, PyTuple>) -> PyResult<Row<'a>> {
    if row.len() != 11 {
        return Err(Error::Invalid("a row of a segment has eleven fields".into()).into());
    }
    let number = |place| row.get_borrowed_item(place)?.extract::<i64>();
    let bytes = |place| Ok::<_, PyErr>(row.get_borrowed_item(place)?.extract::<Option<&[u8]>>()?);
    let text = |place| row.get_borrowed_item(place)?.extract::<&str>();
    Ok(Row {
        header: Header {
            position: number(0)?,
            stream: text(1)?,
            version: number(2)?,
            topic: text(3)?,
            v: number(4)?,
            at: number(5)?,
            caused_by: row.get_borrowed_item(6)?.extract()?,
            correlation: number(7)?,
            origin: text(8)?,
        },
        payload: bytes(9)?,
        leaf: bytes(10)?,
    })
}

type Seen = (u64, u64, u64, (i64, i64), (i64, i64));

/// A segment file that is open.
#[pyclass]
struct SegmentFile(Mutex<Opened>);

#[pymethods]
impl SegmentFile {
    #[new]
    fn new(path: Vec<u8>) -> PyResult<Self> {
        Ok(Self(Mutex::new(Opened::new(&path_of(path))?)))
    }

    /// Which file it is, and as of which write: the same again for a file that nobody touched in between. None if it was
    /// written to just before.
    fn stamp(&self) -> Option<Seen> {
        let Stamp { device, inode, size, written, changed } = self.opened().stamp()?;
        Some((device, inode, size, written, changed))
    }

    /// BLAKE3 of its bytes.
    fn digest<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &py.detach(|| self.opened().digest())?))
    }

    /// A reader of rows with after < position <= upto, of the named topics (none: all).
    fn rows(&self, py: Python<'_>, after: i64, upto: i64, topics: Vec<String>) -> PyResult<SegmentReader> {
        let wanted = Wanted { after, upto, topics: topics.into_iter().collect() };
        let reader = py.detach(|| Reader::new(self.opened().again()?, wanted))?;
        Ok(SegmentReader(Mutex::new(reader)))
    }
}

impl SegmentFile {
    fn opened(&self) -> MutexGuard<'_, Opened> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A segment being read, on from where it was.
#[pyclass]
struct SegmentReader(Mutex<Reader>);

#[pymethods]
impl SegmentReader {
    /// (rows, scanned): the next rows, at most `limit`; every wanted one up to position `scanned` was told by now.
    fn read<'py>(&self, py: Python<'py>, limit: usize) -> PyResult<(Vec<Bound<'py, PyTuple>>, i64)> {
        let mut found = Rows::default();
        let scanned = py.detach(|| {
            let mut reader = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let mut take = |row: &Row<'_>| {
                found.push(row);
                Ok(())
            };
            reader.visit(limit, &mut take)?;
            Ok::<_, Error>(reader.scanned())
        })?;
        let (mut streams, mut topics, mut origins) = (Shared::default(), Shared::default(), Shared::default());
        let tuple = |Row { header, payload, leaf }| {
            (
                header.position,
                streams.of(py, header.stream),
                header.version,
                topics.of(py, header.topic),
                header.v,
                header.at,
                header.caused_by,
                header.correlation,
                origins.of(py, header.origin),
                payload.map(|b| PyBytes::new(py, b)),
                leaf.map(|b| PyBytes::new(py, b)),
            )
                .into_pyobject(py)
        };
        Ok((found.iter().map(tuple).collect::<PyResult<_>>()?, scanned))
    }
}

/// The text of the row before, so that neighbours share one Python object.
#[derive(Default)]
struct Shared<'a, 'py> {
    last: Option<(&'a str, Bound<'py, PyString>)>,
}

impl<'a, 'py> Shared<'a, 'py> {
    fn of(&mut self, py: Python<'py>, text: &'a str) -> Bound<'py, PyString> {
        match &self.last {
            Some((last, made)) if std::ptr::eq(*last, text) => made.clone(),
            _ => {
                let made = PyString::new(py, text);
                self.last = Some((text, made.clone()));
                made
            }
        }
    }
}

type Walked<'py> = (usize, Bound<'py, PyBytes>, Vec<Run<'py>>, Bound<'py, PyBytes>);
type Run<'py> = (i64, i64, Bound<'py, PyBytes>, Bound<'py, PyBytes>);

/// (rows, link, runs, digest) up to a position, given the link before the first row, from the content alone. A run of
/// folded records: (first, last, link before, link after). The digest is BLAKE3 of the file that was walked.
#[pyfunction]
fn walk_segment<'py>(py: Python<'py>, path: Vec<u8>, before: Hash, upto: i64) -> PyResult<Walked<'py>> {
    let walked = py.detach(|| segment::walk(&path_of(path), before, upto))?;
    let hash = |hash: &Hash| PyBytes::new(py, hash);
    let runs = walked.runs.iter().map(|r| (r.first, r.last, hash(&r.before), hash(&r.after))).collect();
    Ok((walked.rows, hash(&walked.link), runs, hash(&walked.digest)))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<SegmentWriter>()?;
    module.add_class::<SegmentFile>()?;
    module.add_class::<SegmentReader>()?;
    module.add_function(wrap_pyfunction!(walk_segment, module)?)?;
    Ok(())
}
