"""A row that crashes the server that reads it: its table is named, and all else is read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from restore_drill.facts.answers import answer
from restore_drill.facts.collect import read_facts
from restore_drill.facts.copied import Copied
from restore_drill.facts.physical import guard as guards
from restore_drill.facts.physical.guard import AWAY, CRASHED, TIRED, Away, Crash, Guard
from restore_drill.facts.physical.surviving import surviving
from restore_drill.facts.session import Connection, open_session
from restore_drill.servers.model import Target
from tests.facts.physical.damages import in_row, put
from tests.helpers.physical import majors
from tests.helpers.recovered import Recovered, recovered
from tests.helpers.shapes_of_files import files_of
from tests.helpers.shop import quiet

CRASHES = "SELECT count(length(t)) FROM public.gone"


@pytest.fixture(scope="module", params=majors(15, 18))
def server(request: pytest.FixtureRequest) -> Iterator[Recovered]:
    """Server that a value of the table `gone` crashes; amcheck would name it."""
    with files_of(request.param) as files:
        files.server.sql("ALTER TABLE gone ADD CONSTRAINT is_short CHECK (length(t) < 1000)")
        files.server.stop("fast")

        def damage(data: Path) -> None:
            path = data / files.path("gone").relative_to(files.data)
            content = bytearray(path.read_bytes())
            put(in_row(150, 4, 20), b"\x01\x01")(content)
            path.write_bytes(content)

        source = files.server
        with recovered(source.data, source.binaries, source.folder / "it", damage) as found:
            yield found


def session(server: Recovered, guard: Guard) -> Connection:
    """Session of the database `shop` that outlives crashes."""
    return surviving(lambda: open_session(server.target("shop")), guard)


def test_the_question_that_crashes_the_server_is_the_one_that_is_named(server: Recovered) -> None:
    """It fails each time; other sessions get their answers, also within a transaction."""
    guard = Guard()
    one, two = session(server, guard), session(server, guard)
    with two.transaction():
        two.execute("SET LOCAL work_mem = '77MB'")
        with pytest.raises(Crash, match=CRASHED):
            one.execute(CRASHES)
        assert two.execute("SHOW work_mem").fetchone() == ("77MB",)
    assert two.execute("SHOW work_mem").fetchone() != ("77MB",)
    with one.transaction():
        one.execute("SET LOCAL work_mem = '78MB'")
        assert answer(one, CRASHES, ("SET LOCAL work_mem = '79MB'",)).error == CRASHED
    assert one.execute("SELECT count(*) FROM public.hot").fetchone() == (3000,)
    assert guard.crashes == 2
    one.close()
    two.close()


def test_facts_of_all_other_tables_are_read(server: Recovered) -> None:
    """A condition on the damaged value cannot be checked; its rows can be counted even so."""
    guard = Guard()
    copied = Copied(lambda _: session(server, guard))
    facts = read_facts(server.target("shop"), None, 2, quiet, copied=copied, as_major=14)

    assert facts.unreadable == {}
    assert facts.rows["public.few_values"] == 20000
    assert [each.problem for each in facts.constraints if each.is_broken] == [
        f"check is_short: cannot be checked: {CRASHED}"
    ]
    assert facts.fingerprint is not None
    content = facts.fingerprint.tables
    assert {name: each.error for name, each in content.items() if each.error} == {
        "public.gone": CRASHED
    }
    assert 2 <= guard.crashes < guards.MOST


def test_the_whole_examination_names_it_without_a_crash(server: Recovered) -> None:
    """verify_heapam reads it calmly, and then nothing else does."""
    examined = server.examine()

    (problem,) = examined.storage
    assert problem.startswith("table public.gone: block 150, row 20: ")
    assert (examined.crashes, examined.guard.crashes) == ([], 0)


def test_a_server_that_crashes_all_the_time_is_asked_no_more(
    server: Recovered, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not read is told from what crashed it."""
    monkeypatch.setattr(guards, "MOST", 1)
    one = session(server, Guard())
    with pytest.raises(Crash, match=CRASHED):
        one.execute(CRASHES)
    with pytest.raises(Crash, match=TIRED):
        one.execute("SELECT 1")
    one.close()


def test_a_server_that_does_not_come_back_is_not_waited_for_long(server: Recovered) -> None:
    """All questions end at once from then on."""
    session(server, Guard()).close()
    guard = Guard(patience=0.3)
    nowhere = Target("embedded", {"host": "/nowhere"}, 150000, server.binaries)
    opened = iter([server.target("shop")])
    one = surviving(lambda: open_session(next(opened, nowhere)), guard)
    began = time.monotonic()
    with pytest.raises(Away, match=AWAY):
        one.execute(CRASHES)
    with pytest.raises(Away, match=AWAY):
        one.execute("SELECT 1")
    assert one.broken
    assert time.monotonic() - began < 20
