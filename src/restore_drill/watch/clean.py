"""`restore-drill clean`: remove what drills that were killed have left."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from pathlib import Path

import psycopg

from restore_drill.config.environment import read_environment
from restore_drill.config.settings import settings_here
from restore_drill.config.values import checked_database_url
from restore_drill.core.errors import EXIT_COULD_NOT_RUN, CouldNotRun, UsageError
from restore_drill.core.printable import printable
from restore_drill.keep.kept import end_kept, kept_elsewhere
from restore_drill.live.absent import open_live_at
from restore_drill.live.in_place.journal import KIND
from restore_drill.live.in_place.left import settle
from restore_drill.live.in_place.mark import mark_on
from restore_drill.live.in_place.shut import in_place
from restore_drill.live.left_overs import NOT_OURS, drop_left_overs
from restore_drill.live.promote.interrupted import settle_interrupted
from restore_drill.live.server.journal_file import paths_of
from restore_drill.redis.folders import clean_left_over_redis
from restore_drill.selection.left_mirrors import clean_left_mirrors
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.cleanup import clean_left_overs
from restore_drill.servers.containers import clean_left_over_containers
from restore_drill.servers.database import conninfo_of, open_database


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has no options."""
    del parser


def run(parsed: argparse.Namespace, root: Path) -> int:
    """Remove only what carries a drill's name and is dead, or was kept to be looked into.

    EXIT_COULD_NOT_RUN where something of a drill is left, or a live database could not be checked;
    a machine without a container engine has no containers.
    """
    del parsed
    ended, lines = end_kept()
    is_left = bool(lines)
    lines += kept_elsewhere("clean")
    cleaned = [*ended, *clean_left_overs(), *clean_left_over_redis()]
    cleaned += clean_left_mirrors()
    looks = {
        "swaps": settle_swaps, "resets in place": open_shut, "databases": clean_databases,
    }  # fmt: skip
    for what, look in looks.items():
        try:
            done, kept = look(root)
            cleaned += done
            lines += kept
            is_left |= any(NOT_OURS not in line for line in kept)
        except (CouldNotRun, UsageError) as error:
            lines += f"{what} were not cleaned: {error}".splitlines()
            is_left = True
    try:
        cleaned += clean_left_over_containers()
    except CouldNotRun as error:
        lines.append(f"containers were not checked: {error.what}")
    nothing = "nothing to clean up" + (" in what was checked" if lines else "")
    lines += [*cleaned, f"{len(cleaned)} cleaned"] if cleaned else [] if is_left else [nothing]
    lines += ["not everything could be cleaned up: see above"] if is_left else []
    sys.stdout.write("\n".join(map(printable, lines)) + "\n")
    return EXIT_COULD_NOT_RUN if is_left else 0


def journals_here(root: Path) -> tuple[Path, str] | None:
    """Folder of the journals, and DATABASE_URL; None where one of the two is not set."""
    if not read_environment(Path.cwd(), root).get("DATABASE_URL"):
        return None
    settings = settings_here({"target": "database"}, root)
    if settings.is_sample or settings.database_url is None:
        return None
    return settings.snapshots_folder, settings.database_url


def settle_swaps(root: Path) -> tuple[list[str], list[str]]:
    """Note the end of swaps that were interrupted. Raises CouldNotRun and UsageError."""
    here = journals_here(root)
    return (settle_interrupted(*here, no_tools) if here else []), []


def open_shut(root: Path) -> tuple[list[str], list[str]]:
    """Let others write again into a live database that a killed drill has shut.

    Raises UsageError, and CouldNotRun, with the command that rolls back, where it was reset.
    """
    here = journals_here(root)
    if here is None:
        return [], []
    if not paths_of(here[0], KIND, conninfo_of(here[1])["dbname"], "") and not is_marked(here[1]):
        return [], []
    with in_place(open_database(here[1], no_tools), here[0], 0.0) as place:
        return settle(place), []


def is_marked(url: str) -> bool:
    """Whether a drill, of whatever machine, has shut the database at `url`; False if unknown."""
    with suppress(CouldNotRun, psycopg.Error):
        return mark_on(open_database(url, no_tools)) is not None
    return False


def clean_databases(root: Path) -> tuple[list[str], list[str]]:
    """Drop what drills have left beside the database in DATABASE_URL, where that is set.

    Raises CouldNotRun and UsageError.
    """
    url = read_environment(Path.cwd(), root).get("DATABASE_URL")
    if not url:
        return [], []
    url = checked_database_url(url)
    return drop_left_overs(open_live_at(url, no_tools))


def no_tools(major: int) -> Binaries:
    """Stands for the client tools of a server where none of them is run."""
    return Binaries(Path(), (major, 0), "not needed")
