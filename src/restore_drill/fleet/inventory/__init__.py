"""The inventory of a fleet: `fleet.toml`, read and checked, and what is discovered beside it."""

from restore_drill.fleet.inventory.example import example
from restore_drill.fleet.inventory.file import schema
from restore_drill.fleet.inventory.reader import load_inventory
from restore_drill.fleet.inventory.select import selected
from restore_drill.fleet.inventory.table import lines_of, warning_lines

__all__ = ["example", "lines_of", "load_inventory", "schema", "selected", "warning_lines"]
