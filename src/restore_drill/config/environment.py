"""The environment of a run: its variables, completed from `.env` files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from restore_drill.core.access import why_closed
from restore_drill.core.errors import UsageError

ENVIRONMENT = "the environment"
NO_FILES = "RESTORE_DRILL_NO_ENV_FILES"
"""Set for a drill of a fleet: no `.env` of a machine chooses what it drills, and how strictly."""


class Layer(NamedTuple):
    """Variables that were set in one `place`: `the environment`, or a file."""

    place: str
    values: Mapping[str, str]


def layers_of(*folders: Path) -> list[Layer]:
    """Environment, then `.env` and `.env.txt` of `folders`; the first that has a variable wins.

    The environment alone, where it has NO_FILES.
    """
    named = () if os.environ.get(NO_FILES) else dict.fromkeys(folders)
    files = [folder / name for folder in named for name in (".env", ".env.txt")]
    read = [(path, values_in(path)) for path in files]
    return [Layer(ENVIRONMENT, dict(os.environ))] + [
        Layer(str(path), {key: value or "" for key, value in values.items()})
        for path, values in read
        if values
    ]


def merged(layers: Sequence[Layer]) -> dict[str, str]:
    """All variables of `layers`, the first one wins."""
    return {key: value for layer in reversed(layers) for key, value in layer.values.items()}


def read_environment(*folders: Path) -> Mapping[str, str]:
    """Environment, completed from `.env` and then `.env.txt` of `folders`, first one wins."""
    return merged(layers_of(*folders))


@contextmanager
def variables_set(environment: Mapping[str, str]) -> Iterator[None]:
    """For as long as it takes, the process has the variables of `environment`.

    The clients of buckets read their keys there, and nowhere else.
    """
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        yield
    finally:
        for name in environment:
            if name in before:
                os.environ[name] = before[name]
            else:
                os.environ.pop(name, None)


def values_in(path: Path) -> dict[str, str | None]:
    """Variables of an `.env` file, none where it is not there; UsageError where it cannot count.

    A line that python-dotenv cannot read it leaves out, and the drill would be of another backup.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return {}
    except OSError as error:
        why = why_closed(path, error)
        raise UsageError(f"{path} cannot be read: {why}; make it readable, or move it") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8 text; convert it, or move it") from None
    for line in parse_stream(StringIO(text)):
        if line.error:
            where = f"{path}, line {line.original.line}"
            raise UsageError(
                f"{where} is not NAME=VALUE (not shown: it may hold a password); check the quotes"
            )
    return dotenv_values(stream=StringIO(text))
