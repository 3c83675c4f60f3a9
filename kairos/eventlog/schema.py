"""The tables of the SQLite log.

`position` is an explicit AUTOINCREMENT key: an implicit rowid restarts at 1 after a delete-all, and every
tracker would skip events. `head` is the row that each append updates first, so that a transaction starts as a
writer and waits its turn instead of failing on an upgrade from reader.
"""

from __future__ import annotations

SCHEMA_VERSION = 1

TABLES = (
    """CREATE TABLE IF NOT EXISTS events (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
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
    "CREATE INDEX IF NOT EXISTS events_by_topic ON events (topic, position)",
    """CREATE TABLE IF NOT EXISTS head (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        position INTEGER NOT NULL,
        link BLOB NOT NULL,
        sealed_upto INTEGER NOT NULL,
        appends INTEGER NOT NULL)""",
    "CREATE TABLE IF NOT EXISTS streams (stream TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE IF NOT EXISTS views (
        view TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (view, key)) WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS tracking (name TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE IF NOT EXISTS segments (
        first INTEGER PRIMARY KEY, last INTEGER NOT NULL, file TEXT NOT NULL, bytes INTEGER NOT NULL,
        digest BLOB NOT NULL, before BLOB NOT NULL, after BLOB NOT NULL, retired INTEGER NOT NULL DEFAULT 0)""",
    "INSERT OR IGNORE INTO head VALUES (1, 0, zeroblob(32), 0, 0)",
)

ROW_COLUMNS = (
    "position, originator_id, originator_version, topic, v, at, caused_by, correlation, origin,"
    " CAST(state AS BLOB), leaf, link"
)
