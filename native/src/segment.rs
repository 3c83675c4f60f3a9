//! Segments: sealed ranges of the event log as Parquet files (zstd, delta encoding), readable by DuckDB, Polars
//! and pandas. One row an event: the header columns, and the payload as JSON text (null once erased, its leaf hash
//! kept). Links are not stored: they follow from headers and leaves, and the manifest holds both ends of the chain.
use std::{
    collections::HashSet,
    fs::{File, OpenOptions},
    panic::{catch_unwind, AssertUnwindSafe},
    path::Path,
    sync::Arc,
};

use parquet::{
    basic::{Compression, Encoding, ZstdLevel},
    column::{reader::ColumnReader, writer::ColumnWriter},
    data_type::ByteArray,
    errors::ParquetError,
    file::{
        properties::{EnabledStatistics, WriterProperties},
        reader::{FileReader, RowGroupReader, SerializedFileReader},
        statistics::Statistics,
        writer::SerializedFileWriter,
    },
    schema::{parser::parse_message_type, types::ColumnPath},
};

use crate::error::{Error, Result};

const SCHEMA: &str = "message kairos_segment_1 {
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
}";
/// Rows in one row group: what a reader decodes at a time.
pub const GROUP: usize = 8_192;

/// One event as a segment holds it. `payload` is `None` and `leaf` is `Some` once erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub position: i64,
    pub stream: String,
    pub version: i64,
    pub topic: String,
    pub v: i64,
    pub at: i64,
    pub caused_by: Option<i64>,
    pub correlation: i64,
    pub origin: String,
    pub payload: Option<Vec<u8>>,
    pub leaf: Option<Vec<u8>>,
}

/// Which rows a reader wants: `after < position <= upto`, of these topics (none named: all), at most `limit`.
pub struct Wanted {
    pub after: i64,
    pub upto: i64,
    pub limit: usize,
    pub topics: HashSet<String>,
}

/// Writes rows (ascending positions) to a new file at `path` and syncs it; returns its size in bytes.
pub fn write(path: &Path, rows: &[Row]) -> Result<u64> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
        .map_err(|e| Error::io("creating a segment", path, e))?;
    let schema = parse_message_type(SCHEMA).map_err(|e| at(path, e))?;
    let mut writer =
        SerializedFileWriter::new(&file, Arc::new(schema), Arc::new(properties())).map_err(|e| at(path, e))?;
    for group in rows.chunks(GROUP) {
        write_group(&mut writer, group).map_err(|e| at(path, e))?;
    }
    writer.close().map_err(|e| at(path, e))?;
    file.sync_all().map_err(|e| Error::io("syncing a segment", path, e))?;
    Ok(file.metadata().map_err(|e| Error::io("measuring a segment", path, e))?.len())
}

fn properties() -> WriterProperties {
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(6).unwrap_or_default()))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_dictionary_enabled(false);
    for name in ["position", "version", "v", "at", "caused_by", "correlation"] {
        builder = builder.set_column_encoding(ColumnPath::from(name), Encoding::DELTA_BINARY_PACKED);
    }
    for name in ["stream", "topic", "origin"] {
        builder = builder.set_column_dictionary_enabled(ColumnPath::from(name), true);
    }
    builder.set_column_encoding(ColumnPath::from("payload"), Encoding::DELTA_LENGTH_BYTE_ARRAY).build()
}

fn write_group<W: std::io::Write + Send>(
    writer: &mut SerializedFileWriter<W>,
    rows: &[Row],
) -> std::result::Result<(), ParquetError> {
    let mut group = writer.next_row_group()?;
    let mut index = 0;
    while let Some(mut column) = group.next_column()? {
        match column.untyped() {
            ColumnWriter::Int64ColumnWriter(typed) => {
                let values: Vec<i64> = rows.iter().filter_map(|row| number(row, index)).collect();
                let present: Option<Vec<i16>> =
                    (index == 6).then(|| rows.iter().map(|row| i16::from(row.caused_by.is_some())).collect());
                typed.write_batch(&values, present.as_deref(), None)?;
            }
            ColumnWriter::ByteArrayColumnWriter(typed) => {
                let values: Vec<ByteArray> =
                    rows.iter().filter_map(|row| bytes(row, index)).map(|b| ByteArray::from(b.to_vec())).collect();
                let present: Option<Vec<i16>> =
                    (index >= 9).then(|| rows.iter().map(|row| i16::from(bytes(row, index).is_some())).collect());
                typed.write_batch(&values, present.as_deref(), None)?;
            }
            _ => return Err(ParquetError::General("a column of another type".into())),
        }
        column.close()?;
        index += 1;
    }
    group.close()?;
    Ok(())
}

