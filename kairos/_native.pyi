"""The Rust floor. Paths are raw bytes as the operating system has them; hashes are 32 bytes (BLAKE3)."""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, TypedDict, final

__version__: str

# -- chain: the event log's hash chain ---------------------------------------------------------------

def chain_drafts(
    previous: bytes,
    first: int,
    at: int,
    versions: dict[str, int],
    roots: dict[int, int],
    drafts: Sequence[tuple[str, str, int, bytes, int | None, str]],
) -> list[tuple[int, str, int, str, bytes, int, int, int | None, int, str, bytes]]:
    """Drafts (stream, topic, v, payload, caused_by, origin) as rows (position, stream, version, topic, payload, v, at,
    caused_by, correlation, origin, link), the first at position `first`, linked to `previous` (32 bytes).

    `versions`: the present version of every stream; `roots`: the correlation of every stored cause. A negative cause
    counts back from its draft. ValueError for a cause that does not lie behind."""

def link_row(previous: bytes, header: tuple[int, str, int, str, int, int, int | None, int, str], leaf: bytes) -> bytes:
    """The link of one record from (position, stream, version, topic, v, at, caused_by, correlation, origin) and its
    leaf, after the link `previous`: BLAKE3 of previous, the length of the header (u64, little endian), the header as
    a MessagePack array, and the leaf. Of a jump row (topic empty) it is the leaf."""

def blake3_hash(data: bytes) -> bytes:
    """BLAKE3 of `data`."""

# -- secrets: values that look like credentials, in one table of rules ---------------------------------

def find_secrets(text: bytes, detect: bool) -> list[tuple[str, int, int]]:
    """Each credential-like value of UTF-8 text (kind, start, end), in order; positions in characters. `detect`: only
    live-looking ones."""

def redact_secrets(text: bytes) -> bytes | None:
    """The text with a mark for each value; None if it has none."""

def redact_words(words: list[bytes]) -> list[bytes]:
    """The words of a command, each redacted, and what follows an option that names a secret."""

def scan_secrets(
    path: bytes, data: bytes
) -> tuple[bool, bool, list[tuple[str, int, bytes, Literal["low", "medium", "high"]]]]:
    """Whether a file is text, whether it is in a folder of others' code, and what it holds: kind, line from 1 on,
    value, confidence."""

def secret_label(kind: str) -> str:
    """What a person calls a kind of credential."""

# -- markdown: what a document refers to ----------------------------------------------------------------

def markdown_parts(text: str, *, mdx: bool = False) -> list[tuple[str, int, int, str]]:
    """(kind, start, end, value) of every part of a Markdown document that refers to something, by its start. Ranges are
    in characters.

    Kinds and values: `bare` and `angle`, a destination as written and its meaning; `attribute`, an HTML (with `mdx`
    also JSX) attribute value and the attribute's name; `code`, a code span; `specifier`, an import of MDX; `metadata`,
    front matter; `fence`, a fenced block and its info string; `indented`, an indented block of code; `unlocated`, a
    link without a provable place and its meaning.
    Remote destinations are left out. ValueError if the parser fails."""

# -- languages: what a source file refers to ------------------------------------------------------------

def source_references(text: str, language: str) -> list[tuple[str, int, int, str]]:
    """(kind, start, end, value) of every part of a source file that may refer to another file, by its start. Ranges are
    in characters.

    Languages: javascript, typescript, tsx, go, rust, java, c, cpp, css, html. Kinds: `specifier` of JavaScript, also
    in the types of its documentation; `import`, `alias`, `package`, `qualifier` and `embed` of Go; `include` and
    `system` of C; `mod`, `use`, `path` (its value is `inline modules|path up to this word`), `file` and `include` of
    Rust; `package`, `import`, `static`, `all` (an import of `.*`), `type` (of the top level), `declared` (what hides a
    type), `constructor`, `name` (a first word that may be a type), `qualified` and `doc` of Java; `url` of CSS;
    `attribute` of HTML, whose value is its name;
    `string`, another string that may be a path. ValueError if the language is unknown, or if the text is too large or
    too slow to parse."""

