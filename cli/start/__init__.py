"""Getting started: demo, watch, init, unwatch."""
