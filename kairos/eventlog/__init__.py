"""The only door to stored events: append, read, follow, project, compact."""
