"""Materialized views are refreshed side by side only where the catalog proves them independent."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

import pytest

from restore_drill.backups.plaindump.events import Statement
from restore_drill.backups.read import read_contents
from restore_drill.restore.model import Restoration
from restore_drill.restore.session import Session
from restore_drill.restore.split import restore_split
from restore_drill.restore.views import View, read_views
from restore_drill.servers.model import Target
from tests.helpers.restoring import backup_of, new_database
from tests.helpers.shop import USUAL, Shops, pg_dump, quiet

SCRIPT = r"""
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE TABLE base (id integer PRIMARY KEY, n numeric, m mood, xid positive);
CREATE TABLE closed (id integer);
ALTER TABLE closed ENABLE ROW LEVEL SECURITY;
INSERT INTO base SELECT i, i * 1.5, 'glad', i FROM generate_series(1, 500) i;
CREATE FUNCTION reads() RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS
    $$BEGIN RETURN (SELECT sum(total) FROM public.b_sum); END$$;
CREATE VIEW between AS SELECT * FROM base WHERE n > 3;
CREATE MATERIALIZED VIEW b_sum AS SELECT sum(n) AS total, count(*) FILTER (WHERE m = 'glad')
    FROM between GROUP BY m, id % 7 ORDER BY 1;
CREATE MATERIALIZED VIEW a_of_sum AS SELECT total FROM b_sum;
CREATE VIEW over_sum AS SELECT max(total) AS top FROM b_sum;
CREATE MATERIALIZED VIEW a_of_view AS SELECT id, (SELECT top FROM over_sum) FROM base;
CREATE MATERIALIZED VIEW apart AS SELECT id, m, lower(n::text) COLLATE "C" AS n FROM base;
CREATE MATERIALIZED VIEW by_function AS SELECT id, public.reads() AS sum FROM base;
CREATE MATERIALIZED VIEW by_catalog AS SELECT relname FROM pg_class WHERE relkind = 'm';
CREATE MATERIALIZED VIEW by_size AS SELECT pg_relation_size('b_sum') AS bytes;
CREATE MATERIALIZED VIEW by_xml AS SELECT table_to_xml('b_sum', false, false, '')::text AS x;
CREATE MATERIALIZED VIEW by_domain AS SELECT id::positive AS id FROM base;
CREATE MATERIALIZED VIEW by_policy AS SELECT id FROM closed;
CREATE MATERIALIZED VIEW by_index AS SELECT id FROM base;
CREATE MATERIALIZED VIEW by_predicate AS SELECT id FROM base;
CREATE FUNCTION above(i integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
    $$BEGIN RETURN i > (SELECT max(total) FROM public.b_sum); END$$;
CREATE INDEX ON by_index (above(id));
CREATE INDEX ON by_predicate (id) WHERE above(id);
CREATE INDEX ON b_sum (total);
CREATE INDEX ON apart (lower(n), m) WHERE id > 3;
"""
INDEPENDENT = {"b_sum", "a_of_sum", "a_of_view", "apart"}
CONTENT = """
    SELECT format('%s', b) FROM b_sum b UNION ALL SELECT format('%s', a) FROM a_of_sum a
    UNION ALL SELECT format('%s', v) FROM a_of_view v UNION ALL SELECT format('%s', a) FROM apart a
    UNION ALL SELECT format('%s', f) FROM by_function f UNION ALL SELECT x FROM by_xml ORDER BY 1
"""


@pytest.fixture(scope="module")
def source(shops: Shops) -> Target:
    """A database with materialized views of all kinds."""
    target = new_database(shops, USUAL, None, "UTF8")
    with target.connect() as connection:
        connection.execute(SCRIPT.encode())
    return target


@pytest.fixture(scope="module")
def views(source: Target) -> dict[str, View]:
    """What the catalog says of them, by name."""
    with closing(Session(source, Restoration(source, "test"), threading.Event())) as session:
        session.wire.exec_(b"SET standard_conforming_strings = off")  # as some dumps do
        found = read_views(session)
    return {name.decode(): view for (_, name), view in found.items()}


def test_only_what_is_proved_is_not_doubtful(views: dict[str, View]) -> None:
    """Functions, also of an index, the server's catalogs, policies, domains may read anything."""
    assert {name for name, view in views.items() if not view.is_doubtful} == INDEPENDENT


def test_view_concerns_what_it_reads(views: dict[str, View]) -> None:
    """Through a plain view too, whichever of the two is asked; others stand beside each other."""
    for reader in ("a_of_sum", "a_of_view"):
        assert views[reader].concerns(views["b_sum"]) and views["b_sum"].concerns(views[reader])
    assert not views["apart"].concerns(views["b_sum"])
    assert not views["a_of_view"].concerns(views["a_of_sum"])
    assert all(views["by_function"].concerns(other) for other in views.values())


def test_views_come_back_with_their_rows(
    source: Target, shops: Shops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over several connections, in the dump's order where one reads another."""
    ran: list[tuple[int, bytes]] = []
    run = Session.execute

    def watched(self: Session, statement: Statement) -> None:
        ran.append((threading.get_ident(), statement.sql))
        run(self, statement)

    monkeypatch.setattr(Session, "execute", watched)
    dump = pg_dump(source, tmp_path / "views.sql")
    backup = backup_of(dump)
    target = new_database(shops, USUAL, None, "UTF8")

    done = restore_split(target, backup, read_contents(backup, tmp_path, quiet), jobs=2,
                         progress=quiet)  # fmt: skip

    assert not done.errors and "line" not in done.way
    refreshed = [(thread, sql) for thread, sql in ran if sql.startswith(b"REFRESH")]
    assert len(refreshed) == 12 and threading.get_ident() not in dict(refreshed)
    with source.connect() as first, target.connect() as second:
        wanted = first.execute(CONTENT).fetchall()
        assert second.execute(CONTENT).fetchall() == wanted and len(wanted) > 1000


def test_rows_behind_a_view_wait_for_it(shops: Shops, source: Target, tmp_path: Path) -> None:
    """Two dumps one behind the other: what fills tables comes behind the views before it."""
    dump = pg_dump(source, tmp_path / "views.sql")
    more = (
        b"\n--\n-- Name: base; Type: TABLE DATA; Schema: public; Owner: postgres\n--\n\n"
        b"COPY public.base (id, n, m, xid) FROM stdin;\n"
        + b"".join(b"%d\t9\tsad\t1\n" % n for n in range(1000, 9000))
        + b"\\.\n"
    )
    dump.write_bytes(dump.read_bytes() + more)
    backup = backup_of(dump)
    target = new_database(shops, USUAL, None, "UTF8")
    done = restore_split(target, backup, read_contents(backup, tmp_path, quiet), jobs=2,
                         progress=quiet)  # fmt: skip
    with target.connect() as connection:
        counts = connection.execute("SELECT count(*), (SELECT count(*) FROM apart) FROM base")
        assert not done.errors and counts.fetchone() == (8500, 500)
