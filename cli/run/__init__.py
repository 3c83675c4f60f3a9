"""Running: the daemon, pause, mute, the service."""
