"""Turns with a model: one bounded conversation in a worker process that reads files and may propose one change."""
