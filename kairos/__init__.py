"""Kairos: an always-on assistant for your repositories."""
