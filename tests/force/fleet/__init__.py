"""Proof by force of a fleet: many databases on two machines, with a fault in the middle."""
