"""A release: its tag is the version, its notes are the changelog's, its wheel was tested."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.drills import ROOT
from tests.helpers.workflows import GITHUB, RELEASE, TESTS, step

CHANGES = """\
# Changelog

## [Unreleased]

- Later.

## [1.2.0] - 2026-12-01

### Added

- This.

## [1.1.0] - 2026-11-01

- Before.
"""


def released(
    folder: Path, tag: str, version: str, changes: str
) -> subprocess.CompletedProcess[str]:
    """What release.py makes of `tag` in a repository of that `version` and those `changes`."""
    (folder / ".github").mkdir()
    shutil.copy(GITHUB / "release.py", folder / ".github")
    package = folder / "src" / "restore_drill"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f'__version__ = "{version}"\n', encoding="utf-8")
    (folder / "CHANGELOG.md").write_text(changes, encoding="utf-8")
    return subprocess.run(
        [sys.executable, str(folder / ".github" / "release.py"), tag],
        check=False,
        capture_output=True,
        text=True,
    )


def test_notes_are_the_changelogs(tmp_path: Path) -> None:
    """The part under the version's heading, and nothing of other versions."""
    done = released(tmp_path, "v1.2.0", "1.2.0", CHANGES)

    assert done.returncode == 0, done.stderr
    assert done.stdout == "### Added\n\n- This.\n"


@pytest.mark.parametrize(
    ("tag", "version", "changes", "why"),
    [
        ("v1.2.0", "1.2.1", CHANGES, "the tag is v1.2.0, but the version in"),
        ("1.2.0", "1.2.0", CHANGES, "the tag is 1.2.0, but the version in"),
        ("v1.3.0", "1.3.0", CHANGES, "no heading `## [1.3.0] - YYYY-MM-DD`"),
        ("v1.2.0", "1.2.0", CHANGES.replace("1.2.0] - ", "1.2.0] "), "no heading"),
        ("v1.1.0", "1.1.0", CHANGES.replace("- Before.\n", ""), "no entry under 1.1.0"),
    ],
    ids=["version", "no v", "missing", "undated", "empty"],
)
def test_tag_that_does_not_fit_is_not_released(
    tmp_path: Path, tag: str, version: str, changes: str, why: str
) -> None:
    """Tag, version and changelog must agree before anything is built."""
    done = released(tmp_path, tag, version, changes)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("::error title=Not released::") and why in done.stderr


def test_what_is_published_is_what_was_tested() -> None:
    """One job builds, checks and tests; the others take its files and check nothing out."""
    jobs = RELEASE["jobs"]
    steps = jobs["build"]["steps"]
    names = [each.get("name", each.get("uses", each.get("run"))) for each in steps]

    assert RELEASE["on"] == {"push": {"tags": ["v*.*.*"]}}
    assert names.index("Compare the tag with the version and the changelog") < names.index("Build")
    assert names.index("Build") < names.index("Test the wheel")
    tested = step(steps, "Test the wheel")["run"]
    assert tested in step(TESTS["jobs"]["installed"]["steps"], "package's tests")["run"]
    assert jobs["publish"]["needs"] == "build" and jobs["publish"]["environment"] == "pypi"
    assert set(jobs["github"]["needs"]) == {"build", "publish"}
    for name in ("publish", "github"):
        uses = [each.get("uses", "").split("@")[0] for each in jobs[name]["steps"]]
        assert uses[0] == "actions/download-artifact" and "actions/checkout" not in uses


def test_changelog_has_a_place_for_what_is_new() -> None:
    """Its first heading is the unreleased one."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert next(line for line in text.splitlines() if line.startswith("## ")) == "## [Unreleased]"
