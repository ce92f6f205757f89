"""Where the backups of a database lie, as the fleet file names it: a folder, a file, or a URL."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from restore_drill.config.criteria.kinds import Text
from restore_drill.config.criteria.place import Place
from restore_drill.config.options import OPTIONS, VARIABLES
from restore_drill.config.place_kinds import KINDS
from restore_drill.config.remote import place_given
from restore_drill.config.values import path_of
from restore_drill.core.errors import UsageError
from restore_drill.fleet.inventory.templates import (
    BY_REFERENCE,
    REFERENCE,
    refuse_password,
    template_at,
)

SOURCE = "source"
"""Key of a place whose backups are listed."""
FOLDER, FILE = "backup_path", "backup"
"""Settings of the drill that name a place of backups, and a backup."""


@dataclass(frozen=True)
class Backups(Text):
    """A place of backups, or with `setting` = FILE one backup; written out, or by reference."""

    setting: str = FOLDER

    def read(self, place: Place, value: Any) -> Any:
        """The template of its text; what is wrong with one that is written out is said."""
        text = super().read(place, value)
        refuse_password(place, text)
        template = template_at(place, text)
        scheme, is_url, rest = text.partition("://")
        if is_url and "?" in rest and scheme.lower() in KINDS and KINDS[scheme.lower()].is_link:
            raise place.error(f"{place.name} holds parameters (not shown); {BY_REFERENCE}")
        if not REFERENCE.search(text):
            in_full(place, text, self.setting)
        return template


class Source(Backups):
    """A place whose backups are listed."""

    def read(self, place: Place, value: Any) -> Any:
        """Its template."""
        template = super().read(place, value)
        refuse_link(place, template.text)
        return template


def refuse_link(place: Place, text: str) -> None:
    """Refuse the URL of a file on a web server, in the place of one that gives a list."""
    scheme, is_url, _ = text.partition("://")
    if is_url and scheme.lower() in KINDS and KINDS[scheme.lower()].is_link:
        what = "is on a web server, which gives no list of its files"
        raise place.error(f"{place.name} {what}; name each one as backup of a database")


def in_full(place: Place, text: str, setting: str) -> str:
    """The place or backup that `text` names: its URL, or its whole path.

    A relative path counts from the fleet file. UsageError at `place` where it can be none.
    """
    try:
        found = counted_from(place.path.resolve().parent, text, setting)
    except UsageError as error:
        raise place.error(f"{place.name}{behind_the_setting(str(error), setting)}") from None
    if "://" not in found and place.name != SOURCE:
        refuse_other_kind(place, Path(found), text, setting)
    return found


def refuse_other_kind(place: Place, path: Path, text: str, setting: str) -> None:
    """Refuse a file in the place of a folder, and a folder of backups in that of one of them.

    What is not here now may be there when it is drilled, or on a worker.
    """
    shown = json.dumps(text, ensure_ascii=False)
    if setting == FOLDER and os.path.isfile(path):  # noqa: PTH113 - raises nothing
        what = f"is a file; for a single backup write backup = {shown}"
    elif setting == FILE and os.path.isdir(path) and holds_backups(path):  # noqa: PTH112 - likewise
        what = f"is a folder, and no backup itself; for a folder of backups write backups = {shown}"
    else:
        return
    raise place.error(f"{place.name} names {path}, which {what}")


def holds_backups(folder: Path) -> bool:
    """Whether `folder` is none of the backups that are folders."""
    # Loaded here: it brings all that reads backups.
    from restore_drill.selection.select import is_plain_folder  # noqa: PLC0415

    return is_plain_folder(folder)


def counted_from(folder: Path, text: str, setting: str) -> str:
    """As `in_full`, of a relative path that counts from `folder`; UsageError."""
    given: dict[str, str | None] = {setting: text}
    found = place_given(text, setting, is_file=setting == FILE)
    if found is None:
        return str(path_of(given, setting, folder))
    there, last = found
    return there.link or (there.url + last).rstrip("/")


def behind_the_setting(message: str, setting: str) -> str:
    """What an error says of `setting`, without the names that it has for a drill alone."""
    option = OPTIONS.get(setting)
    names = f"{option.flag} ({option.variable})" if option else VARIABLES[setting]
    return message.removeprefix(names)
