"""The terminal as a device: single keys, pasted text, a screen that scrolls, and putting it back as it was."""
