//! Segments: sealed ranges of the event log as Parquet files (zstd, delta encoding), readable by DuckDB, Polars and
//! pandas. A line holds an event: the header columns and the payload as JSON text (null once erased, its leaf hash
//! kept). A `FilesChanged` is taken apart into columns and has a line for each of its changed paths. Links are not
//! stored: they follow from headers and leaves, and the manifest holds both ends of the chain. `reading` reads the
//! first layout too (`kairos_segment_1`), which had a line an event and the changed paths in a list.
use std::{collections::HashSet, io, path::Path, sync::mpsc::sync_channel, sync::Arc, thread};

use parquet::errors::ParquetError;

use crate::{
    chain::{self, Chain, Hash, Header},
    error::{Error, Result},
    reading::Reader,
};

/// One event as a segment holds it. `payload` is `None` and `leaf` is `Some` once erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub position: i64,
    pub stream: Arc<str>,
    pub version: i64,
    pub topic: Arc<str>,
    pub v: i64,
    pub at: i64,
    pub caused_by: Option<i64>,
    pub correlation: i64,
    pub origin: Arc<str>,
    pub payload: Option<Vec<u8>>,
    pub leaf: Option<Vec<u8>>,
}

/// Which rows a reader wants: `after < position <= upto`, of these topics (none named: all).
#[derive(Clone, Debug)]
pub struct Wanted {
    pub after: i64,
    pub upto: i64,
    pub topics: HashSet<String>,
}

/// What the rows of a segment come to: how many there are, the link after the last, and the runs of records that were
/// folded away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walked {
    pub rows: usize,
    pub link: Hash,
    pub runs: Vec<Run>,
}

/// A run of records that were folded away: its positions and the links around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    pub first: i64,
    pub last: i64,
    pub before: Hash,
    pub after: Hash,
}

/// Rows that one thread decodes while another hashes those before.
const AT_ONCE: usize = 2_048;

/// Walks the chain from the first row up to a position, given the link before the first, from the content alone.
/// Positions must follow one another.
pub fn walk(path: &Path, before: Hash, upto: i64) -> Result<Walked> {
    let mut reader = Reader::open(path, Wanted { after: i64::MIN, upto, topics: HashSet::new() })?;
    let (batches, decoded) = sync_channel(2);
    thread::scope(|scope| {
        scope.spawn(move || loop {
            let found = reader.read(AT_ONCE).map(|found| found.rows);
            let last = !matches!(&found, Ok(rows) if !rows.is_empty());
            if batches.send(found).is_err() || last {
                return;
            }
        });
        let mut walked = Walked { rows: 0, link: before, runs: Vec::new() };
        let mut chain = Chain::from(before);
        let mut position = None;
        for found in decoded {
            for row in found? {
                let (header, leaf) = (row.header(), row.leaf_hash()?);
                let first = if header.is_jump() { row.correlation } else { row.position };
                if position.is_some_and(|p: i64| p.checked_add(1) != Some(first)) || first > row.position {
                    return Err(Error::Invalid(format!("position {} does not follow", row.position)));
                }
                if header.is_jump() {
                    walked.runs.push(Run { first, last: row.position, before: chain.link, after: leaf });
                }
                chain.push(&header, &leaf);
                position = Some(row.position);
                walked.rows += 1;
            }
        }
        walked.link = chain.link;
        Ok(walked)
    })
}

impl Row {
    pub fn header(&self) -> Header<'_> {
        Header {
            position: self.position,
            stream: &self.stream,
            version: self.version,
            topic: &self.topic,
            v: self.v,
            at: self.at,
            caused_by: self.caused_by,
            correlation: self.correlation,
            origin: &self.origin,
        }
    }

    /// The hash of the payload, or the one that was kept when it was erased.
    pub fn leaf_hash(&self) -> Result<Hash> {
        match (&self.payload, &self.leaf) {
            (Some(payload), _) => Ok(chain::leaf(payload)),
            (None, Some(kept)) => kept.as_slice().try_into().map_err(|_| Error::Invalid("a kept leaf is cut".into())),
            (None, None) => Err(Error::Invalid(format!("position {} has neither payload nor leaf", self.position))),
        }
    }
}

/// What an error means on a path: what the operating system said stays what it said (a full disk).
pub fn at(path: &Path, error: ParquetError) -> Error {
    match error {
        ParquetError::External(cause) if cause.is::<io::Error>() => match cause.downcast::<io::Error>() {
            Ok(cause) => Error::io("using a segment", path, *cause),
            Err(cause) => Error::Invalid(format!("segment {}: {cause}", path.display())),
        },
        error => Error::Invalid(format!("segment {}: {error}", path.display())),
    }
}

#[cfg(test)]
#[path = "segment_tests.rs"]
mod tests;
