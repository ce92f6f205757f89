"""All kinds of objects whose definitions are read, and what is known of their fingerprints."""

from __future__ import annotations

from restore_drill.facts.schema import (
    kinds_of_code,
    kinds_of_rights,
    kinds_of_tables,
    kinds_of_text,
    kinds_of_views,
)

GROUPS = (
    kinds_of_tables.KINDS + kinds_of_views.KINDS,
    kinds_of_code.KINDS + kinds_of_text.KINDS,
    kinds_of_rights.KINDS,
)
"""They can be read side by side."""
KINDS = tuple(kind for group in GROUPS for kind in group)
OF_EXPRESSIONS = "expr"
"""In the query of each kind with expressions."""
OF_WORDS = 2
"""How often it has changed what counts of these: their parentheses, then their casts."""
REVISIONS = {
    kind.name: kind.revision + OF_WORDS * (OF_EXPRESSIONS in kind.query)
    for kind in KINDS
    if kind.revision > 1 or OF_EXPRESSIONS in kind.query
}
"""What the fingerprints of each kind hold, where that has changed since the first manifests."""
NAMES_SINCE = {kind.name: kind.names_since for kind in KINDS}
"""From which revision on each kind has had its fingerprints of the same objects."""
DIALECT_BOUND = frozenset(kind.name for kind in KINDS if kind.of_dialect)
"""Kinds whose text depends on the major version."""
