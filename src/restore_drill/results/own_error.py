"""An error in the code of a criterion, in words: what, where, and what to do next; no row data.

A message of Python may quote whatever it is about (`KeyError: 'a name of a row'`), as an assertion
without a message shows both of its sides: only errors about the code itself are quoted.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

import psycopg

from restore_drill.core.errors import message
from restore_drill.core.own_exit import OwnExit
from restore_drill.core.printable import shown_path
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text

OF_CODE = (ImportError, NameError, AttributeError, TypeError, SyntaxError)
"""Errors whose messages name code, and no value of a row."""
ECHO = "assert "
"""So begins what pytest makes of an assertion without a message: with values on both sides."""


def own_error(error: BaseException, path: Path) -> str:
    """Message of `error`, which the criterion in the file at `path` has met.

    Empty where no line of that file has part in it: then it is an error of the drill itself.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return described(error, f"{shown_path(Path(error.filename))}:{error.lineno}", "", "")
    frames = traceback.extract_tb(error.__traceback__)
    found = [frame for frame in frames if frame.filename == str(path)]
    if not found:
        return ""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    return described(error, f"{shown_path(path)}:{found[-1].lineno}", found[-1].line or "", text)


def described(error: BaseException, place: str, line: str, text: str) -> str:
    """Message of `error` at `place`, whose source is `line`; `text` is that of the whole file."""
    cause = "other"
    what = type(error).__name__
    if isinstance(error, psycopg.errors.QueryCanceled):
        what, cause = "a statement was stopped: it took too long, or was cancelled", "timeout"
    elif isinstance(error, psycopg.Error):
        what, cause = error_text(error, own=text), "sql"
    elif isinstance(error, AssertionError):
        what, cause = "the assertion does not hold, and has no message", "assertion"
    elif isinstance(error, OwnExit):
        what = str(error)
    elif isinstance(error, OF_CODE):
        detail = error.msg if isinstance(error, SyntaxError) else str(error)
        what, cause = f"{what}: {detail}", "import" if isinstance(error, ImportError) else "code"
    return message(f"{place}: {what}", [line] if line else [], remedy_for("own_criterion", cause))


def unknown_fixture(name: str, known: Iterable[str], place: str) -> str:
    """Message that a criterion at `place` asks for the fixture `name`, which is not `known`."""
    near = get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return message(
        f"{place}: there is no fixture {name!r}{hint}", [], remedy_for("own_criterion", "fixture")
    )
