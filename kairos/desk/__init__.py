"""The queries and decisions of a person or a program; all entry points use these functions. Nothing here prints or
prompts."""
