"""One table over several connections: every row once, in whole, or as one connection loads it."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import pytest

from restore_drill.backups.plaindump.events import Statement
from restore_drill.backups.read import read_contents
from restore_drill.restore import ranges
from restore_drill.restore.blocks import Block
from restore_drill.restore.model import Restoration
from restore_drill.restore.pool import Pool
from restore_drill.restore.ranges import RangedLoad, Ranges, hands_for
from restore_drill.restore.relations import read_tables
from restore_drill.restore.session import Session
from restore_drill.restore.split import restore_split
from restore_drill.servers.model import Target
from tests.helpers.restoring import backup_of, new_database
from tests.helpers.shop import Shops, quiet

MAJOR = 18
COPY = b"COPY public.t (id, body) FROM stdin;"
BODIES = [f"ä€😀\n{'x' * (n % 60)}" + "\\" * (n % 3) for n in range(3000)]
LINES = [
    f"{n}\t{body}\n".encode()
    for n, body in enumerate(body.replace("\\", r"\\").replace("\n", r"\n") for body in BODIES)
]
ROWS = b"".join(LINES)


@contextmanager
def block_of(data: bytes = b"") -> Iterator[tuple[Block, IO[bytes]]]:
    """A block in a file, with `data` so far, and the file to write more into."""
    with tempfile.TemporaryFile() as file:
        block = Block(file.fileno())
        grow(block, file, data)
        yield block, file


def grow(block: Block, file: IO[bytes], data: bytes) -> None:
    """Let `data` come to the end of `block`."""
    file.write(data)
    file.flush()
    block.grow(file.tell() - len(data), len(data))


def dealt(data: bytes, size: int, monkeypatch: pytest.MonkeyPatch) -> tuple[list[bytes], Ranges]:
    """The ranges that `data` is dealt out in, each at least `size` bytes, read by tens of bytes."""
    monkeypatch.setattr(ranges, "RANGE", size)
    monkeypatch.setattr(ranges, "PIECE", 10)
    with block_of(data) as (block, _):
        block.end()
        deal, found, stop = Ranges(block), [], threading.Event()
        while (share := deal.next_range(stop)) is not None:
            found.append(b"".join(block.read(*share, stop)))
        return found, deal


@pytest.mark.parametrize(
    "data",
    [
        ROWS[:4000],
        b"\n\n\n" * 40,
        b"1\n\n2\n\\N\n" * 30,
        b"a\\\nb\t1\n" * 30,
        b"\\\\\n" * 30 + b"\\.x\n" * 9,
        b"\xe3\x81\x82" * 50 + b"\n" + b"y" * 333,
        b"",
    ],
)
@pytest.mark.parametrize("size", [1, 7, 64])
def test_ranges_are_whole_rows(data: bytes, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every byte is dealt once, in order, and cut behind a line end that no backslash escapes."""
    found, deal = dealt(data, size, monkeypatch)

    assert b"".join(found) == data
    assert all(piece.endswith(b"\n") and piece[-2:] != b"\\\n" for piece in found[:-1])
    assert not deal.is_cut
    assert len(found) > 1 or len(data) < 500


