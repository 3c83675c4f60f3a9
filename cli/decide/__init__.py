"""Deciding: approve, reject, defer, undo, redo, review."""
