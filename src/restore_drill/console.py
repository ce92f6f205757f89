"""The command `restore-drill`: hands over to `fixtures.commands`, which pytest's side brings."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import NoReturn

from restore_drill.core.calling import SUITE
from restore_drill.core.streams import keep_on, open_missing


def main() -> NoReturn:
    """Carry out the command line, and exit."""
    open_missing()  # before anything else is opened
    keep_on()
    sys.path.insert(0, str(SUITE))
    try:
        sys.exit(import_module("fixtures.commands").main(sys.argv[1:]))
    except KeyboardInterrupt:  # pytest has its own way to end, once it runs
        sys.stderr.write("\ninterrupted\n")
        sys.exit(2)
