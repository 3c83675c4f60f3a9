//! The hash chain for Python.
use std::collections::HashMap;

use pyo3::{
    prelude::*,
    types::{PyBytes, PyDict, PyString, PyTuple},
};

use crate::{
    chain::{self, Causes, Chain, Hash, Header},
    error::Error,
};

type Draft<'py> =
    (Bound<'py, PyString>, Bound<'py, PyString>, i64, Bound<'py, PyBytes>, Option<i64>, Bound<'py, PyString>);
type Fields<'a> = (i64, &'a str, i64, &'a str, i64, i64, Option<i64>, i64, &'a str);

/// Drafts (stream, topic, v, payload, caused_by, origin) as rows of the table `events`, chained to `previous`.
/// `versions` holds the present version of every stream and is counted up; `roots` the correlation of each cause.
#[pyfunction]
fn chain_drafts<'py>(
    py: Python<'py>,
    previous: Hash,
    first: i64,
    at: i64,
    versions: &Bound<'py, PyDict>,
    roots: HashMap<i64, i64>,
    drafts: Vec<Draft<'py>>,
) -> PyResult<Vec<Bound<'py, PyTuple>>> {
    let mut chain = Chain::from(previous);
    let mut causes = Causes::new(first, roots);
    let mut counted: HashMap<&str, i64> = HashMap::new();
    let mut rows = Vec::with_capacity(drafts.len());
    for (stream, topic, v, payload, cause, origin) in &drafts {
        let (name, kind) = (stream.to_str()?, topic.to_str()?);
        let (position, caused_by, correlation) = causes.next(kind, *cause)?;
        let version = match counted.get_mut(name) {
            Some(version) => {
                *version += 1;
                *version
            }
            None => {
                let present: i64 = match versions.get_item(stream)? {
                    Some(found) => found.extract()?,
                    None => return Err(Error::Invalid(format!("the version of {name} is not given")).into()),
                };
                counted.insert(name, present + 1);
                present + 1
            }
        };
        let leaf = chain::leaf(payload.as_bytes());
        let origin_text = origin.to_str()?;
        let header = Header {
            position,
            stream: name,
            version,
            topic: kind,
            v: *v,
            at,
            caused_by,
            correlation,
            origin: origin_text,
        };
        let link = chain.push(&header, &leaf);
        rows.push(
            (
                position,
                stream,
                version,
                topic,
                payload,
                *v,
                at,
                caused_by,
                correlation,
                origin,
                PyBytes::new(py, &link),
            )
                .into_pyobject(py)?,
        );
    }
    Ok(rows)
}

/// The link of one record, from the link before it, its header fields and its leaf.
#[pyfunction]
fn link_row<'py>(py: Python<'py>, previous: Hash, header: Fields<'_>, leaf: Hash) -> Bound<'py, PyBytes> {
    let (position, stream, version, topic, v, at, caused_by, correlation, origin) = header;
    let header = Header { position, stream, version, topic, v, at, caused_by, correlation, origin };
    PyBytes::new(py, &Chain::from(previous).push(&header, &leaf))
}

/// BLAKE3 of `data` as 32 bytes.
#[pyfunction]
fn blake3_hash<'py>(py: Python<'py>, data: &[u8]) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &chain::leaf(data))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(chain_drafts, module)?)?;
    module.add_function(wrap_pyfunction!(link_row, module)?)?;
    module.add_function(wrap_pyfunction!(blake3_hash, module)?)?;
    Ok(())
}
