"""Reads repositories safely. Nothing in this package modifies a repository."""
