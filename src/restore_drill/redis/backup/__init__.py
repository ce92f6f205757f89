"""Backups of Redis: found, checked, loaded into a server of the drill, and proved."""