def test_rows_that_still_come_are_dealt_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three threads take ranges while bytes come in odd pieces: together they have each row."""
    monkeypatch.setattr(ranges, "RANGE", 100)
    monkeypatch.setattr(ranges, "PIECE", 64)
    taken: list[list[bytes]] = [[], [], []]
    with block_of() as (block, file):
        deal, stop = Ranges(block), threading.Event()

        def take(into: list[bytes]) -> None:
            while (share := deal.next_range(stop)) is not None:
                into.append(b"".join(block.read(*share, stop)))

        threads = [threading.Thread(target=take, args=(into,)) for into in taken]
        for thread in threads:
            thread.start()
        for at in range(0, len(ROWS), 997):
            grow(block, file, ROWS[at : at + 997])
        block.end()
        for thread in threads:
            thread.join(20)

    lines = b"".join(piece for each in taken for piece in each).splitlines(keepends=True)
    assert sorted(lines) == sorted(LINES)


@pytest.mark.parametrize("kind", ["a carriage return", "a cut"])
def test_what_only_one_connection_can_judge_ends_the_ranges(kind: str) -> None:
    """Line ends that depend on the first row, and a cut dump, are left to one connection."""
    with block_of(ROWS[:500] + b"9\tx\r\n" * (kind != "a cut")) as (block, _):
        block.end(cut=kind == "a cut")
        deal = Ranges(block)

        assert not list(deal.pieces(threading.Event()))
        assert deal.is_cut


@pytest.mark.parametrize(
    ("megabytes", "total", "jobs", "hands"),
    [(100, 100, 2, 2), (80, 100, 2, 2), (60, 100, 2, 1), (60, 100, 4, 2), (1, 1, 4, 1)],
)
def test_hands_for_a_table(megabytes: int, total: int, jobs: int, hands: int) -> None:
    """Connections that the other tables would leave idle help, where the table is large."""
    assert hands_for(megabytes * 1_000_000, total * 1_000_000, jobs) == hands


@dataclass
class Loaded:
    """A table that has been loaded: its rows, how many connections brought them, the errors."""

    target: Target
    restoration: Restoration

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        """Rows of a query."""
        with self.target.connect() as connection:
            return list(connection.execute(sql.encode()).fetchall())

    @property
    def rows(self) -> list[tuple[object, ...]]:
        """All rows, in order."""
        return self.ask("SELECT id, body FROM public.t ORDER BY id, body")

    @property
    def hands(self) -> int:
        """Transactions that rows are from."""
        ((hands,),) = self.ask("SELECT count(DISTINCT xmin::text) FROM public.t")
        assert isinstance(hands, int)
        return hands


TABLE = "CREATE TABLE public.t (id integer, body text, CHECK (id <> -1))"
Meanwhile = Callable[[Session, Session], None]
"""What happens to the connection that leads, and the one that helps, when half of the rows came."""


class Fair(Ranges):
    """Ranges of which each of two connections gets one before either gets another."""

    def __init__(self, block: Block) -> None:
        """Neither has one yet."""
        super().__init__(block)
        self.both, self.met = threading.Barrier(2, timeout=20), set[int]()

    def next_range(self, stop: threading.Event) -> tuple[int, int] | None:
        """Wait for the other one, the first time."""
        found = super().next_range(stop)
        me = threading.get_ident()
        if me not in self.met:
            self.met.add(me)
            self.both.wait()
        return found


@pytest.fixture
def load(shops: Shops, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Loaded]:
    """Function that loads `public.t` over two connections: half of its rows come once both wait."""
    monkeypatch.setattr(ranges, "Ranges", Fair)
    monkeypatch.setattr(ranges, "RANGE", 200)
    monkeypatch.setattr(ranges, "PIECE", 64)

    def run(
        table: str = TABLE,
        copy: bytes = COPY,
        data: bytes = ROWS,
        meanwhile: Meanwhile = lambda *_: None,
    ) -> Loaded:
        target = new_database(shops, MAJOR, None, "UTF8")
        with target.connect() as connection:
            connection.execute(table.encode())
        restoration, stop = Restoration(target, ""), threading.Event()
        looker, *sessions = [Session(target, restoration, stop) for _ in range(3)]
        known = read_tables(looker)[b"public", b"t"]
        looker.close()
        pool = Pool(sessions, stop)
        with block_of(data[: len(data) // 2]) as (block, file), closing(pool):
            work = RangedLoad(pool, Statement(7, copy), known, b"public.t", block, {}, 2)
            leaders: list[Session] = []

            def lead(session: Session) -> None:
                leaders.append(session)
                work.lead(session)

            pool.submit(lead)
            wait_for(lambda: work.busy == 2 or (not work.busy and sessions_loaded(pool) > 0))
            meanwhile(*sorted(sessions, key=lambda session: session not in leaders))
            grow(block, file, data[len(data) // 2 :])
            block.end()
            pool.drain(lambda: None)
        return Loaded(target, restoration)

    return run


def sessions_loaded(pool: Pool) -> int:
    """Bytes of rows that were sent."""
    return sum(session.loaded for session in pool.sessions)


def wait_for(is_so: Callable[[], bool]) -> None:
    """Wait until something is so; it is an error if it never is."""
    until = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.001)


def test_both_connections_load_each_row_once(load: Callable[..., Loaded]) -> None:
    """Rows come over both, while they are still being read: none is lost, doubled or changed."""
    done = load()

    assert done.hands == 2
    assert done.rows == list(enumerate(BODIES))
    assert not done.restoration.errors


BAD = {
    "refused by a check": b"-1\tx\n",
    "of another type": b"one\tx\n",
    "too short": b"1\n",
    "not text": b"1\t\xff\n",
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("at", [3, 2900])
def test_an_error_takes_all_back(kind: str, at: int, load: Callable[..., Loaded]) -> None:
    """One bad row leaves an empty table, and is reported once: as over one connection, by line."""
    done = load(data=b"".join([*LINES[:at], BAD[kind], *LINES[at:]]))

    assert done.rows == []
    (error,) = done.restoration.errors
    assert error.where == f"line {7 + at + 1:,}"


def test_rows_that_are_refused_together_are_loaded_by_one(load: Callable[..., Loaded]) -> None:
    """Line ends of Windows are read as the first line has them: what was loaded is taken back."""
    done = load(data=ROWS.replace(b"\n", b"\r\n"))

    assert done.hands == 1
    assert done.rows == list(enumerate(BODIES))
    assert not done.restoration.errors


def test_a_lost_helper_loses_no_row(load: Callable[..., Loaded]) -> None:
    """When the server ends the connection that helps, the other one loads the whole table."""

    def end_helper(_: Session, helper: Session) -> None:
        pid = helper.connection.backend_pid
        with helper.restoration.target.connect() as connection:
            connection.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    done = load(meanwhile=end_helper)

    assert done.hands == 1
    assert done.rows == list(enumerate(BODIES))


def test_interrupt_leaves_nothing_committed(load: Callable[..., Loaded]) -> None:
    """Whoever stops the restore while rows come ends both connections; no row is kept."""
    targets = []

    def interrupt(leader: Session, _: Session) -> None:
        targets.append(leader.restoration.target)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(meanwhile=interrupt)

    assert Loaded(targets[0], Restoration(targets[0], "")).rows == []


COUNTING = "CREATE TABLE public.t (id integer, body text, n serial)"
ONE_HAND = {
    "an index": (f"{TABLE}; CREATE UNIQUE INDEX ON public.t (id)", COPY),
    "a rule": (f"{TABLE}; CREATE RULE r AS ON DELETE TO public.t DO INSTEAD NOTHING", COPY),
    "a child": (f"{TABLE}; CREATE TABLE public.u () INHERITS (public.t)", COPY),
    "rows": (f"{TABLE}; INSERT INTO public.t VALUES (0, 'before')", COPY),
    "a column that counts": (COUNTING, COPY),
}


@pytest.mark.parametrize("kind", ONE_HAND)
def test_where_order_matters_one_connection_loads(kind: str, load: Callable[..., Loaded]) -> None:
    """Other rows, defaults that count the rows, and what compares them, see the dump's order."""
    done = load(*ONE_HAND[kind])

    assert done.hands == (2 if kind == "rows" else 1)
    assert done.ask("SELECT count(*) FROM public.t") == [(3000 + (kind == "rows"),)]
    if kind == "a column that counts":
        assert done.ask("SELECT id FROM public.t WHERE n <> id + 1") == []


