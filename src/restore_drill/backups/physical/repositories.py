"""Which repository of pgBackRest is meant, and how its own program is asked about it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from restore_drill.backups.physical.model import Physical
from restore_drill.config.criteria.pgbackrest import PgBackRest
from restore_drill.config.repositories import ITS_CONFIGS, repositories_in, root_of
from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import some

PROGRAM = "pgbackrest"
NO_CONFIG = "/dev/null"
"""A configuration that says nothing."""
INFO = ("backup.info", "backup.info.copy")

in_use: list[PgBackRest] = []
"""The repository that the criteria file names, if it names one."""


class Place(NamedTuple):
    """A stanza in a repository whose files lie at `root`; `named` if a criteria file names it."""

    root: Path
    stanza: str
    named: PgBackRest | None = None

    @property
    def backups(self) -> Path:
        """Folder of its backups."""
        return self.root / "backup" / self.stanza

    @property
    def archive(self) -> Path:
        """Folder of its WAL."""
        return self.root / "archive" / self.stanza


def use_pgbackrest(named: PgBackRest | None) -> None:
    """Ask pgBackRest with the configuration that is `named` from now on; None for none."""
    in_use[:] = [named] if named else []


def place_named(named: PgBackRest) -> Place:
    """The repository that the criteria file names; of one in a bucket, its path there."""
    return Place(root_of(named), named.stanza, named)


def place_of(physical: Physical) -> Place:
    """Where the set of a pgBackRest backup lies: ROOT/backup/STANZA/LABEL."""
    folder = physical.newest.path
    return Place(folder.parents[2], folder.parent.name)


def places_at(path: Path) -> list[Place]:
    """The stanzas of the repository at `path`, or the one in which `path` lies; none for others.

    `path` may be its root, its folder of backups or WAL, or that of a stanza or a backup set.
    """
    for root, tail in ((path, ()), *zip(path.parents, tails(path), strict=False)):
        if len(tail) > 4 or (tail and tail[0] not in ("backup", "archive")):
            continue
        stanzas = sorted(stanzas_in(root))
        if tail[1:]:
            stanzas = [each for each in stanzas if each == tail[1]]
        if stanzas:
            return [Place(root, each) for each in stanzas]
    return []


def tails(path: Path) -> Iterator[tuple[str, ...]]:
    """What `path` has below each of its parents, the nearest first."""
    for number in range(1, len(path.parts)):
        yield path.parts[-number:]


def stanzas_in(root: Path) -> Iterator[str]:
    """Names of the stanzas of the repository at `root`."""
    with suppress(OSError):
        for folder in (root / "backup").iterdir():
            if any((folder / name).is_file() for name in INFO) and not is_barman(folder):
                yield folder.name


def is_barman(folder: Path) -> bool:
    """Whether backup.info in `folder` is Barman's, whose lines stand in no section."""
    with suppress(OSError), (folder / INFO[0]).open("rb") as file:
        return file.read(64).startswith((b"backup_label=", b"begin_"))
    return False


def label_in(path: Path, place: Place) -> str:
    """Label of the backup set whose folder `path` is, or lies in; empty for none."""
    is_below = path != place.backups and path.is_relative_to(place.backups)
    return path.relative_to(place.backups).parts[0] if is_below else ""


def the_place(places: list[Place], path: Path) -> Place:
    """The one stanza that is meant; UsageError where there are several at `path`."""
    named = [each for each in places if in_use and each.stanza == in_use[0].stanza]
    if len(named or places) == 1:
        return (named or places)[0]
    names = some([each.stanza for each in places], 8)
    raise UsageError(
        f"{path} is a pgBackRest repository of several stanzas ({names}): name one, "
        f"--backup={places[0].backups}"
    )


def access(place: Place, *, level: str = "warn") -> list[str]:
    """The program with the options by which it finds `place`: whatever it is asked comes behind.

    By the configuration that the criteria file names; else by pgBackRest's own, where that names
    this repository; else by its path alone. It prints messages of that `level`. CouldNotRun where
    there is no pgbackrest.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise CouldNotRun(
            "pgbackrest is not installed here, and nothing else reads its repositories",
            checked=[f"{PROGRAM} on the PATH"],
            remedy=remedy_for("physical", "no_pgbackrest"),
        )
    quiet = ["--log-level-file=off", f"--log-level-console={level}", "--no-log-timestamp"]
    return [program, *configured(place), f"--stanza={place.stanza}", *quiet]


def configured(place: Place) -> list[str]:
    """Options that name the configuration by which `place` is found."""
    named = place.named or next((each for each in in_use if each.stanza == place.stanza), None)
    if named is not None:
        given = [f"--config={named.config}"] if named.config else []
        return [*given, f"--repo={named.repo}"]
    for config in ITS_CONFIGS:
        for number, path in repositories_in(config):
            if path == place.root:
                return [f"--config={config}", f"--repo={number}"]
    return [f"--config={NO_CONFIG}", f"--repo1-path={place.root.absolute()}"]


def command_for(physical: Physical) -> list[str]:
    """As `access`, for the repository of a pgBackRest backup."""
    return access(place_of(physical))
