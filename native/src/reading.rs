//! Reading a segment, on from where the last read ended; no column is decoded that no wanted row needs.
//! Only what a walk of the chain proves decides which rows are told: not the statistics of a row group.
use std::{
    collections::HashSet,
    fs::File,
    ops::Range,
    panic::{catch_unwind, AssertUnwindSafe},
    path::Path,
    sync::Arc,
};

use parquet::{
    data_type::ByteArray,
    file::reader::{FileReader, SerializedFileReader},
};

use crate::{
    chain::Header,
    columns::{self as c, damaged, Lane, Outcome, Stretch, Values, COLUMNS, WIDTH},
    error::{Error, Result},
    foreign,
    observation::TOPIC,
    observed::Observed,
    opened::Opened,
    rows::Row,
};

/// Lines that are decoded at a time, unless one event has more, and bytes, about: what fits a processor's cache.
const LINES: usize = 2_048;
const BYTES: usize = 512 << 10;

/// Which rows a reader wants: `after < position <= upto`, of these topics (none named: all).
#[derive(Clone, Debug)]
pub struct Wanted {
    pub after: i64,
    pub upto: i64,
    pub topics: HashSet<String>,
}

/// Receives the rows.
type Take<'t> = dyn FnMut(&Row<'_>) -> Outcome<()> + 't;

/// An open segment and how far it was read.
pub struct Reader {
    opened: Opened,
    file: SerializedFileReader<File>,
    /// The column of the file for each column of this version.
    places: [Option<usize>; WIDTH],
    wanted: Wanted,
    /// None before the first read.
    next_group: Option<usize>,
    group: Option<Group>,
}

/// A row group being read: the positions of its lines, and how many lines are done.
struct Group {
    index: usize,
    positions: Vec<i64>,
    next: usize,
    /// Lines that are decoded at a time.
    most: usize,
    lanes: [Option<Lane>; WIDTH],
}

impl Reader {
    pub fn new(opened: Opened, wanted: Wanted) -> Result<Self> {
        let (path, file) = (opened.path().to_owned(), opened.file()?);
        guarded(&path, || {
            let file = SerializedFileReader::new(file)?;
            let schema = file.metadata().file_metadata().schema_descr();
            let place = |name| (0..schema.num_columns()).find(|i| schema.column(*i).name() == name);
            let places = std::array::from_fn(|column| place(COLUMNS[column].name));
            Ok(Self { opened, file, places, wanted, next_group: None, group: None })
        })
    }

    /// Every wanted row up to this position was read.
    pub fn scanned(&self) -> i64 {
        self.wanted.after
    }

