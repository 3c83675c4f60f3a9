//! One column of a row group of a segment, as values in the order of its rows or of the entries of its lists.
use parquet::{
    column::{
        reader::{ColumnReader, ColumnReaderImpl},
        writer::ColumnWriter,
    },
    data_type::{ByteArray, DataType},
    errors::ParquetError,
    file::reader::RowGroupReader,
};

pub type Outcome<T> = Result<T, ParquetError>;

/// The definition level of an entry of the list `changes`; a value in it that may be absent is one above.
pub const ENTRY: i16 = 2;

/// What a column takes: numbers or byte strings, and the levels where values may be absent or repeated.
pub enum Values {
    Numbers(Vec<i64>),
    Texts(Vec<ByteArray>),
}

pub struct Levels {
    pub definition: Option<Vec<i16>>,
    pub repetition: Option<Vec<i16>>,
}

pub fn put(column: &mut ColumnWriter<'_>, values: &Values, levels: &Levels) -> Outcome<()> {
    let (definition, repetition) = (levels.definition.as_deref(), levels.repetition.as_deref());
    match (column, values) {
        (ColumnWriter::Int64ColumnWriter(typed), Values::Numbers(v)) => typed.write_batch(v, definition, repetition)?,
        (ColumnWriter::ByteArrayColumnWriter(typed), Values::Texts(v)) => {
            typed.write_batch(v, definition, repetition)?
        }
        _ => return Err(ParquetError::General("a column of another type".into())),
    };
    Ok(())
}

/// The values of a column and the levels it was stored with.
pub struct Stored<T> {
    values: Vec<T>,
    definition: Vec<i16>,
    repetition: Vec<i16>,
}

pub fn numbers(group: &dyn RowGroupReader, column: usize) -> Outcome<Stored<i64>> {
    match group.get_column_reader(column)? {
        ColumnReader::Int64ColumnReader(reader) => everything(group, reader),
        _ => Err(ParquetError::General("a column of another type".into())),
    }
}

pub fn texts(group: &dyn RowGroupReader, column: usize) -> Outcome<Stored<ByteArray>> {
    match group.get_column_reader(column)? {
        ColumnReader::ByteArrayColumnReader(reader) => everything(group, reader),
        _ => Err(ParquetError::General("a column of another type".into())),
    }
}

fn everything<D: DataType>(group: &dyn RowGroupReader, mut reader: ColumnReaderImpl<D>) -> Outcome<Stored<D::T>> {
    let count = usize::try_from(group.metadata().num_rows()).map_err(|_| ParquetError::General("row count".into()))?;
    let mut found = Stored { values: Vec::new(), definition: Vec::new(), repetition: Vec::new() };
    while reader.read_records(count, Some(&mut found.definition), Some(&mut found.repetition), &mut found.values)?.0 > 0
    {
    }
    Ok(found)
}

impl<T> Stored<T> {
    /// One value a row; `None` where it is absent.
    pub fn rows(self, count: usize) -> Outcome<Vec<Option<T>>> {
        let out: Vec<Option<T>> = if self.definition.is_empty() {
            self.values.into_iter().map(Some).collect()
        } else {
            let mut values = self.values.into_iter();
            self.definition.iter().map(|level| if *level > 0 { values.next() } else { None }).collect()
        };
        if out.len() == count {
            Ok(out)
        } else {
            Err(ParquetError::General("a column is shorter than its row group".into()))
        }
    }

    /// How many entries the list of each row has; `None` where there is no list.
    pub fn lengths(&self, count: usize) -> Outcome<Vec<Option<usize>>> {
        let mut out: Vec<Option<usize>> = Vec::with_capacity(count);
        for (definition, repetition) in self.definition.iter().zip(&self.repetition) {
            match (definition, repetition, out.last_mut()) {
                (0, 0, _) => out.push(None),
                (1, 0, _) => out.push(Some(0)),
                (_, 0, _) => out.push(Some(1)),
                (_, _, Some(Some(length))) => *length += 1,
                _ => return Err(ParquetError::General("a list begins in its middle".into())),
            }
        }
        if out.len() == count {
            Ok(out)
        } else {
            Err(ParquetError::General("a column is shorter than its row group".into()))
        }
    }

    /// One value an entry of the lists, in order; `None` where it is absent.
    pub fn entries(self, total: usize, required: bool) -> Outcome<Vec<Option<T>>> {
        let present = if required { ENTRY } else { ENTRY + 1 };
        let mut values = self.values.into_iter();
        let out: Vec<Option<T>> = self
            .definition
            .iter()
            .filter(|level| **level >= ENTRY)
            .map(|level| if *level >= present { values.next() } else { None })
            .collect();
        if out.len() == total {
            Ok(out)
        } else {
            Err(ParquetError::General("the columns of a list differ in length".into()))
        }
    }
}
