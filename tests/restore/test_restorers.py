"""A format is a module behind a protocol and a line in a registry; so is a target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from fixtures.target import THROWAWAY
from restore_drill.backups.converted import Converted
from restore_drill.backups.formats import FORMATS
from restore_drill.backups.model import Backup, Contents, Head
from restore_drill.backups.plain import PlainSql
from restore_drill.backups.read import read_contents, read_head
from restore_drill.checks.tables import table_records
from restore_drill.config.options import TARGETS
from restore_drill.restore.model import Restoration
from restore_drill.restore.restorers import RESTORERS, SqlRestorer, restorer_of
from restore_drill.selection.candidate import as_backup, look_at
from restore_drill.servers.model import Target
from tests.corpus.judge import facts_of, settings_with
from tests.helpers.shop import Shops, quiet

MARK = b"PACKED\n"


class Packed(PlainSql):
    """A format whose rows only a restore shows: SQL behind a mark."""

    def claims(self, path: Path, compression: str, head: bytes) -> bool:
        """Whether it begins with the mark."""
        del path, compression
        return head.startswith(MARK)

    def head(self, path: Path, compression: str) -> Head:
        """Nothing is known before."""
        del path, compression
        return Head(source_version="15.0")

    def contents(
        self,
        backup: Backup,
        folder: Path,
        report: Callable[[int], None],
        converted: Converted | None = None,
    ) -> Contents:
        """Its size alone."""
        del folder, converted
        report(backup.size)
        return Contents("", self.head(backup.path, ""), rows=None)


class PackedRestorer(SqlRestorer):
    """Unpacks it, and goes on as for SQL."""

    def restore(
        self,
        target: Target,
        backup: Backup,
        contents: Contents,
        jobs: int,
        progress: Callable[[str], None],
    ) -> Restoration:
        """Restore what stands behind the mark."""
        sql = backup.path.with_suffix(".sql")
        sql.write_bytes(backup.path.read_bytes().removeprefix(MARK))
        plain = replace(backup, path=sql, format="plain")
        return super().restore(target, plain, contents, jobs, progress)


def test_every_format_can_be_restored() -> None:
    """What is recognised as a backup is restored, and every target of the options starts."""
    assert FORMATS.keys() == RESTORERS.keys()
    assert {*THROWAWAY, "database"} == set(TARGETS)


def test_new_format_needs_two_lines(
    shops: Shops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A format that nobody else knows is recognised, read, restored and judged."""
    monkeypatch.setitem(FORMATS, "packed", Packed())
    monkeypatch.setitem(RESTORERS, "packed", PackedRestorer())
    path = tmp_path / "shop.dump"
    path.write_bytes(MARK + shops.dump(15, "plain.sql").read_bytes())

    backup = as_backup(look_at(path, UTC))
    contents = read_contents(backup, tmp_path, quiet)
    assert (backup.format, contents.rows) == ("packed", None)
    assert read_head(backup).source_major == 15
    assert contents.is_complete
    assert contents.read_bytes == backup.size

    target = shops.database(15, "packed")
    restorer_of(backup).check(target, contents)
    done = restorer_of(backup).restore(target, backup, contents, 2, quiet)
    assert not done.errors
    settings = settings_with()
    known = {"backup": backup, "contents": contents, "settings": settings, "restoration": done}
    facts = facts_of(target, known)["facts"]
    assert facts.rows["public.cards"] == 200
    assert table_records(facts, contents, settings.criteria)["public.cards"]["ok"] is True