# -- sensing: what a tree holds, and which directories of it may have changed -------------------------

@final
class Scanner:
    """Lists the directories of a tree as git sees it. Safe to use from several threads.

    Paths of directories and entries are relative to `root`, with `/` between names and `b""` for the root
    itself. No symlink is ever followed. Left out at every level: `.git`, what git ignores (a tracked path
    and the directories on the way to it are never ignored), pipes, sockets, devices, and the directories
    in `excluded`. Nested repositories are plain directories.

    `root` and `excluded` are absolute (ValueError otherwise). `git_dir` is the directory that holds
    `info/exclude` (git's common directory), `excludes_file` the file that `core.excludesFile` names; all
    rules are read again when their file changes.
    """

    def __new__(
        cls,
        root: bytes,
        *,
        excluded: list[bytes] = ...,
        git_dir: bytes | None = None,
        excludes_file: bytes | None = None,
    ) -> Scanner: ...
    def set_tracked(self, paths: list[bytes]) -> None:
        """Replaces the tracked paths, as `git ls-files -z` names them."""

    def holding(self, inos: list[int]) -> list[bytes]:
        """The directories that hold names of these files (by inode), rising: of files seen with more than one
        name since the last full walk. A write through one name is told to its own directory only."""

    def walk(
        self, start: bytes = ..., *, watcher: Watcher | None = None
    ) -> tuple[list[tuple[bytes, bytes]], int, list[bytes]]:
        """(each directory at or below `start` with its packed listing, number of ignored directories that
        were not entered, directories that could not be read).

        Rising bytewise by path, so parents come first. Empty if `start` is gone or left out. The listing of
        an unreadable directory is empty. With `watcher`, each directory is watched just before it is read;
        which watches failed, `watcher.missing` tells. OSError only when this process runs short (of
        descriptors, of memory).
        """

    def list_dir(self, dir: bytes) -> bytes | None:
        """The packed listing of one directory; empty if it may not be read. None if it is gone, not a
        directory, reached through a symlink, ignored, excluded, or inside `.git`. ValueError if `dir` is
        not a path below the root (`..`, an empty name)."""

    def sweep(self, rows: list[tuple[bytes, bytes]]) -> tuple[list[bytes], int]:
        """(the directories whose listing is no longer the stored one, number of ignored directories seen), of rows
        (directory, packed listing). Rows that rise by directory are compared fastest. A directory that is gone or
        left out differs. ValueError for a damaged listing."""

    def begin_sweep(self) -> None:
        """Begins to note anew which directories hold names of files with several; `holding` keeps what it knows."""

    def end_sweep(self) -> None:
        """Makes `holding` forget what was not seen again since `begin_sweep`."""

