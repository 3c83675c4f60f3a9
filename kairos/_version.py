"""The version of the program; a test holds it equal to that of the wheel and of the native floor."""

VERSION = "0.1.0"
