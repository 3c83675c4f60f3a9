"""What a turn with a model may call: one catalogue, with a level and a schema each."""
