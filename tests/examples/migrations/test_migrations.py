"""The restored database stands at the head of the migrations: `pytest drill/ PATH/OF/THIS/FILE`.

With Alembic at hand: `ScriptDirectory("migrations").get_heads()`. With Django's migrations:
`MigrationExecutor(connection).migration_plan(executor.loader.graph.leaf_nodes()) == []`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import psycopg
import pytest

VERSIONS = Path(__file__).parent / "versions"
LINE = r"^{} = \"(\w+)\""


def heads(folder: Path) -> set[str]:
    """Revisions in `folder` that no other one builds on."""
    texts = [path.read_text() for path in folder.glob("*.py")]
    found = {
        name: {hit for text in texts for hit in re.findall(LINE.format(name), text, re.MULTILINE)}
        for name in ("revision", "down_revision")
    }
    return found["revision"] - found["down_revision"]


@pytest.mark.reads_rows
def test_database_is_at_the_head(restored_connection: psycopg.Connection[Any]) -> None:
    """The code that runs today can run on this backup without a migration."""
    rows = restored_connection.execute("SELECT version_num FROM alembic_version").fetchall()
    at = {version for (version,) in rows}
    assert at == heads(VERSIONS), f"it is at {sorted(at)}, the code at {sorted(heads(VERSIONS))}"
