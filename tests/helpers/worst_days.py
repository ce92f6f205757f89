"""Follows a page of docs/worst-day word by word: runs its commands, and expects what it shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.helpers.drills import CLEARED, ROOT

FOLDER = ROOT / "docs" / "worst-day"
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
OPEN = {"…": ".*", "<time>": r"\d{8}_\d{6}"}
"""What stands in the pages for that which differs: docs/worst-day/README.md says so."""
SHIMS = {"restore-drill": "-m drill", "pytest": "-m pytest", "python": ""}
"""Commands of the pages that are those of this clone."""


class Step(NamedTuple):
    """A command of a page, and the lines that the page shows below it."""

    command: str
    shown: tuple[str, ...]


def steps_in(text: str) -> Iterator[Step]:
    """Commands in the code blocks of `text`, in their order."""
    for block in BLOCK.findall(text):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *shown = part.replace("\\\n", " ").splitlines()
            yield Step(command, tuple(line.strip() for line in shown if line.strip()))


def pattern_of(line: str) -> str:
    """Regular expression of a line that a page shows."""
    parts = re.split("(" + "|".join(map(re.escape, OPEN)) + ")", line)
    return "".join(OPEN.get(part, re.escape(part)) for part in parts)


@dataclass
class Page:
    """A page that is followed: `environment` is what its commands find, `folder` our own."""

    name: str
    folder: Path
    environment: dict[str, str]
    steps: list[Step] = field(default_factory=list)
    done: int = 0
    cwd: Path = ROOT

    def __post_init__(self) -> None:
        """Read it."""
        self.steps = list(steps_in((FOLDER / f"{self.name}.md").read_text(encoding="utf-8")))
        assert self.steps, self.name
        for name, arguments in SHIMS.items():
            shim = self.folder / "bin" / name
            shim.parent.mkdir(exist_ok=True, parents=True)
            shim.write_text(f'#!/bin/sh\nexec {sys.executable} {arguments} "$@"\n')
            shim.chmod(0o755)

    def follow(self, code: int = 0, names: Mapping[str, str] | None = None) -> str:
        """Run the next command, which ends with `code`, and see all that the page shows.

        `names` replaces names that stand for the user's own.
        """
        step, command = self.steps[self.done], self.command(names)
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.cwd, env=self.all_variables,
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        output = done.stdout + done.stderr
        assert done.returncode == code, f"{command}\n{output}"
        for line in step.shown:
            assert re.search(pattern_of(line), output), f"{command}: {line!r} is not in\n{output}"
        self.done += 1
        return output

    def command(self, names: Mapping[str, str] | None = None) -> str:
        """The next command."""
        found = self.steps[self.done].command
        for name, value in (names or {}).items():
            found = found.replace(name, value)
        return found

    def shown(self, language: str) -> str:
        """The code block of the page in `language`, such as a file to write."""
        text = (FOLDER / f"{self.name}.md").read_text(encoding="utf-8")
        found = re.search(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        assert found is not None
        return found[1]

    @property
    def backups(self) -> Path:
        """The folder in BACKUP_PATH."""
        return Path(self.environment["BACKUP_PATH"])

    @property
    def all_variables(self) -> dict[str, str]:
        """Environment of a command."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in CLEARED and not name.startswith(("DRILL_", "PYTEST", "PG"))
        }
        path = f"{self.folder / 'bin'}:{self.environment.get('PATH', '')}:{kept['PATH']}"
        own = {
            "PYTHONIOENCODING": "utf-8",
            "XDG_STATE_HOME": str(self.folder / "state"),
            "DRILL_REPORT_DIR": str(self.folder / "report"),
            "PYTEST_ADDOPTS": "-p no:cacheprovider",
        }
        return kept | own | self.environment | {"PATH": path}

    def is_at_its_end(self) -> bool:
        """Whether no command of the page is left."""
        return self.done == len(self.steps)
