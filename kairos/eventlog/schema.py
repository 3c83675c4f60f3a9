"""The tables of the log, in SQL that SQLite and PostgreSQL share.

`head` counts positions: they continue after all rows were deleted, where a row id would restart and every tracker
would skip events. `streams` holds the version of each stream. Both are written under the write lock of the append, so
no unique index on versions is needed, and events of the most frequent topics have no index entry. `leaf` is stored
only if it cannot be computed from the payload, which is so after the payload was erased.
"""

from __future__ import annotations

SCHEMA_VERSION = 2

MANY = ("CommitRecorded", "FilesChanged")
"""Topics that make up most of a log; their rows are not indexed."""
FEW = " AND ".join(f"topic <> '{topic}'" for topic in MANY)

EVENTS = """CREATE TABLE IF NOT EXISTS events (
    position {integer} PRIMARY KEY,
    originator_id TEXT NOT NULL,
    originator_version {integer} NOT NULL,
    topic TEXT NOT NULL,
    state {bytes},
    v {integer} NOT NULL,
    at {integer} NOT NULL,
    caused_by {integer},
    correlation {integer} NOT NULL,
    origin TEXT NOT NULL,
    link {bytes} NOT NULL,
    leaf {bytes})"""
STREAMS = "CREATE TABLE IF NOT EXISTS streams (stream TEXT PRIMARY KEY, version {integer} NOT NULL){compact}"
INDEXES = (
    f"CREATE INDEX IF NOT EXISTS events_by_topic ON events (topic, position) WHERE {FEW}",
    f"CREATE INDEX IF NOT EXISTS events_by_stream ON events (originator_id, originator_version) WHERE {FEW}",
)
TABLES = (
    EVENTS,
    STREAMS,
    *INDEXES,
    """CREATE TABLE IF NOT EXISTS head (
        id {integer} PRIMARY KEY CHECK (id = 1),
        position {integer} NOT NULL,
        link {bytes} NOT NULL,
        sealed_upto {integer} NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS views (
        view TEXT NOT NULL, key {bytes} NOT NULL, value {bytes} NOT NULL, PRIMARY KEY (view, key)){compact}""",
    "CREATE TABLE IF NOT EXISTS tracking (name TEXT PRIMARY KEY, position {integer} NOT NULL){compact}",
    """CREATE TABLE IF NOT EXISTS segments (
        first {integer} PRIMARY KEY, last {integer} NOT NULL, file TEXT NOT NULL, bytes {integer} NOT NULL,
        digest {bytes} NOT NULL, before {bytes} NOT NULL, after {bytes} NOT NULL, retired {integer} NOT NULL)""",
)
FIRST_HEAD = "INSERT INTO head VALUES (1, 0, ?, 0) ON CONFLICT (id) DO NOTHING"
"""The head of an empty log; its parameter is the link before the first event: 32 zero bytes."""

_HEADER = "position, originator_id, originator_version, topic, v, at, caused_by, correlation, origin"
PLAIN_COLUMNS = f"{_HEADER}, state"
SEGMENT_COLUMNS = f"{_HEADER}, state, leaf"
ROW_COLUMNS = f"{_HEADER}, CAST(state AS BLOB), leaf, link"  # even if a damaged file reports another type
