"""Drift between drills."""
