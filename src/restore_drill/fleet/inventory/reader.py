"""The inventory of a fleet: what its files name, and what is discovered beside that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from restore_drill.core.calling import COMMAND
from restore_drill.core.errors import UsageError
from restore_drill.fleet.inventory.databases import (
    named_databases,
    place_of,
    refuse_same_backups,
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
    refuse_same_sources([each for _, each in entries], environment)
    databases = {each.name: each for each in named}
    found = {each.name: each for each in all_discovered(entries, databases, environment)}
    new = tuple(name for name, each in found.items() if not each.unlisted)
    places = defaultdict[str, list[str]](list)
    for each in found.values():
        places[each.backups].append(each.name)
    run = next((file.run.values for file in files if file.run), {})
    return Inventory(path, databases | found, new, dict(places), **run)


def all_discovered(
    entries: Sequence[tuple[FleetFile, Written]],
    named: Mapping[str, Database],
    environment: Mapping[str, str],
) -> Iterator[Database]:
    """What all `entries` find: an earlier one's series are none of a later one's."""
    # Loaded here: it brings all that reads backups, and a fleet file need discover nothing.
    from restore_drill.fleet.inventory.discovery import discovered  # noqa: PLC0415

    known = dict(named)
    for file, entry in entries:
        for each in discovered(file, entry, dict(known), environment):
            known[each.name] = each
            yield each


def refuse_same_sources(entries: Sequence[Written], environment: Mapping[str, str]) -> None:
    """Refuse a place that is listed twice; UsageError."""
    seen: dict[str, Written] = {}
    for each in entries:
        source = place_of(each.values["source"], FOLDER, environment)
        if other := seen.get(source):
            what = f"a second [[discover]] of the same source, after that in {other.place.path}"
            raise each.place.inside("source").error(what)
        seen[source] = each
