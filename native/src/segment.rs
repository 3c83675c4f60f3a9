//! Segments: sealed ranges of the event log as Parquet files (zstd, delta encoding), readable by DuckDB, Polars
//! and pandas. One row an event: the header columns; for `FilesChanged` its fields, with a list of its changed paths;
//! for the rest the payload as JSON text (null once erased, its leaf hash kept). Links are not stored: they follow
//! from headers and leaves, and the manifest holds both ends of the chain.
use std::{
    borrow::Cow,
    collections::HashSet,
    fs::File,
    panic::{catch_unwind, AssertUnwindSafe},
    path::Path,
    sync::Arc,
};

use parquet::{
    data_type::ByteArray,
    errors::ParquetError,
    file::{
        reader::{FileReader, RowGroupReader, SerializedFileReader},
        statistics::Statistics,
    },
};

use crate::{
    chain::{self, Chain, Hash, Header},
    columns::{self, Outcome},
    error::{Error, Result},
    observation::{Change, Observation, Was},
};

pub const SCHEMA: &str = "message kairos_segment_1 {
    required int64 position;
    required binary stream (utf8);
    required int64 version;
    required binary topic (utf8);
    required int64 v;
    required int64 at (timestamp(micros, true));
    optional int64 caused_by;
    required int64 correlation;
    required binary origin (utf8);
    optional binary payload (json);
    optional binary leaf;
    optional binary repo (utf8);
    optional binary burst (utf8);
    optional int64 part;
    optional int64 parts;
    optional binary cause (utf8);
    optional group changes (list) { repeated group list { required group element {
        optional binary path (utf8);
        optional binary path_b64 (utf8);
        required binary kind (utf8);
        required binary type (utf8);
        optional binary was (utf8);
        optional binary was_b64 (utf8);
        optional int64 size;
        optional int64 mode;
        optional int64 mtime_ns;
    } } }
}";
pub const PAYLOAD: usize = 9;
pub const REPO: usize = 11;
pub const PATH: usize = 16;
pub const KIND: usize = 18;
const WIDTH: usize = 25;
/// Rows in one row group, at most: what a reader decodes at a time.
pub const GROUP: usize = 8_192;

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

/// Which rows a reader wants: `after < position <= upto`, of these topics (none named: all). Once it has some, it
/// stops before a row group that might bring it past `limit`; a single group is cut at `limit`.
pub struct Wanted {
    pub after: i64,
    pub upto: i64,
    pub limit: usize,
    pub topics: HashSet<String>,
}

/// Rows in order, and the position up to which every wanted one is among them.
pub struct Found {
    pub rows: Vec<Row>,
    pub scanned: i64,
}

/// The wanted rows of the segment at `path`, ascending. The decoder panics on some damaged files; that is an error
/// like any other here.
pub fn read(path: &Path, wanted: &Wanted) -> Result<Found> {
    catch_unwind(AssertUnwindSafe(|| decode(path, wanted)))
        .unwrap_or_else(|_| Err(Error::Invalid(format!("segment {}: damaged beyond decoding", path.display()))))
}

