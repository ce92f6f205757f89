"""How the definitions of objects differ between two fingerprints: missing, new and changed ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from restore_drill.core.units import show_count
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.facts.schema.all_kinds import DIALECT_BOUND, NAMES_SINCE
from restore_drill.facts.schema.definition import same_dialect

MISSING, NEW, CHANGED = "is missing", "is new", "has changed"


class Difference(NamedTuple):
    """An object that differs, and how."""

    kind: str
    name: str
    how: str

    def __str__(self) -> str:
        """`column public.t.a has changed`."""
        return f"{self.kind} {self.name} {self.how}"


def of_schema(was: Fingerprint, now: Fingerprint) -> Iterator[Difference]:
    """What differs in the definitions."""
    same = same_dialect(was.major, now.major)
    grants_of_public = (was.major >= 15) == (now.major >= 15)
    for kind in dict.fromkeys([*was.schema, *now.schema]):
        is_same = same_revision(was, now, kind)
        if not is_same and not same_names(was, now, kind):
            continue
        before, after = was.schema.get(kind, {}), now.schema.get(kind, {})
        for name in sorted(before.keys() | after.keys()):
            if kind == "grant on" and name.startswith("schema public to") and not grants_of_public:
                continue
            if name not in after:
                yield Difference(kind, name, MISSING)
            elif name not in before:
                yield Difference(kind, name, NEW)
            elif is_same and before[name] != after[name] and (same or kind not in DIALECT_BOUND):
                yield Difference(kind, name, CHANGED)


def same_revision(was: Fingerprint, now: Fingerprint, kind: str) -> bool:
    """Whether the fingerprints of `kind` hold the same on both sides."""
    return was.revisions.get(kind, 1) == now.revisions.get(kind, 1)


def same_names(was: Fingerprint, now: Fingerprint, kind: str) -> bool:
    """Whether the same objects of `kind` have fingerprints on both sides."""
    least = min(was.revisions.get(kind, 1), now.revisions.get(kind, 1))
    return least >= NAMES_SINCE.get(kind, 1)


def of_other_revisions(was: Fingerprint, now: Fingerprint) -> Iterator[tuple[str, str]]:
    """Kinds that another version of the drill held otherwise, where that shows."""
    for kind in dict.fromkeys([*was.schema, *now.schema]):
        before, after = was.schema.get(kind, {}), now.schema.get(kind, {})
        differ = dict(before.items() ^ after.items())
        if same_names(was, now, kind):
            differ = {name: "" for name in differ if name in before and name in after}
        if differ and not same_revision(was, now, kind):
            why = (
                "the manifest is of another version of restore-drill, which recorded "
                "different things"
            )
            yield f"the definition of {show_count(len(differ), kind)}", why
