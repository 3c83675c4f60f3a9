"""The world out: proposals raised, verified, decided, carried out, undone."""
