//! Parsing with tree-sitter, bounded in bytes, in depth, in time and in memory.
use std::{ops::ControlFlow, time::Duration};

use rustix::time::{clock_gettime, ClockId};
use streaming_iterator::StreamingIterator;
use tree_sitter::{Language, Node, ParseOptions, Parser, Query, QueryCursor, QueryCursorOptions, Tree};

use crate::{error::Error, tree_memory};

/// Maximum size in bytes of a text to parse, that of the largest file that is read.
pub const LARGEST: usize = 1 << 20;
/// Maximum depth of brackets: recovering from many open ones takes time that grows with their square.
const DEEPEST: usize = 1_000;
/// Maximum processor time of a parse, and of a query. 1 MiB of usual code takes about a fifth of it. Time of the
/// thread, so that the answer does not depend on how busy the machine is.
const LIMIT: Duration = Duration::from_millis(1_000);
/// Maximum memory in bytes that a parse, or a query, may take. 1 MiB of usual code takes about a fifth of it.
const MOST_MEMORY: isize = 256 << 20;

/// A language and what is searched for in it.
pub struct Grammar {
    language: Language,
    query: Query,
}

impl Grammar {
    /// Panics unless `query` fits the language: it is part of this crate.
    pub fn new(language: Language, query: &str) -> Self {
        tree_memory::count();
        let query = Query::new(&language, query).expect("the query of a language fits its grammar");
        Self { language, query }
    }

    /// Calls `take` with the name and the node of each capture.
    pub fn captures(&self, text: &str, mut take: impl FnMut(&str, Node)) -> Result<(), Error> {
        let tree = parse(&self.language, text)?;
        let mut cursor = QueryCursor::new();
        let mut bounds = Bounds::new();
        let mut step = |_: &_| bounds.check();
        let options = QueryCursorOptions::new().progress_callback(&mut step);
        let mut matches = cursor.matches_with_options(&self.query, tree.root_node(), text.as_bytes(), options);
        while let Some(found) = matches.next() {
            for capture in found.captures {
                take(self.query.capture_names()[capture.index as usize], capture.node);
            }
        }
        drop(matches);
        if bounds.crossed {
            Err(too_much())
        } else {
            Ok(())
        }
    }
}

/// The syntax tree of a text; errors in the text are nodes of it. Invalid if the text is too large or too slow.
pub fn parse(language: &Language, text: &str) -> Result<Tree, Error> {
    if text.len() > LARGEST {
        return Err(Error::Invalid("the text is too large to parse".to_owned()));
    }
    if is_deep(text) {
        return Err(Error::Invalid("the text is nested too deeply to parse".to_owned()));
    }
    tree_memory::count();
    let mut parser = Parser::new();
    parser.set_language(language).map_err(|error| Error::Invalid(error.to_string()))?;
    let mut bounds = Bounds::new();
    let mut step = |_: &_| bounds.check();
    let options = ParseOptions::new().progress_callback(&mut step);
    let bytes = text.as_bytes();
    parser.parse_with_options(&mut |at, _| &bytes[at.min(bytes.len())..], None, Some(options)).ok_or_else(too_much)
}

/// What a parse or a query had when it began, and whether it has taken too much since.
struct Bounds {
    begun: Duration,
    held: isize,
    crossed: bool,
}

impl Bounds {
    fn new() -> Self {
        Self { begun: spent(), held: tree_memory::held(), crossed: false }
    }

    /// Called every hundred operations or so.
    fn check(&mut self) -> ControlFlow<()> {
        self.crossed = spent().saturating_sub(self.begun) > LIMIT || tree_memory::held() - self.held > MOST_MEMORY;
        if self.crossed {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// The processor time that this thread has spent.
pub(crate) fn spent() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// Whether brackets are open at one place, in strings and comments, too, more than usual code has.
fn is_deep(text: &str) -> bool {
    let mut depth = 0_usize;
    text.bytes().any(|byte| {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > DEEPEST
    })
}

fn too_much() -> Error {
    Error::Invalid("the text takes too long, or too much memory, to parse".to_owned())
}
