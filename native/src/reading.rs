//! Reading a segment, on from where the last read ended; no column is decoded that no wanted row needs.
use std::{
    borrow::Cow,
    fs::File,
    ops::Range,
    panic::{catch_unwind, AssertUnwindSafe},
    path::{Path, PathBuf},
    sync::Arc,
};

use parquet::{
    data_type::ByteArray,
    file::{
        reader::{FileReader, SerializedFileReader},
        statistics::Statistics,
    },
};

use crate::{
    columns::{self as c, damaged, Lane, Outcome, Stretch, COLUMNS, WIDTH},
    error::{Error, Result},
    observation::{self, Change, Name, Observation},
    segment::{at, Row, Wanted},
};

/// Lines that are decoded at a time, unless one event has more.
const LINES: usize = 8_192;

/// Rows in order, and the position up to which every wanted one is among them or was in an earlier answer.
pub struct Found {
    pub rows: Vec<Row>,
    pub scanned: i64,
}

/// An open segment and how far it was read.
pub struct Reader {
    path: PathBuf,
    file: SerializedFileReader<File>,
    /// Which column of the file is which of ours.
    places: [Option<usize>; WIDTH],
    wanted: Wanted,
    next_group: usize,
    group: Option<Group>,
}

/// A row group being read: the positions of its lines, and how many lines are done.
struct Group {
    index: usize,
    positions: Vec<i64>,
    next: usize,
    lanes: [Option<Lane>; WIDTH],
}

impl Reader {
    pub fn open(path: &Path, wanted: Wanted) -> Result<Self> {
        let file = File::open(path).map_err(|e| Error::io("opening a segment", path, e))?;
        guarded(path, || {
            let file = SerializedFileReader::new(file)?;
            let schema = file.metadata().file_metadata().schema_descr();
            let place = |name| (0..schema.num_columns()).find(|i| schema.column(*i).name() == name);
            let places = std::array::from_fn(|column| place(COLUMNS[column].name));
            Ok(Self { path: path.to_owned(), file, places, wanted, next_group: 0, group: None })
        })
    }

    /// The next wanted rows, ascending, at most `limit`. None: there are no more. The decoder panics on some damaged
    /// files; that is an error like any other here.
    pub fn read(&mut self, limit: usize) -> Result<Found> {
        let path = self.path.clone();
        guarded(&path, || self.decode(limit))
    }

    fn decode(&mut self, limit: usize) -> Outcome<Found> {
        let mut found = Found { rows: Vec::new(), scanned: self.wanted.after };
        while found.rows.len() < limit {
            let mut group = match self.group.take() {
                Some(group) => group,
                None => match self.next_group()? {
                    Some(group) => group,
                    None => {
                        self.wanted.after = self.wanted.after.max(self.wanted.upto);
                        break;
                    }
                },
            };
            let lines = group.stretch(limit - found.rows.len(), self.nested(), self.wanted.upto);
            if lines.is_empty() {
                continue; // the group is done
            }
            self.read_lines(&mut group, lines.clone(), &mut found.rows)?;
            self.wanted.after = self.wanted.after.max(group.positions[lines.end - 1]);
            group.next = lines.end;
            self.group = Some(group);
        }
        found.scanned = self.wanted.after;
        Ok(found)
    }

    /// Whether the changes of an observation are a list in its one line, as the first layout had them.
    fn nested(&self) -> bool {
        self.places[c::KIND].is_some_and(|place| self.descriptor(place).max_rep_level() > 0)
    }

    fn descriptor(&self, place: usize) -> Arc<parquet::schema::types::ColumnDescriptor> {
        self.file.metadata().file_metadata().schema_descr().column(place)
    }

    /// The next row group that may hold wanted rows, at its first line beyond `after`.
    fn next_group(&mut self) -> Outcome<Option<Group>> {
        while self.next_group < self.file.num_row_groups() {
            let index = self.next_group;
            self.next_group += 1;
            let meta = self.file.metadata().row_group(index);
            let count = usize::try_from(meta.num_rows()).map_err(|_| damaged("row count"))?;
            if let (Some(place), Wanted { after, upto, .. }) = (self.places[c::POSITION], &self.wanted) {
                let statistics = (place < meta.num_columns()).then(|| meta.column(place).statistics()).flatten();
                if let Some(Statistics::Int64(s)) = statistics {
                    let below = s.max_opt().is_some_and(|max| max <= after);
                    if below || s.min_opt().is_some_and(|min| min > upto) {
                        continue;
                    }
                }
            }
            let mut group = Group { index, positions: Vec::new(), next: 0, lanes: std::array::from_fn(|_| None) };
            group.positions = self.numbers(&mut group, c::POSITION, 0..count)?.required()?;
            if !group.positions.is_sorted() {
                return Err(damaged("positions do not ascend"));
            }
            group.next = group.positions.partition_point(|position| *position <= self.wanted.after);
            return Ok(Some(group));
        }
        Ok(None)
    }

