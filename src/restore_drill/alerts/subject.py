"""What a message or an issue is about: a series of backups, where they lie."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from restore_drill.results.result import Result
from restore_drill.results.words import series_of_result
from restore_drill.selection.series import what_in

SAMPLE = "sample"
ANY = "*"
"""In place of a series: a drill that found no backup may have been of any."""
START, STATUS = "\0start", "\0status"
"""In place of a series: a drill that could not begin, and a status that cannot be known."""


@dataclass(frozen=True)
class Origin:
    """What is known of a drill beside its result.

    `folder` is BACKUP_PATH, `places` tell where its backups lie: by machine and folder, by the URL
    of a bucket, by the history beside them. `here` is the machine and folder that it is called in;
    `is_sample` says that none is named.
    """

    folder: Path | None = None
    places: tuple[str, ...] = ()
    here: str = ""
    is_sample: bool = False


@dataclass(frozen=True)
class Subject:
    """What is drilled, by its `name`.

    An issue about it holds all its `marks`, and is found by any; a pass closes those issues, and
    those with a mark of `closes`.
    """

    name: str
    marks: tuple[str, ...] = ()
    closes: tuple[str, ...] = ()


def mark_of(about: str, place: str) -> str:
    """A comment that an issue about `about` in `place` holds, and that nobody sees."""
    return comment(f"{about}\0{place}")


def comment(text: str) -> str:
    """A hidden comment that stands for `text`."""
    digest = hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
    return f"<!-- restore-drill {digest[:16]} -->"


def about_of(series: str) -> str:
    """What a drill of `series` is about: `db` of `/db`, but `/` where its name says nothing."""
    return series.strip("/") or series


def marks_of(about: str, places: Iterable[str]) -> tuple[str, ...]:
    """The marks of `about` in each of `places`."""
    return tuple(mark_of(about, place) for place in places)


def subject_of(result: Result, name: str, origin: Origin, *, has_begun: bool = True) -> Subject:
    """What the drill of `result` was about; `name` is what the user calls it, or empty.

    One that has not begun is about the folder it was called in: what it would have drilled is not
    known, since its very settings may be wrong. The next pass from there speaks for it.
    """
    backup = result["backup"] or {}
    title, start = title_of(result, name, origin.folder), mark_of(START, origin.here)
    if not has_begun:
        return Subject(title or origin.here, (start,))
    if result["sample"] or origin.is_sample:
        return Subject(SAMPLE, (mark_of(SAMPLE, origin.here),), (mark_of(SAMPLE, ""),))
    series, places = about_of(series_of_result(result) or ""), origin.places
    about, anything = series or ANY, ANY
    if not places:  # of a job that tells nothing but a name, or the path that it had
        about, anything = (title, name) if name else (about, ANY)
        places = ("" if name or not series else folder_of(backup),)
    if backup.get("picked"):  # of its own: neither opens nor closes what is about the newest
        return Subject(title, marks_of(f"{about}: {backup['name']}", places))
    nowhere = () if origin.places else ("",)
    closes = (*marks_of(anything, (*places, *nowhere)), start, mark_of(STATUS, origin.here))
    older = marks_of_older(name, series, backup, origin.folder) if series else ()
    return Subject(title, marks_of(about, places), (*closes, *older))


def title_of(result: Result, name: str, folder: Path | None) -> str:
    """How it is called: `db/shop`, the user's name for it, or `shop/*`; empty without any."""
    backup = result["backup"] or {}
    series = about_of(series_of_result(result) or "")
    if backup.get("picked"):
        return f"{name or series}: {backup['name']}"
    is_one_of_several = series and len(result.get("run_of") or ()) > 1
    if name:
        return f"{name}: {series}" if is_one_of_several else name
    return series or folder_name(folder)


def folder_of(backup: Mapping[str, Any]) -> str:
    """The folder of the `backup` of a result, empty without one."""
    return str(Path(backup["path"]).parent) if backup.get("path") else ""


def folder_name(folder: Path | None) -> str:
    """What stands for any series of the folder of the backups: `shop/*`; empty without one."""
    return f"{what_in(folder.name) or folder.name}/{ANY}" if folder else ""


def marks_of_older(
    name: str, series: str, backup: Mapping[str, Any], folder: Path | None
) -> tuple[str, ...]:
    """The marks of issues about this that versions without places have opened."""
    names = [name, f"{name}: {series}"] if name else [series, folder_name(folder) or ANY]
    at = "" if name else str(folder or folder_of(backup))
    return tuple(mark for each in names for mark in (mark_of(each, at), comment(each)))
