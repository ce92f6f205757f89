"""Roles that a recovery makes on a live server, and what they get."""
