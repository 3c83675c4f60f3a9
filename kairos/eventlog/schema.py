"""The tables of the SQLite log.

`head` counts positions: they go on after a delete-all, where an implicit rowid would restart at 1 and every tracker
would skip events. It is also the row that each append updates first, so that a transaction starts as a writer and
waits its turn instead of failing on an upgrade from reader. `streams` holds versions of streams whose newest rows are
no longer hot; the rows themselves tell those of the others. Each append writes to few pages, because each page costs.
"""

from __future__ import annotations

SCHEMA_VERSION = 1

MANY = ("CommitRecorded", "FilesChanged")
"""Topics that make up most of a log: not worth an index entry a row."""
FEW = " AND ".join(f"topic <> '{topic}'" for topic in MANY)

TABLES = (
    """CREATE TABLE IF NOT EXISTS events (
        position INTEGER PRIMARY KEY,
        originator_id TEXT NOT NULL,
        originator_version INTEGER NOT NULL,
        topic TEXT NOT NULL,
        state BLOB,
        v INTEGER NOT NULL,
        at INTEGER NOT NULL,
        caused_by INTEGER,
        correlation INTEGER NOT NULL,
        origin TEXT NOT NULL,
        leaf BLOB NOT NULL,
        link BLOB NOT NULL,
        UNIQUE (originator_id, originator_version))""",
    f"CREATE INDEX IF NOT EXISTS events_by_topic ON events (topic, position) WHERE {FEW}",
    """CREATE TABLE IF NOT EXISTS head (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        position INTEGER NOT NULL,
        link BLOB NOT NULL,
        sealed_upto INTEGER NOT NULL)""",
    "CREATE TABLE IF NOT EXISTS streams (stream TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE IF NOT EXISTS views (
        view TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (view, key)) WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS tracking (name TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE IF NOT EXISTS segments (
        first INTEGER PRIMARY KEY, last INTEGER NOT NULL, file TEXT NOT NULL, bytes INTEGER NOT NULL,
        digest BLOB NOT NULL, before BLOB NOT NULL, after BLOB NOT NULL, retired INTEGER NOT NULL DEFAULT 0)""",
    "INSERT OR IGNORE INTO head VALUES (1, 0, zeroblob(32), 0)",
)

_HEADER = "position, originator_id, originator_version, topic, v, at, caused_by, correlation, origin"
PLAIN_COLUMNS = f"{_HEADER}, state"
ROW_COLUMNS = f"{_HEADER}, CAST(state AS BLOB), leaf, link"

VERSION = (
    "COALESCE((SELECT MAX(originator_version) FROM events WHERE originator_id = wanted.stream),"
    " (SELECT version FROM streams s WHERE s.stream = wanted.stream), 0)"
)
"""The version of a stream, for each row of a table `wanted (stream)`."""
