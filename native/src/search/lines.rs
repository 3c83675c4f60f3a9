//! Searching by name and by content: pages in the order of the walk.
//!
//! Whoever is free takes the next batch of files from the one walk and searches it. A page is full once the batches from
//! the first on without a gap hold enough hits: the answer does not depend on how many threads there are.
use std::{
    collections::BTreeMap,
    io::Read,
    os::fd::{AsFd, BorrowedFd},
    sync::{
        atomic::{AtomicBool, Ordering},
        Mutex, MutexGuard, PoisonError,
    },
    time::Instant,
};

use grep_regex::RegexMatcher;
use kairos_secrets::redact_lines;

use crate::{
    beneath,
    error::Result,
    search::{
        pages::{Left, Page},
        text::{any, decoded, matched, Line, Matched},
        tree::Tree,
        walk::Walk,
        wanted::Wanted,
    },
};

pub const FILE_AT_MOST: u64 = 4 << 20;
const BATCH: usize = 48;
const THREADS: usize = 8;

/// What to look for. `around`: lines before and after each hit; `per_file`: only the number of hits of each file.
pub struct Question<'a> {
    pub wanted: &'a Wanted,
    pub matcher: &'a RegexMatcher,
    pub around: (usize, usize),
    pub per_file: bool,
    pub offset: usize,
    pub limit: usize,
    pub until: Instant,
}

/// One file with hits: how many lines match, and the lines to show.
#[derive(Debug)]
pub struct Hits {
    pub path: Vec<u8>,
    pub hits: usize,
    pub lines: Vec<Line>,
}

struct State<'a> {
    walk: Walk<'a>,
    next: usize,
    ended: bool,
    waiting: BTreeMap<usize, Vec<Hits>>,
    ready: Vec<Hits>,
    /// Hits in the batches that follow each other without a gap, and how many these are.
    full: usize,
    settled: usize,
    files: usize,
    left: Left,
}

impl Tree {
    /// The paths that match, by path.
    pub fn paths(&self, wanted: &Wanted, offset: usize, limit: usize, until: Instant) -> Result<Page<Vec<u8>>> {
        let root = self.open()?;
        let mut walk = self.walk(root.as_fd(), &wanted.below, until)?;
        let (mut rows, mut left, mut files) = (Vec::new(), Left::default(), 0_usize);
        while let Some(path) = walk.next_file()? {
            if !wanted.holds(&path) {
                continue;
            }
            if self.is_private(&path) {
                left.private += 1;
                continue;
            }
            if files >= offset && rows.len() < limit {
                rows.push(path);
            }
            files += 1;
        }
        left.unreadable_dirs = walk.unreadable;
        Ok(Page { more: files > offset + rows.len(), rows, late: walk.late, files, left })
    }

    /// Those of NUL-terminated names, as git lists them, that match and may be told.
    pub fn chosen(&self, names: &[u8], wanted: &Wanted, offset: usize, limit: usize) -> Result<Page<Vec<u8>>> {
        let (mut rows, mut left, mut files) = (Vec::new(), Left::default(), 0);
        for path in names.split(|byte| *byte == 0).filter(|path| !path.is_empty() && wanted.holds(path)) {
            if !self.shows(path) {
                left.private += 1;
                continue;
            }
            if files >= offset && rows.len() < limit {
                rows.push(path.to_vec());
            }
            files += 1;
        }
        Ok(Page { more: files > offset + rows.len(), rows, late: false, files, left })
    }

    /// The lines that match, by file.
    pub fn lines(&self, question: &Question) -> Result<Page<Hits>> {
        let root = self.open()?;
        let walk = self.walk(root.as_fd(), &question.wanted.below, question.until)?;
        let state = Mutex::new(State {
            walk,
            next: 0,
            ended: false,
            waiting: BTreeMap::new(),
            ready: Vec::new(),
            full: 0,
            settled: 0,
            files: 0,
            left: Left::default(),
        });
        let late = AtomicBool::new(false);
        let threads = std::thread::available_parallelism().map_or(1, |count| count.get().min(THREADS));
        std::thread::scope(|scope| -> Result<()> {
            let work = || self.work(root.as_fd(), question, &state, &late);
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let mine = work();
            for other in others {
                other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            }
            mine
        })?;
        let mut state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let late = late.into_inner();
        if late {
            state.ready.extend(std::mem::take(&mut state.waiting).into_values().flatten());
        }
        state.left.unreadable_dirs = state.walk.unreadable;
        let (rows, more) = page(state.ready, question);
        Ok(Page { rows, more, late, files: state.files, left: state.left })
    }

