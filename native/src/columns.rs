//! The columns of a segment: what each is called, how it is encoded, and its values on the way in and out.
use bytes::BytesMut;
use parquet::{
    basic::Encoding,
    column::{
        reader::{ColumnReader, ColumnReaderImpl},
        writer::ColumnWriter,
    },
    data_type::{ByteArray, DataType},
    errors::ParquetError,
};

pub type Outcome<T> = Result<T, ParquetError>;

/// What a column of the schema holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Numbers,
    Texts,
}

/// One column: its name, its declaration, how its values are encoded.
pub struct Kind {
    pub name: &'static str,
    pub declared: &'static str,
    pub shape: Shape,
    pub optional: bool,
    /// Whether few different values are expected, so that a dictionary is made.
    pub few: bool,
    pub encoding: Encoding,
}

const fn numbers(name: &'static str, declared: &'static str, optional: bool) -> Kind {
    Kind { name, declared, shape: Shape::Numbers, optional, few: false, encoding: Encoding::DELTA_BINARY_PACKED }
}

const fn texts(name: &'static str, declared: &'static str, optional: bool, few: bool, encoding: Encoding) -> Kind {
    Kind { name, declared, shape: Shape::Texts, optional, few, encoding }
}

const LENGTH: Encoding = Encoding::DELTA_LENGTH_BYTE_ARRAY;
const PREFIX: Encoding = Encoding::DELTA_BYTE_ARRAY;

/// Every column, in the order of the file.
pub const COLUMNS: [Kind; WIDTH] = [
    numbers("position", "required int64 position", false),
    texts("stream", "required binary stream (utf8)", false, true, PREFIX),
    numbers("version", "required int64 version", false),
    texts("topic", "required binary topic (utf8)", false, true, PREFIX),
    numbers("v", "required int64 v", false),
    numbers("at", "required int64 at (timestamp(micros, true))", false),
    numbers("caused_by", "optional int64 caused_by", true),
    numbers("correlation", "required int64 correlation", false),
    texts("origin", "required binary origin (utf8)", false, true, PREFIX),
    texts("payload", "optional binary payload (json)", true, false, LENGTH),
    texts("leaf", "optional binary leaf", true, false, LENGTH),
    texts("repo", "optional binary repo (utf8)", true, true, PREFIX),
    texts("burst", "optional binary burst (utf8)", true, false, PREFIX),
    numbers("part", "optional int64 part", true),
    numbers("parts", "optional int64 parts", true),
    texts("cause", "optional binary cause (utf8)", true, true, PREFIX),
    texts("path", "optional binary path (utf8)", true, true, PREFIX),
    texts("path_b64", "optional binary path_b64 (utf8)", true, true, PREFIX),
    texts("kind", "optional binary kind (utf8)", true, true, PREFIX),
    texts("type", "optional binary type (utf8)", true, true, PREFIX),
    texts("was", "optional binary was (utf8)", true, true, PREFIX),
    texts("was_b64", "optional binary was_b64 (utf8)", true, true, PREFIX),
    numbers("size", "optional int64 size", true),
    Kind { few: true, ..numbers("mode", "optional int64 mode", true) },
    numbers("mtime_ns", "optional int64 mtime_ns", true),
    texts("sha", "optional binary sha", true, false, LENGTH),
];
pub const WIDTH: usize = 26;

pub const POSITION: usize = 0;
pub const STREAM: usize = 1;
pub const VERSION: usize = 2;
pub const TOPIC: usize = 3;
pub const V: usize = 4;
pub const AT: usize = 5;
pub const CAUSED_BY: usize = 6;
pub const CORRELATION: usize = 7;
pub const ORIGIN: usize = 8;
pub const PAYLOAD: usize = 9;
pub const LEAF: usize = 10;
pub const REPO: usize = 11;
pub const BURST: usize = 12;
pub const PART: usize = 13;
pub const PARTS: usize = 14;
pub const CAUSE: usize = 15;
pub const PATH: usize = 16;
pub const PATH_B64: usize = 17;
pub const KIND: usize = 18;
pub const TYPE: usize = 19;
pub const WAS: usize = 20;
pub const WAS_B64: usize = 21;
pub const SIZE: usize = 22;
pub const MODE: usize = 23;
pub const MTIME_NS: usize = 24;
pub const SHA: usize = 25;

