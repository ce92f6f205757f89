"""Redis servers and drills of the Redis stage."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fixtures.run import steps_of
from restore_drill.config.settings import settings_from
from restore_drill.core.record import Record
from restore_drill.redis.stage import run_stage
from tests.helpers.redis_servers import (
    BINARIES,
    CONFTEST,
    INI,
    ROOT,
    Drill,
    Look,
    Looked,
    Redis,
    Run,
    Serve,
    running,
)
from tests.helpers.warm import run_module


@pytest.fixture
def drill(tmp_path: Path) -> Drill:
    """Run drill/test_redis.py from a scratch project that loads only the Redis stage."""
    (tmp_path / "drill").mkdir()
    for name in ("test_redis.py", "criteria.toml", "sample.toml"):
        shutil.copy(ROOT / "drill" / name, tmp_path / "drill" / name)
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "pytest.ini").write_text(INI)
    unset = ("REDIS_URL", "BACKUP_PATH", "DATABASE_URL")
    clean = {key: value for key, value in os.environ.items() if key not in unset}
    clean = {key: value for key, value in clean.items() if not key.startswith(("DRILL_", "PYTEST"))}

    def run(*arguments: str, **environment: str) -> Run:
        """Drill with these arguments and variables."""
        done = run_module(
            ["pytest", "drill/", "-rfE", *arguments],
            cwd=tmp_path,
            env=clean
            | {
                "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}",
                "PYTHONIOENCODING": "utf-8",
                "COLUMNS": "400",
            }
            | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
            | environment,
            timeout=60,
        )
        path = tmp_path / "record.json"
        record = json.loads(path.read_text()) if path.exists() else {}
        return Run(done.returncode, done.stdout + done.stderr, record)

    return run


@pytest.fixture
def look(pytestconfig: pytest.Config, tmp_path: Path) -> Iterator[Look]:
    """Run the stage in this process, with these settings changed; it is undone afterwards."""
    with ExitStack() as stack:

        def run(redis_url: str | None = None, **changed: Any) -> Looked:
            """Run the stage against `redis_url`."""
            settings = settings_from({}, here=tmp_path, root=ROOT)
            settings = replace(settings, redis_url=redis_url, **changed)
            record = Record()
            own = stack.enter_context(ExitStack())
            stage = run_stage(settings, record, steps_of(pytestconfig), own)
            return Looked(stage, record, own.close)

        yield run


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start Redis servers of the test's own; all of them are gone afterwards."""
    with ExitStack() as stack:

        def start(
            *options: str, binary: str = BINARIES[0], password: str = "", **how: Any
        ) -> Redis:
            """Start one with these options, loaded and ready unless `ready=False`."""
            return stack.enter_context(running(binary, options, password, **how))

        yield start


@pytest.fixture
def short() -> Iterator[Path]:
    """Make a directory for temporary files whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="rd-") as name:
        yield Path(name)
