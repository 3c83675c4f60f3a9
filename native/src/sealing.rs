//! Writing a segment: rows to columns, in a thread of its own, so that whoever has the rows fetches the next meanwhile.
use std::{
    fs::{File, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    panic::{catch_unwind, AssertUnwindSafe},
    path::{Path, PathBuf},
    sync::{
        mpsc::{channel, sync_channel, Receiver, SyncSender},
        Arc,
    },
    thread::{self, JoinHandle},
};

use parquet::{
    basic::{Compression, ZstdLevel},
    data_type::ByteArray,
    file::{
        properties::{EnabledStatistics, WriterProperties},
        writer::SerializedFileWriter,
    },
    schema::{parser::parse_message_type, types::ColumnPath},
};

use crate::{
    chain::Header,
    columns::{self as c, Outcome, Waiting, COLUMNS},
    error::{Error, Result},
    foreign,
    observation::{Change, Observation, TOPIC},
    rows::{Row, Rows},
};

/// Lines in one row group, at most. Each has dictionaries of its own: fewer lines cost more bytes each.
const GROUP: usize = 32_768;
/// Payload bytes in one row group, about, so that few large events do not make a large group.
const GROUP_BYTES: usize = 8 << 20;
/// Rows that are handed to the encoder at a time, and their payload bytes, about.
const BATCH: usize = 4_096;
const BATCH_BYTES: usize = 1 << 20;
/// Batches that wait for the encoder, at most.
const AHEAD: usize = 2;
/// For columns that are encoded already: a higher one saves some hundredths of the size, and takes longer.
const LEVEL: i32 = 1;
/// For whole payloads. A higher one gains little more.
const PAYLOAD_LEVEL: i32 = 3;

/// A segment file being written. If it is dropped unfinished, the file is unusable.
pub struct Writer {
    batch: Rows,
    batches: Option<SyncSender<Rows>>,
    /// Batches that were encoded, to be filled again.
    empty: Receiver<Rows>,
    encoder: Option<JoinHandle<Result<Encoder>>>,
}

impl Writer {
    /// Creates the file, or truncates it.
    pub fn new(path: &Path) -> Result<Self> {
        let mut encoder = Encoder::new(path)?;
        let (batches, waiting) = sync_channel::<Rows>(AHEAD);
        let (emptied, empty) = channel();
        let encode = move || {
            for mut rows in waiting {
                rows.iter().try_for_each(|row| encoder.add(&row))?;
                rows.clear();
                let _ = emptied.send(rows); // nobody may want it any more
            }
            Ok(encoder)
        };
        let failed = |e| Error::io("starting a thread for", path, e);
        let encoder = thread::Builder::new().name("segment".into()).spawn(encode).map_err(failed)?;
        Ok(Self { batch: Rows::default(), empty, batches: Some(batches), encoder: Some(encoder) })
    }

    /// Takes a row, positions ascending; whether it is time to flush.
    pub fn push(&mut self, row: &Row<'_>) -> bool {
        self.batch.push(row);
        self.batch.len() >= BATCH || self.batch.size() >= BATCH_BYTES
    }

    /// Passes the pushed rows to the encoder. Blocks while its queue is full.
    pub fn flush(&mut self) -> Result<()> {
        let rows = std::mem::replace(&mut self.batch, self.empty.try_recv().unwrap_or_default());
        match self.batches.as_ref().map(|batches| batches.send(rows)) {
            Some(Ok(())) => Ok(()),
            _ => self.join().map(|_| ()).and(Err(Error::Invalid("the segment is closed".into()))),
        }
    }

    /// Completes the file and syncs it; its size in bytes.
    pub fn finish(&mut self) -> Result<u64> {
        self.flush()?;
        self.join()?.finish()
    }

    fn join(&mut self) -> Result<Encoder> {
        self.batches = None;
        let encoder = self.encoder.take().ok_or_else(|| Error::Invalid("the segment is closed".into()))?;
        encoder.join().unwrap_or_else(|_| Err(Error::Invalid("encoding a segment panicked".into())))
    }
}

struct Encoder {
    path: PathBuf,
    writer: SerializedFileWriter<File>,
    columns: Vec<Waiting>,
    lines: usize,
    bytes: usize,
    /// A reused buffer.
    again: Vec<u8>,
    values: Vec<ByteArray>,
}

impl Encoder {
    fn new(path: &Path) -> Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
        let file = file.map_err(|e| Error::io("creating a segment", path, e))?;
        let columns = COLUMNS.map(|column| format!("{};", column.declared)).concat();
        let schema = parse_message_type(&format!("message kairos_segment_2 {{ {columns} }}"));
        let writer = schema.and_then(|s| SerializedFileWriter::new(file, Arc::new(s), Arc::new(properties())));
        let waiting = COLUMNS.iter().map(|_| Waiting::default()).collect();
        let writer = writer.map_err(|e| Error::segment(path, e))?;
        Ok(Self {
            path: path.to_owned(),
            writer,
            columns: waiting,
            lines: 0,
            bytes: 0,
            again: Vec::new(),
            values: Vec::new(),
        })
    }

    fn add(&mut self, row: &Row<'_>) -> Result<()> {
        if self.lines >= GROUP || self.bytes >= GROUP_BYTES {
            self.end_group()?;
        }
        let typed = row.payload.filter(|_| row.header.topic == TOPIC).and_then(|p| Some((Observation::of(p)?, p)));
        // What is put together again on reading must be what was taken apart.
        let typed = typed.and_then(|(observation, payload)| {
            self.again.clear();
            observation.encode(&mut self.again);
            (self.again == payload).then_some(observation)
        });
        let Some(observation) = typed else {
            self.bytes += row.payload.map_or(0, <[u8]>::len);
            let mut wrapped = std::mem::take(&mut self.again);
            match row.payload {
                Some(payload) if row.header.origin == foreign::ORIGIN && foreign::wrap(payload, &mut wrapped) => {
                    self.line(row, Some(&wrapped), None, None);
                }
                payload => self.line(row, payload, None, None),
            }
            self.again = wrapped;
            return Ok(());
        };
        if observation.changes.is_empty() {
            self.line(row, None, Some(&observation), None);
        }
        for change in &observation.changes {
            self.line(row, None, Some(&observation), Some(change));
        }
        Ok(())
    }

    /// One line of the file: an event, or of an observation one of its changes.
    fn line(
        &mut self,
        row: &Row<'_>,
        payload: Option<&[u8]>,
        seen: Option<&Observation<'_>>,
        change: Option<&Change<'_>>,
    ) {
        fn raw(text: Option<&(impl AsRef<str> + ?Sized)>) -> Option<&[u8]> {
            text.map(|text| text.as_ref().as_bytes())
        }
        let columns = &mut self.columns;
        let Header { position, stream, version, topic, v, at, caused_by, correlation, origin } = row.header;
        columns[c::POSITION].number(position);
        columns[c::STREAM].text(stream.as_bytes());
        columns[c::VERSION].number(version);
        columns[c::TOPIC].text(topic.as_bytes());
        columns[c::V].number(v);
        columns[c::AT].number(at);
        columns[c::CAUSED_BY].optional_number(caused_by);
        columns[c::CORRELATION].number(correlation);
        columns[c::ORIGIN].text(origin.as_bytes());
        columns[c::PAYLOAD].optional_text(payload);
        columns[c::LEAF].optional_text(row.leaf);
        columns[c::REPO].optional_text(raw(seen.map(|o| &o.repo)));
        columns[c::BURST].optional_text(raw(seen.map(|o| &o.burst)));
        columns[c::PART].optional_number(seen.map(|o| o.part));
        columns[c::PARTS].optional_number(seen.map(|o| o.parts));
        columns[c::CAUSE].optional_text(raw(seen.and_then(|o| o.cause.as_ref())));
        columns[c::PATH].optional_text(raw(change.and_then(|c| c.name.path.as_ref())));
        columns[c::PATH_B64].optional_text(raw(change.and_then(|c| c.name.path_b64.as_ref())));
        columns[c::KIND].optional_text(raw(change.map(|c| &c.kind)));
        columns[c::TYPE].optional_text(raw(change.map(|c| &c.entry)));
        let was = change.and_then(|c| c.was.as_ref());
        columns[c::WAS].optional_text(raw(was.and_then(|w| w.path.as_ref())));
        columns[c::WAS_B64].optional_text(raw(was.and_then(|w| w.path_b64.as_ref())));
        columns[c::SIZE].optional_number(change.and_then(|c| c.size));
        columns[c::MODE].optional_number(change.and_then(|c| c.mode));
        columns[c::MTIME_NS].optional_number(change.and_then(|c| c.mtime_ns));
        columns[c::SHA].optional_text(change.and_then(|c| c.sha.as_ref()).map(|sha| &sha[..]));
        self.lines += 1;
    }

    fn end_group(&mut self) -> Result<()> {
        let put = AssertUnwindSafe(|| put_group(&mut self.writer, &mut self.columns, &mut self.values));
        let done = catch_unwind(put).unwrap_or_else(|_| Err(c::damaged("the encoder panicked")));
        done.map_err(|e| Error::segment(&self.path, e))?;
        (self.lines, self.bytes) = (0, 0);
        Ok(())
    }

    fn finish(mut self) -> Result<u64> {
        if self.lines > 0 {
            self.end_group()?;
        }
        let path = self.path;
        // Not `into_inner`: what the operating system says of a full disk is lost in it.
        self.writer.finish().map_err(|e| Error::segment(&path, e))?;
        let file = self.writer.inner();
        file.sync_all().map_err(|e| Error::io("syncing a segment", &path, e))?;
        Ok(file.metadata().map_err(|e| Error::io("measuring a segment", &path, e))?.len())
    }
}