/// The values of one column that wait to be written. Its room is used again for every row group.
#[derive(Default)]
pub struct Waiting {
    numbers: Vec<i64>,
    bytes: BytesMut,
    ends: Vec<usize>,
    /// 0 for a value that is absent; of an optional column only.
    levels: Vec<i16>,
}

impl Waiting {
    /// Adds a value of a column that has one in every line.
    pub fn number(&mut self, value: i64) {
        self.numbers.push(value);
    }

    pub fn optional_number(&mut self, value: Option<i64>) {
        self.numbers.extend(value);
        self.levels.push(i16::from(value.is_some()));
    }

    /// Adds a value of a column that has one in every line.
    pub fn text(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        self.ends.push(self.bytes.len());
    }

    pub fn optional_text(&mut self, value: Option<&[u8]>) {
        if let Some(value) = value {
            self.text(value);
        }
        self.levels.push(i16::from(value.is_some()));
    }

    /// Writes what waits and forgets it. `values` is room for the texts.
    pub fn put(&mut self, kind: &Kind, column: &mut ColumnWriter<'_>, values: &mut Vec<ByteArray>) -> Outcome<()> {
        let levels = kind.optional.then_some(&self.levels[..]);
        match column {
            ColumnWriter::Int64ColumnWriter(typed) => typed.write_batch(&self.numbers, levels, None)?,
            ColumnWriter::ByteArrayColumnWriter(typed) => {
                let bytes = self.bytes.split().freeze();
                let mut start = 0;
                let slice = |end: &usize| ByteArray::from(bytes.slice(std::mem::replace(&mut start, *end)..*end));
                values.clear();
                values.extend(self.ends.iter().map(slice));
                let written = typed.write_batch(values, levels, None);
                values.clear();
                written?
            }
            _ => return Err(damaged("a column of another type")),
        };
        self.numbers.clear();
        self.ends.clear();
        self.levels.clear();
        Ok(())
    }
}

pub fn damaged(what: &str) -> ParquetError {
    ParquetError::General(what.into())
}

/// Reads one column of a row group from its beginning to its end, a stretch of lines at a time.
pub struct Lane {
    reader: ColumnReader,
    at: usize,
    /// The levels of a value that is there, and of an entry of a list if the column is in one.
    present: i16,
    nested: bool,
}

/// The definition level of an entry of a list.
const ENTRY: i16 = 2;

/// Values of a stretch: one a line, or in a list one an entry.
pub struct Stretch<T> {
    values: Vec<T>,
    definition: Vec<i16>,
    repetition: Vec<i16>,
    present: i16,
    nested: bool,
}

/// The values of a stretch by their place.
pub struct Values<T> {
    values: Vec<T>,
    places: Places,
}

/// Where the value of a place is.
enum Places {
    /// Every place has one.
    Same,
    /// None has one; so many places there are.
    Nowhere(usize),
    /// In the order of their places; `ABSENT` for those without.
    Listed(Vec<u32>),
}

const ABSENT: u32 = u32::MAX;

impl Lane {
    pub fn new(reader: ColumnReader, present: i16, nested: bool) -> Self {
        Self { reader, at: 0, present, nested }
    }

    pub fn numbers(&mut self, from: usize, count: usize) -> Outcome<Stretch<i64>> {
        let (skip, present, nested) = self.advance(from, count)?;
        match &mut self.reader {
            ColumnReader::Int64ColumnReader(reader) => take(reader, skip, count, present, nested),
            _ => Err(damaged("a column of another type")),
        }
    }

    pub fn texts(&mut self, from: usize, count: usize) -> Outcome<Stretch<ByteArray>> {
        let (skip, present, nested) = self.advance(from, count)?;
        match &mut self.reader {
            ColumnReader::ByteArrayColumnReader(reader) => take(reader, skip, count, present, nested),
            _ => Err(damaged("a column of another type")),
        }
    }

