"""Proof by force: drills of a live database that is written to, with a fault in the middle."""
