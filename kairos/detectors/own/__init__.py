"""Detectors of a person's own: a command, or a function of an installed package, run confined on a commit's tree."""
