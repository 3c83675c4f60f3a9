"""The daemon: the composition root, the one place that knows all rooms. Import what you need from its files."""
