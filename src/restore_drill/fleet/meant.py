"""Which inventory a command of the fleet means, and which of its databases."""

from __future__ import annotations

import argparse
import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from restore_drill.config.options import OPTIONS
from restore_drill.core.calling import COMMAND
from restore_drill.core.errors import UsageError
from restore_drill.core.units import some
from restore_drill.fleet.inventory import load_inventory, selected
from restore_drill.fleet.inventory.places import FOLDER, counted_from
from restore_drill.fleet.model import Database, Inventory

VARIABLE = "DRILL_FLEET"
"""Variable that names the inventory."""
NAMES = ("fleet.toml", "fleet.d")
"""Where it is looked for: here, then above."""
MOST_NAMED = 8


class Meant(NamedTuple):
    """The inventory, its databases that are meant, and the environment of the command."""

    inventory: Inventory
    databases: list[Database]
    environment: Mapping[str, str]

    @property
    def part(self) -> Inventory:
        """The inventory of those databases alone."""
        own = {each.name: each for each in self.databases}
        new = tuple(name for name in self.inventory.undecided if name in own)
        return replace(self.inventory, databases=own, undecided=new)


def meant_by(parsed: argparse.Namespace, environment: Mapping[str, str]) -> Meant:
    """What the options mean, with the variables of `environment`. Raises UsageError."""
    inventory = load_inventory(path_of(parsed.inventory, environment), environment)
    databases = selected(inventory, parsed.select)
    if parsed.only:
        only = names_meant(parsed.only, inventory)
        left_out = only - {each.name for each in databases}
        if left_out:
            names = some(sorted(left_out), MOST_NAMED)
            raise UsageError(f"--only names what --select leaves out: {names}; use one of the two")
        databases = [each for each in databases if each.name in only]
    if not databases:
        what = "meets all conditions of --select" if parsed.select else "is selected"
        raise UsageError(f"no database of {inventory.path} {what}; see {COMMAND} fleet list")
    return Meant(inventory, databases, environment)


def path_of(given: str | None, environment: Mapping[str, str]) -> Path:
    """The inventory: as it is given, else the nearest from here up. Raises UsageError."""
    if name := given or environment.get(VARIABLE):
        return Path(name).expanduser()
    here = Path.cwd()
    for folder in (here, *here.parents):
        # A link that leads nowhere is told, not passed over.
        found = [folder / each for each in NAMES if os.path.lexists(folder / each)]
        if len(found) > 1:
            both = " and ".join(map(str, found))
            what = f"there are two inventories, {both}; name one with --inventory ({VARIABLE})"
            raise UsageError(f"{what}, or remove one")
        if found:
            return found[0]
    raise UsageError(
        f"there is no {' or '.join(NAMES)} in {here} or above; name one with --inventory "
        f"({VARIABLE}), or begin one: {COMMAND} fleet init > {NAMES[0]}"
    )


def names_meant(names: Sequence[str], inventory: Inventory) -> set[str]:
    """Databases that `names` mean: a place that is listed means all that was found there.

    One that there is not may lie in a place that cannot be listed: that is meant then. UsageError
    where there is none.
    """
    unlisted = {name for name, each in inventory.databases.items() if each.unlisted}
    meant = set[str]()
    for name in names:
        if name in inventory.databases:
            meant.add(name)
        elif found := inventory.found.get(name) or inventory.found.get(as_place(name, inventory)):
            meant |= set(found)
        elif unlisted:
            meant |= unlisted
        else:
            near = difflib.get_close_matches(name, inventory.databases, n=1)
            there = some(list(inventory.databases), MOST_NAMED)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {there}"
            raise UsageError(f"--only: {inventory.path} has no database {name!r}; {hint}")
    return meant


def as_place(text: str, inventory: Inventory) -> str:
    """The place that `text` means where it stands in a file of `inventory`; empty if none."""
    path = inventory.path.resolve()
    try:
        return counted_from(path if path.is_dir() else path.parent, text, FOLDER)
    except UsageError:
        return ""


def top_of(parsed: argparse.Namespace, meant: Meant) -> Path:
    """The report directory."""
    option = OPTIONS["report_dir"]
    folder = parsed.report_dir or meant.environment.get(option.variable) or str(option.default)
    return (Path.cwd() / Path(folder).expanduser()).absolute()
