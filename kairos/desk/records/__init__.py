"""The types of the desk's answers, shared by all entry points. Fields are only added, never removed."""
