"""Runs real drills in a process of their own, and reads what they leave behind."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from tests.helpers.result_schema import checked
from tests.helpers.warm import run_module

ROOT = Path(__file__).resolve().parents[2]

CLEARED = ("BACKUP_PATH", "DATABASE_URL", "REDIS_URL", "GITHUB_STEP_SUMMARY", "PYTHONUNBUFFERED")


@dataclass(frozen=True)
class Drill:
    """What one drill came to."""

    code: int
    output: str
    report_dir: Path

    @property
    def result(self) -> dict[str, Any]:
        """Its result.json."""
        loaded: dict[str, Any] = json.loads((self.report_dir / "result.json").read_text())
        return checked(loaded)

    @property
    def verdict(self) -> str:
        """Its verdict."""
        return str(self.result["verdict"])

    @property
    def failed(self) -> dict[str, str]:
        """Message of each failed criterion, by its name without the file."""
        return {
            check["id"].split("::")[-1]: check["message"]
            for check in self.result["checks"]
            if check["outcome"] == "failed"
        }

    @property
    def ran(self) -> set[str]:
        """Names of all criteria that passed or failed."""
        return {
            check["id"].split("::")[-1]
            for check in self.result["checks"]
            if check["outcome"] in ("passed", "failed")
        }


def run_drill(*arguments: str, report_dir: Path, cwd: Path = ROOT, **environment: str) -> Drill:
    """Run `pytest drill/` with `arguments` in a clean environment plus `environment`."""
    command = ["pytest", str(ROOT / "drill")]
    return run(command, *arguments, report_dir=report_dir, cwd=cwd, environment=environment)


def python_m_drill(name: str, *arguments: str, report_dir: Path, **environment: str) -> Drill:
    """Run the command `name` of `python -m drill`, which drills, likewise."""
    command = ["drill", name]
    return run(command, *arguments, report_dir=report_dir, cwd=ROOT, environment=environment)


def command(name: str, *arguments: str, **environment: str) -> CompletedProcess[str]:
    """Run the command `name` of `python -m drill` in a clean environment plus `environment`."""
    return run_module(
        ["drill", name, *arguments], cwd=ROOT, env=inherited() | environment, timeout=60
    )


def run_script(code: str, *arguments: str) -> CompletedProcess[str]:
    """Run Python code with `arguments` in a process of its own, as `python -c` does."""
    return run_module(
        ["tests.helpers.script", code, *arguments], cwd=ROOT, env=inherited(), timeout=60
    )


def inherited() -> dict[str, str]:
    """Environment without what configures a drill."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if key not in CLEARED and not key.startswith(("DRILL_", "PYTEST"))
    }
    return kept | {"PYTHONIOENCODING": "utf-8"}


def run(
    command: list[str], *arguments: str, report_dir: Path, cwd: Path, environment: dict[str, str]
) -> Drill:
    """Run a module of Python that drills."""
    done = run_module(
        [*command, f"--report-dir={report_dir}", "-p", "no:cacheprovider", *arguments],
        cwd=cwd,
        env=inherited() | {"XDG_STATE_HOME": str(report_dir.parent / "state")} | environment,
        timeout=180,
    )
    return Drill(done.returncode, done.stdout + done.stderr, report_dir)
