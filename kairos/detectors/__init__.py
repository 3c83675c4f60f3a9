"""Detectors, which run turns without a model: one file or package per detector, all with the same protocol."""
