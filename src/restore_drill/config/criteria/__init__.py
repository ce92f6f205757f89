"""What must hold for this database: the criteria file (TOML), read and checked."""

from restore_drill.config.criteria.file import schema
from restore_drill.config.criteria.model import (
    Criteria,
    Fact,
    Freshness,
    TableCriteria,
    Waiver,
    qualified,
)
from restore_drill.config.criteria.reader import load_criteria
from restore_drill.config.criteria.rules import Rule

__all__ = [
    "Criteria",
    "Fact",
    "Freshness",
    "Rule",
    "TableCriteria",
    "Waiver",
    "load_criteria",
    "qualified",
    "schema",
]
