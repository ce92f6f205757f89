"""Damaged and healthy backups of Redis: `python -m tests.corpus redis`."""
