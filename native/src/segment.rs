//! Segments: sealed ranges of the event log as Parquet files (zstd, delta encoding), readable by DuckDB, Polars and
//! pandas. A line holds an event: the header columns and the payload as JSON text (null once erased, its leaf hash
//! kept). A `FilesChanged` is taken apart into columns and has a line for each of its changed paths. Links are not
//! stored: they follow from headers and leaves, and the manifest holds both ends of the chain. `reading` reads the
//! first layout too (`kairos_segment_1`), which had a line an event and the changed paths in a list.
use std::{collections::HashSet, path::Path};

use crate::{
    chain::{Chain, Hash},
    error::{Error, Result},
    opened::Opened,
    reading::{Reader, Wanted},
    rows::Row,
};

/// What the rows of a segment come to: how many there are, the link after the last, and the runs of records that were
/// folded away. `digest`: BLAKE3 of the file that was walked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walked {
    pub rows: usize,
    pub link: Hash,
    pub runs: Vec<Run>,
    pub digest: Hash,
}

/// A run of records that were folded away: its positions and the links around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    pub first: i64,
    pub last: i64,
    pub before: Hash,
    pub after: Hash,
}

/// Walks the chain from the first row up to a position, given the link before the first, from the content alone.
/// Positions must follow one another.
pub fn walk(path: &Path, before: Hash, upto: i64) -> Result<Walked> {
    let opened = Opened::new(path)?;
    let digest = opened.digest()?;
    let mut reader = Reader::new(opened, Wanted { after: i64::MIN, upto, topics: HashSet::new() })?;
    let mut chain = Chain::from(before);
    let (mut rows, mut runs, mut position) = (0, Vec::new(), None);
    let mut step = |row: &Row<'_>| {
        let (header, leaf) = (&row.header, row.leaf_hash()?);
        let first = if header.is_jump() { header.correlation } else { header.position };
        if position.is_some_and(|p: i64| p.checked_add(1) != Some(first)) || first > header.position {
            return Err(Error::Invalid(format!("position {} does not follow", header.position)));
        }
        if header.is_jump() {
            runs.push(Run { first, last: header.position, before: chain.link, after: leaf });
        }
        chain.push(header, &leaf);
        position = Some(header.position);
        rows += 1;
        Ok(())
    };
    while reader.visit(usize::MAX, &mut step)? > 0 {}
    Ok(Walked { rows, link: chain.link, runs, digest })
}

#[cfg(test)]
#[path = "segment_tests.rs"]
mod tests;
