"""Reading memory: claims, related files, recall, text for a turn. Only `dream` writes what is read here."""
