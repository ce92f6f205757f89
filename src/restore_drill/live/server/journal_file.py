"""Files of journals: named by server, database and time, written whole, read with a checksum."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from restore_drill.core.access import cannot_read
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.json_values import text
from restore_drill.core.remedies import remedy_for
from restore_drill.live.server.identity import UNKNOWN
from restore_drill.manifest.file import reason, write_text
from restore_drill.manifest.staging import sync

T = TypeVar("T")
SCHEMA = 1
PART = ".part"
"""What the name of a journal ends with while it is being written."""
TIME = "%Y%m%d_%H%M%S"


def path_of(folder: Path, kind: str, system: str, name: str, begun_at: str) -> Path:
    """`KIND_SERVER_NAME_TIME.json` in `folder`."""
    when = datetime.fromisoformat(begun_at).strftime(TIME)
    return folder / f"{kind}_{system or UNKNOWN}_{quote(name, safe='')}_{when}.json"


def paths_of(folder: Path, kind: str, name: str, system: str) -> list[Path]:
    """Files `KIND_SERVER_NAME_TIME.json` in `folder` of that database, the oldest first."""
    return files_of(folder, kind, name, system, "")


def unfinished(folder: Path, kind: str, name: str) -> list[Path]:
    """Those that a kill kept from being written to their end.

    Nothing was done by them yet: what comes before is in the journal without that ending.
    """
    return files_of(folder, kind, name, "", PART)


def files_of(folder: Path, kind: str, name: str, system: str, ending: str) -> list[Path]:
    """Files of journals whose names have that `ending` too."""
    of = rf"{kind}_({re.escape(system)}|{UNKNOWN})" if system else rf"{kind}_[^_]+"
    of += rf"_{re.escape(quote(name, safe=''))}_\d{{8}}_\d{{6}}\.json"
    fits = re.compile(of + re.escape(ending))
    return [path for path in sorted(folder.glob(f"{kind}_*")) if fits.fullmatch(path.name)]


def see_written(path: Path, content: str) -> None:
    """See the whole `content` at `path` on the disk; CouldNotRun where that is not possible."""
    part = path.with_name(path.name + PART)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        write_text(part, content)
        part.replace(path)
        sync(path.parent)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise CouldNotRun(
            f"the journal {path} cannot be written: {error.strerror}",
            remedy=remedy_for("promote", "unwritable"),
        ) from None


def sealed(values: dict[str, Any]) -> str:
    """`values` as JSON, with the schema and a checksum."""
    values = {"schema": SCHEMA, **values}
    return json.dumps({**values, "sha256": digest(values)}, indent=1) + "\n"


def digest(values: dict[str, Any]) -> str:
    """SHA-256 of `values`, whatever their order."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def read_sealed(path: Path, made_of: Callable[[dict[str, Any]], T], kind: str) -> T:
    """What `made_of` makes of the JSON at `path`; CouldNotRun where it is damaged or unreadable.

    What to do about a damaged one depends on its `kind`: `swap` or `reset`.
    """
    try:
        return made_of(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise cannot_read("the journal", path, error) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CouldNotRun(
            f"the journal {path.name} is damaged: {reason(error)}",
            checked=[str(path)],
            remedy=remedy_for("damaged_journal", kind, path=path),
        ) from None


def unsealed(raw: dict[str, Any], steps: Sequence[str]) -> dict[str, Any]:
    """Values in `raw`, whose checksum fits, and whose step is one of `steps`; else ValueError."""
    values = dict(raw)
    checksum = text(values.pop("sha256"))
    if values["schema"] != SCHEMA:
        raise ValueError(f"its schema is {values['schema']!r}")
    if checksum != digest(values):
        raise ValueError("its checksum does not match")
    if values["step"] not in steps:
        raise ValueError(f"its step is {values['step']!r}")
    return values