    fn advance(&mut self, from: usize, count: usize) -> Outcome<(usize, i16, bool)> {
        let skip = from.checked_sub(self.at).ok_or_else(|| damaged("read backwards"))?;
        self.at = from + count;
        Ok((skip, self.present, self.nested))
    }
}

fn take<D: DataType>(
    reader: &mut ColumnReaderImpl<D>,
    skip: usize,
    count: usize,
    present: i16,
    nested: bool,
) -> Outcome<Stretch<D::T>> {
    let mut found = Stretch { values: Vec::new(), definition: Vec::new(), repetition: Vec::new(), present, nested };
    if skip > 0 && reader.skip_records(skip)? != skip {
        return Err(short());
    }
    let mut left = count;
    while left > 0 {
        let (definition, repetition) = (Some(&mut found.definition), Some(&mut found.repetition));
        match reader.read_records(left, definition, repetition, &mut found.values)?.0 {
            0 => return Err(short()),
            records => left -= records.min(left),
        }
    }
    if !nested && found.definition.len().max(found.values.len()) != count {
        return Err(short());
    }
    Ok(found)
}

fn short() -> ParquetError {
    damaged("a column is shorter than its row group")
}

impl<T> Stretch<T> {
    pub fn by_place(self) -> Outcome<Values<T>> {
        let Self { values, definition, present, nested, .. } = self;
        let floor = if nested { ENTRY } else { 0 };
        let levels = || definition.iter().filter(|level| **level >= floor);
        let places = if present == 0 || levels().all(|level| *level >= present) {
            Places::Same
        } else if values.is_empty() {
            Places::Nowhere(levels().count())
        } else {
            let mut next = 0;
            let place = |level: &i16| {
                let here = *level >= present;
                next += u32::from(here);
                if here {
                    next - 1
                } else {
                    ABSENT
                }
            };
            let places: Vec<u32> = levels().map(place).collect();
            if next as usize != values.len() {
                return Err(short());
            }
            Places::Listed(places)
        };
        Ok(Values { values, places })
    }

    /// Every value; an error if one is absent.
    pub fn required(self) -> Outcome<Vec<T>> {
        if self.present > 0 && self.definition.iter().any(|level| *level < self.present) {
            return Err(missing());
        }
        Ok(self.values)
    }

    /// How many entries the list of each line has.
    pub fn lengths(&self, count: usize) -> Outcome<Vec<usize>> {
        let mut out: Vec<usize> = Vec::with_capacity(count);
        for (definition, repetition) in self.definition.iter().zip(&self.repetition) {
            match (repetition, out.last_mut()) {
                (0, _) => out.push(usize::from(*definition >= ENTRY)),
                (_, Some(length)) => *length += 1,
                _ => return Err(damaged("a list begins in its middle")),
            }
        }
        if out.len() == count {
            Ok(out)
        } else {
            Err(short())
        }
    }
}

impl<T> Values<T> {
    pub fn none(count: usize) -> Self {
        Self { values: Vec::new(), places: Places::Nowhere(count) }
    }

    /// The value at a place, if there is one. An error beyond the last place.
    pub fn get(&self, place: usize) -> Outcome<Option<&T>> {
        match &self.places {
            Places::Same => self.values.get(place).map(Some),
            Places::Nowhere(count) => (place < *count).then_some(None),
            Places::Listed(places) => places.get(place).map(|value| self.values.get(*value as usize)),
        }
        .ok_or_else(missing)
    }

    /// The value at a place; an error if there is none.
    pub fn need(&self, place: usize) -> Outcome<&T> {
        self.get(place)?.ok_or_else(missing)
    }
}

impl Values<ByteArray> {
    pub fn text(&self, place: usize) -> Outcome<Option<&str>> {
        self.get(place)?.map(utf8).transpose()
    }

    pub fn blob(&self, place: usize) -> Outcome<Option<&[u8]>> {
        Ok(self.get(place)?.map(ByteArray::data))
    }
}

pub fn utf8(value: &ByteArray) -> Outcome<&str> {
    value.as_utf8().map_err(|_| damaged("text is not UTF-8"))
}

fn missing() -> ParquetError {
    damaged("a value is missing")
}
