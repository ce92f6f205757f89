"""Damages of a physical backup: of copies of its files, of its WAL, of pages of its databases.

No damage takes a copy of the backup: see `shadow`, `wal` and `pages` for what each takes instead.
"""
