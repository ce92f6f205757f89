"""The workflows and the action as data, and how a runner runs their steps."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.helpers.drills import ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
"""How GitHub runs a step with `shell: bash`."""


@functools.cache
def load(path: Path) -> dict[str, Any]:
    """Parse a workflow."""
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(path)
    return found


WEEKLY = load(GITHUB / "workflows" / "restore-drill.yml")
DRILL = load(GITHUB / "workflows" / "drill.yml")
TESTS = load(GITHUB / "workflows" / "tests.yml")
RELEASE = load(GITHUB / "workflows" / "release.yml")
ACTION = load(ROOT / "action.yml")
INIT = ROOT / "src" / "restore_drill" / "start" / "templates" / "workflow.yml.txt"
"""The workflow that `restore-drill init` writes."""


def jobs() -> list[Any]:
    """Every job of every workflow as a parameter `path, name, job`."""
    return [
        pytest.param(path, name, job, id=f"{path.stem}-{name}")
        for path in WORKFLOWS
        for name, job in load(path)["jobs"].items()
    ]


def step(steps: list[dict[str, Any]], part: str) -> dict[str, Any]:
    """Find the one of `steps` whose name or command contains `part`."""
    (found,) = [each for each in steps if part in each.get("name", "") + each.get("run", "")]
    assert isinstance(found, dict)
    return found


def run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `command` in the repository and keep its output."""
    return subprocess.run(
        command,
        check=False,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def tool(name: str) -> str:
    """Path of a tool that was installed beside this Python."""
    return str(Path(sys.executable).parent / name)
