"""The version of the program; a test checks that the wheel and the native library have the same one."""

VERSION = "0.1.0"
