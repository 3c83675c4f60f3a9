"""Backtest: replays the history of a repository as if live, and labels each finding by what people did next."""
