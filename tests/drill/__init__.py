"""Whole drills."""
