"""Nightly jobs, whose occurrences are recorded in the log, and the child processes they start."""
