"""The reference: readable, without secrets, and the same on every major version."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from restore_drill.core.errors import UsageError
from restore_drill.drift.reference import read_reference, write_reference
from restore_drill.facts.schema.kinds import Expression
from restore_drill.facts.schema.labels import named
from restore_drill.servers.model import Target
from tests.corpus.drift import DriftLab
from tests.helpers.drifts import DROP_KEY, KEY, stamp
from tests.helpers.drills import Drill, python_m_drill
from tests.helpers.shop import pg_dump


@pytest.mark.parametrize("major", [14, 15, 17, 18])
def test_reference_agrees_between_majors(major: int, lab: DriftLab, tmp_path: Path) -> None:
    """A reference written of one major compares clean with the same schema on another one."""
    path = tmp_path / "reference.txt"
    write_reference(path, lab.facts)
    reference = read_reference(path)

    now = lab.facts if major == 15 else lab.on(major)
    found = lab.drift(now, was=reference.facts)

    assert found.failing == ()
    assert bool(found.not_compared) == ((major >= 16) or (major < 15))


def test_reference_is_readable_and_stable(lab: DriftLab, tmp_path: Path) -> None:
    """The file names each object on a line, without rows and secrets, and is read as written."""
    one, two = tmp_path / "one.txt", tmp_path / "two.txt"
    write_reference(one, lab.facts)
    write_reference(two, read_reference(one).facts)

    text = one.read_text()
    assert text == two.read_text()
    assert 'column "office.customers.email" {"type": "text", "not null": true}' in text
    assert "  body|    IF NEW.total > 1000000 THEN" in text
    assert "example.org" not in text and "a1b2c3" not in text


@pytest.mark.parametrize(
    "secret",
    [
        "PERFORM dblink_connect('host=a password=hunter2')",
        "x := 'postgresql://me:hunter2@db/shop'",
        "api_key := 'hunter2'",
        "ALTER USER me PASSWORD 'hunter2'",
    ],
)
def test_secrets_are_masked(secret: str) -> None:
    """What looks like a password in a function's body stands neither in state nor reference."""
    parts: list[Any] = ["f", Expression(""), "void", "plpgsql", secret, *[None] * 12]

    assert "hunter2" not in str(named("function", parts))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<<<<<<< HEAD\n", "line 4"),
        ('column "a" {\n', "line 4"),
        ("", ""),
        ('tablet "a" {}\n', "line 4"),
        ('order of the columns of "a" {"columns": 5}\n', "line 4"),
    ],
)
def test_broken_reference_is_a_usage_error(text: str, words: str, tmp_path: Path) -> None:
    """A merge conflict or a typo in the reference is reported with its line."""
    path = tmp_path / "reference.txt"
    path.write_text(f'# x\nabout "format" 1\nabout "postgresql" 15\n{text}')
    if not words:
        assert read_reference(path).facts.objects == {}
        return
    with pytest.raises(UsageError, match=words):
        read_reference(path)


def test_reference_holds_where_no_drill_has_passed(
    drilled: Callable[..., Drill], source: Target, tmp_path: Path
) -> None:
    """`drill reference` writes the file, and a later drill is held to it."""
    path = tmp_path / "reference.txt"
    backup = pg_dump(source, tmp_path / f"backup_{stamp(50)}.dump", "-Fc")
    written = python_m_drill(
        "reference", f"--output={path}", f"--backup={backup}", report_dir=tmp_path / "reference"
    )
    found = drilled(f"--reference={path}", script=DROP_KEY)

    assert written.code == 0, written.output
    assert f"written: {path}; commit it" in written.output
    assert set(found.failed) == {"test_nothing_was_lost"}, found.output
    assert "the reference reference.txt" in found.failed["test_nothing_was_lost"]
    assert KEY in found.failed["test_nothing_was_lost"]
