"""The log on SQLite: WAL, synchronous=FULL, one file."""
