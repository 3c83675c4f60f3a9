"""Checks: what a run reported, and which commit broke it. Pure."""