@final
class Watcher:
    """Says which directories are dirty (inotify). Paths are absolute. Safe to use from several threads,
    with one that waits. After `close` every method but `close` raises ValueError.

    All watchers of a process share one inotify instance, of which a user has 128. Where none is left, no
    directory can be added (EMFILE); once one is, it can.

    A dirty directory is a hint: list it and compare. A directory that moved away has lost its watch and
    those below it, so after listing a dirty directory the caller walks again each directory in it that is
    `missing` here, whether or not the entry itself differs.
    """

    def __new__(cls) -> Watcher: ...
    def add(
        self, dirs: list[bytes], *, kind: Literal["changes", "opened", "itself"] = "changes"
    ) -> list[tuple[bytes, int]]:
        """Watches directories; returns those that could not be, with the error number (ENOSPC: the limit of
        watches is reached; EMFILE: that of instances; ENOENT, ENOTDIR: vanished). Watching again is harmless.
        `kind`, what makes a directory dirty: changes in it; also that a file in it is only opened; nothing
        but that it goes or moves itself."""

    def remove(self, dirs: list[bytes]) -> None:
        """Stops watching exactly these."""

    def remove_tree(self, prefix: bytes) -> None:
        """Stops watching `prefix` and everything below it."""

    def missing(self, dirs: list[bytes]) -> list[bytes]:
        """Those of `dirs` that have no watch, in the same order."""

    def wait(self, timeout_ms: int | None = None) -> tuple[list[bytes], list[str]]:
        """Blocks until something is dirty or lost, `wake` or `close` is called, or the time is over; then
        reads all there is. Returns (dirty directories, losses), both sorted and without doubles.

        Losses say that more may have changed: `overflow` (the kernel's queue was full), `unmount`. For a
        directory that was itself deleted or moved, it and its parent are dirty.
        """

    def wake(self) -> None:
        """Makes the wait that runs, or else the next, return at once. From any thread."""

    def close(self) -> None: ...
    @property
    def watched(self) -> int:
        """Number of directories watched."""

def unpack_listing(listing: bytes) -> list[tuple[bytes, str, int, int, int, int, int]]:
    """(name, type, mode, ino, size, mtime_ns, ctime_ns) of each entry, rising bytewise by name.

    type is `file`, `dir` or `symlink`; mode is `st_mode & 0o7777`. ValueError unless the bytes are exactly
    what a scanner packs."""

def diff_listings(
    old: bytes | None, new: bytes | None
) -> list[tuple[bytes, tuple[str, int, int, int, int, int] | None, tuple[str, int, int, int, int, int] | None]]:
    """(name, old, new) for each name that differs, rising; old and new as in `unpack_listing`, without the
    name. None stands for a directory or an entry that is not there. Two directories differ only by mode or
    ino, all else also by size, mtime_ns or ctime_ns. ValueError for a damaged listing."""

def hash_file(path: bytes, limit: int) -> tuple[bytes, int] | None:
    """(BLAKE3, size) of a regular file. None if it is gone, not a regular file (a symlink is not followed)
    or longer than `limit` bytes. OSError if it may not be read."""

def suspend_offset_ns() -> int:
    """CLOCK_BOOTTIME − CLOCK_MONOTONIC: a jump is a suspend. Two readings without one differ by
    microseconds at most."""

def give_back_memory() -> None:
    """Returns memory that the allocator keeps free to the system."""

# -- search: a tree as a reader may see it --------------------------------------------------------------
# What was left out: (private files, too large ones, binary ones, unreadable ones, unreadable directories, lines that
# were not searched to their end).

_Left = tuple[int, int, int, int, int, int]

@final
class Tree:
    """Finds files by name and by content. Safe to use from several threads; symlinks are never followed.

    Left out: what git ignores (tracked paths never), `.git` in every spelling, and paths that `private` matches and
    `public` does not (regular expressions, without regard to case). A glob has `*` and `?` within a name, `**` across
    directories, `[abc]` and `{a,b}`; without a slash it is held against the name at any depth.

    `root` is absolute; `git_dir` holds `info/exclude`, `excludes_file` is git's `core.excludesFile`, `index` git's
    index file, which is read once an ignored path is met: ValueError if its form is not known, until `set_tracked`.
    """

    def __new__(
        cls,
        root: bytes,
        *,
        private: str,
        public: str,
        git_dir: bytes | None = None,
        excludes_file: bytes | None = None,
        index: bytes | None = None,
    ) -> Tree: ...
    def set_tracked(self, paths: list[bytes]) -> None:
        """The tracked paths, in place of those of the index file."""

    def shows(self, path: bytes) -> bool:
        """Whether a path may be told: not private, and no component that git would take for its own."""

    def lists(self, path: bytes) -> bool:
        """Whether there is such a file, and it may be told. OSError; ValueError for the index."""

    def paths(self, glob: str, offset: int, limit: int, seconds: float) -> tuple[list[bytes], bool, bool, int, _Left]:
        """(a page of the paths that match, whether there are more, whether the time was over before all was looked at,
        how many match, left out), by path. OSError; ValueError for a glob that cannot be read, and for the index."""

    def chosen(self, names: bytes, glob: str, offset: int, limit: int) -> tuple[list[bytes], bool, bool, int, _Left]:
        """The same of NUL-terminated paths, in their order."""

    def lines(
        self,
        pattern: str,
        *,
        glob: str,
        ignore_case: bool,
        literal: bool,
        around: tuple[int, int],
        per_file: bool,
        offset: int,
        limit: int,
        seconds: float,
    ) -> tuple[list[tuple[bytes, int, list[tuple[int, bool, bytes]]]], bool, bool, int, _Left]:
        """([(path, hits, [(line number, whether it matches, text)])], more, late, files searched, left out).

        A page is so many matching lines, with `around` lines before and after; with `per_file` so many files, with
        their hits and no lines. A pattern is a regular expression over one line, of bounded size and time. What stands
        in a credential is no hit. Long lines are cut around their match. OSError; ValueError as above, and for a
        pattern that cannot be used."""

