"""The fleet file, or the files of a folder: read, each by itself, and compared with the others."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from restore_drill.config.criteria.place import Place, line_of
from restore_drill.config.criteria.reader import read_toml
from restore_drill.core.access import why_closed
from restore_drill.core.errors import UsageError
from restore_drill.fleet.inventory.file import FLEET, KIND, Written
from restore_drill.fleet.inventory.near import HEADER, SUFFIX, refuse_near

SHARED = "defaults.toml"
"""The file of a folder whose `[defaults]` hold for the others too."""
INSTEAD = "name a fleet file, or a folder of them"


@dataclass(frozen=True)
class FleetFile:
    """What the fleet file at `path` holds; `lines` has those of its databases, by their names.

    `shared` are the defaults of the folder that it lies in.
    """

    path: Path
    lines: Mapping[str, int]
    defaults: Written | None = None
    databases: Mapping[str, Written] = field(default_factory=dict)
    discover: Sequence[Written] = ()
    run: Written | None = None
    shared: Written | None = None

    def where(self, name: str) -> str:
        """Where the database `name` stands: `fleet.toml, line 12`."""
        line = self.lines.get(name) or line_of(self.databases[name].place.text, ("databases", name))
        return f"{self.path}, line {line}"


def read_files(path: Path) -> list[FleetFile]:
    """The fleet file at `path`, or those of the folder, in the order of their names.

    UsageError where there is none, where one is wrong, or where two contradict each other.
    """
    if not path.is_dir():
        return [read_file(path)]
    found = [read_file(each) for each in files_in(path)]
    if not found:
        raise UsageError(f"the folder {path} holds no *.toml; {INSTEAD}")
    shared = next((each.defaults for each in found if each.path.name == SHARED), None)
    refuse_clashes(found)
    return [
        FleetFile(**vars(each) | {"shared": None if each.path.name == SHARED else shared})
        for each in found
    ]


def files_in(folder: Path) -> list[Path]:
    """The fleet files in `folder`, by name, a link that leads nowhere among them.

    Hidden files are what editors and file systems leave. UsageError where it cannot be read, or
    where something is called nearly like one.
    """
    try:
        names = sorted(each.name for each in folder.iterdir() if not each.name.startswith("."))
    except OSError as error:
        raise UsageError(f"the folder {folder}: {why_closed(folder, error)}; {INSTEAD}") from None
    refuse_near(folder, names)
    paths = [folder / each for each in names if each.endswith(SUFFIX)]
    return [each for each in paths if not each.is_dir()]


def read_file(path: Path) -> FleetFile:
    """The fleet file at `path`; any error is a `UsageError` with its place."""
    _, text, raw = read_toml(path, KIND, INSTEAD)
    found = FLEET.read(Place(path, text, kind=KIND), raw)
    return FleetFile(path, dict(lines_in(text)), **found)


def lines_in(text: str) -> Iterator[tuple[str, int]]:
    """Databases that have a header of their own, and its line; all at once, as there may be many.

    The others stand in one with more, which `line_of` finds.
    """
    for number, line in enumerate(text.split("\n"), 1):
        if HEADER.match(line):
            for name in names_in(line):
                yield name, number


def names_in(header: str) -> list[str]:
    """The database that a `header` is of, `[databases.shop]`; none of a table within one."""
    try:
        found: Any = tomllib.loads(header).get("databases")
    except tomllib.TOMLDecodeError:
        return []
    return [name for name, value in found.items() if not value] if isinstance(found, dict) else []


def refuse_clashes(files: Sequence[FleetFile]) -> None:
    """Refuse what stands in two files of a folder, and can only be once."""
    seen: dict[str, FleetFile] = {}
    for each in files:
        for name in each.databases:
            if other := seen.get(name):
                where = other.where(name)
                raise each.databases[name].place.error(f"a database of that name is in {where}")
            seen[name] = each
    runs = [each.run.place for each in files if each.run]
    if len(runs) > 1:
        raise runs[1].error(f"stands in {runs[0].path} too; one holds for the whole folder")