/// The link after the last row up to a position, given the link before the first, from the content alone.
pub fn link(path: &Path, before: Hash, upto: i64) -> Result<Hash> {
    let mut chain = Chain::from(before);
    let mut after = i64::MIN;
    while after < upto {
        let found = read(path, &Wanted { after, upto, limit: GROUP, topics: HashSet::new() })?;
        if found.rows.is_empty() {
            break;
        }
        for row in &found.rows {
            chain.push(&row.header(), &row.leaf_hash()?);
        }
        after = found.scanned;
    }
    Ok(chain.link)
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

fn decode(path: &Path, wanted: &Wanted) -> Result<Found> {
    let file = File::open(path).map_err(|e| Error::io("opening a segment", path, e))?;
    let reader = SerializedFileReader::new(file).map_err(|e| at(path, e))?;
    let mut found = Found { rows: Vec::new(), scanned: wanted.after };
    for index in 0..reader.num_row_groups() {
        let group = reader.get_row_group(index).map_err(|e| at(path, e))?;
        let count = usize::try_from(group.metadata().num_rows()).unwrap_or(usize::MAX);
        if !overlaps(group.as_ref(), wanted) {
            continue;
        }
        if !found.rows.is_empty() && found.rows.len().saturating_add(count) > wanted.limit {
            return Ok(found);
        }
        read_group(group.as_ref(), count, wanted, &mut found).map_err(|e| at(path, e))?;
        if found.rows.len() > wanted.limit {
            found.rows.truncate(wanted.limit);
            found.scanned = found.rows.last().map_or(wanted.after, |row| row.position);
            return Ok(found);
        }
    }
    found.scanned = found.scanned.max(wanted.upto);
    Ok(found)
}

/// Whether the statistics of a row group admit a wanted position; a group without them is read.
fn overlaps(group: &dyn RowGroupReader, wanted: &Wanted) -> bool {
    match group.metadata().column(0).statistics() {
        Some(Statistics::Int64(s)) => {
            s.max_opt().is_none_or(|max| *max > wanted.after) && s.min_opt().is_none_or(|min| *min <= wanted.upto)
        }
        _ => true,
    }
}

fn read_group(group: &dyn RowGroupReader, count: usize, wanted: &Wanted, found: &mut Found) -> Outcome<()> {
    if group.metadata().num_columns() != WIDTH {
        return Err(ParquetError::General("not the columns of a segment".into()));
    }
    let positions = required_numbers(group, 0, count)?;
    let topics = shared_texts(group, 3, count)?;
    let scanned = positions.last().copied().unwrap_or(wanted.after).min(wanted.upto);
    let chosen: Vec<usize> = (0..count)
        .filter(|i| positions[*i] > wanted.after && positions[*i] <= wanted.upto)
        .filter(|i| wanted.topics.is_empty() || wanted.topics.contains(&*topics[*i]))
        .collect();
    found.scanned = found.scanned.max(scanned);
    if chosen.is_empty() {
        return Ok(());
    }
    let (streams, versions) = (shared_texts(group, 1, count)?, required_numbers(group, 2, count)?);
    let (vs, ats) = (required_numbers(group, 4, count)?, required_numbers(group, 5, count)?);
    let causes = columns::numbers(group, 6)?.rows(count)?;
    let (correlations, origins) = (required_numbers(group, 7, count)?, shared_texts(group, 8, count)?);
    let mut payloads = payloads(group, count)?;
    let leaves = columns::texts(group, 10)?.rows(count)?;
    for i in chosen {
        found.rows.push(Row {
            position: positions[i],
            stream: streams[i].clone(),
            version: versions[i],
            topic: topics[i].clone(),
            v: vs[i],
            at: ats[i],
            caused_by: causes[i],
            correlation: correlations[i],
            origin: origins[i].clone(),
            payload: payloads[i].take(),
            leaf: leaves[i].as_ref().map(|b| b.data().to_vec()),
        });
    }
    Ok(())
}

/// The payload of every row: as stored, or put together from the columns of an observation.
fn payloads(group: &dyn RowGroupReader, count: usize) -> Outcome<Vec<Option<Vec<u8>>>> {
    let kinds = columns::texts(group, KIND)?;
    let lengths = kinds.lengths(count)?;
    let mut out: Vec<Option<Vec<u8>>> = columns::texts(group, PAYLOAD)?
        .rows(count)?
        .into_iter()
        .map(|value| value.map(|b| b.data().to_vec()))
        .collect();
    if lengths.iter().all(Option::is_none) {
        return Ok(out);
    }
    let total = lengths.iter().flatten().sum();
    let entries = |column| columns::texts(group, column)?.entries(total, column == 19);
    let kinds = kinds.entries(total, true)?;
    let (paths, paths_b64, types) = (entries(PATH)?, entries(17)?, entries(19)?);
    let (was, was_b64) = (entries(20)?, entries(21)?);
    let figures = |column| columns::numbers(group, column)?.entries(total, false);
    let (sizes, modes, times) = (figures(22)?, figures(23)?, figures(24)?);
    let rows = |column| columns::texts(group, column)?.rows(count);
    let (repos, bursts, causes) = (rows(REPO)?, rows(12)?, rows(15)?);
    let (part, parts) = (columns::numbers(group, 13)?.rows(count)?, columns::numbers(group, 14)?.rows(count)?);
    let mut next = 0;
    for (i, length) in lengths.iter().enumerate() {
        let Some(length) = *length else { continue };
        let mut changes = Vec::with_capacity(length);
        for e in next..next + length {
            let (path, path_b64) = (optional(&was[e])?, optional(&was_b64[e])?);
            changes.push(Change {
                path: optional(&paths[e])?,
                path_b64: optional(&paths_b64[e])?,
                kind: told(&kinds[e])?,
                entry: told(&types[e])?,
                was: (path.is_some() || path_b64.is_some()).then_some(Was { path, path_b64 }),
                size: sizes[e],
                mode: modes[e],
                mtime_ns: times[e],
            });
        }
        next += length;
        let observation = Observation {
            repo: told(&repos[i])?,
            burst: told(&bursts[i])?,
            part: part[i].ok_or_else(missing)?,
            parts: parts[i].ok_or_else(missing)?,
            changes,
            cause: optional(&causes[i])?,
        };
        out[i] = Some(observation.encode());
    }
    Ok(out)
}

fn missing() -> ParquetError {
    ParquetError::General("a required value is missing".into())
}

fn optional(value: &Option<ByteArray>) -> Outcome<Option<Cow<'_, str>>> {
    value
        .as_ref()
        .map(|b| b.as_utf8().map(Cow::Borrowed).map_err(|_| ParquetError::General("text is not UTF-8".into())))
        .transpose()
}

fn told(value: &Option<ByteArray>) -> Outcome<Cow<'_, str>> {
    optional(value)?.ok_or_else(missing)
}

fn required_numbers(group: &dyn RowGroupReader, column: usize, count: usize) -> Outcome<Vec<i64>> {
    columns::numbers(group, column)?.rows(count)?.into_iter().map(|value| value.ok_or_else(missing)).collect()
}

/// Texts of a required column; neighbours that are equal share one allocation.
fn shared_texts(group: &dyn RowGroupReader, column: usize, count: usize) -> Outcome<Vec<Arc<str>>> {
    let mut out: Vec<Arc<str>> = Vec::with_capacity(count);
    for value in columns::texts(group, column)?.rows(count)? {
        let value = value.ok_or_else(missing)?;
        let shared = out.last().filter(|last| last.as_bytes() == value.data()).cloned();
        out.push(match shared {
            Some(text) => text,
            None => value.as_utf8().map_err(|_| ParquetError::General("text is not UTF-8".into()))?.into(),
        });
    }
    Ok(out)
}

pub fn at(path: &Path, error: ParquetError) -> Error {
    Error::Invalid(format!("segment {}: {error}", path.display()))
}

#[cfg(test)]
#[path = "segment_tests.rs"]
mod tests;
