"""The only access to stored events: append, read, follow, project, compact."""