# -- time -------------------------------------------------------------------------------------------

@final
class Alarm:
    """Sleeps on the wall clock of the machine. Safe to use from several threads, with one that waits."""

    def __new__(cls) -> Alarm: ...
    def wait(self, at_us: int | None = None) -> bool:
        """Blocks until a moment (microseconds since the epoch; None: none) has come, whether or not the machine slept
        through it, or until `wake` is called: False. True when the clock jumped, because somebody set it or the machine
        was suspended: work out anew for what to wait."""

    def wake(self) -> None:
        """Makes the wait that runs, or else the next, return at once. From any thread."""

# -- segments: sealed ranges of the log as Parquet files ---------------------------------------------
# A row: (position, stream, version, topic, v, at, caused_by, correlation, origin, payload, leaf);
# payload None and leaf 32 bytes once erased, leaf None otherwise. A jump row stands for a run of positions that were
# folded away: topic and stream empty, correlation the first position, leaf the link after the last.

_SegmentRow = tuple[int, str, int, str, int, int, int | None, int, str, bytes | None, bytes | None]

@final
class SegmentWriter:
    """A segment file being written, encoded in a thread of its own. Let go of unfinished, the file is of no use."""

    def __new__(cls, path: bytes) -> SegmentWriter:
        """Makes the file, or empties it. OSError."""

    def add(self, rows: Iterable[_SegmentRow]) -> int:
        """Takes rows (ascending positions) as the encoder can use them; returns how many. OSError; ValueError for a row
        of another form; whatever the iterable raises."""

    def add_hot(self, module: str, uri: str, sql: str, numbers: list[int]) -> int | None:
        """Takes the rows of a query from a SQLite database, within one read transaction and without a Python object for
        each; returns how many. `module`: a loaded file that is linked to SQLite; the same library is used, on a
        connection of its own. None if it is out of reach; nothing was taken then. OSError; sqlite3.DatabaseError."""

    def finish(self) -> int:
        """Completes and syncs the file; its size in bytes. OSError."""

@final
class SegmentFile:
    """A segment file that is open. It stays the same one where its name is given to another."""

    def __new__(cls, path: bytes) -> SegmentFile:
        """OSError."""

    def stamp(self) -> tuple[int, int, int, tuple[int, int], tuple[int, int]] | None:
        """(device, inode, size, last write, last change) when it was opened: the same again for a file that nobody
        touched in between. None if it was written to just before: the next write may leave no other stamp."""

    def digest(self) -> bytes:
        """BLAKE3 of its bytes. OSError."""

    def rows(self, after: int, upto: int, topics: list[str]) -> SegmentReader:
        """A reader of rows with after < position <= upto, of the named topics (none: all).

        OSError if the file cannot be read, ValueError if it is not a segment or is damaged."""

