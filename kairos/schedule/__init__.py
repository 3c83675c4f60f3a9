"""Nights and children: schedules whose occurrences are keyed in the log, and the processes they start."""
