"""What a restore writes otherwise is the same definition; nothing but a restore is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from restore_drill.facts.schema.all_kinds import KINDS
from restore_drill.facts.schema.kinds import Expression, Parts, read_parts, words_in
from restore_drill.facts.session import open_session
from restore_drill.servers.model import Target
from tests.helpers.manifests import restore
from tests.helpers.shop import Shops, fill_shop, majors, pg_dump, require_major

SCRIPT = Path(__file__).parent / "rewritten.sql"


def read(target: Target) -> dict[str, Parts]:
    """Definitions of `target`."""
    with open_session(target) as connection:
        return dict(read_parts(connection, KINDS, major=target.major, as_major=target.major))


@pytest.mark.parametrize("major", majors(14, 18))
def test_a_restore_changes_no_definition(major: int, shops: Shops, tmp_path: Path) -> None:
    """Of 240 expressions some 30 are written otherwise, and all are equal by their words."""
    require_major(major)
    source, copy = (shops.database(major, f"rewritten_{name}") for name in ("source", "copy"))
    fill_shop(source, SCRIPT.read_text(encoding="utf-8"))
    restore(copy, pg_dump(source, tmp_path / "dump.sql").read_bytes())

    was, now = read(source), read(copy)

    pairs = [
        (f"{kind} {name}", before, after)
        for kind, objects in was.items()
        for name, parts in objects.items()
        for before, after in zip(parts, now[kind][name], strict=True)
        if isinstance(before, Expression)
    ]
    assert len(pairs) > 200
    assert sum(before != after for _, before, after in pairs) > 20
    assert [name for name, one, two in pairs if words_in(one) != words_in(two)] == []
