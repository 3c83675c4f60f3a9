"""Views: saved folds of the log, each with its tracking position; see `projection`."""
