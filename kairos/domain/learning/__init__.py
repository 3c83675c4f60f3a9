"""Learning: what people did about the findings of a detector, and where it is silent because of that. Pure."""
