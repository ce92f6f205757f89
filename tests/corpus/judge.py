"""Drills a backup in this process: its facts, and which of the drill's criteria are red."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import Any

from fixtures.prove import is_red
from restore_drill.backups.model import Backup, Contents
from restore_drill.backups.read import read_contents
from restore_drill.checks.facts import number_of
from restore_drill.checks.names import CriteriaNames
from restore_drill.config.settings import Settings, settings_from
from restore_drill.damages.criterion import LEFT_OUT, Criterion
from restore_drill.facts.collect import read_facts
from restore_drill.facts.schema.reading import Wanted
from restore_drill.facts.write_check import check_write
from restore_drill.restore.model import Restoration
from restore_drill.restore.preflight import make_roles, make_tablespaces
from restore_drill.restore.restorers import restorer_of
from restore_drill.restore.split import restore_split
from restore_drill.restore.statistics import analyze
from restore_drill.selection.candidate import as_backup, look_at
from restore_drill.servers.model import Target
from tests.helpers.drills import ROOT
from tests.helpers.shop import quiet

BUDGETS = {"record"}
"""Fixtures of the criteria that judge how long the drill took, not the backup."""
Facts = dict[str, Any]


def settings_with(criteria_file: Path | None = None) -> Settings:
    """Settings of a drill of some backup, with `criteria_file` or the repository's own."""
    criteria = criteria_file or ROOT / "drill" / "criteria.toml"
    return settings_from({"criteria": str(criteria), "jobs": "2"}, here=ROOT, root=ROOT)


def read_backup(path: Path, folder: Path, settings: Settings) -> Facts:
    """Facts of the backup at `path` before anything is restored; `folder` takes unpacked files."""
    backup = as_backup(look_at(path, UTC))
    contents = read_contents(backup, folder, quiet)
    backup = replace(backup, head=contents.head)
    return {"backup": backup, "contents": contents, "settings": settings}


def restore(
    facts: Facts, target: Target, *, split: bool = True, drifting: Wanted | None = None
) -> Facts:
    """`facts` and those of restoring the backup into the empty database of `target`."""
    contents: Contents = facts["contents"]
    backup: Backup = facts["backup"]
    jobs = facts["settings"].jobs
    restorer_of(backup).check(target, contents)
    make_roles(target, contents)
    make_tablespaces(target, contents)
    restoration: Restoration
    if split and not contents.large_objects:
        restoration = restore_split(target, backup, contents, jobs=jobs, progress=quiet)
    else:
        restoration = restorer_of(backup).restore(target, backup, contents, jobs, quiet)
    restoration.without_statistics |= analyze(target, jobs)
    facts |= {"restoration": restoration}
    return facts | facts_of(target, facts, drifting)


def facts_of(target: Target, facts: Facts, drifting: Wanted | None = None) -> Facts:
    """Facts of the restored database of `target`, whose backup has those `facts`."""
    contents: Contents = facts["contents"]
    unanalyzed = frozenset(facts["restoration"].without_statistics)
    jobs = facts["settings"].jobs
    found = read_facts(target, contents, jobs, quiet, unanalyzed=unanalyzed, drifting=drifting)
    listed = set(facts["backup"].head.tables)
    return {
        "restored": target,
        "facts": found,
        "criteria_names": CriteriaNames(facts["settings"].criteria, frozenset(contents.counted)),
        "unlisted_tables": [name for name in found.rows if name not in listed],
        "measure": lambda fact: number_of(target, fact),
        "writes": lambda table: check_write(target, table),
    }


@dataclass(frozen=True)
class Judgement:
    """Criteria that are red, and those that could not be asked for want of a fact."""

    red: tuple[str, ...]
    unasked: tuple[str, ...]
    asked: int


def criteria_for(facts: Facts) -> Iterator[Criterion]:
    """The drill's own criteria, as it collects them: once for each table, fact and so on."""
    wanted = facts["settings"].criteria
    given: dict[str, dict[str, Any]] = {
        "table": {name: name for name in facts["backup"].head.tables},
        "required": dict(wanted.tables),
        "fact": dict(wanted.facts),
        "fresh": dict(wanted.freshness),
        "known_table": known_tables(facts),
        "measured_table": {},
    }
    for path in sorted((ROOT / "drill").glob("test_*.py")):
        module = importlib.import_module(f"drill.{path.stem}")
        marks = getattr(module, "pytestmark", [])
        names = {mark.name for mark in (marks if isinstance(marks, list) else [marks])}
        if LEFT_OUT & names:
            continue
        for name, function in vars(module).items():
            if not name.startswith("test_"):
                continue
            criterion = Criterion(name, function)
            parameter = next(iter(criterion.asks & given.keys()), None)
            if parameter is None:
                yield criterion
                continue
            for label, value in given[parameter].items():
                yield Criterion(f"{name}[{label}]", function, {parameter: value})


def known_tables(facts: Facts) -> dict[str, Any]:
    """Tables of the manifest, and those of the backup that it does not know."""
    if "manifest" not in facts:
        return {}
    known = facts["manifest"].fingerprint.all_tables
    return {name: name for name in [*known, *facts["backup"].head.tables]}


def judge(facts: Facts) -> Judgement:
    """Ask every criterion for which `facts` holds what it asks."""
    red, unasked, asked = [], [], 0
    facts = {"compared": lambda: facts.get("comparison"), **facts}
    for criterion in criteria_for(facts):
        if criterion.asks & BUDGETS:
            continue
        if criterion.asks - facts.keys() - criterion.parameters.keys():
            unasked.append(criterion.name)
            continue
        asked += 1
        if is_red(criterion, facts, facts.__getitem__):
            red.append(criterion.name)
    return Judgement(tuple(red), tuple(unasked), asked)
