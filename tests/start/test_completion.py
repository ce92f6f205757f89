"""Completion offers the options of the command that stands there."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

import pytest

from restore_drill.start.completion import run


@pytest.mark.parametrize(
    ("words", "offered", "withheld"),
    [
        (["backup", "--f"], "--format", "--production-settings"),
        (["backup", "--o"], "--output-dir", "--jobs"),
        (["drill", "--max-r"], "--max-restore-time", "--format"),
        (["--max-r"], "--max-restore-time", "--format"),
        (["rollback", "--"], "--confirm-reset", "--max-restore-time"),
    ],
)
def test_each_command_has_its_own_options(
    words: list[str], offered: str, withheld: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The drill's are its own: `backup --f` gives `--format`."""
    run(argparse.Namespace(), Path())
    typed = " ".join(words)
    script = capsys.readouterr().out + (
        f"\nCOMP_WORDS=(restore-drill {typed}); COMP_CWORD={len(words)}; "
        '_restore_drill; echo "${COMPREPLY[@]}"'
    )

    done = subprocess.run(["bash", "-c", script], check=True, capture_output=True, text=True)

    assert offered in done.stdout.split()
    assert withheld not in done.stdout.split()
