"""Folds of the log that are kept for reading, each with its tracking position; see `projection`."""
