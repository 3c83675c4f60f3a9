"""References to files that were renamed or deleted."""
