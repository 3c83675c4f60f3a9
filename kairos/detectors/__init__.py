"""Turns without a model: one file a detector, all behind one protocol."""
