"""The command `restore-drill`: hands over to `fixtures.commands`, which pytest's side brings."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import NoReturn

from restore_drill.core.calling import SUITE


def main() -> NoReturn:
    """Carry out the command line, and exit."""
    sys.path.insert(0, str(SUITE))
    streams = import_module("fixtures.streams")
    streams.open_missing()  # before anything else is opened
    streams.keep_on()
    sys.exit(import_module("fixtures.commands").main(sys.argv[1:]))
