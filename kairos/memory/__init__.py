"""Reading memory: claims, related files, recall, text for a turn. Only `dream` writes memory."""
