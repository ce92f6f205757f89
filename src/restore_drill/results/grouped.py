"""The criteria as the report lists them: by stage, and by the table that they are about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from restore_drill.checks.stages import STAGES
from restore_drill.core.units import capitalised, show_count, show_duration
from restore_drill.results.criterion import weight_of
from restore_drill.results.result import Result
from restore_drill.results.words import OTHERS, first_line, short_name

WORDS = {"passed": "passed", **OTHERS}
"""Outcomes in words of the drill."""
MOST = 200
"""So many checks of one criterion that failed does the page list; result.json has all."""
SHORT = 0.005
"""Seconds below which the time of a criterion is of no interest."""


@dataclass
class Group:
    """Criteria about one table, or about none (`name` is empty)."""

    name: str
    checks: list[dict[str, Any]] = field(default_factory=list)

    @property
    def counts(self) -> str:
        """`2 passed, 1 failed`."""
        return counted(self.checks)

    @property
    def is_open(self) -> bool:
        """Whether not all have passed: what is wrong is not folded away."""
        return any(check["outcome"] in ("failed", "error", "waived") for check in self.checks)


@dataclass
class Stage:
    """The criteria of one stage, those about a table by table."""

    name: str
    what: str
    groups: list[Group]
    proved: list[tuple[str, str]]

    @property
    def checks(self) -> list[dict[str, Any]]:
        """All of them."""
        return [check for group in self.groups for check in group.checks]

    @property
    def counts(self) -> str:
        """`12 passed, 1 skipped`."""
        return counted(self.checks)

    @property
    def is_open(self) -> bool:
        """Whether one of its groups is."""
        return any(group.is_open for group in self.groups)


def counted(checks: Sequence[dict[str, Any]]) -> str:
    """How many had which outcome."""
    found: Counter[str] = Counter()
    for check in checks:
        found[check["outcome"]] += weight_of(check)
    return ", ".join(f"{found[each]:,} {word}" for each, word in WORDS.items() if found[each])


def bounded(checks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """`checks` for the page: MOST of those of one criterion that did not pass, the rest as one."""
    kept: list[dict[str, Any]] = []
    seen: Counter[tuple[str, str]] = Counter()
    rest: dict[tuple[str, str], dict[str, Any]] = {}
    for check in checks:
        key = check["id"].partition("[")[0], check["outcome"]
        seen[key] += 1
        if check["outcome"] == "passed" or seen[key] <= MOST:
            kept.append(check)
            continue
        first = {name: each for name, each in check.items() if name != "queries"}
        more = rest.setdefault(key, first | {"id": f"{key[0]}[more]", "count": 0, "seconds": 0.0})
        more["count"] += weight_of(check)
        more["seconds"] += check["seconds"]
        more["message"] = f"{more['count']:,} more: result.json has all, with their messages"
    return [*kept, *rest.values()]


def stages_of(result: Result) -> list[Stage]:
    """Stages in their order, each with its criteria; a team's own stand where they ran."""
    known = {in_an_id(name): name for name in result["tables"]}
    places: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for number, check in enumerate(result["checks"]):
        places.setdefault(check["stage"] or "verify", []).append((number, check))
    order = [*STAGES, *(name for name in places if name not in STAGES)]
    found = []
    for name in (each for each in order if each in places):
        groups: dict[str, Group] = {}
        for number, check in places[name]:
            about = table_of(check["id"], known)
            groups.setdefault(about, Group(about)).checks.append(row_of(number, check, about))
        ranked = sorted(groups.values(), key=lambda group: (not group.is_open, group.name))
        title = capitalised(STAGES.get(name, name))
        found.append(Stage(name, title, ranked, proved_by([each for _, each in places[name]])))
    return found


def in_an_id(name: str) -> str:
    r"""`name` as pytest writes it into an id: `gr\xf6\xdfen`."""
    return name.encode("unicode_escape").decode("ascii")


def table_of(nodeid: str, known: dict[str, str]) -> str:
    """Table that a criterion is about: its parameter, or the longest part of it that is one.

    `known` are the tables, each under its name in an id.
    """
    _, _, parameter = short_name(nodeid).partition("[")
    parameter = parameter.removesuffix("]")
    while parameter:
        if parameter in known:
            return known[parameter]
        parameter = parameter.rpartition(".")[0] if "." in parameter else ""
    return ""


def row_of(number: int, check: dict[str, Any], about: str) -> dict[str, Any]:
    """One criterion: its place in the page, name, outcome in words, sentence and time."""
    name = short_name(check["id"])
    seconds = check["seconds"]
    return {
        "place": f"c{number}",
        "name": name.removesuffix(f"[{in_an_id(about)}]") if about else name,
        "outcome": check["outcome"],
        "word": WORDS.get(check["outcome"], check["outcome"]),
        "sentence": check["sentence"],
        "why": first_line(check["message"]) if check["message"] else "",
        "time": show_duration(seconds) if seconds >= SHORT else "",
        "count": weight_of(check),
        "tables": show_count(check["count"], "table") if "count" in check else "",
    }


def proved_by(checks: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Sentences of the criteria that passed, and how often: `3 times`, `1 of 2`, empty for once.

    A sentence about every table is not true where one of them failed: that stands beside it. What
    only warned has passed with a message, and has proved nothing.
    """
    held: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for check in checks:
        words = check["sentence"] or short_name(check["id"]).partition("[")[0]
        has_held = check["outcome"] == "passed" and not check["message"]
        held[words] += has_held * weight_of(check)
        asked[words] += (check["outcome"] != "skipped") * weight_of(check)
    return [(words, extent(times, asked[words])) for words, times in held.items() if times]


def extent(held: int, asked: int) -> str:
    """How often a criterion passed of the times that it ran."""
    if held < asked:
        return f"{held:,} of {asked:,}"
    return f"{held:,} times" if held > 1 else ""
