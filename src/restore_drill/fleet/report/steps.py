"""What to do after a run, the most urgent first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from shlex import quote

from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import some
from restore_drill.fleet.report.outcome import WORDS, Outcome
from restore_drill.fleet.report.run import Fleet
from restore_drill.results.kinds import ALONE

MOST_TOLD = 4
"""So many databases are named in a step."""
MOST_TO_TYPE = 8
"""So many are named in a command that drills them; where there are more it drills all."""
OF_WORKERS = {"there is no worker": "no_worker", "it fits on no worker": "too_large"}
"""What to do, by how the reason begins for which a drill was not begun."""
WITHOUT = {"failed": "failed_without", "otherwise_failed": "otherwise_failed_without"}
"""What to do in place of something else where no report is kept."""


def next_steps(fleet: Fleet) -> list[str]:
    """What to do, the most urgent first; nothing where all is in order."""
    named: Mapping[str, list[str]] = {state: [] for state in WORDS}
    whole = [each for each in fleet.rows if not each.is_cut]
    for each in whole:
        named[each.shown_state].append(each.name)
    steps = failed_steps([each for each in fleet.rows if each.shown_state == "failed"])
    if names := named["could-not-run"]:
        steps += remedy_for(
            "fleet_report",
            "could_not_run" if len(names) == 1 else "could_not_run_several",
            names=some(names, MOST_TOLD),
            only=only_words(names),
        )
    steps += unbegun_steps([each for each in whole if each.state == "not-begun"])
    if names := named["incomplete"]:
        steps += remedy_for("fleet_report", "incomplete", names=some(names, MOST_TOLD))
    if cut := [each.name for each in fleet.rows if each.is_cut]:
        steps += remedy_for("fleet", "interrupted", only=only_words(cut))
    if lost := {each.name: each.unrecorded for each in fleet.rows if each.unrecorded}:
        short, why = some(list(lost), MOST_TOLD), next(iter(lost.values()))
        steps += remedy_for("fleet", "unrecorded", names=short, why=why)
    if fleet.undecided:
        new = some(fleet.undecided, MOST_TOLD)
        steps += remedy_for("fleet_report", "undecided", names=new)
    return steps


def only_words(names: Sequence[str]) -> str:
    """` --only a b`, to type; empty where they are too many."""
    return f" --only {' '.join(map(quote, names))}" if len(names) <= MOST_TO_TYPE else ""


def unbegun_steps(rows: Sequence[Outcome]) -> list[str]:
    """What to do about `rows` that were not begun."""
    causes: dict[str, list[str]] = {}
    for each in rows:
        cause = next((OF_WORKERS[why] for why in OF_WORKERS if each.why.startswith(why)), "other")
        causes.setdefault(cause, []).append(each.name)
    return [
        step
        for cause, names in causes.items()
        for step in remedy_for("fleet_not_begun", cause, names=some(names, MOST_TOLD))
    ]


def failed_steps(rows: Sequence[Outcome]) -> list[str]:
    """What to do about `rows` that failed: a backup may be good, and recovery slow."""
    causes: dict[str, list[Outcome]] = {"failed": [], **{each: [] for each in ALONE}, "other": []}
    for each in rows:
        kinds = each.measured.kinds
        only = next(iter(kinds)) if len(kinds) == 1 else "other"
        cause = "failed" if "" in kinds else only if only in ALONE else "other"
        causes[cause].append(each)
    failed, other = causes.pop("failed"), causes.pop("other")
    alone = {cause: some(names_of(found), MOST_TOLD) for cause, found in causes.items() if found}
    return [
        *to_read("failed", failed),
        *(f"{names}: {ALONE[cause]}" for cause, names in alone.items()),
        *to_read("otherwise_failed", other),
    ]


def to_read(cause: str, rows: Sequence[Outcome]) -> list[str]:
    """What to do about `rows` whose reports say more: where none is kept it takes a drill."""
    steps: list[str] = []
    for is_kept, which in ((True, cause), (False, WITHOUT[cause])):
        if names := names_of(each for each in rows if (each.folder is not None) == is_kept):
            short, only = some(names, MOST_TOLD), only_words(names)
            steps += remedy_for("fleet_report", which, names=short, only=only)
    return steps


def names_of(rows: Iterable[Outcome]) -> list[str]:
    """Their names."""
    return [each.name for each in rows]
