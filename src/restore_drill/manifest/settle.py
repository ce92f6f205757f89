"""Lets pg_dump decide about definitions that differ: what no dump can carry is no loss.

Only objects that are on both sides are settled so. What is missing or new may come from the rows:
a view that was not refreshed, an object that a dump leaves out.
"""

from __future__ import annotations

import subprocess
from dataclasses import replace

from restore_drill.facts.entries import output_of, schema_dump
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.facts.schema.written import Digested, Written, read_statements, written_in
from restore_drill.facts.survey import some
from restore_drill.manifest.compare import Comparison, compare
from restore_drill.manifest.objects import CHANGED, Difference
from restore_drill.servers.model import Target

IN_UTF8 = "--encoding=UTF8"
"""Makes the same of two databases of different encodings."""
WHY = (
    "its catalog entry differs from the source, but pg_dump writes the same: no dump can "
    "carry the difference"
)


def compare_by_dump(
    was: Fingerprint, now: Fingerprint, restored: Target, *, source: Target | None = None
) -> Comparison:
    """How the database `restored`, which is `now`, differs from what the source `was`.

    Where definitions differ it is asked what pg_dump writes of them, and the same was noted of the
    source, or can be asked of it. Where the two cannot be compared they differ.
    """
    found = compare(was, now)
    changed = [each for each in found.objects if each.how == CHANGED]
    if not changed:
        return found
    there = was.written
    if source is not None and there is None:
        there = written_of(source, was)
    if there is None or there.major != restored.binaries.major:
        return found
    here = written_of(restored, was)
    if here is None:
        return found
    same = {each for each in changed if there.says_the_same(here, each.kind, each.name)}
    return settled(found, same)


def differences(before: Fingerprint, after: Fingerprint, target: Target) -> list[str]:
    """What differs between two fingerprints, object by object; empty where they are equal.

    `target` is the database that is `after`: its pg_dump decides about definitions that differ.
    """
    return compare_by_dump(before, after, target).lines


def settled(found: Comparison, same: set[Difference]) -> Comparison:
    """`found` with the differences `same` as what was not compared."""
    kinds: dict[str, list[str]] = {}
    for each in found.objects:
        if each in same:
            kinds.setdefault(each.kind, []).append(each.name)
    entries = tuple((f"{kind} {some(names)}", WHY) for kind, names in kinds.items())
    return replace(
        found,
        objects=tuple(each for each in found.objects if each not in same),
        not_compared=found.not_compared + entries,
    )


def written_of(target: Target, fingerprint: Fingerprint) -> Written | None:
    """What pg_dump writes of `target` about the objects of `fingerprint`; None where it fails."""
    with schema_dump(target, IN_UTF8) as dump:
        statements, _ = statements_of(dump)
    if statements is None:
        return None
    return written_in(statements, target.binaries.major, fingerprint.schema)


def statements_of(dump: subprocess.Popen[bytes]) -> tuple[list[Digested] | None, str]:
    """What a pg_dump of a schema writes; None where there is nothing to rest on, and why."""
    output, why_not = output_of(dump)
    statements = None if why_not else read_statements(output)
    if statements is None:
        why_not = why_not or "its output cannot be read to the end"
    return statements, why_not


def noted(
    fingerprint: Fingerprint, statements: list[Digested] | None, why_not: str, *, major: int
) -> Fingerprint:
    """`fingerprint` with what a pg_dump of the version `major` has written, or why it has not."""
    if statements is None:
        entry = ("what pg_dump writes of each definition", why_not)
        return replace(fingerprint, left_out=(*fingerprint.left_out, entry))
    return replace(fingerprint, written=written_in(statements, major, fingerprint.schema))
