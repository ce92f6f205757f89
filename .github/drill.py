#!/usr/bin/env python3
"""The steps of action.yml: `drill.py run` drills, `drill.py outcome` sets the action's outputs.

From the environment: GIVEN_NAME (an input, which stands in for the variable NAME where it is not
empty), GIVEN_ARGS (arguments as in a shell), DRILL_REPORT_DIR, and all variables of the drill.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path

VERDICTS = ("passed", "sample", "incomplete", "failed", "could-not-run")
GIVEN = "GIVEN_"
OURS = ("BACKUP_PATH", "DATABASE_URL", "REDIS_URL")


def settings() -> dict[str, str]:
    """Environment of the drill: what is not configured arrives empty, and is unset instead."""
    found = {name: value for name, value in os.environ.items() if not name.startswith(GIVEN)}
    for name, value in os.environ.items():
        if name.startswith(GIVEN) and value:
            found[name.removeprefix(GIVEN)] = value
    found.pop("ARGS", None)
    return {
        name: value
        for name, value in found.items()
        if value or not (name in OURS or name.startswith("DRILL_"))
    }


def run() -> None:
    """Become the drill: signals and the exit code are its own."""
    try:
        arguments = shlex.split(os.environ.get("GIVEN_ARGS", ""))
    except ValueError as error:
        sys.stderr.write(f"::error::args cannot be split as in a shell: {error}\n")
        sys.exit(4)
    os.execvpe("restore-drill", ["restore-drill", "drill", *arguments], settings())  # noqa: S606


def outcome() -> None:
    """Set the outputs; without a result nothing is known, so that the drill could not run."""
    folder = Path(os.environ["DRILL_REPORT_DIR"])
    try:
        verdict = json.loads((folder / "result.json").read_text(encoding="utf-8"))["verdict"]
    except (OSError, ValueError, KeyError, TypeError):
        verdict = None
    page = folder / "report.html"
    lines = [
        f"verdict={verdict if verdict in VERDICTS else 'could-not-run'}",
        f"report={page if page.is_file() else ''}",
    ]
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    {"run": run, "outcome": outcome}[sys.argv[1]]()
