"""Sensing: what happened in a watched repository, as events. Hints mark directories dirty; the truth is compared."""
