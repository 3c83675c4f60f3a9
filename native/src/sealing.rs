//! Writing a segment: rows to columns. What the columns mean stands in `segment`.
use std::{fs::OpenOptions, path::Path, sync::Arc};

use parquet::{
    basic::{Compression, Encoding, ZstdLevel},
    data_type::ByteArray,
    file::{
        properties::{EnabledStatistics, WriterProperties},
        writer::SerializedFileWriter,
    },
    schema::{parser::parse_message_type, types::ColumnPath},
};

use crate::{
    columns::{self, Levels, Outcome, Values, ENTRY},
    error::{Error, Result},
    observation::{Change, Observation, TOPIC},
    segment::{at, Row, GROUP, KIND, PATH, PAYLOAD, REPO, SCHEMA},
};

/// Payload bytes in one row group, about, so that few large events do not make a large group.
const GROUP_BYTES: usize = 8 << 20;

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
    let mut rest = rows;
    while !rest.is_empty() {
        let mut bytes = 0;
        let size = rest
            .iter()
            .take(GROUP)
            .take_while(|row| {
                bytes += row.payload.as_ref().map_or(0, Vec::len);
                bytes <= GROUP_BYTES
            })
            .count()
            .max(1);
        let (group, others) = rest.split_at(size);
        write_group(&mut writer, group).map_err(|e| at(path, e))?;
        rest = others;
    }
    writer.close().map_err(|e| at(path, e))?;
    file.sync_all().map_err(|e| Error::io("syncing a segment", path, e))?;
    Ok(file.metadata().map_err(|e| Error::io("measuring a segment", path, e))?.len())
}

fn properties() -> WriterProperties {
    let entry = |name: &str| {
        ColumnPath::new(["changes", "list", "element", name].into_iter().map(str::to_owned).collect::<Vec<_>>())
    };
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(6).unwrap_or_default()))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled(ColumnPath::from("position"), EnabledStatistics::Chunk)
        .set_column_statistics_enabled(ColumnPath::from("at"), EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_dictionary_enabled(false);
    for name in ["position", "version", "v", "at", "caused_by", "correlation", "part", "parts"] {
        builder = builder.set_column_encoding(ColumnPath::from(name), Encoding::DELTA_BINARY_PACKED);
    }
    for name in ["stream", "topic", "origin", "repo", "cause"] {
        builder = builder.set_column_dictionary_enabled(ColumnPath::from(name), true);
    }
    for name in ["path", "path_b64", "kind", "type", "was", "was_b64", "mode"] {
        builder = builder.set_column_dictionary_enabled(entry(name), true);
    }
    for name in ["size", "mtime_ns"] {
        builder = builder.set_column_encoding(entry(name), Encoding::DELTA_BINARY_PACKED);
    }
    builder.set_column_encoding(ColumnPath::from("payload"), Encoding::DELTA_LENGTH_BYTE_ARRAY).build()
}

fn write_group<W: std::io::Write + Send>(writer: &mut SerializedFileWriter<W>, rows: &[Row]) -> Outcome<()> {
    let typed: Vec<Option<Observation<'_>>> = rows
        .iter()
        .map(|row| row.payload.as_deref().filter(|_| &*row.topic == TOPIC).and_then(Observation::of))
        .collect();
    let mut group = writer.next_row_group()?;
    let mut index = 0;
    while let Some(mut column) = group.next_column()? {
        let (values, levels) =
            if index < PATH { event_column(rows, &typed, index) } else { change_column(&typed, index) };
        columns::put(column.untyped(), &values, &levels)?;
        column.close()?;
        index += 1;
    }
    group.close()?;
    Ok(())
}

fn event_column(rows: &[Row], typed: &[Option<Observation<'_>>], index: usize) -> (Values, Levels) {
    let pairs = || rows.iter().zip(typed);
    let optional = matches!(index, 6 | PAYLOAD..PATH);
    let (values, present) = if matches!(index, 0 | 2 | 4..=7 | 13 | 14) {
        let found: Vec<Option<i64>> = pairs().map(|(row, typed)| number(row, typed.as_ref(), index)).collect();
        let present: Vec<i16> = found.iter().map(|value| i16::from(value.is_some())).collect();
        (Values::Numbers(found.into_iter().flatten().collect()), present)
    } else {
        let found: Vec<Option<&[u8]>> = pairs().map(|(row, typed)| bytes(row, typed.as_ref(), index)).collect();
        let present: Vec<i16> = found.iter().map(|value| i16::from(value.is_some())).collect();
        (Values::Texts(found.into_iter().flatten().map(|b| ByteArray::from(b.to_vec())).collect()), present)
    };
    (values, Levels { definition: optional.then_some(present), repetition: None })
}

fn number(row: &Row, typed: Option<&Observation<'_>>, column: usize) -> Option<i64> {
    match column {
        0 => Some(row.position),
        2 => Some(row.version),
        4 => Some(row.v),
        5 => Some(row.at),
        6 => row.caused_by,
        7 => Some(row.correlation),
        13 => typed.map(|o| o.part),
        _ => typed.map(|o| o.parts),
    }
}

fn bytes<'a>(row: &'a Row, typed: Option<&'a Observation<'a>>, column: usize) -> Option<&'a [u8]> {
    match column {
        1 => Some(row.stream.as_bytes()),
        3 => Some(row.topic.as_bytes()),
        8 => Some(row.origin.as_bytes()),
        PAYLOAD => row.payload.as_deref().filter(|_| typed.is_none()),
        10 => row.leaf.as_deref(),
        REPO => typed.map(|o| o.repo.as_bytes()),
        12 => typed.map(|o| o.burst.as_bytes()),
        _ => typed.and_then(|o| o.cause.as_deref()).map(str::as_bytes),
    }
}

fn change_column(typed: &[Option<Observation<'_>>], index: usize) -> (Values, Levels) {
    let (mut numbers, mut texts) = (Vec::new(), Vec::new());
    let (mut definition, mut repetition) = (Vec::new(), Vec::new());
    let numeric = index >= 22;
    for row in typed {
        let changes: &[Change<'_>] = row.as_ref().map_or(&[], |o| &o.changes);
        if changes.is_empty() {
            definition.push(i16::from(row.is_some()));
            repetition.push(0);
        }
        for (place, change) in changes.iter().enumerate() {
            let present = if numeric {
                let value = match index {
                    22 => change.size,
                    23 => change.mode,
                    _ => change.mtime_ns,
                };
                numbers.extend(value);
                value.is_some()
            } else {
                let value = text(change, index);
                texts.extend(value.map(|t| ByteArray::from(t.as_bytes().to_vec())));
                value.is_some()
            };
            let required = matches!(index, KIND | 19);
            definition.push(ENTRY + i16::from(present && !required));
            repetition.push(i16::from(place > 0));
        }
    }
    let values = if numeric { Values::Numbers(numbers) } else { Values::Texts(texts) };
    (values, Levels { definition: Some(definition), repetition: Some(repetition) })
}

fn text<'a>(change: &'a Change<'a>, column: usize) -> Option<&'a str> {
    match column {
        PATH => change.path.as_deref(),
        17 => change.path_b64.as_deref(),
        KIND => Some(&change.kind),
        19 => Some(&change.entry),
        20 => change.was.as_ref()?.path.as_deref(),
        _ => change.was.as_ref()?.path_b64.as_deref(),
    }
}
