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
    chain::Header,
    columns::{self as c, damaged, Lane, Outcome, Stretch, Values, COLUMNS, WIDTH},
    error::{Error, Result},
    foreign,
    observation::{self, Change, Name},
    rows::Row,
    segment::{at, Wanted},
};

/// Lines that are decoded at a time, unless one event has more, and bytes, about: what fits a processor's cache.
const LINES: usize = 2_048;
const BYTES: usize = 512 << 10;

/// Who takes the rows.
type Take<'t> = dyn FnMut(&Row<'_>) -> Outcome<()> + 't;

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
    /// Lines that are decoded at a time.
    most: usize,
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

    /// Every wanted row up to this position was read.
    pub fn scanned(&self) -> i64 {
        self.wanted.after
    }

    /// Gives the next wanted rows, ascending, some but at most `limit`, to `take`; how many. None: there are no more. The
    /// decoder panics on some damaged files; that is an error like any other here.
    pub fn visit(&mut self, limit: usize, mut take: impl FnMut(&Row<'_>) -> Result<()>) -> Result<usize> {
        let path = self.path.clone();
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
            None => found,
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
            let bytes = usize::try_from(meta.total_byte_size()).map_err(|_| damaged("a size"))?;
            let most = (BYTES / (bytes / count.max(1)).max(1)).clamp(16, LINES);
            let mut group = Group { index, positions: Vec::new(), next: 0, most, lanes: std::array::from_fn(|_| None) };
            group.positions = self.numbers(&mut group, c::POSITION, 0..count)?.required()?;
            if !group.positions.is_sorted() {
                return Err(damaged("positions do not ascend"));
            }
            group.next = group.positions.partition_point(|position| *position <= self.wanted.after);
            return Ok(Some(group));
        }
        Ok(None)
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
        let observed = |event: &Range<usize>| chosen(event) && topics[event.start] == observation::TOPIC;
        let seen = if starts.iter().any(observed) { Some(self.seen(group, &lines)?) } else { None };
        let mut again = Vec::new();
        let mut found = 0;
        for event in starts.iter().filter(|event| chosen(event)) {
            let i = event.start;
            let origin = c::utf8(&origins[i])?;
            let payload = match (payloads.blob(i)?, &seen) {
                (Some(stored), _) if foreign::is_wrapped(origin, stored) => {
                    foreign::unwrap(stored, &mut again).ok_or_else(|| damaged("a payload that is no hexadecimal"))?;
                    Some(&again[..])
                }
                (Some(payload), _) => Some(payload),
                (None, Some(seen)) => seen.payload(event, &mut again)?.then_some(&again[..]),
                (None, None) => None,
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
        Ok(Seen {
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

/// The columns of a stretch's observations. `entries`: which entries are those of a line, where changes are a list.
struct Seen {
    repos: Values<ByteArray>,
    bursts: Values<ByteArray>,
    causes: Values<ByteArray>,
    part: Values<i64>,
    parts: Values<i64>,
    entries: Option<Vec<Range<usize>>>,
    kinds: Values<ByteArray>,
    paths: Values<ByteArray>,
    paths_b64: Values<ByteArray>,
    types: Values<ByteArray>,
    was: Values<ByteArray>,
    was_b64: Values<ByteArray>,
    sizes: Values<i64>,
    modes: Values<i64>,
    times: Values<i64>,
    shas: Values<ByteArray>,
}

impl Seen {
    /// Puts the payload of the event in these lines together again; false if it was not taken apart.
    fn payload(&self, event: &Range<usize>, out: &mut Vec<u8>) -> Outcome<bool> {
        let i = event.start;
        let Some(repo) = self.repos.text(i)? else { return Ok(false) };
        let entries = match &self.entries {
            Some(entries) => entries[i].clone(),
            None if self.kinds.get(i)?.is_none() => 0..0,
            None => event.clone(),
        };
        out.clear();
        let burst = c::utf8(self.bursts.need(i)?)?;
        observation::begin(out, repo, burst, *self.part.need(i)?, *self.parts.need(i)?);
        for e in entries.clone() {
            let was = name(&self.was, &self.was_b64, e)?;
            let change = Change {
                name: name(&self.paths, &self.paths_b64, e)?,
                kind: c::utf8(self.kinds.need(e)?)?.into(),
                entry: c::utf8(self.types.need(e)?)?.into(),
                was: (was != Name::default()).then_some(was),
                size: self.sizes.get(e)?.copied(),
                mode: self.modes.get(e)?.copied(),
                mtime_ns: self.times.get(e)?.copied(),
                sha: match self.shas.blob(e)? {
                    Some(sha) => Some(sha.try_into().map_err(|_| damaged("a content hash is cut"))?),
                    None => None,
                },
            };
            change.encode(out, e == entries.start);
        }
        observation::end(out, self.causes.text(i)?);
        Ok(true)
    }
}

fn name<'a>(paths: &'a Values<ByteArray>, coded: &'a Values<ByteArray>, place: usize) -> Outcome<Name<'a>> {
    Ok(Name { path: paths.text(place)?.map(Cow::Borrowed), path_b64: coded.text(place)?.map(Cow::Borrowed) })
}

fn guarded<T>(path: &Path, read: impl FnOnce() -> Outcome<T>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(found) => found.map_err(|e| at(path, e)),
        Err(_) => Err(Error::Invalid(format!("segment {}: damaged beyond decoding", path.display()))),
    }
}
