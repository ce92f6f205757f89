"""The verdict of a fleet."""
