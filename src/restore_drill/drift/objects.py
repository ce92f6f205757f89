"""How the definitions of a database differ from those that were measured, object by object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from restore_drill.drift.findings import ADDED, CHANGED, LOST, Finding
from restore_drill.facts.schema.all_kinds import DIALECT_BOUND
from restore_drill.facts.schema.definition import same_dialect, words_of
from restore_drill.facts.schema.labels import EXPRESSIONS, Definition
from restore_drill.facts.schema.model import DriftFacts, digest

WHEN_SPECIAL = {
    "unpopulated state of": "materialized view",
    "special state of trigger": "trigger",
    "replica identity of": "table",
}
"""Kinds that are there where something is not as usual, and whose objects they name."""

QUIET = {"comment on"}
"""Kinds whose loss or change is only noted."""


def of_objects(was: DriftFacts, now: DriftFacts) -> Iterator[Finding]:
    """How the definitions differ, object by object."""
    for kind in dict.fromkeys([*was.objects, *now.objects]):
        before, after = was.objects.get(kind, {}), now.objects.get(kind, {})
        for name in sorted(before.keys() | after.keys()):
            if is_left_out(kind, name, was, now):
                continue
            found = of_object(kind, name, was, now)
            if found is not None:
                yield replace(found, fails=False) if kind in QUIET else found


def of_object(kind: str, name: str, was: DriftFacts, now: DriftFacts) -> Finding | None:
    """How one object differs, None where it does not."""
    before = was.objects.get(kind, {}).get(name)
    after = now.objects.get(kind, {}).get(name)
    if after is None:
        if kind in WHEN_SPECIAL:
            return Finding(ADDED, kind, name, "is as usual again", fails=False)
        return Finding(LOST, kind, name, f"is lost{described(before)}")
    if before is None:
        if is_loss(kind, name, after, was, now):
            return Finding(CHANGED, kind, name, f"is new{described(after)}", digest(after))
        return Finding(ADDED, kind, name, "is new", digest(after), fails=False)
    changes = [*differences(kind, before, after, was, now)]
    if not changes:
        return None
    return Finding(CHANGED, kind, name, "has changed: " + "; ".join(changes), digest(after))


def is_loss(kind: str, name: str, after: Definition, was: DriftFacts, now: DriftFacts) -> bool:
    """Whether something new means that an object which was there before is no longer whole.

    What has no owner of its own here is PostgreSQL's or an extension's, and was there.
    """
    if kind in WHEN_SPECIAL:
        return name in was.objects.get(WHEN_SPECIAL[kind], {})
    if kind == "grant on" and after.get("privileges") == "none":
        granted = name.rpartition(" to ")[0]
        owners = "owner of"
        return granted in was.objects.get(owners, {}) or granted not in now.objects.get(owners, {})
    return False


def described(definition: Definition | None) -> str:
    """What an object was, for one that says much in few words."""
    texts = [value for value in (definition or {}).values() if isinstance(value, str)]
    short = " ".join((texts[0] if len(texts) == 1 else "").split())
    return f": {short}" if 0 < len(short) <= 100 else ""


def differences(
    kind: str, before: Definition, after: Definition, was: DriftFacts, now: DriftFacts
) -> Iterator[str]:
    """Parts of the definition that differ, each in words."""
    dialect = kind in DIALECT_BOUND and not same_dialect(was.major, now.major)
    for part in dict.fromkeys([*before, *after]):
        old, new = before.get(part), after.get(part)
        if part in EXPRESSIONS.get(kind, ()):
            if dialect or words_of(old) == words_of(new):
                continue
        elif kind in ("grant on", "default privileges"):
            old, new = (privileges(each, was, now) for each in (old, new))
        if old != new:
            yield f"{part} {changed(old, new)}"


def changed(old: Any, new: Any) -> str:
    """`was integer, is bigint`; long texts are not repeated."""
    if True in (old, new):
        old, new = bool(old), bool(new)
    before, after = (shown(each) for each in (old, new))
    if max(len(before), len(after)) > 60:
        return "is another"
    return f"was {before or 'the default'}, is {after or 'the default'}"


def shown(value: Any) -> str:
    """A part of a definition as people read it, in a line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return " ".join(str("" if value is None else value).split())


def privileges(value: Any, was: DriftFacts, now: DriftFacts) -> Any:
    """Privileges that both versions of PostgreSQL know: below 17 there is no MAINTAIN."""
    if min(was.privileges_of, now.privileges_of) >= 17 or value is None:
        return value
    listed = value.split(",") if isinstance(value, str) else value
    return [each for each in listed if "MAINTAIN" not in each]


def is_left_out(kind: str, name: str, was: DriftFacts, now: DriftFacts) -> bool:
    """Whether the two cannot be compared in this: owners that a restore has made up, and so on."""
    if kind == "order of the columns of":
        before, after = (
            sorted(each.objects.get(kind, {}).get(name, {}).get("columns", ()))
            for each in (was, now)
        )
        return before != after  # reported with the columns themselves
    if kind == "grant on" and name.startswith("schema public to"):
        return (was.major >= 15) != (now.major >= 15)
    if kind == "owner of" and was.role != now.role:
        owners = {each.objects.get(kind, {}).get(name, {}).get("owner", "") for each in (was, now)}
        return bool(owners & {was.role, now.role})
    return False


def not_comparable(was: DriftFacts, now: DriftFacts) -> Iterator[tuple[str, str]]:
    """What could not be compared between the two, and why."""
    kinds = [kind for kind in sorted(DIALECT_BOUND) if kind in was.objects]
    if kinds and not same_dialect(was.major, now.major):
        why = f"PostgreSQL {was.major} and {now.major} write the same text differently"
        yield f"drift in the text of each {', '.join(kinds)}", why
    if (was.major >= 15) != (now.major >= 15):
        yield "drift in grants on schema public", "PostgreSQL 15 changed the default"
    if was.role != now.role:
        why = f"one was restored by {was.role}, the other by {now.role}"
        yield "drift in owners that the backup does not name", why
