"""The version of the program, as the native floor was built with it: one number for the whole wheel."""

VERSION = "0.1.0"
