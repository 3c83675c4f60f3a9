"""The answers of the desk, as types that every door hands out. Fields are only ever added."""
