"""Backups of a busy server, recovered as a drill does it, behind walls: sound, or what is wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from restore_drill.facts.model import Facts
from restore_drill.facts.physical.examination import Examination
from restore_drill.facts.physical.examine import examine
from restore_drill.facts.physical.facts import read_all_facts
from restore_drill.recovery.model import Recovered
from tests.facts.physical.damages import in_row, put, zeroed
from tests.helpers.physical import Source, copied, majors, source
from tests.helpers.recoveries import recovered
from tests.helpers.shop import quiet

BUSY = (
    "UPDATE customers SET note = note || 'x' WHERE id % 3 = 0",
    "INSERT INTO orders (customer_id, total) SELECT 1 + n % 2000, n FROM generate_series(1, 900) n",
    "DELETE FROM orders WHERE id % 7 = 0",
    "UPDATE documents SET body = reverse(body) WHERE id % 2 = 0",
    "VACUUM orders",
    "INSERT INTO bare SELECT n, md5(n::text) FROM generate_series(1, 900) n",
)


DESCRIPTION = "table billing.pg_catalog.pg_description: block 3, row 1: "


class Backup(NamedTuple):
    """A base backup that was taken while sessions wrote, and its server."""

    server: Source
    path: Path


@pytest.fixture(scope="module", params=majors(15, 18))
def backup(request: pytest.FixtureRequest) -> Iterator[Backup]:
    """Backup of a server of this major, without checksums."""
    with source(request.param, checksums=False, full_page_writes="on") as server:
        stop = threading.Event()

        def write() -> None:
            with server.connect() as connection:
                while not stop.is_set():
                    for query in BUSY:
                        connection.execute(query.encode())

        threads = [threading.Thread(target=write) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            path = server.base_backup("base", "--max-rate=40M")
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        yield Backup(server, path)


def proved(found: Recovered) -> tuple[Examination, Facts]:
    """What is proved of a recovered server."""
    names = sorted(found.databases, key=lambda name: name != "shop")
    examined = examine(found.server, names, 2, quiet, revive=found.server.wait_until_ready)
    return examined, read_all_facts(examined, 2, quiet)


def test_a_backup_of_a_busy_server_is_sound(backup: Backup) -> None:
    """Every database, its templates too: files, tables, indexes, then rows."""
    with recovered(backup.path) as found:
        assert found.faults == []
        examined, facts = proved(found)

    assert examined.is_sound, [*examined.pages.problems, *examined.storage, *examined.unopened]
    assert {each.name for each in examined.databases} >= {"shop", "billing", "template0"}
    assert examined.pages.indexes > 500
    assert examined.pages.strays == []
    assert facts.unreadable == {}
    assert facts.undumpable == ""
    assert facts.rows["public.customers"] == 2000
    assert facts.rows["billing.public.invoices"] == 300
    assert facts.rows["public.cache"] == 0
    assert examined.unlogged == ["public.cache"]
    assert not [key for key in facts.foreign_keys if key.is_broken]
    assert not [rule for rule in facts.constraints if rule.is_broken]
    assert [what for what, _ in examined.told] == ["checksums of pages"]


def file_of(backup: Backup, name: str, database: str = "shop") -> str:
    """Path of a relation in the data directory."""
    return str(backup.server.sql(f"SELECT pg_relation_filepath('{name}')", database))


@pytest.mark.parametrize(
    ("name", "damage", "problem"),
    [
        ("bare", zeroed(0), None),
        ("public.invoices", zeroed(1), "index billing.public.invoices_pkey on "),
        ("pg_catalog.pg_operator", zeroed(3), "index billing.pg_catalog.pg_operator_oid_index on "),
        ("pg_catalog.pg_description", put(in_row(3, 12), b"\x01\x01"), DESCRIPTION),
    ],
    ids=["a table without an index", "a table", "a catalog", "a value that crashes the server"],
)
def test_a_page_that_the_backup_has_lost_is_missed(
    backup: Backup,
    tmp_path: Path,
    name: str,
    damage: Callable[[bytearray], None],
    problem: str | None,
) -> None:
    """By an index, by amcheck; without an index it is told, and counted."""
    path = copied(backup.path, backup.server.folder / tmp_path.name)
    file = path / file_of(backup, name, "shop" if name == "bare" else "billing")
    content = bytearray(file.read_bytes())
    damage(content)
    file.write_bytes(content)
    with recovered(path) as found:
        examined, facts = proved(found)

    problems = [each.problem for each in examined.pages.dangling] + examined.storage
    told = [each for each in examined.warnings if each.startswith("all zero: 1 page (block 0)")]
    assert bool(told) == examined.is_sound == (problem is None)
    assert problem is None or any(each.startswith(problem) for each in problems), problems
    assert examined.guard.crashes == 0
    assert facts.rows["public.customers"] == 2000


def test_a_database_that_cannot_be_opened_is_named(backup: Backup, tmp_path: Path) -> None:
    """Its catalog's file is gone; the others are examined."""
    path = copied(backup.path, backup.server.folder / tmp_path.name)
    (path / file_of(backup, "pg_catalog.pg_namespace", "billing")).unlink()
    with recovered(path) as found:
        named = dict.fromkeys(["shop", "billing", *found.databases])
        examined = examine(found.server, list(named), 2, quiet)
        facts = read_all_facts(examined, 2, quiet)

    assert list(examined.unopened) == ["billing"]
    assert facts.rows["public.customers"] == 2000


def test_a_session_of_a_database_that_is_not_there_is_no_traceback(backup: Backup) -> None:
    """It is named like one that cannot be opened."""
    with recovered(backup.path) as found:
        examined = examine(found.server, ["nowhere"], 1, quiet)
        facts = read_all_facts(examined, 1, quiet)
        with pytest.raises(psycopg.Error), found.server.target("nowhere").connect():
            pass

    assert "does not exist" in examined.unopened["nowhere"]
    assert facts.rows == {}