fn put_group(
    writer: &mut SerializedFileWriter<File>,
    columns: &mut [Waiting],
    values: &mut Vec<ByteArray>,
) -> Outcome<()> {
    let mut group = writer.next_row_group()?;
    for (kind, waiting) in COLUMNS.iter().zip(columns) {
        let mut column = group.next_column()?.ok_or_else(|| c::damaged("an unexpected column"))?;
        waiting.put(kind, column.untyped(), values)?;
        column.close()?;
    }
    group.close()?;
    Ok(())
}

fn zstd(level: i32) -> Compression {
    Compression::ZSTD(ZstdLevel::try_new(level).unwrap_or_default())
}

fn properties() -> WriterProperties {
    let mut builder = WriterProperties::builder()
        .set_compression(zstd(LEVEL))
        .set_column_compression(ColumnPath::from(COLUMNS[c::PAYLOAD].name), zstd(PAYLOAD_LEVEL))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true);
    for column in &COLUMNS {
        let path = ColumnPath::from(column.name);
        builder =
            builder.set_column_dictionary_enabled(path.clone(), column.few).set_column_encoding(path, column.encoding);
    }
    for ranged in [c::POSITION, c::AT] {
        builder =
            builder.set_column_statistics_enabled(ColumnPath::from(COLUMNS[ranged].name), EnabledStatistics::Chunk);
    }
    builder.build()
}
