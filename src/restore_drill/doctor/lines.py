"""A checkup in words, and as JSON."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from restore_drill.config.secrets import secrets_of
from restore_drill.core.errors import message
from restore_drill.core.redact import Redactor
from restore_drill.core.steps import SIGNS
from restore_drill.core.units import capitalised, show_count
from restore_drill.doctor.examine import Checkup
from restore_drill.doctor.model import Fact, Group, Open
from restore_drill.doctor.plan import open_in, plan
from restore_drill.doctor.work import Work

SCHEMA = 1
MOST = 5
"""So many facts that are alike are shown to people."""
SECRETS = ("database_url", "redis_url", "pushgateway")
OPEN_TITLE = "Not checked by a drill"


def is_ascii() -> bool:
    """Whether what is printed must do without signs."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    return not encoding.lower().replace("-", "").startswith("utf")


def redactor_of(checkup: Checkup) -> Redactor:
    """Masks the passwords of this run."""
    given = checkup.configured.given
    settings = checkup.configured.settings
    urls: list[str | None] = [given[name].text for name in SECRETS if name in given]
    urls += [settings.database_url, settings.redis_url, settings.leaves.pushgateway]
    return Redactor(*urls, tokens=secrets_of(settings))


def lines_of(checkup: Checkup, most: int | None = MOST) -> Iterator[str]:
    """What people read: the groups, what stays open, and whether a drill could run.

    Of facts that are alike `most` are shown, None for all.
    """
    redact = redactor_of(checkup)
    lines = [*group_lines(checkup.groups, checkup.opens, most), *verdict_lines(checkup)]
    yield from map(redact, lines)


def plan_lines(checkup: Checkup, work: Work) -> Iterator[str]:
    """The plan of a drill, and whether it could run."""
    redact = redactor_of(checkup)
    lines = ["Plan of the drill: nothing is started, restored or written", ""]
    lines += group_lines(plan(checkup, work), list(open_in(checkup, work)), None)
    yield from map(redact, [*lines, *verdict_lines(checkup, counts=False)])


def group_lines(groups: Sequence[Group], opens: Sequence[Open], most: int | None) -> Iterator[str]:
    """Each of `groups` with its facts, and what stays open."""
    for group in groups:
        yield group.title
        for fact in shortened(group.facts, most):
            yield from fact_lines(fact)
        yield ""
    if opens:
        yield OPEN_TITLE
        yield from open_lines(opens)
        yield ""


def shortened(facts: Sequence[Fact], most: int | None) -> Iterator[Fact]:
    """`facts`, of each kin the first `most`, and how many more there are."""
    number: Counter[str] = Counter()
    for place, fact in enumerate(facts):
        number[fact.kin] += bool(fact.kin)
        if most is None or number[fact.kin] <= most:
            yield fact
        elif not any(each.kin == fact.kin for each in facts[place + 1 :]):
            yield Fact("warn", f"and {number[fact.kin] - most} more like these: --all shows them")


def fact_lines(fact: Fact) -> list[str]:
    """One fact: a line with its mark, what was checked, what to do."""
    first, *rest = message(begun(fact.text), fact.checked, fact.todo).splitlines()
    return [f"{SIGNS[fact.kind][is_ascii()]} {first}", *rest]


def open_lines(opens: Sequence[Open]) -> Iterator[str]:
    """What stays open; what is done about several of them stands once, after the last one."""
    for place, each in enumerate(opens):
        is_last = each.todo not in [other.todo for other in opens[place + 1 :]]
        todo = each.todo if is_last else ()
        yield from fact_lines(Fact("warn", f"{each.what}: {each.why}", (), todo))


def begun(text: str) -> str:
    """`text` as a line begins; what is no plain word stays as it is written."""
    return capitalised(text) if re.match(r"[a-z]+[ :,]", text) else text


def verdict_lines(checkup: Checkup, *, counts: bool = True) -> Iterator[str]:
    """Whether a drill could run, and what speaks against it; `counts` the remarks, else."""
    if checkup.code:
        yield f"A drill could not run (exit code {checkup.code}):"
        yield from (line for fact in checkup.stops for line in fact_lines(Fact("bad", fact.text)))
    elif checkup.fails:
        yield "A drill could run, and would fail:"
        yield from (line for fact in checkup.fails for line in fact_lines(Fact("bad", fact.text)))
    else:
        number = len([fact for fact in checkup.facts if fact.kind == "warn"])
        rest = f"; {show_count(number, 'remark')} above" if number and counts else ""
        yield f"A drill could run{rest}"


def as_json(checkup: Checkup) -> dict[str, Any]:
    """The same for machines."""
    redact = redactor_of(checkup)
    groups = [
        {
            "name": group.name,
            "title": group.title,
            "facts": [fact_json(fact, redact) for fact in group.facts],
        }
        for group in checkup.groups
    ]
    return {
        "schema": SCHEMA,
        "could_run": checkup.code == 0,
        "exit_code": checkup.code,
        "stopped_by": [redact(fact.text) for fact in checkup.stops],
        "would_fail": [redact(fact.text) for fact in checkup.fails],
        "groups": groups,
        "not_checked": [
            {"what": each.what, "why": each.why, "to_do": list(each.todo)} for each in checkup.opens
        ],
    }


def fact_json(fact: Fact, redact: Redactor) -> dict[str, Any]:
    """One fact for machines: `state` is ok, note, warn or bad."""
    return {
        "state": fact.kind,
        "text": redact(fact.text),
        "checked": [redact(line) for line in fact.checked],
        "to_do": [redact(line) for line in fact.todo],
    }
