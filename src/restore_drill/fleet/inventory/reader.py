"""The inventory of a fleet: what its files name, and what is discovered beside that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

from restore_drill.config.accounts import account_of
from restore_drill.core.calling import COMMAND
from restore_drill.core.errors import UsageError
from restore_drill.fleet.inventory.databases import (
    completed,
    named_databases,
    place_of,
    refuse_same_backups,
    variables_of,
)
from restore_drill.fleet.inventory.file import Written
from restore_drill.fleet.inventory.files import FleetFile, read_files
from restore_drill.fleet.inventory.places import FOLDER
from restore_drill.fleet.model import Database, Inventory


def load_inventory(path: Path, environment: Mapping[str, str]) -> Inventory:
    """All databases of the fleet file at `path`, or of the `*.toml` of the folder that it is.

    `${NAME}` stands for the variable NAME of `environment`, which also has the keys of the places
    that `[[discover]]` lists. Those that are named come first, in the order of the files.

    Raises UsageError for what is wrong with a file, with its line, and for a variable that is
    unset. A place that gives no list is one of them, which says why.
    """
    files = read_files(path)
    named = [each for file in files for each in named_databases(file, environment)]
    written = {name: each for file in files for name, each in file.databases.items()}
    refuse_same_backups(written, named)
    entries = [(file, each) for file in files for each in file.discover]
    if not named and not entries:
        what = "folder of fleet files" if path.is_dir() else "fleet file"
        raise UsageError(
            f"{what} {path} has neither [databases] nor [[discover]], so there is nothing to "
            f"drill; see an example: {COMMAND} fleet init"
        )
    sources = sources_of(entries, environment)
    databases = {each.name: each for each in named}
    warnings: list[str] = []
    everything = all_discovered(entries, databases, sources, environment, warnings.append)
    found = {each.name: each for each in everything}
    new = tuple(name for name, each in found.items() if each.series)
    places = defaultdict[str, list[str]](list)
    for each in found.values():
        places[each.backups].append(each.name)
    run = next((file.run.values for file in files if file.run), {})
    return Inventory(path, databases | found, new, dict(places), tuple(warnings), **run)


def all_discovered(
    entries: Sequence[tuple[FleetFile, Written]],
    named: Mapping[str, Database],
    sources: Collection[tuple[str, str]],
    environment: Mapping[str, str],
    warn: Callable[[str], None],
) -> Iterator[Database]:
    """What all `entries` find: an earlier one's series are none of a later one's."""
    # Loaded here: it brings all that reads backups, and a fleet file need discover nothing.
    from restore_drill.fleet.inventory.discovery import discovered  # noqa: PLC0415

    known = dict(named)
    for file, entry in entries:
        for each in discovered(file, entry, dict(known), sources, environment, warn):
            known[each.name] = each
            yield each


def sources_of(
    entries: Sequence[tuple[FleetFile, Written]], environment: Mapping[str, str]
) -> Collection[tuple[str, str]]:
    """Account and place of all `entries`; UsageError where a place is listed twice."""
    seen: dict[tuple[str, str], Written] = {}
    for file, each in entries:
        source = place_of(each.values["source"], FOLDER, environment)
        variables = variables_of(completed(file, each), environment)
        key = account_of(source, {**environment, **variables}), source
        if other := seen.get(key):
            what = f"a second [[discover]] of the same source, after that in {other.place.path}"
            raise each.place.inside("source").error(what)
        seen[key] = each
    return seen.keys()