    /// Gives the next wanted rows, ascending, some but at most `limit`, to `take`; how many. None: there are no more. The
    /// decoder panics on some damaged files; that is an error like any other here. An error, too, if the file was written
    /// to since it was opened: what was given to `take` counts for nothing then.
    pub fn visit(&mut self, limit: usize, mut take: impl FnMut(&Row<'_>) -> Result<()>) -> Result<usize> {
        let path = self.opened.path().to_owned();
        let mut failed = None;
        let found = guarded(&path, || {
            self.decode(limit, &mut |row| {
                take(row).map_err(|error| {
                    failed = Some(error);
                    damaged("stopped")
                })
            })
        });
        match failed {
            Some(error) => Err(error),
            None => found.and_then(|found| self.opened.unchanged().map(|()| found)),
        }
    }

    fn decode(&mut self, limit: usize, take: &mut Take<'_>) -> Outcome<usize> {
        let mut found = 0;
        while found == 0 {
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
            let lines = group.stretch(limit, self.nested(), self.wanted.upto);
            if lines.is_empty() {
                continue; // the group is done
            }
            found = self.read_lines(&mut group, lines.clone(), take)?;
            self.wanted.after = self.wanted.after.max(group.positions[lines.end - 1]);
            group.next = lines.end;
            self.group = Some(group);
        }
        Ok(found)
    }

    /// Whether the changes of an observation are a list in its one line, as the first layout had them.
    fn nested(&self) -> bool {
        self.places[c::KIND].is_some_and(|place| self.descriptor(place).max_rep_level() > 0)
    }

    fn descriptor(&self, place: usize) -> Arc<parquet::schema::types::ColumnDescriptor> {
        self.file.metadata().file_metadata().schema_descr().column(place)
    }

    /// The next row group, at its first line beyond `after`; none where the wanted rows have ended.
    fn next_group(&mut self) -> Outcome<Option<Group>> {
        let groups = self.file.num_row_groups();
        let index = match self.next_group {
            Some(index) => index,
            None => self.first_group(groups)?,
        };
        if index >= groups {
            return Ok(None);
        }
        let meta = self.file.metadata().row_group(index);
        let count = usize::try_from(meta.num_rows()).map_err(|_| damaged("row count"))?;
        let bytes = usize::try_from(meta.total_byte_size()).map_err(|_| damaged("a size"))?;
        let most = (BYTES / (bytes / count.max(1)).max(1)).clamp(16, LINES);
        let mut group = Group::new(index, most);
        group.positions = self.numbers(&mut group, c::POSITION, 0..count)?.required()?;
        if !group.positions.is_sorted() {
            return Err(damaged("positions do not ascend"));
        }
        let ended = *group.positions.first().ok_or_else(|| damaged("an empty row group"))? > self.wanted.upto;
        self.next_group = Some(if ended { groups } else { index + 1 });
        group.next = group.positions.partition_point(|position| *position <= self.wanted.after);
        Ok((!ended).then_some(group))
    }

    /// The row group where rows beyond `after` begin, or the one before it: positions ascend from group to group.
    fn first_group(&self, groups: usize) -> Outcome<usize> {
        let (mut low, mut high) = (0, groups);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            let first = self.numbers(&mut Group::new(middle, 1), c::POSITION, 0..1)?.required()?;
            if first.first().is_some_and(|first| *first <= self.wanted.after) {
                low = middle;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    fn read_lines(&self, group: &mut Group, lines: Range<usize>, take: &mut Take<'_>) -> Outcome<usize> {
        let starts = starts(&group.positions, &lines, self.nested());
        let topics = self.texts(group, c::TOPIC, lines.clone())?.required()?;
        let topics = topics.iter().map(c::utf8).collect::<Outcome<Vec<_>>>()?;
        let wanted = &self.wanted.topics;
        let chosen = |event: &Range<usize>| wanted.is_empty() || wanted.contains(topics[event.start]);
        if !starts.iter().any(chosen) {
            return Ok(0);
        }
        let required = |group: &mut Group, column| self.numbers(group, column, lines.clone())?.required();
        let (versions, vs, ats) = (required(group, c::VERSION)?, required(group, c::V)?, required(group, c::AT)?);
        let correlations = required(group, c::CORRELATION)?;
        let causes = self.numbers(group, c::CAUSED_BY, lines.clone())?.by_place()?;
        let streams = self.texts(group, c::STREAM, lines.clone())?.required()?;
        let origins = self.texts(group, c::ORIGIN, lines.clone())?.required()?;
        let payloads = self.texts(group, c::PAYLOAD, lines.clone())?.by_place()?;
        let leaves = self.texts(group, c::LEAF, lines.clone())?.by_place()?;
        let observed = |event: &Range<usize>| chosen(event) && topics[event.start] == TOPIC;
        let seen = if starts.iter().any(observed) { Some(self.seen(group, &lines)?) } else { None };
        let mut again = Vec::new();
        let mut found = 0;
        for event in starts.iter().filter(|event| chosen(event)) {
            let i = event.start;
            let origin = c::utf8(&origins[i])?;
            let payload = match (payloads.blob(i)?, &seen) {
                (Some(stored), _) if foreign::is_wrapped(origin, stored) => {
                    foreign::unwrap(stored, &mut again).ok_or_else(|| damaged("a payload is not hexadecimal"))?;
                    Some(&again[..])
                }
                (Some(payload), _) => Some(payload),
                (None, Some(seen)) if topics[i] == TOPIC => seen.payload(event, &mut again)?.then_some(&again[..]),
                (None, _) => None,
            };
            found += 1;
            take(&Row {
                header: Header {
                    position: group.positions[lines.start + i],
                    stream: c::utf8(&streams[i])?,
                    version: versions[i],
                    topic: topics[i],
                    v: vs[i],
                    at: ats[i],
                    caused_by: causes.get(i)?.copied(),
                    correlation: correlations[i],
                    origin,
                },
                payload,
                leaf: leaves.blob(i)?,
            })?;
        }
        Ok(found)
    }

    fn seen(&self, group: &mut Group, lines: &Range<usize>) -> Outcome<Observed> {
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
        let mut texts = |column| self.texts(group, column, lines.clone())?.by_place();
        let (repos, bursts, causes) = (texts(c::REPO)?, texts(c::BURST)?, texts(c::CAUSE)?);
        let (paths, paths_b64, types) = (texts(c::PATH)?, texts(c::PATH_B64)?, texts(c::TYPE)?);
        let (was, was_b64) = (texts(c::WAS)?, texts(c::WAS_B64)?);
        let kinds = kinds.by_place()?;
        // The first layout has no content hashes.
        let shas = if self.places[c::SHA].is_some() { texts(c::SHA)? } else { Values::none(usize::MAX) };
        let mut numbers = |column| self.numbers(group, column, lines.clone())?.by_place();
        let (part, parts) = (numbers(c::PART)?, numbers(c::PARTS)?);
        let (sizes, modes, times) = (numbers(c::SIZE)?, numbers(c::MODE)?, numbers(c::MTIME_NS)?);
        Ok(Observed {
            repos,
            bursts,
            causes,
            part,
            parts,
            entries,
            kinds,
            paths,
            paths_b64,
            types,
            was,
            was_b64,
            sizes,
            modes,
            times,
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
    fn new(index: usize, most: usize) -> Self {
        Self { index, positions: Vec::new(), next: 0, most, lanes: std::array::from_fn(|_| None) }
    }

    /// The next lines to read: whole events, at most so many of them.
    fn stretch(&self, events: usize, nested: bool, upto: i64) -> Range<usize> {
        let beyond = self.positions.partition_point(|position| *position <= upto);
        let most = beyond.min(self.next.saturating_add(if nested { events.min(self.most) } else { self.most }));
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

fn guarded<T>(path: &Path, read: impl FnOnce() -> Outcome<T>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(found) => found.map_err(|e| Error::segment(path, e)),
        Err(_) => Err(Error::Invalid(format!("segment {}: damaged beyond decoding", path.display()))),
    }
}
