"""The inventory of a fleet: its file, discovery, selection."""
