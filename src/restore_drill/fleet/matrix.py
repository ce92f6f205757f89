"""The databases of a fleet as the jobs of a CI system: each job drills some of them by name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from heapq import heapify, heapreplace
from shlex import quote

from restore_drill.core.calling import COMMAND

GITHUB, GITLAB = "github", "gitlab"
MOST = {GITHUB: 256, GITLAB: 200}
"""Jobs that one matrix may have; more databases than that share jobs."""
USUAL = 300.0
"""Seconds of a drill of which nothing is known."""
TEMPLATE = ".restore-drill"
"""Hidden job of the user's that all jobs of the child pipeline extend."""


def shared_out(
    names: Sequence[str], seconds: Mapping[str, float], jobs: int
) -> list[tuple[str, ...]]:
    """`names` in at most so many `jobs` that take about the same time, the longest drills first.

    `seconds` are what drills took before, by name.
    """
    usual = sum(seconds.values()) / len(seconds) if seconds else USUAL
    bins: list[tuple[float, int, list[str]]] = [
        (0.0, number, []) for number in range(min(jobs, len(names)))
    ]
    heapify(bins)
    for name in sorted(names, key=lambda each: (-seconds.get(each, usual), each)):
        total, number, own = bins[0]
        heapreplace(bins, (total + seconds.get(name, usual), number, [*own, name]))
    return [tuple(own) for _, _, own in sorted(bins, key=lambda each: each[1])]


def matrix_of(
    kind: str, names: Sequence[str], seconds: Mapping[str, float], jobs: int | None = None
) -> str:
    """The matrix of GITHUB, in one line of JSON, or the child pipeline of GITLAB, of `names`.

    Without a name it is an empty matrix, or a pipeline with one job that says so: GitLab refuses
    a pipeline without jobs.
    """
    groups = shared_out(names, seconds, min(jobs or MOST[kind], MOST[kind])) if names else []
    return github(groups) if kind == GITHUB else gitlab(groups)


def github(groups: Sequence[tuple[str, ...]]) -> str:
    """`{"include": [{"job": "shop", "only": "shop"}]}`; `only` is safe to write into a shell."""
    rows = [{"job": title_of(group), "only": " ".join(map(quote, group))} for group in groups]
    return json.dumps({"include": rows})


def gitlab(groups: Sequence[tuple[str, ...]]) -> str:
    """A pipeline in JSON, which is YAML too: a job for each group."""
    jobs = {
        f"drill {title_of(group)}": {
            "extends": TEMPLATE,
            "script": [f"{COMMAND} fleet run --only {' '.join(map(quote, group))}"],
        }
        for group in groups
    }
    nothing = {"nothing is due": {"script": ["echo 'No drill is due.'"]}}
    return json.dumps(jobs or nothing, indent=2)


def title_of(group: Sequence[str]) -> str:
    """`shop`, or `shop and 3 more`."""
    return group[0] if len(group) == 1 else f"{group[0]} and {len(group) - 1} more"
