//! Parsing with tree-sitter, bounded in bytes, in depth, in time and in memory.
use std::{ffi::c_void, ops::ControlFlow, ptr::NonNull, sync::Once, thread, time::Duration};

use rustix::time::{clock_gettime, ClockId};
use streaming_iterator::StreamingIterator;
use tree_sitter::{ffi, Language, Node, Query, QueryCursor, QueryCursorOptions, Tree};

use crate::error::Error;

/// Maximum size in bytes of a text to parse, that of the largest file that is read.
pub const LARGEST: usize = 1 << 20;
/// Maximum depth of brackets: recovering from many open ones takes time that grows with their square.
const DEEPEST: usize = 1_000;
/// Maximum processor time of a parse, and of a query. 1 MiB of usual code takes about a fifth of it. Time of the
/// thread, so that the answer does not depend on how busy the machine is.
const LIMIT: Duration = Duration::from_millis(1_000);
/// Maximum memory in bytes that a parse may hold.
const MOST_MEMORY: usize = 256 << 20;

/// The parser calls itself for each node of a stack that hostile text makes it keep: a text of at most so many bytes has
/// too few of them to fill the stack of a usual thread.
const SHORT: usize = 16 << 10;
/// The stack in bytes of the thread that parses a longer text: enough for all nodes in `MOST_MEMORY`. What is not used
/// takes no memory.
const STACK: usize = 256 << 20;

/// A language and what is searched for in it.
pub struct Grammar {
    language: Language,
    query: Query,
}

impl Grammar {
    /// Panics unless `query` fits the language: it is part of this crate.
    pub fn new(language: Language, query: &str) -> Self {
        take_memory_here();
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
    take_memory_here();
    let length = u32::try_from(text.len()).map_err(|_| too_much())?;
    let nanos = u64::try_from(LIMIT.as_nanos()).unwrap_or(u64::MAX);
    let run = || {
        let raw = language.clone().into_raw();
        // SAFETY: the text and the language outlive the call, which keeps neither; the allocator is what it asks for.
        unsafe {
            let tree = kairos_parse(raw, text.as_ptr().cast(), length, MOST_MEMORY, nanos);
            drop(Language::from_raw(raw));
            NonNull::new(tree).map(|tree| Tree::from_raw(tree.as_ptr()))
        }
    };
    let tree = if text.len() <= SHORT {
        run()
    } else {
        let deep = thread::Builder::new().stack_size(STACK);
        thread::scope(|scope| deep.spawn_scoped(scope, run).ok().and_then(|parsing| parsing.join().ok().flatten()))
    };
    tree.ok_or_else(too_much)
}

extern "C" {
    fn kairos_parse(
        language: *const ffi::TSLanguage,
        text: *const std::ffi::c_char,
        length: u32,
        most: usize,
        nanos: u64,
    ) -> *mut ffi::TSTree;
    fn kairos_tree_malloc(size: usize) -> *mut c_void;
    fn kairos_tree_calloc(count: usize, size: usize) -> *mut c_void;
    fn kairos_tree_realloc(at: *mut c_void, size: usize) -> *mut c_void;
    fn kairos_tree_free(at: *mut c_void);
}

/// Has tree-sitter take all its memory where it is counted, from before its first use on.
fn take_memory_here() {
    static ONCE: Once = Once::new();
    // SAFETY: nothing of tree-sitter has memory yet: every use begins with a `Grammar` or a parse, which come here.
    ONCE.call_once(|| unsafe {
        tree_sitter::set_allocator(
            Some(kairos_tree_malloc),
            Some(kairos_tree_calloc),
            Some(kairos_tree_realloc),
            Some(kairos_tree_free),
        );
    });
}

/// When a query began, and whether it has taken too long since.
struct Bounds {
    begun: Duration,
    crossed: bool,
}

impl Bounds {
    fn new() -> Self {
        Self { begun: spent(), crossed: false }
    }

    /// Called every hundred operations or so.
    fn check(&mut self) -> ControlFlow<()> {
        self.crossed = spent().saturating_sub(self.begun) > LIMIT;
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
