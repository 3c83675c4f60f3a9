"""What a program writes as it runs: its lines as entries, the templates behind them, and what of it is new. Pure."""
