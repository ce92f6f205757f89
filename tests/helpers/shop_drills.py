"""Drills of one backup against criteria for the shop."""

from __future__ import annotations

from collections.abc import Callable

from tests.helpers.drills import Drill

DrillFile = Callable[..., Drill]


CRITERIA = """
[tables]
artists = { min_rows = 20 }
purchases = { min_rows = 60, max_rows = 60 }
cards = { min_rows = 200, references = ["artists", "purchases"] }
"""
