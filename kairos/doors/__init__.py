"""Doors to come beside the command line, a folder each. They see the desk and never each other."""
