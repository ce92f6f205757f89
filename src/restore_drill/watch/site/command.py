"""`restore-drill dashboard`: a static site over one history or many."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path

from restore_drill.config.settings import settings_here
from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.core.printable import printable
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count
from restore_drill.watch.look import look_arguments, look_at_all, rules_of
from restore_drill.watch.site import OUT
from restore_drill.watch.site.pages import pages_of
from restore_drill.watch.site.view import SLUG_END


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    look_arguments(parser)
    out_argument(parser)


def out_argument(parser: argparse.ArgumentParser) -> None:
    """`--out`."""
    parser.add_argument(
        "--out", default=OUT, metavar="DIR", help=f"folder of the site [default: {OUT}]"
    )


def run(parsed: argparse.Namespace, root: Path) -> int:
    """Write the site; exit code 0 whatever it shows, 4 for a wrong call, 6 where it cannot."""
    settings, now = settings_here({}, root), datetime.now(UTC)
    rules = rules_of(parsed, settings)
    looks = look_at_all(parsed, settings, rules, now)
    folder = folder_of(parsed.out)
    write_site(folder, pages_of(looks, rules, now, folder))
    series = [each for look in looks for each in look.series]
    bad = sum(each.problem is not None for each in series)
    counted = show_count(len(series), "series", "series")
    text = f"{counted}, {bad or 'none'} with a problem: {folder / 'index.html'}"
    sys.stdout.write(printable(text) + "\n")
    return 0


def folder_of(given: str) -> Path:
    """The folder of --out. Raises UsageError."""
    folder = Path(given).expanduser().absolute()
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--out names {folder}, which is a file; name a folder")
    return folder


def write_site(folder: Path, pages: Mapping[str, str]) -> None:
    """Write `pages` into `folder`, and take away what is of none of them. Raises CouldNotRun."""
    try:
        write(folder, pages)
        remove_former(folder, pages)
    except OSError as error:
        raise CouldNotRun(
            f"the dashboard cannot be written: {error.strerror}",
            checked=[str(error.filename or folder)],
            remedy=remedy_for("dashboard", "unwritable"),
        ) from None


def write(folder: Path, pages: Mapping[str, str]) -> None:
    """Put each of `pages`, by its path below `folder`, in its place in one step; OSError."""
    for name, text in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            part.write_text(text, encoding="utf-8", errors="backslashreplace")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def remove_former(folder: Path, pages: Collection[str]) -> None:
    """Remove pages and badges of series that are none of `pages` any more; OSError.

    A badge somewhere else would go on showing how that series was when it was last written.
    """
    for path in (*folder.glob("series/*.html"), *folder.glob("badges/*.svg")):
        if SLUG_END.search(path.stem) and path.relative_to(folder).as_posix() not in pages:
            path.unlink(missing_ok=True)