@final
class SegmentReader:
    """A segment being read, on from where it was."""

    def read(self, limit: int) -> tuple[list[_SegmentRow], int]:
        """(rows, scanned): the next rows, some but at most `limit`, none when there are no more; every wanted row up to
        position `scanned` was told by now. ValueError as above, and if the file was written to since it was opened."""

def walk_segment(
    path: bytes, before: bytes, upto: int
) -> tuple[int, bytes, list[tuple[int, int, bytes, bytes]], bytes]:
    """(rows, link, runs, digest) up to a position, given the link before the first row (32 bytes), from the content
    alone. `runs`: (first, last, link before, link after) of each run of positions that a jump row stands for. The
    digest is BLAKE3 of the file that was walked.

    OSError, ValueError as above; ValueError where positions do not follow one another."""

# -- confined execution ------------------------------------------------------------------------------

@final
class Changes:
    """What one confined run changed, held until closed. Nothing of it has a name in the file system."""

    @property
    def began_ns(self) -> int:
        """When the run began, in nanoseconds of the clock that stamps files."""

    def survey(
        self,
    ) -> tuple[list[tuple[bytes, Literal["created", "modified", "deleted"], int | None]], list[tuple[bytes, str]]]:
        """(changes, refused): [(path, kind, 0o100644 | 0o100755 | None)], [(path, why)], both by path.

        ValueError once closed."""

    def read(self, path: bytes) -> bytes:
        """The bytes of one changed file. OSError if it is none; ValueError once closed."""

    def close(self) -> None:
        """Lets go of the changes. Harmless when repeated."""

class _RunAnswer(TypedDict):
    """How a run went. `failed` is (layer, why, errno): the command never ran. `stopped` names the limit that
    ended it. `probe` is [(layer, why it does not work or None)]. `cut` counts bytes of both streams."""

    failed: tuple[str, str, int] | None
    exit: int | None
    signal: int | None
    stopped: str | None
    stdout: bytes
    stderr: bytes
    cut: int
    layers: list[str]
    missing: list[str]
    probe: list[tuple[str, str | None]]
    seconds: float
    changes: Changes | None

def confined_run(
    *,
    launcher: bytes,
    root: bytes,
    scratch: bytes,
    home: bytes,
    argv: list[bytes],
    env: list[tuple[bytes, bytes]],
    read_roots: list[bytes],
    seed: list[tuple[bytes, tuple[bytes, int] | None]],
    loopback: bool,
    limits: tuple[int, int, int, int, int, int, int],
    wall: float,
    keep: int,
    flood: int,
    on_disk: bool,
    fail_at: str | None = None,
    cancelled: Callable[[], bool] | None = None,
    probe: bool = False,
    place: bytes | None = None,
    heard: Callable[[bytes], None] | None = None,
    waker: int | None = None,
) -> _RunAnswer:
    """Runs `argv` confined; blocks without the GIL, lets Python's signal handlers run.

    `heard` gets the standard output as it comes. With it and `waker`, a descriptor that must stay open, the run ends
    when that can be read, and nothing wakes meanwhile: `cancelled` is not asked.

    `root` and `scratch` are canonical; `scratch` holds the empty directories `stage` and `layers`. `limits`:
    memory, processes, bytes of one file, bytes and inodes of all changes, open files, CPU seconds. `wall` in
    seconds. `keep` bytes of each stream are kept; more than `flood` of both end the run. `probe` only tries
    each mechanism. `place`: where the command sees the tree (`root` by default); read roots below it are laid over
    the tree. ValueError for a tree that cannot be confined, OSError if the launcher does not start."""

def remove_tree(directory: bytes) -> None:
    """Removes a directory with everything in it, however deep and whatever its modes. Follows no link."""

def is_git_like(component: bytes) -> bool:
    """Whether git, on some system, would take this path component for its own directory."""
