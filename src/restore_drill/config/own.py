"""Finds the drill folder of a user's own repository, which `restore-drill init` has written.

It holds a `criteria.toml` and a `conftest.py` that imports from this package. The folder of a clone
has its `conftest.py` one higher, and is none.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

NAME = "drill"
MARK = "restore_drill"
"""Stands in the `conftest.py` of such a folder, and in no other one."""
TOP = ".restore-drill-top"
"""A folder with such a file is the last one in which any is looked for: others own those above."""


def is_own_drill(folder: Path) -> bool:
    """Whether `folder` is the drill folder of a user's own repository."""
    try:
        text = (folder / "conftest.py").read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):  # ValueError: a test's id with a NUL is taken for a path
        return False
    return MARK in text and (folder / "criteria.toml").is_file()


def own_drill_around(path: Path) -> Path | None:
    """The own drill folder that is `path` or holds it."""
    return next(filter(is_own_drill, upwards(path)), None)


def own_drill_near(here: Path) -> Path | None:
    """The own drill folder for work in `here`: around it, or `drill/` in it or above."""
    below = next(filter(is_own_drill, (each / NAME for each in upwards(here))), None)
    return own_drill_around(here) or below


def upwards(path: Path) -> Iterator[Path]:
    """`path` and the folders around it, up to one that is marked as the TOP."""
    for folder in (path, *path.parents):
        yield folder
        if os.path.isfile(folder / TOP):  # noqa: PTH113 - raises nothing, as in `is_own_drill`
            return


def own_drill_among(arguments: Iterable[str], here: Path) -> Path | None:
    """The first own drill folder that one of pytest's `arguments` names, or a path in it."""
    return next(filter(None, map(own_drill_around, paths_of(arguments, here))), None)


def names(own: Path, arguments: Iterable[str], here: Path) -> bool:
    """Whether one of pytest's `arguments` names all of the folder `own`, and not a part of it."""
    return own in paths_of(arguments, here)


def paths_of(arguments: Iterable[str], here: Path) -> list[Path]:
    """Paths that pytest's `arguments` name.

    Without `..`, but links stay as they are: pytest goes by the names that it was given.
    """
    paths = [here / each.split("::", maxsplit=1)[0] for each in arguments]
    return [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100