def test_generated_columns_are_no_reason(load: Callable[..., Loaded]) -> None:
    """A column that a COPY cannot name is not missing in it; without names it has all others."""
    table = "CREATE TABLE public.t (id integer, g integer GENERATED ALWAYS AS (id * 2) STORED"
    done = load(f"{table}, body text)")

    assert done.hands == 2
    assert done.ask("SELECT count(*) FROM public.t WHERE g = id * 2") == [(3000,)]
    assert load(copy=b"COPY public.t FROM stdin;").rows == list(enumerate(BODIES))


HEAD = """SET client_encoding = 'UTF8';
--
-- Name: t; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.t (
    id integer,
    body text
);
"""


def dump_of(path: Path, copy: str, size: int) -> Path:
    """Dump of a table with rows of `size` bytes."""
    with path.open("w", encoding="utf-8") as file:
        header = "--\n-- Data for Name: t; Type: TABLE DATA; Schema: public; Owner: -\n--\n"
        file.write(f"{HEAD}{header}\n{copy}\n")
        separator = "," if "csv" in copy else "\t"
        row = "x" * 90
        file.writelines(f"{n}{separator}{row}\n" for n in range(size // 97))
        file.write("\\.\n\n--\n-- PostgreSQL database dump complete\n--\n")
    return path


@pytest.mark.parametrize(
    ("copy", "where", "hands"),
    [
        ("COPY public.t (id, body) FROM stdin;", "own server", 2),
        ("COPY public.t (id, body) FROM stdin;", "live server", 1),
        ("COPY public.t (id, body) FROM stdin WITH (FORMAT csv);", "own server", 1),
    ],
)
def test_a_dump_of_one_table(
    copy: str,
    where: str,
    hands: int,
    shops: Shops,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its rows go over both connections in text form, and to a server that is thrown away."""
    monkeypatch.setattr(ranges, "Ranges", Fair)
    backup = backup_of(dump_of(tmp_path / "one.sql", copy, 18_000_000))
    contents = read_contents(backup, tmp_path, quiet)
    target = new_database(shops, MAJOR, None, "UTF8")
    own = replace(target, throwaway=False, beside="another") if where == "live server" else target

    done = restore_split(own, backup, contents, jobs=2, progress=quiet)

    loaded = Loaded(target, done)
    assert not done.errors
    assert loaded.ask("SELECT count(*), count(DISTINCT id) FROM public.t") == [(185567, 185567)]
    assert loaded.hands == hands, done