    fn read_lines(&self, group: &mut Group, lines: Range<usize>, rows: &mut Vec<Row>) -> Outcome<()> {
        let starts = starts(&group.positions, &lines, self.nested());
        let topics = shared(self.texts(group, c::TOPIC, lines.clone())?)?;
        let wanted = &self.wanted.topics;
        let chosen = |event: &Range<usize>| wanted.is_empty() || wanted.contains(&*topics[event.start]);
        if !starts.iter().any(chosen) {
            return Ok(());
        }
        let required = |group: &mut Group, column| self.numbers(group, column, lines.clone())?.required();
        let (versions, vs, ats) = (required(group, c::VERSION)?, required(group, c::V)?, required(group, c::AT)?);
        let correlations = required(group, c::CORRELATION)?;
        let causes = self.numbers(group, c::CAUSED_BY, lines.clone())?.optional();
        let streams = shared(self.texts(group, c::STREAM, lines.clone())?)?;
        let origins = shared(self.texts(group, c::ORIGIN, lines.clone())?)?;
        let payloads = self.texts(group, c::PAYLOAD, lines.clone())?.optional();
        let leaves = self.texts(group, c::LEAF, lines.clone())?.optional();
        let observed = |event: &Range<usize>| chosen(event) && &*topics[event.start] == observation::TOPIC;
        let seen = if starts.iter().any(observed) { Some(self.seen(group, &lines)?) } else { None };
        for event in starts.iter().filter(|event| chosen(event)) {
            let i = event.start;
            let payload = match (&payloads[i], &seen) {
                (Some(payload), _) => Some(payload.data().to_vec()),
                (None, Some(seen)) => seen.payload(event)?,
                (None, None) => None,
            };
            rows.push(Row {
                position: group.positions[lines.start + i],
                stream: streams[i].clone(),
                version: versions[i],
                topic: topics[i].clone(),
                v: vs[i],
                at: ats[i],
                caused_by: causes[i],
                correlation: correlations[i],
                origin: origins[i].clone(),
                payload,
                leaf: leaves[i].as_ref().map(|b| b.data().to_vec()),
            });
        }
        Ok(())
    }

    fn seen(&self, group: &mut Group, lines: &Range<usize>) -> Outcome<Seen> {
        let kinds = self.texts(group, c::KIND, lines.clone())?;
        let entries = if self.nested() {
            let mut end = 0;
            let mut range = |length: usize| {
                end += length;
                end - length..end
            };
            Some(kinds.lengths(lines.len())?.into_iter().map(&mut range).collect())
        } else {
            None
        };
        let mut texts =
            |column| -> Outcome<Vec<Option<ByteArray>>> { Ok(self.texts(group, column, lines.clone())?.optional()) };
        let (repos, bursts, causes) = (texts(c::REPO)?, texts(c::BURST)?, texts(c::CAUSE)?);
        let (paths, paths_b64, types) = (texts(c::PATH)?, texts(c::PATH_B64)?, texts(c::TYPE)?);
        let (was, was_b64) = (texts(c::WAS)?, texts(c::WAS_B64)?);
        let shas = if self.places[c::SHA].is_some() { texts(c::SHA)? } else { Vec::new() };
        let mut numbers =
            |column| -> Outcome<Vec<Option<i64>>> { Ok(self.numbers(group, column, lines.clone())?.optional()) };
        Ok(Seen {
            repos,
            bursts,
            causes,
            part: numbers(c::PART)?,
            parts: numbers(c::PARTS)?,
            entries,
            kinds: kinds.optional(),
            paths,
            paths_b64,
            types,
            was,
            was_b64,
            sizes: numbers(c::SIZE)?,
            modes: numbers(c::MODE)?,
            times: numbers(c::MTIME_NS)?,
            shas,
        })
    }

    fn numbers(&self, group: &mut Group, column: usize, lines: Range<usize>) -> Outcome<Stretch<i64>> {
        self.lane(group, column)?.numbers(lines.start, lines.len())
    }

    fn texts(&self, group: &mut Group, column: usize, lines: Range<usize>) -> Outcome<Stretch<ByteArray>> {
        self.lane(group, column)?.texts(lines.start, lines.len())
    }

    fn lane<'g>(&self, group: &'g mut Group, column: usize) -> Outcome<&'g mut Lane> {
        let lane = &mut group.lanes[column];
        if lane.is_none() {
            let place = self.places[column].ok_or_else(|| damaged("not the columns of a segment"))?;
            let descriptor = self.descriptor(place);
            let reader = self.file.get_row_group(group.index)?.get_column_reader(place)?;
            *lane = Some(Lane::new(reader, descriptor.max_def_level(), descriptor.max_rep_level() > 0));
        }
        lane.as_mut().ok_or_else(|| damaged("no column"))
    }
}

