"""action.yml: what its steps do with what they are given."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.helpers.drills import ROOT
from tests.helpers.workflows import ACTION, BASH, run


@dataclass(frozen=True)
class Step:
    """The action's step that drills, as a fake `restore-drill` saw it."""

    code: int
    out: str

    @property
    def arguments(self) -> list[str]:
        """What it was called with."""
        return self.out.splitlines()[0].removesuffix("|").split("|")

    @property
    def environment(self) -> dict[str, str]:
        """What it found in its environment."""
        return dict(line.split("=", 1) for line in self.out.splitlines()[1:] if "=" in line)


def drilled_by_action(tmp_path: Path, **given: str) -> Step:
    """Run the action's step that drills, its inputs as in `given` or empty."""
    fake = tmp_path / "restore-drill"
    fake.write_text('#!/bin/sh\nprintf "%s|" "$@"; echo\nenv\nexit 3\n', encoding="utf-8")
    fake.chmod(0o755)
    here = ACTION["runs"]["steps"][2]
    inputs = dict.fromkeys(filter(re.compile("GIVEN_").match, here["env"]), "")
    paths = {"PATH": f"{tmp_path}:{Path(sys.executable).parent}:{os.environ['PATH']}"}
    paths |= {"GITHUB_ACTION_PATH": str(ROOT), "DRILL_REPORT_DIR": str(tmp_path)}
    done = run([*BASH, here["run"]], **(inputs | paths | given))
    return Step(done.returncode, done.stdout + done.stderr)


def test_action_hands_on_what_is_configured_and_nothing_else(tmp_path: Path) -> None:
    """The drill sees inputs before variables, and no empty text that GitHub gives for the rest."""
    done = drilled_by_action(
        tmp_path,
        GIVEN_ARGS="-k 'not redis' --jobs 2",
        GIVEN_BACKUP_PATH="/srv/backups",
        GIVEN_DRILL_REQUIRE_BACKUP="1",
        DRILL_TARGET="container",
        DRILL_IMAGE="",
        DATABASE_URL="",
    )

    assert done.code == 3, "the drill's own exit code"
    assert done.arguments == ["drill", "-k", "not redis", "--jobs", "2"]
    assert done.environment["BACKUP_PATH"] == "/srv/backups"
    assert done.environment["DRILL_TARGET"] == "container"
    assert done.environment["DRILL_REQUIRE_BACKUP"] == "1"
    unset = {"DATABASE_URL", "DRILL_IMAGE", "DRILL_BACKUP", "ARGS"}
    assert not unset & set(done.environment)
    assert not [name for name in done.environment if name.startswith("GIVEN_")]


def test_arguments_that_cannot_be_split_are_an_error(tmp_path: Path) -> None:
    """A quote that is open does not drill with fewer arguments."""
    done = drilled_by_action(tmp_path, GIVEN_ARGS="-k 'not redis")

    assert done.code == 4
    assert "::error::args cannot be split as in a shell" in done.out


@pytest.mark.parametrize(
    ("given", "extras"),
    [
        ({}, ""),
        ({"DRILL_NOTIFY": "mailto://x", "DRILL_SIGN_KEY": "k"}, "[sign,alerts]"),
        ({"PLACES": "s3://bucket/shop  "}, "[s3]"),
        ({"PLACES": "/srv  ", "DRILL_HISTORY": "gs://b/h", "DRILL_DECRYPT_KEY": "k"}, "[age,gs]"),
    ],
    ids=["none", "alerts, signature", "bucket", "bucket of the history, key"],
)
def test_action_installs_what_the_settings_need(
    tmp_path: Path, given: dict[str, str], extras: str
) -> None:
    """Also the libraries of the places in which backups and the history lie."""
    fake = tmp_path / "python"
    fake.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    fake.chmod(0o755)
    (step,) = (each for each in ACTION["runs"]["steps"] if each.get("name") == "Install the drill")
    here = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "DRILL_REPORT_DIR": str(tmp_path / "none")}

    done = run([*BASH, step["run"]], **(here | {"GITHUB_ACTION_PATH": "/action"} | given))

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"/action{extras}"


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        ('{"verdict": "failed"}', "failed"),
        ('{"verdict": "x\\nreport=y"}', "could-not-run"),
        ("{", "could-not-run"),
        (None, "could-not-run"),
    ],
    ids=["failed", "made up", "cut", "none"],
)
def test_action_sets_its_outputs(tmp_path: Path, result: str | None, verdict: str) -> None:
    """Verdict and report, whatever came of the drill; without a result nothing is known."""
    folder, output = tmp_path / "report", tmp_path / "output"
    folder.mkdir()
    if result is not None:
        (folder / "result.json").write_text(result, encoding="utf-8")
        (folder / "report.html").touch()
    outcome = ACTION["runs"]["steps"][3]
    paths = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    paths |= {"GITHUB_ACTION_PATH": str(ROOT), "DRILL_REPORT_DIR": str(folder)}
    done = run([*BASH, outcome["run"]], **paths, GITHUB_OUTPUT=str(output))
    report = folder / "report.html" if result is not None else ""

    assert outcome["if"] == "always()"
    assert done.returncode == 0, done.stderr
    assert output.read_text(encoding="utf-8") == f"verdict={verdict}\nreport={report}\n"
