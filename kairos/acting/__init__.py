"""Acting on a repository: proposals are raised, verified, decided, carried out and undone."""