impl Group {
    /// The next lines to read: whole events, at most so many of them.
    fn stretch(&self, events: usize, nested: bool, upto: i64) -> Range<usize> {
        let beyond = self.positions.partition_point(|position| *position <= upto);
        let most = beyond.min(self.next.saturating_add(if nested { events.min(LINES) } else { LINES }));
        let mut end = self.next;
        let mut count = 0;
        while end < beyond && count < events && (end < most || end == self.next) {
            let event = self.positions[end];
            let next = if nested { end + 1 } else { end + self.positions[end..].partition_point(|p| *p == event) };
            if next > most && end > self.next {
                break;
            }
            (end, count) = (next, count + 1);
        }
        self.next..end
    }
}

/// The lines of each event of a stretch, counted from its start.
fn starts(positions: &[i64], lines: &Range<usize>, nested: bool) -> Vec<Range<usize>> {
    let mut out: Vec<Range<usize>> = Vec::with_capacity(lines.len());
    for (line, position) in positions[lines.clone()].iter().enumerate() {
        match out.last_mut() {
            Some(last) if !nested && positions[lines.start + last.start] == *position => last.end = line + 1,
            _ => out.push(line..line + 1),
        }
    }
    out
}

/// The columns of a stretch's observations. `entries`: which entries are those of a line, where changes are a list.
struct Seen {
    repos: Vec<Option<ByteArray>>,
    bursts: Vec<Option<ByteArray>>,
    causes: Vec<Option<ByteArray>>,
    part: Vec<Option<i64>>,
    parts: Vec<Option<i64>>,
    entries: Option<Vec<Range<usize>>>,
    kinds: Vec<Option<ByteArray>>,
    paths: Vec<Option<ByteArray>>,
    paths_b64: Vec<Option<ByteArray>>,
    types: Vec<Option<ByteArray>>,
    was: Vec<Option<ByteArray>>,
    was_b64: Vec<Option<ByteArray>>,
    sizes: Vec<Option<i64>>,
    modes: Vec<Option<i64>>,
    times: Vec<Option<i64>>,
    shas: Vec<Option<ByteArray>>,
}

impl Seen {
    /// The payload of the event in these lines, if it was taken apart.
    fn payload(&self, event: &Range<usize>) -> Outcome<Option<Vec<u8>>> {
        let i = event.start;
        let Some(repo) = text(&self.repos, i)? else { return Ok(None) };
        let entries = match &self.entries {
            Some(entries) => entries[i].clone(),
            None if self.kinds[i].is_none() => 0..0,
            None => event.clone(),
        };
        let mut changes = Vec::with_capacity(entries.len());
        for e in entries {
            let was = Name { path: text(&self.was, e)?, path_b64: text(&self.was_b64, e)? };
            changes.push(Change {
                name: Name { path: text(&self.paths, e)?, path_b64: text(&self.paths_b64, e)? },
                kind: told(&self.kinds, e)?,
                entry: told(&self.types, e)?,
                was: (was != Name::default()).then_some(was),
                size: number(&self.sizes, e)?,
                mode: number(&self.modes, e)?,
                mtime_ns: number(&self.times, e)?,
                sha: match self.shas.get(e) {
                    Some(Some(sha)) => Some(sha.data().try_into().map_err(|_| damaged("a content hash is cut"))?),
                    _ => None,
                },
            });
        }
        let observation = Observation {
            repo,
            burst: told(&self.bursts, i)?,
            part: number(&self.part, i)?.ok_or_else(missing)?,
            parts: number(&self.parts, i)?.ok_or_else(missing)?,
            changes,
            cause: text(&self.causes, i)?,
        };
        let mut payload = Vec::with_capacity(96 + 208 * observation.changes.len());
        observation.encode(&mut payload);
        Ok(Some(payload))
    }
}

fn missing() -> parquet::errors::ParquetError {
    damaged("a value is missing")
}

fn number(values: &[Option<i64>], i: usize) -> Outcome<Option<i64>> {
    values.get(i).copied().ok_or_else(missing)
}

fn text(values: &[Option<ByteArray>], i: usize) -> Outcome<Option<Cow<'_, str>>> {
    let value = values.get(i).ok_or_else(missing)?.as_ref();
    value.map(|b| b.as_utf8().map(Cow::Borrowed).map_err(|_| damaged("text is not UTF-8"))).transpose()
}

fn told(values: &[Option<ByteArray>], i: usize) -> Outcome<Cow<'_, str>> {
    text(values, i)?.ok_or_else(missing)
}

/// Texts of a required column; neighbours that are equal share one allocation.
fn shared(stretch: Stretch<ByteArray>) -> Outcome<Vec<Arc<str>>> {
    let values = stretch.required()?;
    let mut out: Vec<Arc<str>> = Vec::with_capacity(values.len());
    for value in values {
        let same = out.last().filter(|last| last.as_bytes() == value.data()).cloned();
        out.push(match same {
            Some(text) => text,
            None => value.as_utf8().map_err(|_| damaged("text is not UTF-8"))?.into(),
        });
    }
    Ok(out)
}

fn guarded<T>(path: &Path, read: impl FnOnce() -> Outcome<T>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(found) => found.map_err(|e| at(path, e)),
        Err(_) => Err(Error::Invalid(format!("segment {}: damaged beyond decoding", path.display()))),
    }
}