    fn work(&self, root: BorrowedFd<'_>, question: &Question, state: &Mutex<State>, late: &AtomicBool) -> Result<()> {
        let enough = question.offset.saturating_add(question.limit).saturating_add(1);
        loop {
            let mut batch: Vec<Vec<u8>> = Vec::with_capacity(BATCH);
            let number = {
                let mut state = lock(state);
                if state.ended || state.full >= enough || late.load(Ordering::Relaxed) {
                    return Ok(());
                }
                while batch.len() < BATCH {
                    match state.walk.next_file() {
                        Ok(Some(path)) if question.wanted.holds(&path) => batch.push(path),
                        Ok(Some(_)) => {}
                        Ok(None) => {
                            late.fetch_or(state.walk.late, Ordering::Relaxed);
                            state.ended = true;
                            break;
                        }
                        Err(error) => {
                            state.ended = true;
                            return Err(error);
                        }
                    }
                }
                state.next += 1;
                state.next - 1
            };
            let (mut found, mut files, mut left) = (Vec::new(), 0, Left::default());
            for path in batch {
                if Instant::now() >= question.until {
                    late.store(true, Ordering::Relaxed);
                    break;
                }
                files += 1;
                match self.file(root, &path, question, enough, &mut left) {
                    Some(Some(matched)) => {
                        left.long_lines += matched.cut;
                        if matched.hits > 0 {
                            found.push(Hits { path, hits: matched.hits, lines: matched.lines });
                        }
                    }
                    Some(None) => {}
                    None => {
                        late.store(true, Ordering::Relaxed);
                        break;
                    }
                }
            }
            let mut state = lock(state);
            state.files += files;
            state.left.add(left);
            state.waiting.insert(number, found);
            state.settle(question.per_file);
        }
    }

    /// The hits of one file: Some(None) if it has none, None if the time is over.
    fn file(
        &self,
        root: BorrowedFd<'_>,
        path: &[u8],
        question: &Question,
        most: usize,
        left: &mut Left,
    ) -> Option<Option<Matched>> {
        if self.is_private(path) {
            left.private += 1;
            return Some(None);
        }
        let bytes = match read(root, path) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                left.large += 1;
                return Some(None);
            }
            Err(()) => {
                left.unreadable += 1;
                return Some(None);
            }
        };
        let Some(text) = decoded(bytes) else {
            left.binary += 1;
            return Some(None);
        };
        if !any(question.matcher, &text, question.until)? {
            return Some(None);
        }
        // What stands in a credential is no hit: a search must not tell its characters one by one.
        let clean = redact_lines(&text).unwrap_or(text);
        let asked = (!question.per_file).then_some((question.around, most));
        Some(Some(matched(question.matcher, &clean, asked, question.until)?))
    }
}

impl State<'_> {
    /// Takes the batches that follow the last one without a gap.
    fn settle(&mut self, per_file: bool) {
        while let Some(first) = self.waiting.first_entry() {
            if *first.key() != self.settled {
                return;
            }
            let found = first.remove();
            self.full += if per_file { found.len() } else { found.iter().map(|file| file.hits).sum() };
            self.ready.extend(found);
            self.settled += 1;
        }
    }
}

/// The rows of the page: whole files, or lines cut to the page's hits. Whether there are more behind it.
fn page(all: Vec<Hits>, question: &Question) -> (Vec<Hits>, bool) {
    let (mut skip, mut room) = (question.offset, question.limit);
    let (mut rows, mut more) = (Vec::new(), false);
    for mut file in all {
        let size = if question.per_file { 1 } else { file.hits };
        if skip >= size {
            skip -= size;
            continue;
        }
        if room == 0 {
            more = true;
            break;
        }
        if !question.per_file {
            let kept = (size - skip).min(room);
            more = skip + kept < size;
            file.lines = part(file.lines, skip, kept);
            file.hits = kept;
            room -= kept;
        } else {
            room -= 1;
        }
        skip = 0;
        rows.push(file);
        if more {
            break;
        }
    }
    (rows, more)
}

/// The lines of `kept` hits after the first `skip`, with those around them.
fn part(lines: Vec<Line>, skip: usize, kept: usize) -> Vec<Line> {
    let hits: Vec<usize> = (0..lines.len()).filter(|place| lines[*place].hit).collect();
    let start = if skip == 0 { 0 } else { hits[skip - 1] + 1 };
    let end = hits.get(skip + kept).copied().unwrap_or(lines.len());
    lines.into_iter().skip(start).take(end - start).collect()
}

/// The bytes of a regular file; None if there are too many.
fn read(root: BorrowedFd<'_>, path: &[u8]) -> std::result::Result<Option<Vec<u8>>, ()> {
    let file = beneath::file(root, path).map_err(drop)?;
    let size = file.metadata().map_err(drop)?.len();
    if size > FILE_AT_MOST {
        return Ok(None);
    }
    let mut bytes = Vec::with_capacity(size as usize + 1);
    file.take(FILE_AT_MOST + 1).read_to_end(&mut bytes).map_err(drop)?;
    Ok((bytes.len() as u64 <= FILE_AT_MOST).then_some(bytes))
}

fn lock<'a, 'b>(state: &'a Mutex<State<'b>>) -> MutexGuard<'a, State<'b>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