fn number(row: &Row, column: usize) -> Option<i64> {
    match column {
        0 => Some(row.position),
        2 => Some(row.version),
        4 => Some(row.v),
        5 => Some(row.at),
        6 => row.caused_by,
        _ => Some(row.correlation),
    }
}

fn bytes(row: &Row, column: usize) -> Option<&[u8]> {
    match column {
        1 => Some(row.stream.as_bytes()),
        3 => Some(row.topic.as_bytes()),
        8 => Some(row.origin.as_bytes()),
        9 => row.payload.as_deref(),
        _ => row.leaf.as_deref(),
    }
}

/// The wanted rows of the segment at `path`, ascending. The decoder panics on some damaged files; that is an error
/// like any other here.
pub fn read(path: &Path, wanted: &Wanted) -> Result<Vec<Row>> {
    catch_unwind(AssertUnwindSafe(|| decode(path, wanted)))
        .unwrap_or_else(|_| Err(Error::Invalid(format!("segment {}: damaged beyond decoding", path.display()))))
}

fn decode(path: &Path, wanted: &Wanted) -> Result<Vec<Row>> {
    let file = File::open(path).map_err(|e| Error::io("opening a segment", path, e))?;
    let reader = SerializedFileReader::new(file).map_err(|e| at(path, e))?;
    let mut out = Vec::new();
    for index in 0..reader.num_row_groups() {
        if out.len() >= wanted.limit {
            break;
        }
        let group = reader.get_row_group(index).map_err(|e| at(path, e))?;
        if overlaps(group.as_ref(), wanted) {
            read_group(group.as_ref(), wanted, &mut out).map_err(|e| at(path, e))?;
        }
    }
    out.truncate(wanted.limit);
    Ok(out)
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

fn read_group(
    group: &dyn RowGroupReader,
    wanted: &Wanted,
    out: &mut Vec<Row>,
) -> std::result::Result<(), ParquetError> {
    let count = usize::try_from(group.metadata().num_rows()).map_err(|_| ParquetError::General("row count".into()))?;
    let positions = numbers(group, 0, count)?;
    let (streams, versions, topics) = (texts(group, 1, count)?, numbers(group, 2, count)?, texts(group, 3, count)?);
    let (vs, ats, causes) = (numbers(group, 4, count)?, numbers(group, 5, count)?, numbers(group, 6, count)?);
    let (correlations, origins) = (numbers(group, 7, count)?, texts(group, 8, count)?);
    let (payloads, leaves) = (byte_values(group, 9, count)?, byte_values(group, 10, count)?);
    for i in 0..count {
        let position = required(&positions, i)?;
        let topic = topics[i].clone();
        if position <= wanted.after
            || position > wanted.upto
            || (!wanted.topics.is_empty() && !wanted.topics.contains(&topic))
        {
            continue;
        }
        out.push(Row {
            position,
            stream: streams[i].clone(),
            version: required(&versions, i)?,
            topic,
            v: required(&vs, i)?,
            at: required(&ats, i)?,
            caused_by: causes[i],
            correlation: required(&correlations, i)?,
            origin: origins[i].clone(),
            payload: payloads[i].as_ref().map(|b| b.data().to_vec()),
            leaf: leaves[i].as_ref().map(|b| b.data().to_vec()),
        });
    }
    Ok(())
}

fn required(values: &[Option<i64>], index: usize) -> std::result::Result<i64, ParquetError> {
    values[index].ok_or_else(|| ParquetError::General("a required value is missing".into()))
}

fn numbers(
    group: &dyn RowGroupReader,
    column: usize,
    count: usize,
) -> std::result::Result<Vec<Option<i64>>, ParquetError> {
    let ColumnReader::Int64ColumnReader(mut reader) = group.get_column_reader(column)? else {
        return Err(ParquetError::General("a column of another type".into()));
    };
    let (mut values, mut levels) = (Vec::with_capacity(count), Vec::with_capacity(count));
    while reader.read_records(count, Some(&mut levels), None, &mut values)?.0 > 0 {}
    spread(values, &levels, count)
}

fn byte_values(
    group: &dyn RowGroupReader,
    column: usize,
    count: usize,
) -> std::result::Result<Vec<Option<ByteArray>>, ParquetError> {
    let ColumnReader::ByteArrayColumnReader(mut reader) = group.get_column_reader(column)? else {
        return Err(ParquetError::General("a column of another type".into()));
    };
    let (mut values, mut levels) = (Vec::with_capacity(count), Vec::with_capacity(count));
    while reader.read_records(count, Some(&mut levels), None, &mut values)?.0 > 0 {}
    spread(values, &levels, count)
}

/// Puts the present values at their rows: a required column has no levels, an optional one 0 where null.
fn spread<T>(values: Vec<T>, levels: &[i16], count: usize) -> std::result::Result<Vec<Option<T>>, ParquetError> {
    let out: Vec<Option<T>> = if levels.is_empty() {
        values.into_iter().map(Some).collect()
    } else {
        let mut values = values.into_iter();
        levels.iter().map(|level| if *level > 0 { values.next() } else { None }).collect()
    };
    if out.len() == count {
        Ok(out)
    } else {
        Err(ParquetError::General("a column is shorter than its row group".into()))
    }
}

fn texts(group: &dyn RowGroupReader, column: usize, count: usize) -> std::result::Result<Vec<String>, ParquetError> {
    byte_values(group, column, count)?
        .into_iter()
        .map(|value| {
            let bytes = value.ok_or_else(|| ParquetError::General("a required value is missing".into()))?;
            String::from_utf8(bytes.data().to_vec()).map_err(|_| ParquetError::General("text is not UTF-8".into()))
        })
        .collect()
}

fn at(path: &Path, error: ParquetError) -> Error {
    Error::Invalid(format!("segment {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn everything() -> Wanted {
        Wanted { after: 0, upto: i64::MAX, limit: usize::MAX, topics: HashSet::new() }
    }

    fn row(position: i64, payload: Option<Vec<u8>>, caused_by: Option<i64>) -> Row {
        let leaf = payload.is_none().then(|| vec![7; 32]);
        Row {
            position,
            stream: format!("s{}", position % 3),
            version: position,
            topic: if position % 2 == 0 { "Even" } else { "Odd" }.into(),
            v: 1,
            at: 1_700_000_000_000_000 + position,
            caused_by,
            correlation: position,
            origin: "live".into(),
            payload,
            leaf,
        }
    }

    proptest! {
        #[test]
        fn rows_come_back_as_they_went_in(
            parts in prop::collection::vec(
                (prop::option::of(prop::collection::vec(any::<u8>(), 0..60)), prop::option::of(1i64..9)), 1..200)
        ) {
            let rows: Vec<Row> =
                parts.into_iter().enumerate().map(|(i, (payload, cause))| row(i as i64 + 1, payload, cause)).collect();
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("s.parquet");
            write(&path, &rows).unwrap();
            prop_assert_eq!(read(&path, &everything()).unwrap(), rows);
        }
    }

    #[test]
    fn a_range_a_topic_and_a_limit_select_rows() {
        let rows: Vec<Row> = (1..=20_000).map(|p| row(p, Some(vec![b'x'; 5]), None)).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.parquet");
        write(&path, &rows).unwrap();
        let wanted = Wanted { after: 9_000, upto: 9_010, limit: 3, topics: HashSet::from(["Even".to_owned()]) };
        let found: Vec<i64> = read(&path, &wanted).unwrap().iter().map(|r| r.position).collect();
        assert_eq!(found, [9_002, 9_004, 9_006]);
    }

    #[test]
    fn garbage_is_an_error_not_a_panic() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.parquet");
        std::fs::write(&path, b"PAR1 not really PAR1").unwrap();
        assert!(read(&path, &everything()).is_err());
    }
}
