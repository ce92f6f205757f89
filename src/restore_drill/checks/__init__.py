"""Criteria that a team writes itself: names, SQL files."""
