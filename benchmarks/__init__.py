"""Measures how fast backups are restored, against the ways that people know."""
